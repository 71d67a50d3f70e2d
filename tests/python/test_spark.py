"""The same rows on DuckDB and on Spark, and the comparison that says so.

One Thrift server, and so one JVM, serves the tests that build on a server: a whole build with data
tests, increments, bad raw data, and what a BI tool asks. `make parity` is run on a part of the
models, for it starts Spark of its own. Where there is no Java, the tests that need it are skipped
by name. What macros render for Spark is in test_spark_sql.py, without it.
"""

import contextlib
import hmac
import importlib.util
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import project_sql
import pytest
from click.testing import CliRunner
from dbt.cli.main import dbtRunner
from parity import (
    SMALL_WORLD,
    Comparison,
    Mart,
    compare,
    compare_all,
    main,
    marts,
    type_differences,
)
from project_sql import DbtRun, in_folder, run_dbt
from projects import Parsed, World
from split_history import DAY, Deliveries, eventful

ROOT = Path(__file__).parents[2]
OURS = ("MODERATION_QUALITY_", "SPARK_")
KEY_BEGINS = "only-for-this-test"
# As the profile has it: what is in the server's environment is written into a statement that asks.
REDACTED = {"set:spark.sql.redaction.string.regex": r'\br"[^"]*"'}
KEY = f"{KEY_BEGINS} 'quoted' \\and backslashed"
MART = Mart(
    "mart",
    "before",
    ["id", "coalesce(part, '')"],
    {
        "id": "string",
        "part": "string",
        "n": "bigint",
        "rate": "double",
        "is_good": "boolean",
        "happened_at": "timestamp",
    },
)
ROWS = [
    "('a', 'x', 1, 0.5, true, timestamp '2026-03-02 10:00:00.000001')",
    "('b', null, 2, 1234567.0, null, null)",
    "('c', 'x', null, null, false, timestamp '2026-03-02 10:00:00')",
]
# A part of the models: one table of days, for a run that is killed while it is written, and one
# that is not of days.
PART = ["--select", "+base_decisions", "--select", "stg_queues"]
needs_spark = [
    pytest.mark.spark,
    pytest.mark.skipif(
        not (shutil.which("java") or os.environ.get("JAVA_HOME")), reason="Spark needs Java 17"
    ),
    pytest.mark.skipif(
        not importlib.util.find_spec("pyspark"), reason="requirements/spark.txt is not installed"
    ),
]


# --- the comparison -----------------------------------------------------------------------------


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


def compared(connection, before: list[str], after: list[str]) -> Comparison:
    for name, rows in {"before": before, "after": after}.items():
        kinds = ", ".join(f"{column} {kind}" for column, kind in MART.columns.items())
        connection.sql(f"create or replace table {name} ({kinds})")
        if rows:
            connection.sql(f"insert into {name} values {', '.join(rows)}")
    return compare(connection, MART, "before", "after")


def test_equal_rows_in_any_order_are_identical(connection):
    assert compared(connection, ROWS, ROWS[::-1]) == Comparison(3, 0, 0, 0, {})


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (ROWS[0].replace("1,", "2,"), "n"),
        (ROWS[0].replace("true", "false"), "is_good"),
        (ROWS[0].replace("true", "null"), "is_good"),
        (ROWS[0].replace("000001", "000002"), "happened_at"),
        (ROWS[0].replace("0.5", "null"), "rate"),
        (ROWS[0].replace("0.5", "'nan'"), "rate"),
        (ROWS[0].replace("0.5", "'inf'"), "rate"),
        (ROWS[0].replace("0.5", "0.5 + 1.1e-9"), "rate"),
    ],
)
def test_a_modified_value_is_seen_from_both_sides(connection, row, column):
    expected = Comparison(2, 1, 0, 0, {column: 1})
    assert compared(connection, ROWS, [row, *ROWS[1:]]) == expected
    assert compared(connection, [row, *ROWS[1:]], ROWS) == expected
    assert not expected.is_equal


def test_a_key_that_changes_is_a_row_removed_and_one_added(connection):
    for new in ("'z', 'x'", "'a', 'y'", "'a', null"):
        row = ROWS[0].replace("'a', 'x'", new)
        assert compared(connection, ROWS, [row, *ROWS[1:]]) == Comparison(2, 0, 1, 1, {})


