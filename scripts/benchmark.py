"""Measure what a build costs, beside the same work done in other ways, in one run.

Results go to WORK/results.json as they come, so that a run can be taken up again, and from there
into docs/benchmarks.md and its chart. Times are of one machine and one run: compare them with each
other, not with those of another page.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from graphlib import TopologicalSorter
from importlib.metadata import version
from math import log
from pathlib import Path

import click
import duckdb
import pandas as pd
from rich.console import Console

PROJECT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
PAGE = PROJECT / "docs" / "benchmarks.md"
CHART = PROJECT / "docs" / "benchmarks.png"
DECISIONS_PER_DAY = 100_000
# Millions of decisions: days of history. All end on a Wednesday, so that the last day is alike.
SIZES = {"1": 10, "5": 52, "10": 101, "50": 500}
# Two tables of 50 million rows at once share the engine's memory, and take longer than in turn.
ONE_THREAD = ["50"]
# Models only: what tests cost is measured by itself.
MODELS_ONLY = ["--exclude-resource-types", "test", "unit_test"]
# What pandas cannot hold, what Spark on two cores is not for, and what no comparison asks for.
SKIPPED = (
    "50:pandas,50:spark,50:tests,50:samplics,50:straight,50:marts,50:reconcile,10:spark,"
    "5:straight,5:by_hand,5:pandas,5:tests,5:spark,5:samplics,5:survey"
)
console = Console()


@dataclass(frozen=True)
class Measure:
    """What a process took: seconds by the clock and of processors, and its most memory, in GB."""

    seconds: float
    cpu_seconds: float
    peak_gb: float


def run(
    command: list[str | Path], log: Path, may_end_with: tuple[int, ...] = (0,), **environment: str
) -> Measure:
    """Run a command to its end and measure it.

    Args:
        command: what to run, from the project's folder.
        log: where its output goes.
        may_end_with: the exit codes that are no failure.
        **environment: variables that differ.

    Raises:
        click.ClickException: the command failed; its last lines are in the message.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    # What the step before left to be written is not this one's.
    os.sync()
    began = time.perf_counter()
    with log.open("w") as out:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=PROJECT,
            env=os.environ | {"DO_NOT_TRACK": "1"} | environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if os.waitstatus_to_exitcode(status) not in may_end_with:
        end = log.read_text(errors="replace")[-2000:]
        raise click.ClickException(f"{' '.join(map(str, command))} failed:\n{end}")
    cpu_seconds = usage.ru_utime + usage.ru_stime
    return Measure(round(seconds, 2), round(cpu_seconds, 2), round(usage.ru_maxrss / 1e6, 2))


def part_of(world: Path, days: int, raw: Path) -> None:
    """What a world had delivered by the end of its first days, as a raw folder of its own.

    Files of a day are linked; of the tables that are one file, the rows recorded by then are taken.
    """
    shutil.rmtree(raw, ignore_errors=True)
    raw.mkdir(parents=True)
    names = sorted(file.stem for file in (world / "raw" / "decisions").glob("????-??-??.parquet"))
    last = names[days - 1]
    for file in (world / "raw").rglob("*.parquet"):
        part = raw / file.relative_to(world / "raw")
        if file.parent == world / "raw":
            duckdb.sql(f"copy (from '{file}' where recorded_at < date '{last}' + 1) to '{part}'")
        elif file.name[: len(last)] <= last:
            part.parent.mkdir(exist_ok=True)
            os.link(file, part)


