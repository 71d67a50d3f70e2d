"""The same rows on DuckDB and on Spark, and the comparison that says so.

Spark is started once for the parity run and once as a Thrift server. Where there is no Java, the
tests that need it are skipped by name.
"""

import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import numpy as np
import pytest
from click.testing import CliRunner
from parity import Comparison, Mart, compare, main, marts, type_differences
from split_history import Deliveries, eventful

ROOT = Path(__file__).parents[2]
KEY_BEGINS = "only-for-this-test"
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


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """What Spark is started with: to compile or to be durable gains small data nothing."""
    folder = tmp_path_factory.mktemp("spark_conf")
    (folder / "spark-defaults.conf").write_text(
        "spark.sql.codegen.wholeStage false\nspark.sql.codegen.factoryMode NO_CODEGEN\n"
    )
    ours = ("DBT_", "MODERATION_QUALITY_", "SPARK_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    return kept | {
        "DO_NOT_TRACK": "1",
        "SPARK_CONF_DIR": str(folder),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m "
        "-XX:+UseSerialGC -Dderby.system.durability=test",
        "DBT_ENV_SECRET_PSEUDONYM_KEY": KEY,
    }


@pytest.fixture(scope="module")
def parity(environment, tmp_path_factory):
    """The folder of a parity run on a small world, and a function that runs it there again."""
    work = tmp_path_factory.mktemp("parity")

    def run(*arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, ROOT / "scripts" / "parity.py", "--work", work, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    first = run()
    assert first.returncode == 0, first.stdout + first.stderr
    return work, run, first


@pytest.fixture
def dbt(environment, parity, tmp_path):
    """A function that runs dbt on the Spark warehouse of the parity run."""
    work, *_ = parity

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess:
        spark = {"MODERATION_QUALITY_SPARK_HOME": str(work / "spark_home")}
        folders = ["--target-path", tmp_path / "target", "--log-path", tmp_path / "logs"]
        return subprocess.run(
            [Path(sys.executable).with_name("dbt"), "--no-use-colors", *arguments, *folders],
            cwd=ROOT,
            env=environment | spark | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    return run


def spark(test):
    """Mark a test that starts Spark."""
    for mark in needs_spark:
        test = mark(test)
    return test


@spark
def test_every_model_and_test_passes_on_both_engines(parity):
    _, _, run = parity
    counts = {
        engine: re.search(rf"{engine}: Done\. PASS=(\d+) (.*)", run.stdout).groups()
        for engine in ("dev", "spark")
    }
    assert counts["spark"] == counts["dev"]
    n_passed, rest = counts["spark"]
    assert int(n_passed) > 100
    assert rest.startswith("WARN=0 ERROR=0 SKIP=0")


@spark
def test_every_table_is_identical_and_holds_rows(parity):
    work, _, run = parity
    expected = [mart.name for mart in marts(work / "dev" / "manifest.json")]
    rows = dict(re.findall(r"│ (\w+) +│ +([\d,]+) │ +0 │ +0 │ +0 │", run.stdout))
    assert list(rows) == expected
    # So small a world has few rows that come twice, and nobody rates an item twice.
    empty = {name for name, n in rows.items() if n == "0"}
    assert empty <= {
        "int_deliveries__job_revisions",
        "int_deliveries__audit_revisions",
        "self_consistency",
        "rater_self_consistency",
    }
    assert f"{len(expected)} of {len(expected)} tables are identical" in run.stdout


@spark
def test_the_pseudonym_key_is_used_and_written_nowhere(parity):
    work, *_ = parity
    [roster] = [m for m in marts(work / "dev" / "manifest.json") if m.name == "stg_roster"]
    raw = work / "world" / "raw" / "roster.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"attach '{work / 'warehouse.duckdb'}' as warehouse (read_only)")
        n_people, n_with_key = connection.execute(
            "select count(*), count(*) filter (person_key in "
            "(select left(sha256(? || ':' || person_id), 16) from read_parquet(?))) "
            f"from {roster.relation}",
            [KEY, str(raw)],
        ).fetchall()[0]
    assert n_people == n_with_key > 0
    files = [file for file in work.rglob("*") if file.is_file()]
    assert len(files) > 100
    assert [file for file in files if KEY_BEGINS.encode() in file.read_bytes()] == []


@spark
def test_facts_are_partitioned_by_the_day_of_decision(parity):
    work, *_ = parity
    warehouse = work / "spark_home" / "warehouse" / "moderation_quality_core.db"
    days = {folder.name for folder in (warehouse / "fct_decisions").glob("decided_on=*")}
    assert len(days) >= 14
    assert {folder.name for folder in (warehouse / "fct_audits").glob("decided_on=*")} <= days


@spark
def test_deliveries_in_parts_give_the_same_rows_on_both(environment, make_world, tmp_path):
    """Late rows, corrections, duplicates, one delivery twice, and two runs that Spark does not end.

    That DuckDB's increments equal a build of all raw data at once, test_increments shows.
    """
    rng = np.random.default_rng(4)
    deliveries = Deliveries.at_random(eventful(make_world(), rng), 3, rng)
    raw = tmp_path / "raw"
    places = {
        "MODERATION_QUALITY_DATABASE": str(tmp_path / "warehouse.duckdb"),
        "MODERATION_QUALITY_SPARK_HOME": str(tmp_path / "spark_home"),
    }

    def start(target: str) -> subprocess.Popen:
        return subprocess.Popen(
            [
                *(Path(sys.executable).with_name("dbt"), "--no-use-colors", "build"),
                *("--target", target, "--exclude-resource-types", "test", "unit_test"),
                *("--vars", f"raw_path: {raw}"),
                *("--target-path", tmp_path / target, "--log-path", tmp_path / target),
            ],
            cwd=ROOT,
            env=environment | places,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def build(target: str) -> None:
        process = start(target)
        said, _ = process.communicate()
        assert process.returncode == 0, said

    def kill(process: subprocess.Popen) -> None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    for number in range(3):
        deliveries.deliver(number, raw)
        if number == 0:
            # The first build, while it writes a table: what is left there is in nobody's way.
            killed = start("spark")
            facts = tmp_path / "spark_home" / "warehouse" / "moderation_quality_core.db"
            while not list(facts.glob("fct_decisions*/_temporary")):
                assert killed.poll() is None
                time.sleep(0.01)
            kill(killed)
        if number == 2:
            deliveries.deliver_again(1, raw)
            killed = start("spark")
            said = next(line for line in killed.stdout if "START" in line and "fct_dec" in line)
            assert "incremental" in said
            kill(killed)
        for target in ("dev", "spark"):
            build(target)
    compared = subprocess.run(
        [sys.executable, ROOT / "scripts" / "parity.py", "--work", tmp_path, "--no-build"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert compared.returncode == 0, compared.stdout + compared.stderr
    n_tables = len(marts(tmp_path / "dev" / "manifest.json"))
    assert f"{n_tables} of {n_tables} tables are identical" in compared.stdout


@spark
def test_a_difference_is_reported_and_fails(parity):
    work, run, _ = parity
    file = work / "warehouse.duckdb"
    kept = shutil.copy(file, work / "kept.duckdb")
    with duckdb.connect(file) as warehouse:
        warehouse.sql(
            "update core.dim_queues set queue_name = null "
            "where queue_id = (select min(queue_id) from core.dim_queues)"
        )
        warehouse.sql("delete from reconciliation.rows_accounted_for where table_name = 'audits'")
        counted = warehouse.sql("select count(*) from reconciliation.rows_accounted_for")
        left = counted.fetchall()[0][0]
    again = run("--no-build")
    shutil.move(kept, file)
    assert again.returncode == 1, again.stderr
    assert re.search(r"│ dim_queues +│ +3 │ +1 │ +0 │ +0 │ queue_name \(1\)", again.stdout)
    assert re.search(rf"│ rows_accounted_for +│ +{left} │ +0 │ +1 │ +0 │", again.stdout)
    n_tables = len(marts(work / "dev" / "manifest.json"))
    assert f"{n_tables - 2} of {n_tables} tables are identical" in again.stdout


def test_a_failed_build_has_an_exit_code_of_its_own(tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    run = CliRunner().invoke(main, ["--raw", str(raw), "--work", str(tmp_path / "work")])
    assert run.exit_code == 3
    assert "decisions: required table not found" in run.output


# --- a server -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(environment, parity):
    """A Thrift server on the warehouse of the parity run: where it is. It ends with these tests."""
    work, *_ = parity
    home = work / "spark_home"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "spark.master": "local[2]",
        "spark.driver.memory": "2g",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": home / "warehouse",
        "spark.hadoop.javax.jdo.option.ConnectionURL": "jdbc:derby:;databaseName=metastore",
        "spark.driver.extraJavaOptions": f"-Dderby.system.home={home}",
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
        for _ in range(300):
            assert process.poll() is None, (work / "server.log").read_text()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(1)
        else:
            pytest.fail((work / "server.log").read_text())
        yield {
            "MODERATION_QUALITY_SPARK_HOST": "127.0.0.1",
            "MODERATION_QUALITY_SPARK_PORT": str(port),
        }
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=60)


@spark
def test_bad_raw_data_are_named_on_spark_too(parity, server, dbt, tmp_path):
    work, *_ = parity
    raw = shutil.copytree(work / "world" / "raw", tmp_path / "raw")
    (raw / "queues.parquet").unlink()
    with duckdb.connect() as connection:
        connection.sql(
            f"copy (select * replace ('soon' as valid_from) from '{raw}/policies.parquet' limit 3) "
            f"to '{raw}/policies.csv'"
        )
    (raw / "policies.parquet").unlink()
    run = dbt("run", "--target", "spark_thrift", "--vars", f"raw_path: {raw}", **server)
    assert run.returncode != 0
    assert "- queues: required table not found." in run.stdout
    assert "policies.valid_from: 3 values cannot be read as timestamp" in run.stdout


@spark
def test_a_thrift_server_answers_as_a_bi_tool_and_dbt_would_ask(parity, server, dbt):
    from pyhive import hive  # noqa: PLC0415 (only where Spark is installed)

    work, *_ = parity
    port = int(server["MODERATION_QUALITY_SPARK_PORT"])
    with hive.connect(host="127.0.0.1", port=port, username="bi") as bi:
        ask = bi.cursor()
        headline = (
            "select metric_id, n_decisions, n_audits, estimate, ci_low, ci_high "
            "from {}accuracy.accuracy_rates "
            "where period_type = 'week' and dimension_name = 'queue' and ci_low is not null "
            "order by metric_id, period_starts_on, dimension_value"
        )
        ask.execute(headline.format("moderation_quality_"))
        answered = ask.fetchall()
        with duckdb.connect(work / "warehouse.duckdb", read_only=True) as warehouse:
            expected = warehouse.sql(headline.format("")).fetchall()
        assert len(expected) >= 20
        for (metric_id, *values), (expected_id, *expected_values) in zip(
            answered, expected, strict=True
        ):
            assert metric_id == expected_id
            assert values == pytest.approx(expected_values, rel=1e-9)

        # dbt on the same server: raw tables from the metastore, marts beside the others.
        raw = work / "world" / "raw"
        ask.execute("create schema raw_tables")
        for table in ("policies", "review_jobs", "decisions", "audits", "sampling_frame"):
            path = next(path for path in raw.glob(f"{table}*"))
            ask.execute(
                f"create table raw_tables.{table} using parquet "
                f"options (path '{path}', recursiveFileLookup 'true')"
            )
        ask.execute(
            f"create table raw_tables.queues as select * from parquet.`{raw}/queues.parquet`"
        )
        arguments = ["run", "--target", "spark_thrift", "--select", "+dim_queues"]
        arguments += ["--vars", "raw_schema: raw_tables"]
        where = server | {"MODERATION_QUALITY_SPARK_SCHEMA": "other"}
        run = dbt(*arguments, **where)
        assert run.returncode == 0, run.stdout
        ask.execute("select * from other_core.dim_queues order by queue_id")
        of_schema = ask.fetchall()
        ask.execute("select * from moderation_quality_core.dim_queues order by queue_id")
        assert of_schema == ask.fetchall() != []

        # A contract's "not null" holds on Spark too.
        ask.execute(
            "insert into raw_tables.queues by name select * except (queue_id), "
            "cast(null as string) as queue_id from raw_tables.queues limit 1"
        )
        run = dbt(*arguments, **where)
        assert run.returncode == 1
        assert "NOT NULL constraint failed: other_core.dim_queues.queue_id is null" in run.stdout

    assert "Submitting query" in (work / "server.log").read_text()
    assert KEY_BEGINS not in (work / "server.log").read_text()