def test_a_missing_row_is_removed_and_a_further_one_added(connection):
    assert compared(connection, ROWS, ROWS[1:]) == Comparison(2, 0, 0, 1, {})
    assert compared(connection, ROWS[1:], ROWS) == Comparison(2, 0, 1, 0, {})
    assert compared(connection, ROWS, []) == Comparison(0, 0, 0, 3, {})


def test_a_row_that_comes_twice_is_added(connection):
    assert compared(connection, ROWS, [*ROWS, ROWS[0]]) == Comparison(3, 0, 1, 0, {})


def test_doubles_may_differ_by_the_tolerance_and_no_more(connection):
    small, large = ROWS[0].replace("0.5", "0.5 + 0.9e-9"), ROWS[1].replace("67.0", "67.001")
    assert compared(connection, ROWS, [small, large, ROWS[2]]).is_equal
    too_large = ROWS[1].replace("67.0", "67.002")
    assert compared(connection, ROWS, [ROWS[0], too_large, ROWS[2]]).differs_in == {"rate": 1}


def test_another_type_or_column_than_the_contract_is_named(connection):
    compared(connection, ROWS, ROWS)
    assert type_differences(connection, MART, "before") == []
    connection.sql("create table other as select * exclude (happened_at), 1 as more from before")
    connection.sql("alter table other alter n type integer")
    assert type_differences(connection, MART, "other") == [
        "mart.n is integer, not bigint",
        "mart.happened_at is absent, not timestamp",
        "mart.more is integer, not there",
    ]


# --- both engines -------------------------------------------------------------------------------


def spark(test):
    """Mark a test that starts Spark."""
    for mark in needs_spark:
        test = mark(test)
    return test


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """What Spark is started with: on small data, compiled code and many tasks gain nothing."""
    folder = tmp_path_factory.mktemp("spark_conf")
    (folder / "spark-defaults.conf").write_text(
        "spark.sql.codegen.wholeStage false\n"
        "spark.sql.codegen.factoryMode NO_CODEGEN\n"
        "spark.sql.adaptive.enabled false\n"
        "spark.sql.lightweightPlanChangeValidation false\n"
        "spark.sql.subexpressionElimination.enabled false\n"
        "spark.sql.shuffle.partitions 1\n"
        "spark.sql.leafNodeDefaultParallelism 1\n"
        "spark.sql.files.minPartitionNum 1\n"
        "spark.sql.sources.parallelPartitionDiscovery.threshold 10000\n"
        # Each statement's plan is else written out for pages that nobody opens.
        "spark.sql.maxPlanStringLength 100\n"
        "spark.sql.ui.explainMode simple\n"
    )
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DBT_", *OURS))}
    return kept | {
        "DO_NOT_TRACK": "1",
        "SPARK_CONF_DIR": str(folder),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "JAVA_TOOL_OPTIONS": "-XX:ReservedCodeCacheSize=256m "
        # Plans are short-lived, and classes many.
        "-XX:+UseSerialGC -XX:NewRatio=1 -XX:MetaspaceSize=512m -Dderby.system.durability=test",
        "MODERATION_QUALITY_SPARK_PARTITIONS": "1",
        "DBT_ENV_SECRET_PSEUDONYM_KEY": KEY,
    }


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """The raw folder of a small simulated world, with rows for every table. It is only read."""
    folder = tmp_path_factory.mktemp("world")
    simulate = [sys.executable, ROOT / "scripts" / "simulate.py", "--quiet", "--force"]
    subprocess.run([*simulate, "--out", folder, *SMALL_WORLD], check=True)
    return folder / "raw"


# Two weeks are learnt from in four days, and alarm at what is hardly odd. Else there would be
# no alarm to compare.
WATCHED = {
    "scan_windows": [4, 7, 14],
    "scan_baseline_days": 14,
    "scan_learning_days": 4,
    "alert_z": 1.5,
    "strong_z": 1.8,
}