class Bench:
    """One size of world: its raw folder, its warehouse, and what was measured of it."""

    def __init__(self, size: str, work: Path, memory: str) -> None:
        """Take up what an earlier run left."""
        self.size, self.days, self.memory = size, SIZES[size], memory
        self.work, self.world = work / size, work / "world"
        self.raw = self.work / "raw"
        self.warehouse = self.work / "dbt" / "layer.duckdb"
        self.spark_events = self.work / "spark_events"

    def dbt(self, *arguments: str, name: str) -> Measure:
        """Run dbt on the warehouse."""
        self.warehouse.parent.mkdir(parents=True, exist_ok=True)
        logs, target = ["--log-path", self.work / "logs"], ["--target-path", self.work / "target"]
        variables = ["--vars", json.dumps({"raw_path": str(self.raw)})]
        environment = {
            "MODERATION_QUALITY_DATABASE": str(self.warehouse),
            "MODERATION_QUALITY_MEMORY": self.memory,
        }
        # A large step before drives Python's files out of memory, a small one does not. What this
        # finds out about the project stays in a folder of its own: to parse is part of the step.
        elsewhere = ["--target-path", self.work / "warm"]
        run([BIN / "dbt", "parse", *elsewhere, *logs], self.work / "warm.log", **environment)
        threads = ["--threads", "1"] if self.size in ONE_THREAD else []
        return run(
            [BIN / "dbt", "--no-use-colors", *arguments, *threads, *target, *logs, *variables],
            self.work / f"{name}.log",
            **environment,
        )

    def full_build(self) -> Measure:
        """Every model, from all but the last day of the world."""
        part_of(self.world, self.days - 1, self.raw)
        shutil.rmtree(self.warehouse.parent, ignore_errors=True)
        shutil.rmtree(self.work / "target", ignore_errors=True)
        return self.dbt("build", *MODELS_ONLY, name="full_build")

    def gigabytes(self) -> dict[str, float]:
        """What the raw files hold and a full build wrote; later steps add to the warehouse."""
        raw = sum(file.stat().st_size for file in self.raw.rglob("*") if file.is_file())
        return {"raw": raw / 1e9, "full_build": self.warehouse.stat().st_size / 1e9}

    def copy(self) -> Measure:
        """The raw tables, each copied into a table: the least that a warehouse of them costs."""
        part_of(self.world, self.days - 1, self.raw)
        # Not copy.py, which Python would take for its own module.
        script, database = self.work / "raw_copy.py", self.work / "copy.duckdb"
        database.unlink(missing_ok=True)
        script.write_text(
            "import duckdb, pathlib, sys\n"
            "connection = duckdb.connect(sys.argv[1])\n"
            f"connection.execute(\"set memory_limit = '{self.memory}'; set threads = 2\")\n"
            "connection.execute('set preserve_insertion_order = false')\n"
            "for table in pathlib.Path(sys.argv[2]).iterdir():\n"
            "    files = table / '*.parquet' if table.is_dir() else table\n"
            "    connection.execute(f'create table \"{table.name}\" as from \\'{files}\\'')\n"
            "connection.close()\n"
        )
        return run([sys.executable, script, database, self.raw], self.work / "copy.log")

    def marts(self) -> Measure:
        """All that is made of the facts, built anew: what a day would cost without increments."""
        # The ledgers stay: emptied, they would make the next step build everything.
        left = ["path:models/staging", "path:models/facts", "deliveries", "int_deliveries__*"]
        return self.dbt("run", "--full-refresh", "--exclude", *left, name="marts")

    def reconcile(self) -> Measure:
        """`make reconcile` after the full build: the checks, and the headline from raw files."""
        command = [sys.executable, PROJECT / "scripts" / "reconcile.py", "--raw", self.raw]
        built = ["--database", self.warehouse, "--manifest", self.work / "target" / "manifest.json"]
        output = ["--output", self.work / "reconciliation", "--memory", self.memory]
        # 1: it names what the simulator planted.
        return run([*command, *built, *output], self.work / "reconcile.log", may_end_with=(0, 1))

    def increment(self) -> Measure:
        """The last day, on top of the others."""
        part_of(self.world, self.days, self.raw)
        return self.dbt("build", *MODELS_ONLY, name="increment")

    def tests(self) -> Measure:
        """Every data test of the project."""
        return self.dbt("test", "--exclude-resource-types", "unit_test", name="tests")

    def straight(self) -> Measure:
        """The SQL that dbt compiled for the full build, in one connection."""
        part_of(self.world, self.days - 1, self.raw)
        self.dbt("compile", "--full-refresh", name="compile")
        script = self.work / "straight.py"
        database = self.work / "straight" / "layer.duckdb"
        shutil.rmtree(database.parent, ignore_errors=True)
        database.parent.mkdir(parents=True)
        statements = self.work / "straight.json"
        statements.write_text(json.dumps(self.statements()))
        script.write_text(
            "import duckdb, json, sys\n"
            "connection = duckdb.connect(sys.argv[1])\n"
            "for statement in json.load(open(sys.argv[2])):\n"
            "    connection.execute(statement)\n"
            "connection.close()\n"
        )
        measured = run([sys.executable, script, database, statements], self.work / "straight.log")
        shutil.rmtree(database.parent)
        return measured

    def statements(self) -> list[str]:
        """Settings, seeds and models as SQL, in the order of the lineage."""
        manifest = json.loads((self.work / "target" / "manifest.json").read_text())["nodes"]
        nodes = {
            name: node
            for name, node in manifest.items()
            if node["resource_type"] in ("model", "seed") and node["config"]["enabled"]
        }
        order = TopologicalSorter(
            {name: node.get("depends_on", {}).get("nodes", []) for name, node in nodes.items()}
        )
        statements = [
            f"set memory_limit = '{self.memory}'",
            "set preserve_insertion_order = false",
            "set threads = 2",
            "set TimeZone = 'UTC'",
            "set variable pseudonym_key = 'sample-data-only'",
            *(f"create schema if not exists {node['schema']}" for node in nodes.values()),
        ]
        for name in order.static_order():
            if name not in nodes:
                continue
            node = nodes[name]
            if node["resource_type"] == "seed":
                file = PROJECT / node["original_file_path"]
                types = json.dumps(node["config"]["column_types"]).replace('"', "'")
                body = f"from read_csv('{file}', header = true, types = {types})"
                statements.append(f"create table {node['relation_name']} as {body}")
            else:
                kind = "view" if node["config"]["materialized"] == "view" else "table"
                statements.append(
                    f"create {kind} {node['relation_name']} as {node['compiled_code']}"
                )
        return statements

    def by_hand(self) -> Measure:
        """The headline table alone, by a query written by hand."""
        sql = (PROJECT / "scripts" / "benchmarks" / "headline.sql").read_text()
        script = self.work / "by_hand.py"
        script.write_text(
            "import duckdb, sys\n"
            "connection = duckdb.connect()\n"
            f"connection.execute(\"set memory_limit = '{self.memory}'; set threads = 2\")\n"
            f"connection.sql({sql.replace('{raw}', str(self.raw))!r}).df()"
            ".to_csv(sys.argv[1], index=False)\n"
        )
        return run([sys.executable, script, self.work / "by_hand.csv"], self.work / "by_hand.log")

    def pandas(self) -> Measure:
        """The headline table alone, by pandas."""
        script = PROJECT / "scripts" / "benchmarks" / "pandas_headline.py"
        command = [sys.executable, script, self.raw, self.work / "pandas.csv"]
        return run(command, self.work / "pandas.log")

    def survey(self) -> Measure:
        """Accuracy by month and queue, by R's survey."""
        script = PROJECT / "scripts" / "benchmarks" / "survey.R"
        command = ["Rscript", script, self.audits(), self.work / "survey.csv"]
        return run(command, self.work / "survey.log")

    def samplics(self) -> Measure:
        """The same by samplics."""
        script = PROJECT / "scripts" / "benchmarks" / "samplics_domains.py"
        command = [sys.executable, script, self.audits(), self.work / "samplics.csv"]
        return run(command, self.work / "samplics.log")

    def audits(self) -> Path:
        """The counted audits as libraries of survey statistics want them, which is not measured."""
        file = self.work / "audits.csv"
        with duckdb.connect(self.warehouse, read_only=True) as connection:
            connection.execute(
                "copy (with pools as (select variance_stratum_key, sum(n_audits) "
                "/ sum(population_size) as fraction from facts.int_sampling__strata "
                "where n_audits > 0 group by all) "
                "select concat(date_trunc('month', decided_on)::date, '|', audits.queue_id) "
                "as domain, n_correct as correct, audits.weight, variance_stratum_key as pool, "
                "fraction "
                "from facts.fct_audits as audits "
                "inner join facts.int_sampling__strata using (stratum_key) "
                "inner join pools using (variance_stratum_key) "
                f"where is_counted) to '{file}'"
            )
        return file

    def estimates(self) -> dict[str, float]:
        """How many estimates with a standard error the full build made, and in how many seconds."""
        ran = json.loads((self.work / "target" / "run_results.json").read_text())["results"]
        name = "model.moderation_quality.accuracy_estimates"
        [seconds] = [one["execution_time"] for one in ran if one["unique_id"] == name]
        with duckdb.connect(self.warehouse, read_only=True) as connection:
            query = "select count(*) from restricted.accuracy_estimates"
            return {"n": connection.sql(query).fetchall()[0][0], "seconds": round(seconds, 2)}

    def spark(self) -> Measure:
        """Every model on Spark, on this machine."""
        part_of(self.world, self.days - 1, self.raw)
        home, settings = self.work / "spark", self.work / "spark_settings"
        for folder in (home, settings, self.spark_events):
            shutil.rmtree(folder, ignore_errors=True)
        settings.mkdir()
        self.spark_events.mkdir()
        (settings / "spark-defaults.conf").write_text(
            f"spark.eventLog.enabled true\nspark.eventLog.dir file://{self.spark_events}\n"
            "spark.eventLog.rolling.enabled false\nspark.eventLog.compress false\n"
        )
        target = ["--target-path", self.work / "target_spark", "--log-path", self.work / "logs"]
        variables = ["--vars", json.dumps({"raw_path": str(self.raw)})]
        measured = run(
            [BIN / "dbt", "build", "--target", "spark", *MODELS_ONLY, *target, *variables],
            self.work / "spark.log",
            SPARK_CONF_DIR=str(settings),
            MODERATION_QUALITY_SPARK_HOME=str(home),
            MODERATION_QUALITY_SPARK_MEMORY=self.memory.replace("GB", "g"),
            MODERATION_QUALITY_SPARK_PARTITIONS="8",
        )
        shutil.rmtree(home)
        return measured

    def seconds_of_jobs(self) -> float:
        """In how many seconds of the build on Spark any job ran, by Spark's log of events.

        In the others Spark planned, the metastore answered, or dbt read and compiled the project.
        """
        began, ran = {}, []
        for file in self.spark_events.iterdir():
            for line in file.open(encoding="utf-8"):
                if '"SparkListenerJob' not in line:
                    continue
                event = json.loads(line)
                if event["Event"] == "SparkListenerJobStart":
                    began[event["Job ID"]] = event["Submission Time"]
                elif event["Event"] == "SparkListenerJobEnd":
                    ran.append((began[event["Job ID"]], event["Completion Time"]))
        seconds, until = 0.0, 0.0
        for start, end in sorted(ran):
            seconds += max(0.0, end - max(start, until)) / 1000
            until = max(until, end)
        return round(seconds, 2)

    def same_numbers(self) -> float:
        """How far the headline tables of the mart, of the query and of pandas are apart.

        Returns:
            The largest difference of an accuracy.

        Raises:
            click.ClickException: other rows or counts, or accuracies that differ by over 1e-9.
        """
        with duckdb.connect(self.warehouse, read_only=True) as connection:
            mart = connection.sql(
                "select period_starts_on as month, dimension_value as queue_id, n_decisions, "
                "n as n_audits, estimate as accuracy from rates.accuracy_rates "
                "where metric_id = 'accuracy' and metric_version = 1 "
                "and period_type = 'month' and ("
                "dimension_name = 'overall' or dimension_name = 'queue') order by all"
            ).df()
        apart = 0.0
        for name in ("by_hand", "pandas"):
            file = self.work / f"{name}.csv"
            if not file.exists():
                continue
            other = pd.read_csv(file, parse_dates=["month"]).fillna({"n_audits": 0})
            other = other.sort_values(["month", "queue_id"]).reset_index(drop=True)
            counts = ["n_decisions", "n_audits"]
            if len(other) != len(mart) or (other[counts] != mart[counts]).any(axis=None):
                raise click.ClickException(f"{file} has other counts than the mart.")
            apart = max(apart, (other["accuracy"] - mart["accuracy"]).abs().max())
        for name in LIBRARIES:
            apart = max(apart, self.differs_from(self.work / f"{name}.csv"))
        if apart > 1e-9:
            raise click.ClickException(f"Accuracies are {apart} apart.")
        return apart

    def differs_from(self, file: Path) -> float:
        """How far estimates and standard errors by month and queue are from those of a library."""
        if not file.exists():
            return 0.0
        with duckdb.connect(self.warehouse, read_only=True) as connection:
            apart, n = connection.execute(
                "select max(greatest(abs(a.estimate - b.estimate), "
                "abs(a.standard_error - b.standard_error))), count(a.standard_error) "
                "from rates.accuracy_rates as a inner join read_csv(?) as b "
                "on concat(a.period_starts_on, '|', a.dimension_value) = b.domain "
                "where metric_id = 'accuracy' and metric_version = 1 and period_type = 'month' "
                "and dimension_name = 'queue'",
                [str(file)],
            ).fetchall()[0]
        if not n:
            raise click.ClickException(f"{file} has no estimate of the mart's.")
        return apart


