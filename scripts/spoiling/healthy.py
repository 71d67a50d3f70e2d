"""A healthy world: simulated, built once by dbt, and what its build knows of models and tests."""

import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import project_sql
import simulate as simulator
from project_sql import DbtRun
from simulator.columns import RAW_TABLES
from simulator.world import Settings

# Rich enough that nearly every mart publishes something: golden items, calibration, benchmarks.
SETTINGS = Settings(days=35, decisions_per_day=300, moderators=20, queues=3, audit_rate=0.15)
# A key of its own: the public sample key is warned of.
KEY = "the fault catalogue's own key, for simulated people only"
WITHOUT_UNIT_TESTS = ("--exclude-resource-types", "unit_test")


@dataclass(frozen=True)
class Node:
    """A seed, model or test, as dbt compiled it: all that is needed to run it again."""

    name: str
    id: str
    kind: str
    sql: str
    relation: str
    materialized: str
    parents: tuple[str, ...]
    # Of a test: how dbt judges its rows.
    severity: str = "ERROR"
    fail_calc: str = "count(*)"
    warn_if: str = "!= 0"
    error_if: str = "!= 0"
    advice: str = ""


def run_quietly(arguments: list[str], manifest: bytes, database: str, target: Path) -> DbtRun:
    """Run dbt in this process on the parsed project, in a warehouse; it says little."""
    return project_sql.run_dbt(
        [
            *arguments,
            *("--threads", "1", "--no-write-json", "--quiet", "--log-level-file", "none"),
            *("--target-path", str(target), "--log-path", str(target)),
        ],
        project_sql.load(manifest),
        project_sql.PROJECT,
        MODERATION_QUALITY_DATABASE=database,
        DBT_ENV_SECRET_PSEUDONYM_KEY=KEY,
    )


def variables(raw: Path, more: dict[str, Any] | None = None) -> list[str]:
    """The flag that tells dbt where the raw files are."""
    return ["--vars", json.dumps({"raw_path": str(raw)} | (more or {}))]


@dataclass(frozen=True)
class Healthy:
    """A folder with a healthy world: raw/, its warehouse as dbt built it, and its nodes."""

    folder: Path

    @property
    def raw(self) -> Path:
        """One Parquet file per raw table."""
        return self.folder / "raw"

    @property
    def warehouse(self) -> Path:
        """The warehouse that dbt built; a manifest knows it by the name of its file."""
        (found,) = self.folder.glob("*.duckdb")
        return found

    @property
    def manifest(self) -> bytes:
        """The parsed project, as project_sql.dump wrote it."""
        return (self.folder / "manifest.pickle").read_bytes()

    @property
    def nodes(self) -> list[Node]:
        """Seeds, models and data tests in the order in which dbt ran them."""
        return pickle.loads((self.folder / "nodes.pickle").read_bytes())

    @property
    def said(self) -> list[str]:
        """What dbt warned of, and the tests that did not pass: nothing, if all is well."""
        return json.loads((self.folder / "said.json").read_text())

    @classmethod
    def make(
        cls,
        folder: Path,
        settings: Settings = SETTINGS,
        manifest: bytes | None = None,
        more: dict[str, Any] | None = None,
    ) -> "Healthy":
        """Simulate a world in a folder, and build it with every data test.

        Args:
            folder: an empty folder.
            settings: of the simulated world.
            manifest: the project as parsed; read from the project where there is none.
            more: dbt variables that differ from dbt_project.yml.

        Raises:
            RuntimeError: the build ended before it ran its nodes.
        """
        made = cls(folder)
        simulator.simulate(settings, folder / "simulated", workers=1)
        made.raw.mkdir()
        with duckdb.connect() as db:
            for name in RAW_TABLES:
                (found,) = (folder / "simulated" / "raw").glob(f"{name}*")
                files = f"{found}/**/*.parquet" if found.is_dir() else found
                db.execute(f"copy (from '{files}') to '{made.raw / name}.parquet'")
        manifest = manifest or project_sql.dump(project_sql.parsed(None))
        (folder / "manifest.pickle").write_bytes(manifest)
        name = next(iter(project_sql.load(manifest).nodes.values())).database
        run = run_quietly(
            ["build", *WITHOUT_UNIT_TESTS, *variables(made.raw, more)],
            manifest,
            str(folder / f"{name}.duckdb"),
            folder / "target",
        )
        if run.stops:
            raise RuntimeError("\n".join(run.stops))
        nodes = [_node(result.node) for result in run.results if _is_built(result.node)]
        (folder / "nodes.pickle").write_bytes(pickle.dumps(nodes))
        said = run.warnings + [
            f"{result.node.name}: {result.status}"
            for result in run.results
            # An exposure does nothing.
            if str(result.status) not in ("pass", "success", "no-op")
        ]
        (folder / "said.json").write_text(json.dumps(said))
        return made


def _is_built(node: Any) -> bool:
    return node.resource_type in ("seed", "model", "test")


def _node(node: Any) -> Node:
    about = {}
    if node.resource_type == "test":
        about = {
            "severity": node.config.severity.upper(),
            "fail_calc": node.config.fail_calc,
            "warn_if": node.config.warn_if,
            "error_if": node.config.error_if,
            "advice": str((node.config.meta or {}).get("what_to_do") or ""),
        }
    return Node(
        name=node.name,
        id=node.unique_id,
        kind=node.resource_type,
        sql=getattr(node, "compiled_code", None) or "",
        relation=node.relation_name or "",
        materialized=node.config.materialized,
        parents=tuple(getattr(node.depends_on, "nodes", ())),
        **about,
    )