@dataclass(frozen=True)
class Server:
    """A Thrift server, and dbt on it and on DuckDB, in the process of the tests.

    In `work` are the raw tables, both warehouses, and a folder of artifacts and logs an engine. The
    project is a copy, so that nobody edits it in between.
    """

    work: Path
    port: int
    project: Path
    environment: dict[str, str]

    @property
    def raw(self) -> Path:
        return self.work / "raw"

    def variables(self, **further: str) -> dict[str, str]:
        """The environment of a run of dbt."""
        return (
            self.environment
            | {
                "MODERATION_QUALITY_DATABASE": str(self.work / "warehouse.duckdb"),
                "MODERATION_QUALITY_SPARK_HOST": "127.0.0.1",
                "MODERATION_QUALITY_SPARK_PORT": str(self.port),
            }
            | further
        )

    def arguments(
        self,
        *arguments: str,
        target: str = "spark_thrift",
        raw: str | None = None,
        artifacts: str | None = None,
    ) -> list[str]:
        """The arguments of a run of dbt on the raw tables, or on others with artifacts apart."""
        folder = str(self.work / (artifacts or target))
        return [
            *("--no-use-colors", *arguments, "--target", target),
            *("--target-path", folder, "--log-path", folder),
            *("--vars", raw or json.dumps({"raw_path": str(self.raw)} | WATCHED)),
        ]

    def parse(self, artifacts: str | None = None, **further: str) -> bytes:
        """The project as parsed for Spark, to be loaded for each run."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said), in_folder(self.project, **self.variables(**further)):
            run = dbtRunner().invoke(self.arguments("parse", artifacts=artifacts))
        assert run.success, said.getvalue()
        return project_sql.dump(run.result)

    def dbt(
        self,
        *arguments: str,
        manifest: bytes,
        target: str = "spark_thrift",
        raw: str | None = None,
        artifacts: str | None = None,
        **further: str,
    ) -> DbtRun:
        """Run dbt in this process, on a parsed project; stdout has all that it says."""
        return run_dbt(
            [
                *self.arguments(*arguments, target=target, raw=raw, artifacts=artifacts),
                *("--threads", "2"),
            ],
            project_sql.load(manifest),
            self.project,
            **self.variables(**further),
        )

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start dbt on the server as a process of its own."""
        return started_dbt(self.arguments(*arguments), self.project, self.variables())

    @contextlib.contextmanager
    def asked(self, user: str = "bi", **parameters: str):
        """A cursor, as a BI tool has one, with parameters of its session."""
        from pyhive import hive  # noqa: PLC0415 (only where Spark is installed)

        with hive.connect(
            host="127.0.0.1", port=self.port, username=user, configuration=parameters
        ) as connection:
            yield connection.cursor()

    def log(self) -> str:
        """What the server said."""
        return (self.work / "server.log").read_text()