LIBRARIES = {"survey": "R's survey", "samplics": "samplics"}
STEPS = [
    "full_build", "reconcile", "marts", "copy", "straight", "increment", "by_hand", "pandas",
    "survey", "samplics", "tests", "spark",
]  # fmt: skip
CHARTED = ["full_build", "straight", "increment", "marts", "pandas", "copy", "by_hand"]
LABELS = {
    "full_build": "full build, `dbt build` without tests",
    "reconcile": "`make reconcile` after the full build",
    "straight": "the same SQL, straight in DuckDB",
    "marts": "all marts, from facts that are there",
    "copy": "the raw tables copied into DuckDB, no layer",
    "increment": "one more day, `dbt build` without tests",
    "tests": "all data tests, `dbt test`",
    "by_hand": "headline table only, SQL by hand",
    "survey": "accuracy by month and queue from counted audits, R's survey",
    "samplics": "the same, samplics",
    "pandas": "headline table only, pandas",
    "spark": "full build on Spark, this machine",
}


def developer_waits(work: Path) -> dict[str, Measure]:
    """What it takes until dbt starts, and until one changed model is built, on a small world."""
    raw, target = work / "small" / "raw", work / "small" / "target"
    shutil.rmtree(work / "small", ignore_errors=True)
    simulate = [sys.executable, PROJECT / "scripts" / "simulate.py", "--quiet", "--days", "28"]
    run([*simulate, "--out", work / "small"], work / "small.log")
    copy = work / "project"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir(parents=True)
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(PROJECT / name, copy)
    for name in ("models", "macros", "seeds", "tests", "docs", "analyses"):
        shutil.copytree(PROJECT / name, copy / name)

    def dbt(*arguments: str) -> Measure:
        folders = ["--project-dir", copy, "--profiles-dir", copy, "--target-path", target]
        variables = ["--vars", json.dumps({"raw_path": str(raw)})]
        command = [BIN / "dbt", *arguments, *folders, "--log-path", work / "small", *variables]
        return run(
            command, work / "small.log", MODERATION_QUALITY_DATABASE=str(work / "small.duckdb")
        )

    (work / "small.duckdb").unlink(missing_ok=True)
    waits = {"parse, nothing known yet": dbt("parse")}
    waits["parse, nothing changed"] = dbt("parse")
    dbt("build", *MODELS_ONLY)
    model = copy / "models" / "rates" / "accuracy_rates.sql"
    model.write_text(model.read_text() + "-- changed\n")
    waits["build of one changed model"] = dbt("run", "--select", "accuracy_rates")
    model.write_text(model.read_text() + "-- changed again\n")
    waits["build of one changed model with its tests"] = dbt("build", "--select", "accuracy_rates")
    macro = copy / "macros" / "estimators" / "wilson.sql"
    macro.write_text(macro.read_text() + "{# changed #}\n")
    waits["build of a mart after a changed macro"] = dbt("run", "--select", "accuracy_rates")
    return waits


