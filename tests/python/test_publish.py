"""What was published stays, and every difference from today has its causes, which add up."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys

import duckdb
import numpy as np
import pandas as pd
import publish
import pyarrow.parquet as pq
import pytest
import worlds
from click.testing import CliRunner
from projects import ROOT
from publishing import causes, ledger

LATER = pd.Timestamp("2026-03-20 09:00:00")
# Audited, and wrong.
LATE_DECISION = "d135"
ALL_MODELS = ("+headline", "+int_verdicts__audits")
NUMBER = (
    "metric_id == 'accuracy' and metric_version == 1 and period_type == 'week' "
    "and dimension_name == 'overall'"
)


def build(project, *further):
    run = project.build("--select", *ALL_MODELS, *further, data_tests=False)
    assert run.returncode == 0, run.stdout


def published(project):
    """What the project would publish, and its state."""
    return publish.read_state(project.warehouse, project.manifest_json)


def add(project, world, table, row):
    """Deliver a further row, made of one of the table's by index with changes."""
    index, changes = row
    more = world[table].loc[[index]].assign(recorded_at=LATER, **changes)
    world[table] = pd.concat([world[table], more], ignore_index=True)


def audit_of(world, decision_id):
    """The place of the first revision of the audit of a decision."""
    audits = world["audits"]
    return audits.index[(audits["decision_id"] == decision_id) & (audits["revision_no"] == 1)][0]


def test_where_the_raw_tables_are_defines_nothing(week):
    nodes = json.loads(week.manifest_json.read_text())
    given = {"raw_path": "data/raw", "as_of": None, "min_audits": 30}
    with duckdb.connect(week.warehouse, read_only=True) as warehouse:
        ours, moved, other = (
            ledger.fingerprints(ledger.OnDuckDB(warehouse), nodes, given | change)
            for change in ({}, {"raw_path": "elsewhere", "as_of": "2026-03-15"}, {"min_audits": 20})
        )
    assert moved == ours
    assert other[0] != ours[0]


# What is delivered after the publication, by the cause that it is.
def late_audit(project, world):
    index = world["audits"].index[0]
    new = {"audit_id": "late", "decision_id": "d001", "decided_action_code": "no_action",
           "decided_policy_id": None, "truth_action_code": "remove", "truth_policy_id": "hate",
           "stratum_id": "not_enforced", "audited_at": LATER}  # fmt: skip
    add(project, world, "audits", (index, new))


def revised_audit(project, world):
    index = audit_of(world, "d006")
    add(project, world, "audits", (index, {"revision_no": 2, "truth_action_code": "remove",
                                           "truth_policy_id": "hate"}))  # fmt: skip


def dispute(project, world):
    # d054 is wrong by its audit: every 27th is.
    index = audit_of(world, "d054")
    said = world["audits"].loc[index]
    new = {"dispute_id": "later", "audit_id": said["audit_id"], "outcome": "overturned",
           "filed_at": LATER, "resolved_at": LATER,
           "final_action_code": said["decided_action_code"],
           "final_policy_id": said["decided_policy_id"]}  # fmt: skip
    add(project, world, "disputes", (world["disputes"].index[0], new))


def corrected_decision(project, world):
    index = world["decisions"].index[world["decisions"]["decision_id"] == "d012"][0]
    add(project, world, "decisions", (index, {"action_code": "skip"}))


def late_decision(project, world):
    decisions = worlds.small_world()["decisions"]
    late = decisions[decisions["decision_id"] == LATE_DECISION].assign(recorded_at=LATER)
    world["decisions"] = pd.concat([world["decisions"], late], ignore_index=True)


def frame_changed(project, world):
    frame = world["sampling_frame"]
    index = frame.index[frame["stratum_id"] == "enforced"][0]
    add(project, world, "sampling_frame", (index, {"population_size": 41}))


DELIVERED = {
    function.__name__: function
    for function in (
        *(late_audit, late_decision, revised_audit, dispute, corrected_decision, frame_changed),
    )
}


def known_then():
    """The small world as it was published: a decision is not known, although it was audited."""
    world = worlds.small_world()
    decisions = world["decisions"]
    world["decisions"] = decisions[decisions["decision_id"] != LATE_DECISION]
    return world