def started_dbt(
    arguments: list[str], folder: Path, environment: dict[str, str]
) -> subprocess.Popen:
    """Dbt as a process group of its own; its stdout has all that it says."""
    return subprocess.Popen(
        [Path(sys.executable).with_name("dbt"), *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def kill(process: subprocess.Popen) -> None:
    """End a process group at once, as a machine that fails does."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()


@pytest.fixture(scope="module")
def sessions_end():
    """Sessions of this process end though the server lacks a class of Hive.

    Where two end at the same moment, Hive may load all its functions, and Spark comes without the
    jar (hive-llap-common) of one of them. What the session did is done by then.
    """
    from pyhive import hive  # noqa: PLC0415 (only where Spark is installed)

    close = hive.Connection.close

    def end(connection) -> None:
        try:
            close(connection)
        except hive.OperationalError as error:
            if not re.search("LlapSigner|hive.ql.exec.FunctionRegistry", str(error)):
                raise

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hive.Connection, "close", end)
        yield


@pytest.fixture(scope="module")
def server(environment, parsed_project, sessions_end, tmp_path_factory):
    """A Thrift server with an empty warehouse. It ends with these tests."""
    work = tmp_path_factory.mktemp("server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    metastore = "jdbc:derby:;databaseName=metastore;create=true"
    settings = {
        "spark.master": "local[2]",
        "spark.driver.memory": "4g",
        "spark.ui.enabled": "false",
        # Else of every event that takes it a nanosecond the log would have all parameters.
        "spark.scheduler.listenerbus.logSlowEvent": "false",
        "spark.scheduler.listenerbus.logSlowEvent.threshold": "1",
        "spark.sql.warehouse.dir": work / "warehouse",
        "spark.hadoop.javax.jdo.option.ConnectionURL": metastore,
        # As in the profile: of long comments of columns.
        "spark.hadoop.hive.hmshandler.retry.interval": "1ms",
        "spark.driver.extraJavaOptions": f"-Dderby.system.home={work}",
        "spark.hadoop.hive.server2.thrift.bind.host": "127.0.0.1",
        "spark.hadoop.hive.server2.thrift.port": port,
    }
    options = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    with (work / "server.log").open("w") as log:
        process = subprocess.Popen(
            [
                *(Path(sys.executable).with_name("spark-submit"), *options),
                *("--class", "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2"),
                "spark-internal",
            ],
            env=environment,
            cwd=work,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        found = Server(work, port, parsed_project.folder, environment)
        for _ in range(1200):
            assert process.poll() is None, found.log()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        else:
            pytest.fail(found.log())
        yield found
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=60)


@dataclass(frozen=True)
class Parity:
    """What a comparison of both engines found: of each table, and of types."""

    comparisons: dict[str, Comparison]
    wrong_types: list[str]
    expected: list[str]

    def assert_equal(self) -> None:
        assert not self.wrong_types
        assert list(self.comparisons) == self.expected
        assert {n: found for n, found in self.comparisons.items() if not found.is_equal} == {}


def compared_engines(server: Server, folder: Path) -> Parity:
    """Both warehouses of a server's folder, row by row: Spark writes its tables out for DuckDB."""
    on_duckdb = marts(server.work / "dev" / "manifest.json")
    on_spark = marts(server.work / "spark_thrift" / "manifest.json")
    relations = {mart.name: mart.relation for mart in on_spark}
    files = {name: folder / name for name in relations}

    def write_out(names: list[str]) -> None:
        with server.asked() as cursor:
            for name in names:
                cursor.execute(
                    f"insert overwrite directory '{files[name]}' using parquet "
                    f"select * from {relations[name]}"
                )

    names = list(relations)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write_out, (names[::2], names[1::2])))
    with duckdb.connect() as connection:
        connection.execute(f"attach '{server.work / 'warehouse.duckdb'}' as warehouse (read_only)")
        comparisons, wrong_types = compare_all(
            connection, on_duckdb, lambda mart: f"read_parquet('{files[mart.name]}/*.parquet')"
        )
    return Parity(comparisons, wrong_types, [mart.name for mart in on_duckdb])


@pytest.fixture(scope="module")
def manifests(server: Server, parsed_project: Parsed) -> dict[str, bytes]:
    """{target: the project as parsed for it}."""
    (server.work / "dev").mkdir()
    shutil.copy(parsed_project.folder / "target" / "manifest.json", server.work / "dev")
    return {
        "dev": (parsed_project.folder / "manifest.pickle").read_bytes(),
        "spark_thrift": server.parse(),
    }


@dataclass(frozen=True)
class FirstBuild:
    """A whole build with its data tests on both engines: what each said, and what was compared.

    About half of Spark's time went to unit tests of models: `make parity` has them.
    """

    said: dict[str, str]
    parity: Parity


@pytest.fixture(scope="module")
def first_build(server: Server, manifests: dict[str, bytes], world: Path) -> FirstBuild:
    """The simulated world, built. Increments come upon it: ask here only for what it found."""
    shutil.copytree(world, server.raw)
    said = {}
    for target, manifest in manifests.items():
        run = server.dbt(
            *("build", "--exclude-resource-types", "unit_test"), target=target, manifest=manifest
        )
        assert run.returncode == 0, run.stdout
        said[target] = run.stdout
    return FirstBuild(said, compared_engines(server, server.work / "first_build"))


def a_week_later(world: World) -> World:
    """A world of the week that the simulated one has no frame of, for a decision is in one stratum.

    Columns without a value are left out: such a column has no type in its file, and Spark merges
    none with that of other files.
    """
    return {
        name: rows.dropna(axis="columns", how="all").transform(
            lambda values: values + 7 * DAY if values.dtype.kind == "M" else values
        )
        for name, rows in world.items()
    }