@click.command()
@click.option("--work", type=click.Path(path_type=Path), default=PROJECT / "target" / "benchmark",
              show_default="target/benchmark", help="Worlds, warehouses, results.")  # fmt: skip
@click.option("--sizes", default=",".join(SIZES), show_default=True,
              help="Millions of decisions.")  # fmt: skip
@click.option("--memory", default="8GB", show_default=True, help="The engine's limit.")
@click.option("--skip", default=SKIPPED, show_default=True,
              help="size:step not to measure.")  # fmt: skip
@click.option("--page-only", is_flag=True, help="Write the page from results that are there.")
def main(work: Path, sizes: str, memory: str, skip: str, page_only: bool) -> None:
    """Measure builds of 1 to 50 million decisions, and write docs/benchmarks.md.

    Steps with a result in WORK/results.json are not measured again; the page has the sizes that
    have one, and needs that of 10 million. Takes about two hours; let the machine do nothing else.

    Exit codes: 0 done, 1 a step failed, 2 wrong usage.
    """
    work = work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    store = work / "results.json"
    results = json.loads(store.read_text()) if store.exists() else {}

    def keep(size: str, step: str, value: object) -> None:
        results.setdefault(size, {})[step] = value
        store.write_text(json.dumps(results, indent=2))

    if not page_only:
        if not (work / "world").exists():
            console.print("Simulating 50 million decisions (two minutes)")
            simulate = [sys.executable, PROJECT / "scripts" / "simulate.py", "--quiet"]
            days = max(SIZES[size] for size in sizes.split(","))
            extent = ["--days", str(days), "--decisions-per-day", str(DECISIONS_PER_DAY)]
            audits = ["--audit-rate", "0.0125"]
            run([*simulate, *extent, *audits, "--out", work / "world"], work / "simulate.log")
        for size in sizes.split(","):
            bench = Bench(size, work, memory)
            for step in STEPS:
                if f"{size}:{step}" in skip.split(",") or step in results.get(size, {}):
                    continue
                if step == "survey" and not shutil.which("Rscript"):
                    console.print(f"{size} million: {LABELS[step]}: left out, no R (r-cran-survey)")
                    continue
                console.print(f"{size} million: {LABELS[step]}")
                measured = getattr(bench, step)()
                keep(size, step, [measured.seconds, measured.cpu_seconds, measured.peak_gb])
                # A run that is taken up again may be of another state of the project.
                keep(size, "commits", results[size].get("commits", {}) | {step: commit()})
                console.print(
                    f"    {measured.seconds:.1f} s, {measured.cpu_seconds:.1f} s of processors, "
                    f"{measured.peak_gb:.1f} GB"
                )
                if step == "full_build":
                    keep(size, "estimates", bench.estimates())
                    keep(size, "gigabytes", bench.gigabytes())
                if step == "spark":
                    keep(size, "seconds_of_jobs", bench.seconds_of_jobs())
                if step in LIBRARIES:
                    keep(size, "n_domains", len(pd.read_csv(bench.work / f"{step}.csv")))
            if "apart" not in results.get(size, {}):
                keep(size, "apart", bench.same_numbers())
        if "waits" not in results:
            results["waits"] = {
                name: measured.seconds for name, measured in developer_waits(work).items()
            }
            results["waits_commit"] = commit()
            store.write_text(json.dumps(results, indent=2))
        results["machine"] = machine(memory)
        results["world"] = shape(work / "world")
        store.write_text(json.dumps(results, indent=2))
    if "10" not in results:
        console.print("No page: most of it is of 10 million, which has no result yet")
        return
    write_page(results)
    console.print(f"{PAGE.relative_to(PROJECT)} and {CHART.relative_to(PROJECT)} written")


