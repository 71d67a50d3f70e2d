"""One fault put to the test: spoil the world, build it, see what names it and what moved."""

import functools
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from .healthy import KEY, WITHOUT_UNIT_TESTS, DbtRun, Healthy, Node, run_quietly, variables

# A number has moved if it is this much off.
MOST_POINTS = 0.5
MOST_ERRORS = 1.0
# Whether these have changed is soon found out, and some of them are behind everything.
FEW_ROWS = 1000


@dataclass(frozen=True)
class Number:
    """A column of published numbers: its mart, its error, when it is published, its unit."""

    mart: str
    column: str
    # Where a mart has none, a quarter of the interval's width is near enough: see WIDTH.
    standard_error: str = "standard_error"
    is_published: str = "is_reportable"
    # How many points one is; none where it is no share.
    points: float = 100


WIDTH = "(ci_high - ci_low) / (2 * 1.96)"
# Of the shares those that people act on.
WATCHED = (
    "is_reportable and metric_id in ('auditor_accuracy', 'dispute_rate', 'dispute_overturn_rate', "
    "'golden_pass_rate', 'audit_coverage')"
)
NUMBERS = [
    Number("accuracy_rates", "estimate"),
    Number("policy_rates", "estimate"),
    Number("accuracy_compared", "estimate"),
    Number("error_pareto", "estimate"),
    Number("policy_confusion", "estimate"),
    Number("overturned_decisions", "overturned_rate", "null", "reason_code is null"),
    Number("rater_agreement", "estimate"),
    Number("quality_scores", "estimate", points=1),
    Number("accuracy_if_audits_err", "estimate"),
    Number("quality_rates", "estimate", WIDTH, WATCHED),
    Number("calibration_gap", "estimate", points=0),
    Number("moderator_accuracy", "eb_estimate", "eb_standard_error"),
    Number("quality_rates_by_person", "estimate", WIDTH, WATCHED),
]
# What tells the rows of a mart apart: those of these columns that it has.
KEYS = (
    "metric_id", "metric_version", "coefficient", "rating_source", "label_kind", "score_of",
    "category_id", "measure", "mix_name", "period_type", "period_starts_on", "month_starts_on",
    "dimension_name", "dimension_value", "policy_id", "policy_version", "group_name",
    "group_value", "reason", "decided_policy_id", "true_policy_id", "moderator_key", "person_key",
)  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """A way to spoil a healthy world."""

    id: str
    family: str
    # What went wrong at the source, in one sentence.
    story: str
    # Statements on the raw tables, by their names.
    sql: str = ""
    # What is done to the raw files then.
    files: Callable[[Path], None] | None = None
    # Why nobody could tell, of a fault that no data show.
    undetectable: str = ""
    # The two faults that a pair is made of.
    both: tuple[str, ...] = ()


@dataclass(frozen=True)
class Naming:
    """What named a fault: a test, a model that could not be built, or dbt before the build."""

    name: str
    # warn, error, or stop: nothing, or nothing more, is built.
    severity: str
    message: str
    says_what_to_do: bool


@dataclass(frozen=True)
class Move:
    """How far the published number that moved the most did."""

    number: str = ""
    points: float = 0.0
    errors: float = 0.0

    @property
    def is_more_than_allowed(self) -> bool:
        """More than half a point, or than one standard error."""
        return self.points > MOST_POINTS or self.errors > MOST_ERRORS