@pytest.fixture(scope="module")
def increments(
    server: Server, manifests: dict[str, bytes], first_build: FirstBuild, make_world
) -> Parity:
    """Two deliveries upon the first build: both warehouses after them, which are only read.

    Late rows, corrections, duplicates, one delivery twice, and a run whose dbt is killed.
    """
    rng = np.random.default_rng(4)
    deliveries = Deliveries.at_random(a_week_later(eventful(make_world(), rng)), 2, rng)
    build = ("build", "--exclude-resource-types", "test", "unit_test")
    for number in range(len(deliveries)):
        deliveries.deliver(number, server.raw)
        is_last = number == len(deliveries) - 1
        if is_last:
            deliveries.deliver_again(0, server.raw)
            killed = server.start(*build)
            said = next(line for line in killed.stdout if "START" in line and "fct_dec" in line)
            assert "incremental" in said
            kill(killed)
        # What is made anew by each build remembers none: the last build makes it.
        selected = () if is_last else ("--select", "+config.materialized:incremental")
        for target, manifest in manifests.items():
            run = server.dbt(*build, *selected, target=target, manifest=manifest)
            assert run.returncode == 0, run.stdout
            assert "incremental" in run.stdout
    return compared_engines(server, server.work / "increments")


@spark
def test_every_model_and_test_passes_on_both_engines(first_build):
    counts = {
        target: re.search(r"Done\. PASS=(\d+) (.*)", said).groups()
        for target, said in first_build.said.items()
    }
    assert counts["spark_thrift"] == counts["dev"]
    n_passed, rest = counts["dev"]
    assert int(n_passed) > 100
    assert rest.startswith("WARN=0 ERROR=0 SKIP=0")


@spark
def test_every_table_is_identical_and_holds_rows(first_build):
    first_build.parity.assert_equal()
    # So small a world has few rows that come twice, no dispute of a benchmark, and too few people
    # for months and weeks to tell them apart (test_disclosure has worlds in which they do).
    # Nor has it two periods to compare before more is delivered.
    empty = {name for name, found in first_build.parity.comparisons.items() if not found.identical}
    assert empty <= {
        "int_deliveries__job_revisions",
        "int_verdicts__dispute_exclusions",
        "int_people__suppressed_apart",
        "accuracy_change",
        "change_gate",
    }


@spark
def test_deliveries_in_parts_give_the_same_rows_on_both(increments):
    """That DuckDB's increments equal a build of all raw data at once, test_increments shows."""
    increments.assert_equal()
    empty = {name for name, found in increments.comparisons.items() if not found.identical}
    assert empty <= {"int_verdicts__dispute_exclusions", "int_people__suppressed_apart"}


def pseudonym(key: str, person: str) -> str:
    return hmac.digest(key.encode(), person.encode(), "sha256").hex()[:16]


@spark
def test_the_pseudonym_key_is_used_and_written_nowhere(server, increments):
    rosters = [str(file) for file in (server.raw / "roster").glob("*.parquet")]
    rosters.append(str(server.raw / "roster.parquet"))
    with duckdb.connect(server.work / "warehouse.duckdb", read_only=True) as warehouse:
        people = warehouse.execute("select person_id from read_parquet(?)", [rosters]).fetchall()
        found = warehouse.sql("select person_key from restricted.stg_roster").fetchall()
    pseudonyms = {
        hmac.digest(KEY.encode(), person.encode(), "sha256").hex() for (person,) in people
    }
    assert {key for (key,) in found} == {pseudonym[:16] for pseudonym in pseudonyms} != set()
    files = [file for file in server.work.rglob("*") if file.is_file()]
    assert len(files) > 100
    assert [file for file in files if KEY_BEGINS.encode() in file.read_bytes()] == []


@spark
@pytest.mark.parametrize("key", ["Jefe", "k" * 64, "k" * 65, "\u043a\u043b\u044e\u0447" * 9])
def test_a_pseudonym_is_the_hmac_that_a_library_gives(server, manifests, key):
    inline = ["compile", "--inline", "{{ pseudonym('person_id') }}", "--quiet"]
    [compiled] = server.dbt(*inline, manifest=manifests["spark_thrift"], artifacts="hmac").results
    ids = ["mod-1", "m\u00fcller-\u2603", "m" * 300]
    with server.asked(**REDACTED) as ask:
        ask.execute(f"set spark.moderation_quality.pseudonym_key={key}")
        ask.execute(
            f"select {compiled.node.compiled_code} as pseudonym "
            f"from (select explode(array{tuple(ids)}) as person_id)"
        )
        found = [row[0] for row in ask.fetchall()]
    assert found == [pseudonym(key, person) for person in ids]