def shape(world: Path) -> dict[str, float]:
    """How many decisions a day a world has, and which share of them is audited."""
    decisions, audited = (
        duckdb.sql(f"select {what} from '{world}/raw/{table}/*.parquet'").fetchall()[0]
        for what, table in (
            ("count(distinct decision_id), count(distinct decided_at::date)", "decisions"),
            ("count(distinct decision_id), 1", "audits"),
        )
    )
    return {
        "decisions_per_day": decisions[0] / decisions[1],
        "audited": audited[0] / decisions[0],
    }


def commit() -> str:
    """The state of the project, as git says it."""

    def git(*arguments: str) -> str:
        command = ["git", *arguments]
        ran = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
        return ran.stdout.strip()

    name = git("describe", "--always")
    # The page itself may have been written by a run before.
    if git("status", "--porcelain", "--", ".", ":!docs/benchmarks.*"):
        name += "-dirty"
    return name or "not known"


def commits(results: dict) -> str:
    """The commits that were measured; where they are several, what is of which."""
    measured = {"what a developer waits for": results["waits_commit"]}
    for size in (size for size in SIZES if size in results):
        for step, name in results[size]["commits"].items():
            measured[f"{LABELS[step]} ({size} million)"] = name
    counts = Counter(measured.values())
    [(most, _)] = counts.most_common(1)
    others = [f"{what} at {name}" for what, name in measured.items() if name != most]
    return "; ".join([most, *others])