@dataclass(frozen=True)
class Outcome:
    """What came of a fault."""

    id: str
    named_by: list[Naming] = field(default_factory=list)
    # In points, in standard errors, and of the headline: accuracy of all decisions.
    most_points: Move = field(default_factory=Move)
    most_errors: Move = field(default_factory=Move)
    headline: float | None = None
    n_moved: int = 0
    n_published: int = 0
    # Numbers that the healthy world publishes, and that are published no more.
    n_gone: int = 0
    # Eligible decisions, relative to the healthy world; none where nothing was built.
    decisions: float | None = None
    n_not_built: int = 0
    # No raw row is another, and no file.
    changes_nothing: bool = False

    @property
    def is_moved(self) -> bool:
        """Whether a published number moved by more than is allowed."""
        return self.most_points.is_more_than_allowed or self.most_errors.is_more_than_allowed

    @property
    def severity(self) -> str:
        """The gravest of what named it."""
        found = {naming.severity for naming in self.named_by}
        return next((one for one in ("stop", "error", "warn") if one in found), "")

    @property
    def says_what_to_do(self) -> bool:
        """Whether anything that named it does."""
        return any(naming.says_what_to_do for naming in self.named_by)

    @property
    def is_missed(self) -> bool:
        """Whether it moved a number and nothing said so."""
        return self.is_moved and not self.named_by


def try_fault(fault: Fault, healthy: Healthy, folder: Path, until_named: bool = False) -> Outcome:
    """Spoil the world in an empty folder, and build it.

    Faults of rows go through the SQL that dbt compiled for the healthy world; those that change
    files, columns or types go through dbt itself.

    Args:
        fault: what goes wrong.
        healthy: the world that is spoilt.
        folder: an empty folder.
        until_named: build no further than to what names it first, and measure nothing then. It
            tells as well whether a fault is missed.
    """
    raw = folder / "raw"
    spoilt = spoil(fault, healthy, raw)
    try:
        outcome = _built(fault, healthy, folder, spoilt, until_named)
        return replace(outcome, changes_nothing=spoilt == set())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _built(
    fault: Fault, healthy: Healthy, folder: Path, spoilt: set[str] | None, until_named: bool
) -> Outcome:
    raw = folder / "raw"
    if spoilt is None and not until_named:
        return _by_dbt(fault, healthy, raw, folder)
    # One seed, for what is said before anything is built.
    before = run_quietly(
        ["build", "--select", "action_codes", "--exclude-resource-types", "test",
         "unit_test", *variables(raw)],
        healthy.manifest, str(folder / healthy.warehouse.name), folder / "target",
    )  # fmt: skip
    named = _said_before(before)
    if before.stops or (named and until_named):
        return Outcome(fault.id, named)
    if spoilt is None:
        return _by_dbt(fault, healthy, raw, folder)
    with _beside(healthy) as db:
        run = run_compiled(
            db, healthy.nodes, str(healthy.raw), str(raw), spoilt, until_named=until_named
        )
        named += run.named_by
        if named and until_named:
            return Outcome(fault.id, named)
        return _outcome(fault, db, named, run.not_built)


def spoil(fault: Fault, healthy: Healthy, raw: Path) -> set[str] | None:
    """Write the spoilt world; name the tables that differ, None if files, columns or types do."""
    raw.mkdir(parents=True)
    changed: set[str] | None = None if fault.files else set()
    with duckdb.connect(config={"threads": 1}) as db:
        db.execute("set TimeZone = 'UTC'")
        # Every nth of some ids, always the same ones.
        db.execute("create macro one_in(n, id) as hash(id) % n = 0")
        for file in sorted(healthy.raw.glob("*.parquet")):
            name = file.stem
            if not re.search(rf"\b{name}\b", fault.sql):
                # What is done to files is done in their place: it needs a copy.
                (shutil.copy if fault.files else os.link)(file, raw / file.name)
                continue
            db.execute(f"create table {name} as from '{file}'")
        if fault.sql:
            db.execute(fault.sql)
        for (name,) in db.execute("select table_name from duckdb_tables() order by 1").fetchall():
            file = healthy.raw / f"{name}.parquet"
            db.execute(f"copy {name} to '{raw / name}.parquet'")
            if changed is None:
                continue
            shapes = [db.execute(f"describe from {one}").fetchall() for one in (name, f"'{file}'")]
            if shapes[0] != shapes[1]:
                changed = None
            elif db.execute(
                f"select exists(from {name} except all from '{file}') "
                f"or exists(from '{file}' except all from {name})"
            ).fetchone()[0]:
                changed.add(name)
    if fault.files:
        fault.files(raw)
    return changed