@spark
def test_plans_have_no_key(server, manifests):
    """But the one of the statement as it was parsed, which only a whole explanation shows."""
    inline = ["compile", "--inline", "{{ pseudonym('person_id') }}", "--quiet"]
    [compiled] = server.dbt(*inline, manifest=manifests["spark_thrift"], artifacts="hmac").results
    key = "a key that is nowhere else"
    pads = [bytes(byte ^ pad for byte in key.encode()) for pad in (0x36, 0x5C)]
    with server.asked(**REDACTED) as ask:
        ask.execute(f"set spark.moderation_quality.pseudonym_key={key}")
        ask.execute("set spark.sql.maxPlanStringLength=1000000")
        for kind in ("", "formatted", "cost"):
            ask.execute(
                f"explain {kind} select {compiled.node.compiled_code} as pseudonym "
                "from values ('mod-1'), ('mod-2') as people (person_id)"
            )
            plan = "\n".join(line for (line,) in ask.fetchall())
            assert "padded_key" in plan
            assert "sha2" in plan
            for secret in (key.encode(), *pads):
                assert secret.decode() not in plan
                assert secret.hex() not in plan.lower()


@spark
def test_decisions_are_partitioned_by_their_day(server, increments):
    warehouse = server.work / "warehouse" / "moderation_quality_facts.db"
    days = {folder.name for folder in (warehouse / "fct_decisions").glob("decided_on=*")}
    assert len(days) >= 14


@spark
def test_bad_raw_data_are_named_on_spark_too(server, manifests, world, tmp_path):
    raw = shutil.copytree(world, tmp_path / "raw")
    (raw / "queues.parquet").unlink()
    with duckdb.connect() as connection:
        connection.sql(
            f"copy (select * replace ('soon' as valid_from) from '{raw}/policies.parquet' limit 3) "
            f"to '{raw}/policies.csv'"
        )
    (raw / "policies.parquet").unlink()
    run = server.dbt(
        "run",
        manifest=manifests["spark_thrift"],
        raw=f"raw_path: {raw}",
        artifacts="bad",
    )
    assert run.returncode != 0
    assert "- queues: required table not found." in run.stdout
    assert "policies.valid_from: 3 values cannot be read as timestamp" in run.stdout


@spark
def test_rows_that_fail_are_shown_without_people_on_spark_too(server, world, tmp_path):
    schema = {"MODERATION_QUALITY_SPARK_SCHEMA": "swapped"}
    raw = shutil.copytree(world, tmp_path / "raw")
    shutil.rmtree(raw / "decisions")
    with duckdb.connect() as connection:
        connection.sql(
            "copy (select * replace (moderator_id as action_code, action_code as moderator_id) "
            f"from '{world}/decisions/**/*.parquet') to '{raw}/decisions.parquet'"
        )
    run = server.dbt(
        *("build", "--select", "+stg_roster", "+stg_decisions", "action_codes", "tolerances"),
        *("--exclude-resource-types", "unit_test"),
        manifest=server.parse(artifacts="swapped", **schema),
        raw=f"raw_path: {raw}",
        artifacts="swapped",
        **schema,
    )
    assert "FAIL decisions_have_a_known_action_code" in run.stdout
    assert re.search(r"  - decision_id=d-\d+, action_code=[0-9a-f]{16}, ", run.stdout)
    log = (server.work / "swapped" / "dbt.log").read_text()
    assert re.search(r"\bmod-\d", run.stdout + log) is None


@spark
def test_a_thrift_server_answers_as_a_bi_tool_would_ask(server, increments):
    headline = (
        "select metric_id, n_decisions, n, estimate, ci_low, ci_high "
        "from {}rates.accuracy_rates "
        "where period_type = 'week' and dimension_name = 'item_type' and ci_low is not null "
        "order by metric_id, metric_version, period_starts_on, dimension_value"
    )
    with server.asked() as ask:
        ask.execute(headline.format("moderation_quality_"))
        answered = ask.fetchall()
    with duckdb.connect(server.work / "warehouse.duckdb", read_only=True) as warehouse:
        expected = warehouse.sql(headline.format("")).fetchall()
    assert len(expected) >= 20
    for (metric_id, *values), (expected_id, *expected_values) in zip(
        answered, expected, strict=True
    ):
        assert metric_id == expected_id
        assert values == pytest.approx(expected_values, rel=1e-9)