def machine(memory: str) -> dict[str, str]:
    """What was measured on, and with which versions."""
    cpu = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    ram = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    packages = ["duckdb", "dbt-core", "dbt-duckdb", "pandas", "pyarrow", "pyspark"]
    return {
        "machine": f"{cpu}, {os.cpu_count()} cores, {ram:.0f} GB, {platform.system()}",
        "engine's memory limit": memory,
        "versions": f"Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in packages),
    }


def exponent(results: dict, step: str, small: str, large: str) -> float:
    """By which power of the number of decisions the time of a step grows."""
    times = results[large][step][0] / results[small][step][0]
    return log(times) / log(SIZES[large] / SIZES[small])


def write_page(results: dict) -> None:
    """Write the page and its chart from the results."""
    sizes = [size for size in SIZES if size in results]
    world = results["world"]
    days = " and ".join(", ".join(str(SIZES[size]) for size in sizes).rsplit(", ", 1))
    introduction = INTRODUCTION.format(days=days, **world)
    lines = ["# Benchmarks", "", introduction, ""]
    lines += [f"- commit: {commits(results)}"]
    lines += [f"- {name}: {what}" for name, what in results["machine"].items()]
    lines += [
        "- commands: `make benchmark`; what each step runs is in `scripts/benchmark.py`",
        "",
    ]
    lines += [
        "| seconds (of processors; peak memory, GB) | "
        + " | ".join(f"{s} million" for s in sizes) + " |"
    ]  # fmt: skip
    lines += ["|---" + "|--:" * len(sizes) + "|"]
    for step in STEPS:
        # Spark is a process of its own, of which nobody counts anything here.
        cell = "{0:,.1f}" if step == "spark" else "{0:,.1f} ({1:,.0f}; {2:.1f})"
        cells = [
            cell.format(*results[size][step]) if step in results[size] else "–" for size in sizes
        ]
        lines.append(f"| {LABELS[step]} | " + " | ".join(cells) + " |")
    if missing := " and ".join(size for size in SIZES if size not in results):
        lines += ["", f"Not measured: {missing} million ([decisions.md](decisions.md))."]
    lines += ["", "![Seconds by decisions](benchmarks.png)", "", "## What they say", ""]
    lines += verdicts(results)
    lines += ["", "## What a developer waits for", "", "On four simulated weeks:", ""]
    lines += ["| | seconds |", "|---|--:|"]
    lines += [f"| {name} | {seconds:.1f} |" for name, seconds in results["waits"].items()]
    lines += ["", NOTES]
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    draw(results, sizes)