@pytest.fixture(scope="module")
def first(new_project):
    """That world, built."""
    project = new_project()
    project.deliver(known_then())
    build(project)
    return project


@pytest.fixture(scope="module")
def said(first):
    return published(first)


def restated(said, project):
    """The week's accuracy: the row by row shares, and the ids behind them."""
    now = published(project)
    then = said.numbers.to_pandas().assign(
        as_of=said.publication.as_of,
        definitions=said.publication.definitions,
        code=said.publication.code,
    )
    found, rows = publish.restatements(then, said.audits.to_pandas(), now)
    for _, one in found.dropna(subset=["share"]).groupby(publish.KEY):
        assert one["share"].sum() == pytest.approx(one["difference"].iloc[0], abs=1e-9)
    return found.query(NUMBER), rows.query(NUMBER)


def test_the_published_rates_come_out_of_the_audits_that_were_kept(platform):
    state = published(platform)
    audits = state.audits.to_pandas()
    changes = causes.compare(audits, audits, is_code=False)
    numbers = state.numbers.to_pandas()
    numbers = numbers[
        pd.MultiIndex.from_frame(numbers[["metric_id", "metric_version"]]).isin(causes.CLASSES)
        & numbers["dimension_name"].isin(list(causes.DIMENSIONS))
        & numbers["estimate"].notna()
    ]
    assert len(numbers) > 300
    for row in numbers.sample(300, random_state=1).itertuples():
        part = causes.Slice(
            changes, (row.metric_id, row.metric_version), row.period_starts_on,
            row.period_ends_on, row.dimension_name, row.dimension_value,
        )  # fmt: skip
        assert part.rate(frozenset()) == pytest.approx(row.estimate, abs=1e-9), row


def test_nothing_changed_says_nothing(said, first):
    found, rows = restated(said, first)
    assert found.empty
    assert rows.empty


@pytest.mark.parametrize("cause", DELIVERED)
def test_a_cause_alone_is_all_of_the_difference(said, first, new_project, cause):
    project, world = first.copy_to(new_project()), known_then()
    DELIVERED[cause](project, world)
    project.deliver(world)
    build(project)
    found, rows = restated(said, project)
    assert found["cause"].to_list() == [cause]
    assert found["share"].iloc[0] == pytest.approx(found["difference"].iloc[0], abs=1e-12)
    assert abs(found["difference"].iloc[0]) > 1e-6
    assert len(rows) == (0 if cause == "frame_changed" else 1)


def test_all_causes_together_add_up_and_are_named(said, first, new_project):
    project, world = first.copy_to(new_project()), known_then()
    for deliver in DELIVERED.values():
        deliver(project, world)
    project.deliver(world)
    build(project)
    # To remove is no decision any more: a definition, which no row says.
    with duckdb.connect(project.warehouse) as warehouse:
        warehouse.execute(
            "update reference.action_codes set exclusion_reason = 'no_decision_made' "
            "where action_code = 'remove'"
        )
    build(project, "--exclude", "resource_type:seed", "--full-refresh")
    found, _ = restated(said, project)
    assert set(found["cause"]) == {*DELIVERED, "definition_changed"}
    total = found["share"].sum()
    assert total == pytest.approx(found["difference"].iloc[0], abs=1e-9)
    assert np.isclose(found["published"] + total, found["current"], atol=1e-9).all()


def test_an_audit_withdrawn_without_a_further_revision_was_revised(said):
    then = said.audits.to_pandas()
    now = then.copy()
    now.loc[0, ["exclusion_reason", "found_error_class"]] = ["withdrawn", None]
    audits = causes.compare(then, now, is_code=False).audits
    named = audits[["counts_cause", "revision_cause", "dispute_cause", "decision_cause"]]
    assert set(named.iloc[0]) == {"revised_audit", ""}
    assert set(named.iloc[1:].to_numpy().ravel()) == {""}