@dataclass(frozen=True)
class CompiledRun:
    """What named a fault among models and tests, and what dbt would not have built."""

    named_by: list[Naming]
    not_built: set[str]


def run_compiled(
    db: duckdb.DuckDBPyConnection,
    nodes: list[Node],
    healthy_raw: str,
    raw: str,
    spoilt: set[str],
    *,
    until_named: bool = False,
) -> CompiledRun:
    """Run compiled models and tests on other raw files, as dbt does.

    What reads nothing that has changed is taken from the healthy world. Downstream of a test that
    fails dbt builds nothing; here it is built, to see what would have been published, and counted
    as not built. Unless only what names the fault first is asked for.
    """
    ancestors = _ancestors(nodes)
    named: list[Naming] = []
    waiting: set[str] = set()
    lost: set[str] = set()
    changed = set(spoilt)
    for node in nodes:
        if named and until_named:
            break
        if node.kind == "seed":
            continue
        if not changed & _reads(node):
            if node.kind == "model":
                db.execute(f"create view {node.relation} as from {_healthy(node)}")
            continue
        if lost & ancestors[node.id]:
            lost.add(node.id)
            continue
        sql = node.sql.replace(healthy_raw, raw)
        if node.kind == "model":
            try:
                _create(db, node, sql)
            except duckdb.Error as error:
                lost.add(node.id)
                named.append(Naming(node.name, "stop", str(error), False))
                continue
            if _differs(db, node):
                changed.add(node.relation)
            continue
        try:
            n, warns, fails = db.execute(
                f"select {node.fail_calc}, {node.fail_calc} {node.warn_if}, "
                f"{node.fail_calc} {node.error_if} from ({sql}) as dbt_internal_test"
            ).fetchone()
        except duckdb.Error as error:
            named.append(Naming(node.name, "error", str(error), False))
            continue
        if node.severity == "ERROR" and fails:
            named.append(Naming(node.name, "error", f"{n} rows", bool(node.advice)))
            # As in dbt: what comes after all that the test reads waits for it.
            waiting |= {
                other.id
                for other in nodes
                if other.kind == "model" and _read_by(node) <= ancestors[other.id]
            }
        elif warns:
            named.append(Naming(node.name, "warn", f"{n} rows", bool(node.advice)))
    models = {node.id for node in nodes if node.kind == "model"}
    return CompiledRun(named, (waiting | lost) & models)


def _read_by(test: Node) -> set[str]:
    """Seeds too: what does not read the seed of tolerances does not wait for a test that does."""
    kinds = ("model.", "seed.", "source.")
    return {parent for parent in test.parents if parent.startswith(kinds)} or {"none"}


@functools.cache
def _reads(node: Node) -> set[str]:
    """The relations and raw tables in a node's SQL."""
    return {*re.findall(r'"\w+"\."\w+"\."\w+"', node.sql), *re.findall(r"(\w+)\.parquet", node.sql)}


def _healthy(node: Node) -> str:
    _, schema, name = node.relation.split(".")
    return f"was.{schema}.{name}"


def _differs(db: duckdb.DuckDBPyConnection, node: Node) -> bool:
    """Whether a model has other rows than in the healthy world; of many rows, as if it had."""
    now, was = node.relation, _healthy(node)
    few = f"(from {now} limit {FEW_ROWS + 1})"
    (n_rows,) = db.execute(f"select count(*) from {few}").fetchone()
    if n_rows > FEW_ROWS:
        return True
    return db.execute(
        f"select exists(from {now} except all from {was}) "
        f"or exists(from {was} except all from {now})"
    ).fetchone()[0]