INTRODUCTION = """\
Written by `make benchmark`, on one machine that did nothing else. Compare the
numbers with each other; on another machine all of them are others. Worlds are the first {days} days
of one simulated platform with {decisions_per_day:,.0f} decisions a day, of which {audited:.1%} are
audited; raw data are Parquet files by day."""

NOTES = """\
## How to read it

- *Full build* is from raw files to all marts: every dimension and metric, by day, week and month,
  with reasons and reconciliation. The headline table is one metric in one dimension by month, so
  the query by hand is the floor of what reading the files costs, and no layer.
- The query by hand and pandas give the same counts as the mart and the same accuracies to 1e-9; the
  run stops where they do not.
- Peak memory is of the process, Python included; the engine spills to disk at its limit. Spark is a
  process of its own, with the same limit for its heap; what it used is not measured.
- dbt builds 50 million with `--threads 1`: two tables of that size at once share the engine's
  memory and take longer than one after the other. All else has two threads; either way the engine
  uses both cores.
- Before each step on DuckDB dbt starts once, not counted, so that Python's files are in memory
  alike; the data are where the step before left them. A full build parses the project from nothing.
- A dash: not measured in this run. pandas on 50 million is left out by default, as five times what
  it holds at 10 million is more than this memory; so is Spark on more than 1 million, which one
  machine with two cores is not for.
- *One more day* is a Wednesday. On the day on which a sampling frame comes, the decisions of its
  period are built again too.
- By days are built decisions and jobs as delivered, `fct_decisions`, and the counts of decisions by
  day and dimension. All else is built whole, so a day grows with history
  ([increments.md](increments.md)). That is a choice, and why one more day is far from its goals.
- An increment is cheap where ids grow with time, as the simulator's and most systems' do: a range
  of ids written into the query passes over what is old. With random ids it is right and slower:
  every build then reads the columns of ids once."""


