"""This dbt project in a folder of its own, run inside the tests' process or beside it."""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import project_sql
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from project_sql import OURS, DbtRun, in_folder, run_dbt

ROOT = Path(__file__).parents[2]
COPIED = (
    "dbt_project.yml", "profiles.yml", "selectors.yml",
    "models", "macros", "seeds", "tests", "docs",
)  # fmt: skip
World = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Parsed:
    """A copy of this project, parsed once for all tests: nobody edits it while they run.

    Beside the files are `manifest`, the parsed project, and `one_thread`, the profile with one
    thread of DuckDB: two workers on two cores gain nothing from more, and each costs.
    """

    folder: Path

    @classmethod
    def make(cls, folder: Path, variables: str = "{}") -> None:
        """Copy the project to a folder, and parse it with variables that change its graph."""
        for name in COPIED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, folder / name)
        (folder / "analyses").symlink_to(ROOT / "analyses")
        (folder / "data").mkdir()
        profile = (folder / "profiles.yml").read_text()
        slower = profile.replace("settings:\n", "settings:\n        threads: 1\n", 1)
        assert slower != profile
        (folder / "one_thread").mkdir()
        (folder / "one_thread" / "profiles.yml").write_text(slower)
        said = io.StringIO()
        with contextlib.redirect_stdout(said), in_folder(folder):
            run = dbtRunner().invoke(["parse", "--log-level-file", "none", "--vars", variables])
        assert run.success, said.getvalue()
        (folder / "manifest.pickle").write_bytes(project_sql.dump(run.result))

    @property
    def nodes(self) -> dict[str, Any]:
        """The nodes of manifest.json."""
        return json.loads((self.folder / "target" / "manifest.json").read_text())["nodes"]

    def manifest(self) -> Manifest:
        """The parsed project anew: a manifest that was run carries what the run left."""
        return project_sql.load((self.folder / "manifest.pickle").read_bytes())


@dataclass(frozen=True)
class Project:
    """A project in a folder of its own, with its own warehouse, raw data and target."""

    folder: Path
    parsed: Parsed

    @classmethod
    def make(cls, folder: Path, parsed: Parsed) -> "Project":
        """A project with an empty warehouse and no raw data; its files are the parsed ones."""
        for name in (*COPIED, "analyses"):
            (folder / name).symlink_to(parsed.folder / name)
        for name in ("data", "target"):
            (folder / name).mkdir()
        parse = Path("target") / "partial_parse.msgpack"
        shutil.copy(parsed.folder / parse, folder / parse)
        return cls(folder, parsed)

    def copy_to(self, other: "Project") -> "Project":
        """Give another project this one's raw data and warehouse."""
        shutil.copytree(self.folder / "data", other.folder / "data", dirs_exist_ok=True)
        return other

    @property
    def raw(self) -> Path:
        return self.folder / "data" / "raw"

    @property
    def warehouse(self) -> Path:
        return self.folder / "data" / "warehouse.duckdb"

    @property
    def manifest_json(self) -> Path:
        return self.parsed.folder / "target" / "manifest.json"

    def deliver(self, world: World, kind: str = "parquet") -> None:
        """Write each table of a world to data/raw, as Parquet or CSV files."""
        self.raw.mkdir(parents=True, exist_ok=True)
        for name, table in world.items():
            if kind == "csv":
                table.to_csv(self.raw / f"{name}.csv", index=False)
            else:
                table.to_parquet(self.raw / f"{name}.parquet", index=False)

    def dbt(
        self,
        *arguments: str,
        manifest: Manifest | None = None,
        own_profile: bool = False,
        log_file: str = "none",
        **environment: str,
    ) -> DbtRun:
        """Run dbt in this process, on the project as it was parsed; stdout has all that it says.

        No artifacts are written. `manifest` is for who changes one, or runs twice on it;
        `own_profile` for who changes the profile in the project's folder. `log_file` is how
        much logs/dbt.log has; `environment` is what is set beside the warehouse.
        """
        profiles = self.folder if own_profile else self.parsed.folder / "one_thread"
        return run_dbt(
            [
                *("--no-use-colors", "--log-level-file", log_file, "--no-write-json"),
                *arguments,
                *("--profiles-dir", str(profiles)),
                *("--threads", "1"),
            ],
            manifest or self.parsed.manifest(),
            self.folder,
            # By its full path: dbt-duckdb keeps one environment a process, and compares paths as
            # text.
            MODERATION_QUALITY_DATABASE=str(self.warehouse),
            **environment,
        )

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start dbt as a user would, in a process group of its own; stdout has all that it says."""
        env = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        return subprocess.Popen(
            [Path(sys.executable).with_name("dbt"), "--no-use-colors", *arguments],
            cwd=self.folder,
            env=env | {"DO_NOT_TRACK": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def dbt_as_a_user(self, *arguments: str) -> DbtRun:
        """Run dbt as a process of its own: it reads the profile and parses what has changed."""
        with self.start(*arguments) as process:
            said, _ = process.communicate()
        return DbtRun(process.returncode, said)

    def build(self, *arguments: str, data_tests: bool = True, **options: Any) -> DbtRun:
        """Run dbt build in this process, without the unit tests: they read no raw data."""
        left_out = ["unit_test"] if data_tests else ["unit_test", "test"]
        return self.dbt("build", "--exclude-resource-types", *left_out, *arguments, **options)

    def query(self, sql: str) -> pd.DataFrame:
        """What the warehouse answers."""
        with duckdb.connect(self.warehouse, read_only=True) as connection:
            return connection.sql(sql).df()

    def table(self, name: str) -> pd.DataFrame:
        """All rows of a table, in an order that only its content sets."""
        return self.query(f"from {name} order by all")

    def tables(self) -> set[str]:
        """The tables and views of the warehouse; none where there is no warehouse."""
        if not self.warehouse.exists():
            return set()
        return set(self.query("select table_name from information_schema.tables")["table_name"])


def differing_rows(
    left: Path, right: Path, left_out: Container[str] = (), ignore: Container[str] = ()
) -> dict[str, int]:
    """{table: how many rows are in one warehouse only}, of the tables that differ.

    A table that one side lacks is an error. Doubles are compared to the last bit. The tables
    `left_out` and the columns `ignore` are not compared.
    """
    differing, n_rows = {}, {}
    with duckdb.connect() as db:
        names = []
        for side, file in (("l", left), ("r", right)):
            db.execute(f"attach '{file}' as {side} (read_only)")
            found = db.execute(
                "select schema_name, table_name from duckdb_tables() where database_name = ? "
                "order by all",
                [side],
            ).fetchall()
            names.append([f"{schema}.{name}" for schema, name in found if name not in left_out])
        assert names[0] == names[1]
        for name in names[0]:
            columns = [row[0] for row in db.execute(f"describe l.{name}").fetchall()]
            kept = ", ".join(column for column in columns if column not in ignore)
            sides = [f"select {kept} from {side}.{name}" for side in "lr"]
            n_differing, n_rows[name] = db.execute(
                f"select (select count(*) from (({sides[0]} except all {sides[1]}) "
                f"union all ({sides[1]} except all {sides[0]}))), (select count(*) from l.{name})"
            ).fetchall()[0]
            if n_differing:
                differing[name] = n_differing
    n_filled = sum(n > 0 for n in n_rows.values())
    assert n_filled > len(n_rows) / 4, "hardly a table holds rows to compare"
    return differing