def _create(db: duckdb.DuckDBPyConnection, node: Node, sql: str) -> None:
    if node.materialized == "view":
        # The same rows, worked out once and not by each that reads them.
        db.execute(f"create table {node.relation} as {sql}")
        return
    # As dbt made it, with the constraints of its contract.
    schema, name = node.relation.replace('"', "").split(".")[1:]
    (made,) = db.execute(
        "select sql from duckdb_tables() where database_name = 'was' "
        "and schema_name = ? and table_name = ?",
        [schema, name],
    ).fetchone()
    db.execute(made)
    db.execute(f"insert into {node.relation} by name {sql}")


def _ancestors(nodes: list[Node]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for node in nodes:
        found[node.id] = set(node.parents).union(
            *(found.get(parent, set()) for parent in node.parents)
        )
    return found


def _beside(healthy: Healthy) -> duckdb.DuckDBPyConnection:
    """An empty warehouse in memory by the healthy one's name, which is beside it as `was`."""
    name = healthy.warehouse.stem
    db = duckdb.connect(config={"threads": 1})
    # As profiles.yml sets them.
    db.execute("set TimeZone = 'UTC'")
    db.execute("set preserve_insertion_order = false")
    db.execute("set enable_progress_bar = false")
    db.execute(f"set variable pseudonym_key = '{KEY.replace(chr(39), chr(39) * 2)}'")
    db.execute(f"attach '{healthy.warehouse}' as was (read_only)")
    if name != "memory":
        db.execute(f"attach ':memory:' as {name}")
        db.execute(f"use {name}")
    for (schema,) in db.execute(
        "select distinct schema_name from duckdb_tables() where database_name = 'was' union "
        "select distinct schema_name from duckdb_views() where database_name = 'was'"
    ).fetchall():
        db.execute(f'create schema if not exists "{schema}"')
    for node in healthy.nodes:
        if node.kind == "seed":
            _, schema, name = node.relation.split(".")
            db.execute(f"create table {node.relation} as from was.{schema}.{name}")
    return db


def _by_dbt(fault: Fault, healthy: Healthy, raw: Path, folder: Path) -> Outcome:
    spoilt = folder / f"{healthy.warehouse.stem}.duckdb"
    run = run_quietly(
        ["build", *WITHOUT_UNIT_TESTS, *variables(raw)],
        healthy.manifest, str(spoilt), folder / "target",
    )  # fmt: skip
    named = _said_before(run)
    if run.stops:
        return Outcome(fault.id, named)
    not_built = set()
    for result in run.results:
        node, status = result.node, str(result.status)
        advice = bool((node.config.meta or {}).get("what_to_do"))
        if status in ("fail", "warn"):
            severity = {"fail": "error", "warn": "warn"}[status]
            named.append(Naming(node.name, severity, str(result.message), advice))
        elif status == "error":
            severity = "stop" if node.resource_type == "model" else "error"
            named.append(Naming(node.name, severity, str(result.message), False))
        if node.resource_type == "model" and status in ("error", "skipped"):
            not_built.add(node.unique_id)
    with duckdb.connect(config={"threads": 1}) as db:
        db.execute(f"attach '{healthy.warehouse}' as was (read_only)")
        db.execute(f"attach '{spoilt}' as spoilt (read_only)")
        return _outcome(fault, db, named, not_built)


def _said_before(run: DbtRun) -> list[Naming]:
    """What dbt said before it built anything: the project's own words say what to do."""
    said = [Naming(_short(text), "warn", text, True) for text in run.warnings]
    for text in run.stops:
        is_ours = "Compilation Error" in text and "Traceback" not in text
        said.append(Naming(_short(text), "stop", text, is_ours))
    return said


def _short(text: str) -> str:
    """The tables and columns of a message, or the beginning of its first line."""
    named = re.findall(r"^\s*-? ?([a-z_]+(?:\.\w+)?): ", text, re.MULTILINE)
    if named:
        return "before the build: " + ", ".join(dict.fromkeys(named[:4]))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    line = next((line for line in lines if not re.fullmatch(r"\w+ Error.*", line)), "")
    return "before the build: " + re.sub(r"/\S*/", "", line)[:60]


def _outcome(
    fault: Fault, db: duckdb.DuckDBPyConnection, named: list[Naming], not_built: set[str]
) -> Outcome:
    places: dict[str, dict[str, str]] = {}
    for database, schema, name in db.execute(
        "select database_name, schema_name, table_name from duckdb_tables()"
    ).fetchall():
        places.setdefault(name, {})[database] = f'{database}."{schema}".{name}'
    moves: list[Move] = []
    n_published = n_gone = 0
    for number in NUMBERS:
        where = places.get(number.mart, {})
        if "was" not in where:
            continue
        now = next((place for name, place in where.items() if name != "was"), None)
        # Taken from the healthy world, or not built.
        if not now:
            continue
        found, n_lost = _differences(db, number, now, where["was"])
        n_published += len(found)
        n_gone += n_lost
        moves += [
            Move(f"{number.mart}: {what}", difference * number.points, errors or 0.0)
            for what, difference, errors in found
        ]
    headline, decisions = _headline(db, places.get("accuracy_rates", {}))
    return Outcome(
        fault.id,
        named,
        max(moves, key=lambda move: move.points, default=Move()),
        max(moves, key=lambda move: move.errors, default=Move()),
        headline,
        sum(move.is_more_than_allowed for move in moves),
        n_published,
        n_gone,
        decisions,
        len(not_built),
    )


def _differences(
    db: duckdb.DuckDBPyConnection, number: Number, now: str, was: str
) -> tuple[list[tuple[str, float, float | None]], int]:
    """Each published number: what it is of, how far it moved, and in healthy standard errors.

    Also how many numbers of the healthy world are published no more.
    """
    columns = [row[0] for row in db.execute(f"describe {was}").fetchall()]
    keys = [key for key in KEYS if key in columns]
    same = " and ".join(f"now.{key} is not distinct from was.{key}" for key in keys)
    shown = ", ".join(f"now.{key}" for key in keys)
    value = number.column
    published = f"(from {now} where {number.is_published} and {value} is not null) as now"
    found = db.execute(
        f"select concat_ws(', ', '{value}', {shown}) as number, "
        f"abs(now.{value} - was.{value}) as moved_by, "
        # An error of nearly nothing makes much of the last bit.
        "case when moved_by > 1e-4 then moved_by / nullif(was.error, 0) end "
        f"from {published} "
        f"inner join (select *, {number.standard_error} as error from {was}) as was on {same} "
        f"where moved_by is not null order by 2 desc, 1"
    ).fetchall()
    (n_gone,) = db.execute(
        f"select count(*) from (from {was} where {number.is_published} and {value} is not null) "
        f"as was anti join {published} on {same}"
    ).fetchone()
    return found, n_gone


def _headline(
    db: duckdb.DuckDBPyConnection, places: dict[str, str]
) -> tuple[float | None, float | None]:
    """How far accuracy of all decisions moved in any month, in points; the decisions' share."""
    if len(places) < 2:
        (is_as_it_was,) = db.execute(
            "select count(*) > 0 from duckdb_views() "
            "where view_name = 'accuracy_rates' and database_name <> 'was'"
        ).fetchone()
        return (0.0, 0.0) if is_as_it_was else (None, None)
    (now,) = [place for name, place in places.items() if name != "was"]
    overall = (
        "metric_id = 'accuracy' and metric_version = 1 and period_type = 'month' "
        "and dimension_name = 'overall'"
    )
    return db.execute(
        "select 100 * max(abs(now.estimate - was.estimate)) filter (now.is_reportable), "
        "sum(coalesce(now.n_eligible_decisions, 0)) / sum(was.n_eligible_decisions) - 1 "
        f"from (from {places['was']} where {overall}) as was "
        f"left join (from {now} where {overall}) as now using (period_starts_on)"
    ).fetchone()


def folder_of(scratch: Path, fault: Fault) -> Path:
    """A folder for one fault, of this process."""
    return scratch / f"{os.getpid()}-{fault.id}"