RATIOS = [
    ("Full build of 10 million ÷ the same SQL straight",
     ("10", "full_build"), ("10", "straight"), 1.2),
    ("`make reconcile` of 10 million ÷ full build", ("10", "reconcile"), ("10", "full_build"), 0.5),
    ("One more day on 10 million ÷ all marts from the facts",
     ("10", "increment"), ("10", "marts"), 0.5),
    ("One more day on 50 million ÷ on 5 million", ("50", "increment"), ("5", "increment"), 1.3),
    ("One more day on 50 million ÷ its full build", ("50", "increment"), ("50", "full_build"), 0.1),
]  # fmt: skip


def verdicts(results: dict) -> list[str]:
    """The figures that were asked for, each with its target and whether it is met."""
    found, ten = [], results["10"]

    def say(what: str, value: float, target: float) -> None:
        verdict = "met" if value <= target else "**not met**"
        found.append(f"- {what}: {value:.2f}; asked for at most {target:g}: {verdict}.")

    for what, (size, step), (other_size, other_step), target in RATIOS:
        # What was left out is a dash in the table.
        if step in results.get(size, {}) and other_step in results.get(other_size, {}):
            say(what, results[size][step][0] / results[other_size][other_step][0], target)
    say("Bytes written by a full build of 10 million ÷ raw bytes",
        ten["gigabytes"]["full_build"] / ten["gigabytes"]["raw"], 2.2)  # fmt: skip
    largest = max((size for size in SIZES if size in results), key=int)
    for smaller in sorted({"1", "10"} - {largest}, key=int):
        say(f"Exponent of the full build's time, {smaller} to {largest} million",
            exponent(results, "full_build", smaller, largest), 1.05)  # fmt: skip
    floor = ten["full_build"][1] / ten["copy"][1]
    found.append(
        f"- Processors on a full build of 10 million ÷ on a copy of its raw tables: {floor:.1f}; "
        "no goal, but what the layer adds to the least that a warehouse costs."
    )
    planned = [
        f"{spark - jobs:,.0f} of {spark:,.0f} seconds on {size} million"
        for size in SIZES
        if (jobs := results.get(size, {}).get("seconds_of_jobs")) is not None
        for spark in results[size]["spark"][:1]
    ]
    if planned:
        found.append(
            f"- A full build on Spark without a job at work: {', '.join(planned)}. In these Spark "
            "plans, the metastore answers, and dbt reads and compiles the project."
        )
    ours, rows = ten["estimates"], []
    for name, said in LIBRARIES.items():
        if name in ten:
            rows.append(f"{1000 * ten[name][0] / ten['n_domains']:,.0f} ms by {said}")
    if rows:
        found.append(
            f"- One estimate with its standard error, from 10 million: "
            f"{1000 * ours['seconds'] / ours['n']:.2f} ms by the layer (all {ours['n']:,} of "
            f"`accuracy_estimates`), {', '.join(rows)} (accuracy by month and queue); the same to "
            "1e-9."
        )
    return found


def draw(results: dict, sizes: list[str]) -> None:
    """Draw seconds by millions of decisions, both by powers of ten."""
    import matplotlib as mpl  # noqa: PLC0415 (a second)

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    for step in CHARTED:
        points = [(int(size), results[size][step][0]) for size in sizes if step in results[size]]
        if points:
            axes.plot(*zip(*points, strict=True), marker="o", label=LABELS[step].replace("`", ""))
    axes.set(xscale="log", yscale="log", xlabel="million decisions", ylabel="seconds")
    axes.set_xticks([int(size) for size in sizes], sizes)
    axes.grid(visible=True, which="major", alpha=0.3)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    figure.savefig(CHART, dpi=120, metadata={"Software": None})


if __name__ == "__main__":
    main()