# As a tool sends it, that was given a formula and two fields to group by.
BI = """
select `metric_cube`.`metric_id` as `metric_id`, `metric_cube`.`metric_version` as `version`,
    `metric_cube`.`month_starts_on` as `month`, {value} as `value`, {formula} as `rate`
from `moderation_quality_report`.`metric_cube` `metric_cube`
group by 1, 2, 3, 4
having sum(`metric_cube`.`weighted_denominator`) > 0
"""
# Sum over sum, and the mean of rates.
FORMULAS = (
    "sum(`metric_cube`.`weighted_numerator`) / sum(`metric_cube`.`weighted_denominator`)",
    "avg(`metric_cube`.`weighted_numerator` / nullif(`metric_cube`.`weighted_denominator`, 0))",
)
SLICES = {
    "overall": "'all'",
    "queue": "`metric_cube`.`queue_id`",
    "decided_by": "`metric_cube`.`decided_by_type`",
    "queue_and_decider":
        "concat(`metric_cube`.`queue_id`, ' | ', `metric_cube`.`decided_by_type`)",
}  # fmt: skip


@spark
def test_every_metric_of_the_cube_on_spark_is_the_published_one(server, increments):
    """What a BI tool divides on the Thrift server, beside accuracy_rates of DuckDB."""
    found = {}
    with server.asked() as ask:
        for formula in FORMULAS:
            for dimension, value in SLICES.items():
                ask.execute(BI.format(value=value, formula=formula))
                found |= {(formula, dimension, *map(str, r[:4])): r[4] for r in ask.fetchall()}
    with duckdb.connect(server.work / "warehouse.duckdb", read_only=True) as warehouse:
        published = warehouse.execute(
            "select dimension_name, metric_id, metric_version, period_starts_on, dimension_value, "
            "estimate from rates.accuracy_rates where period_type = 'month' and estimate is not "
            "null and list_contains(?, dimension_name)",
            [list(SLICES)],
        ).fetchall()
    assert len(published) >= 200
    right, wrong = (
        [found[formula, *map(str, key)] for *key, _ in published] for formula in FORMULAS
    )
    estimates = [estimate for *_, estimate in published]
    np.testing.assert_allclose(right, estimates, rtol=1e-9, atol=1e-9)
    # What a tool makes of a rate that is dragged; where a slice is one cell, the same.
    assert (np.abs(np.subtract(wrong, estimates)) > 1e-3).mean() > 0.2


@pytest.fixture
def raw_schema(server, world):
    """A cursor, and the raw tables as a schema of the metastore: queues a table, others files."""
    with server.asked() as ask:
        ask.execute("create schema raw_tables")
        for table in ("policies", "review_jobs", "decisions", "audits", "sampling_frame"):
            path = next(path for path in world.glob(f"{table}*"))
            ask.execute(
                f"create table raw_tables.{table} using parquet "
                f"options (path '{path}', recursiveFileLookup 'true')"
            )
        ask.execute(
            f"create table raw_tables.queues as select * from parquet.`{world}/queues.parquet`"
        )
        yield ask
        ask.execute("drop schema raw_tables cascade")


@spark
def test_raw_tables_may_be_in_the_metastore_and_contracts_hold(server, raw_schema):
    """Marts are beside those of another target's schema; a contract's not null holds on Spark."""
    schema = {"MODERATION_QUALITY_SPARK_SCHEMA": "other"}
    manifest = server.parse(artifacts="other", **schema)

    def build() -> DbtRun:
        return server.dbt(
            *("run", "--select", "+dim_queues"),
            manifest=manifest,
            raw="raw_schema: raw_tables",
            artifacts="other",
            **schema,
        )

    run = build()
    assert run.returncode == 0, run.stdout
    raw_schema.execute("select queue_id, max(queue_name) from raw_tables.queues group by 1")
    queues = dict(raw_schema.fetchall())
    raw_schema.execute("select queue_id, queue_name from other_report.dim_queues")
    assert dict(raw_schema.fetchall()) == queues != {}

    raw_schema.execute(
        "insert into raw_tables.queues by name select * except (queue_id), "
        "cast(null as string) as queue_id from raw_tables.queues limit 1"
    )
    run = build()
    assert run.returncode == 1
    assert "NOT NULL constraint failed: other_report.dim_queues.queue_id is null" in run.stdout