def test_a_definition_that_changed_alone(said, first, new_project):
    project = first.copy_to(new_project())
    with duckdb.connect(project.warehouse) as warehouse:
        warehouse.execute(
            "update reference.action_codes set exclusion_reason = 'no_decision_made' "
            "where action_code = 'no_action'"
        )
    build(project, "--exclude", "resource_type:seed", "--full-refresh")
    found, _ = restated(said, project)
    assert found["cause"].to_list() == ["definition_changed"]


def test_a_mart_that_is_made_otherwise_is_the_codes_doing(said, first, new_project, monkeypatch):
    project = first.copy_to(new_project())
    with duckdb.connect(project.warehouse) as warehouse:
        warehouse.execute("update report.headline set estimate = estimate + 0.01")
    other = json.loads(project.manifest_json.read_text())
    key = "model.moderation_quality.headline"
    other["nodes"][key]["raw_code"] += "-- another"
    manifest = project.folder / "manifest.json"
    manifest.write_text(json.dumps(other))
    now = publish.read_state(project.warehouse, manifest)
    monkeypatch.setattr(publish, "read_state", lambda *_: now)
    found, _ = restated(said, project)
    assert found["cause"].to_list() == ["code_changed"]
    assert found["share"].iloc[0] == pytest.approx(0.01, abs=1e-9)


def run(project, command, *arguments):
    return CliRunner().invoke(
        publish.main,
        [
            *(command, "--database", str(project.warehouse)),
            *("--manifest", str(project.manifest_json), *arguments),
        ],
    )


def test_a_state_is_published_once_and_a_final_number_that_moves_fails(first, new_project):
    project = first.copy_to(new_project())
    assert run(project, "changes").exit_code == 2
    assert run(project, "add").exit_code == 0
    assert "nothing was added" in run(project, "add").output
    store = project.warehouse.parent / "published"
    (kept,) = ledger.publications(store)
    before = kept.read_bytes()
    assert run(project, "changes").exit_code == 0
    with duckdb.connect(project.warehouse) as warehouse:
        warehouse.execute("update report.headline set status = 'final'")
    assert run(project, "add").exit_code == 0
    with duckdb.connect(project.warehouse) as warehouse:
        warehouse.execute("update report.headline set estimate = estimate - 0.02")
    moved = run(project, "changes")
    assert moved.exit_code == 1, moved.output
    assert "moved by more than 1 points" in moved.output
    assert len(ledger.publications(store)) == 2
    assert kept.read_bytes() == before
    one_query = duckdb.sql(
        f"select metric_id, cause, share from '{store / 'restatements' / '*.parquet'}'"
    )
    assert len(one_query.df()) > 0


def test_a_kill_in_the_middle_leaves_no_publication_and_the_next_run_is_whole(first, new_project):
    project = first.copy_to(new_project())
    script = (
        "import os, sys; sys.path.insert(0, sys.argv[1]); import publish; "
        "from publishing import ledger; write = ledger.pq.write_table\n"
        "def killed(table, part):\n"
        "    write(table.slice(0, len(table) // 2), part)\n"
        "    'estimate' in table.column_names and os.kill(os.getpid(), 9)\n"
        "    write(table, part)\n"
        "ledger.pq.write_table = killed\n"
        "publish.main(sys.argv[2:], standalone_mode=False)"
    )
    command = [
        *(sys.executable, "-c", script, str(ROOT / "scripts")),
        *("add", "--database", str(project.warehouse)),
        *("--manifest", str(project.manifest_json)),
    ]
    died = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    assert died.returncode == -9, died.stderr
    store = project.warehouse.parent / "published"
    assert ledger.publications(store) == []
    assert run(project, "changes").exit_code == 2
    assert run(project, "add").exit_code == 0
    (kept,) = ledger.publications(store)
    assert len(pq.read_table(kept)) == len(published(project).numbers)


def test_two_that_publish_at_once_add_one(tmp_path, said):
    store = tmp_path / "published"
    done = [
        ledger.publish(store, said.publication, said.numbers, said.audits),
        ledger.write_whole(said.numbers, store / said.publication.name, is_new=True),
    ]
    assert done == [True, False]


def test_the_audits_behind_it_are_not_open_to_all(first, new_project):
    project = first.copy_to(new_project())
    run(project, "add")
    store = project.warehouse.parent / "published"
    (kept,) = ledger.publications(store)
    columns = set(pq.read_schema(kept).names)
    assert not columns & {"audit_id", "decision_id", "moderator_key", "auditor_key"}
    assert (store / "restricted").stat().st_mode & 0o077 == 0


# What a publication reads: of a warehouse on Spark these tables are in its metastore.
READ = {
    "report": ["headline"],
    "facts": ["fct_audits", "fct_decisions", "int_verdicts__audits", "int_sampling__strata"],
    "staging": ["int_context__as_of"],
    "reference": list(ledger.DEFINED_BY),
}
# In a process of its own: Spark runs in it, its metastore takes one process at a time.
ON_SPARK = """
import sys
sys.path.insert(0, sys.argv[1])
import publish
from click.testing import CliRunner
from publishing.on_spark import connected

tables, arguments = sys.argv[2].split(), sys.argv[3:]
with connected("spark") as spark:
    for table in tables:
        schema, name = table.split(".")
        spark.run(f"create schema if not exists moderation_quality_{schema}")
        files = f"{arguments[1]}/{table}.parquet"
        spark.run(f"create table moderation_quality_{table} using parquet location '{files}'")
for command in ("add", "add", "changes"):
    done = CliRunner().invoke(publish.main, [command, "--target", "spark", *arguments[2:]])
    print(command, done.exit_code, done.output, done.exception or "")
with connected("spark") as spark:
    counted = "select count(*), count(distinct state) from {0}published.numbers"
    ((n, n_states),) = spark.rows(counted)
    print("in the table", n, n_states)
    print("restated", spark.rows("select count(*), count(share) from {0}published.restatements"))
"""


@pytest.mark.spark
@pytest.mark.skipif(
    not (shutil.which("java") and importlib.util.find_spec("pyspark")),
    reason="Spark needs Java 17 and requirements/spark.txt",
)
def test_a_warehouse_on_spark_publishes_the_same_numbers_and_has_a_table_of_them(week, tmp_path):
    tables = [f"{schema}.{name}" for schema, names in READ.items() for name in names]
    with duckdb.connect(week.warehouse, read_only=True) as warehouse:
        warehouse.execute("set timezone = 'UTC'")
        for table in tables:
            folder = tmp_path / "tables" / f"{table}.parquet"
            folder.mkdir(parents=True)
            # Spark's timestamps are moments: of these, those of UTC.
            moments = [
                f"{name} at time zone 'UTC' as {name}"
                for name, kind, *_ in warehouse.sql(f"describe {table}").fetchall()
                if kind == "TIMESTAMP"
            ]
            columns = f"* replace ({', '.join(moments)})" if moments else "*"
            warehouse.execute(
                f"copy (select {columns} from {table}) to '{folder / 'part.parquet'}'"
            )
    store = tmp_path / "published"
    done = subprocess.run(
        [
            *(sys.executable, "-c", ON_SPARK, ROOT / "scripts", " ".join(tables)),
            *("--tables", tmp_path / "tables", "--store", store),
            *("--manifest", week.manifest_json),
        ],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ
        | {
            **{"TZ": "America/New_York", "SPARK_LOCAL_IP": "127.0.0.1"},
            "MODERATION_QUALITY_SPARK_HOME": str(tmp_path / "spark"),
            "DBT_TARGET_PATH": str(tmp_path / "target"),
            "DBT_LOG_PATH": str(tmp_path / "logs"),
        },
    )
    assert done.returncode == 0, done.stderr
    (kept,) = ledger.publications(store)
    ours = published(week)
    numbers = pq.read_table(kept).select(ledger.NUMBERS_SHAPE.names)
    audits = pq.read_table(store / "restricted" / kept.name)
    for theirs, mine in ((numbers, ours.numbers), (audits, ours.audits)):
        order = [(name, "ascending") for name in mine.column_names]
        assert theirs.sort_by(order).equals(mine.sort_by(order))
    said = done.stdout
    assert "add 0 Published" in said, said
    assert "add 0 This state is in the ledger already" in said
    assert "changes 0" in said
    assert "moderation_quality_published.numbers" in said
    assert f"in the table {len(ours.numbers)} 1" in said
    assert "restated [(0, 0)]" in said