@spark
def test_the_server_logs_statements_without_the_key(server, increments):
    assert "Submitting query" in server.log()
    assert KEY_BEGINS not in server.log()


# --- make parity --------------------------------------------------------------------------------


def run_parity(environment, work: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "parity.py", "--work", work, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def part(environment, world, tmp_path_factory):
    """The folder of a parity run on a part of the models, and that run.

    Before it Spark's very first build, with its JVM, is killed while it writes a table.
    """
    work = tmp_path_factory.mktemp("parity")
    home = work / "spark_home"
    artifacts = ["--target-path", str(work / "spark"), "--log-path", str(work / "spark")]
    killed = started_dbt(
        [
            *("build", "--target", "spark", *PART, "--exclude-resource-types", "test", "unit_test"),
            *("--vars", f'{{"raw_path": "{world}"}}', *artifacts),
        ],
        ROOT,
        environment | {"MODERATION_QUALITY_SPARK_HOME": str(home)},
    )
    staging = home / "warehouse" / "moderation_quality_staging.db"
    while not list(staging.glob("base_decisions*/_temporary")):
        assert killed.poll() is None, killed.stdout.read()
        time.sleep(0.01)
    kill(killed)
    # A folder that the metastore does not know, or that it knows as unfinished.
    assert list(staging.glob("base_decisions*"))
    return work, run_parity(environment, work, "--raw", world, *PART)


@spark
def test_parity_of_a_part_succeeds_after_a_first_build_that_was_killed(part):
    work, run = part
    assert run.returncode == 0, run.stdout + run.stderr
    names = [mart.name for mart in marts(work / "dev" / "manifest.json")]
    assert {"base_decisions", "stg_queues"} <= set(names)
    rows = dict(re.findall(r"│ (\w+) +│ +([\d,]+) │ +0 │ +0 │ +0 │", run.stdout))
    assert list(rows) == names
    assert rows["base_decisions"] != "0" != rows["stg_queues"]
    assert f"{len(names)} of {len(names)} tables are identical" in run.stdout
    counts = re.findall(r"(\w+): Done\. (PASS=\d+ WARN=0 ERROR=0 SKIP=0)", run.stdout)
    assert [target for target, _ in counts] == ["dev", "spark"]
    assert len({count for _, count in counts}) == 1
    assert list((work / "spark_home" / "warehouse").glob("*.db/*__unfinished")) == []


@spark
def test_a_difference_is_reported_and_fails(environment, part, tmp_path):
    work, _ = part
    shutil.copy(work / "warehouse.duckdb", tmp_path)
    for name in ("dev", "spark", "spark_home"):
        (tmp_path / name).symlink_to(work / name)
    with duckdb.connect(tmp_path / "warehouse.duckdb") as warehouse:
        warehouse.sql(
            "update staging.stg_queues set queue_name = 'another' "
            "where queue_id = (select min(queue_id) from staging.stg_queues)"
        )
        warehouse.sql(
            "delete from staging.base_decisions where decision_id = "
            "(select min(decision_id) from staging.base_decisions)"
        )
        [n_left] = warehouse.sql("select count(*) from staging.base_decisions").fetchall()[0]
    run = run_parity(environment, tmp_path, "--no-build")
    assert run.returncode == 1, run.stderr
    assert re.search(r"│ stg_queues +│ +\d+ │ +[12] │ +0 │ +0 │ queue_name \([12]\)", run.stdout)
    assert re.search(rf"│ base_decisions +│ +{n_left:,} │ +0 │ +1 │ +0 │", run.stdout)
    n_tables = len(marts(work / "dev" / "manifest.json"))
    assert f"{n_tables - 2} of {n_tables} tables are identical" in run.stdout


def test_a_failed_build_has_an_exit_code_of_its_own(tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    run = CliRunner().invoke(main, ["--raw", str(raw), "--work", str(tmp_path / "work")])
    assert run.exit_code == 3
    assert "decisions: required table not found" in run.output
