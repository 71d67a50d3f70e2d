"""People are known by pseudonyms, and nothing that is open or printed leads back to them."""

import hashlib
import hmac
import re
from pathlib import Path

import duckdb
import pandas as pd
import project_sql
import pytest
from projects import differing_rows
from simulator.columns import SOURCE_SYSTEM

ROOT = Path(__file__).parents[2]
KEY = "DBT_ENV_SECRET_PSEUDONYM_KEY"
KEYS = {
    "of 16 bytes": "sample-data-only",
    "of RFC 4231, 2": "Jefe",
    "of a whole block": "k" * 64,
    "longer than a block": "k" * 65,
    "of two bytes a letter": "ключ" * 9,
    "with quotes": "it's a \\ key that has quotes in it",
}
IDS = ["mod-1", "what do ya want for nothing?", "müller-☃", " ", "m" * 300, None]


def pseudonym(key: str, person: str | None) -> str | None:
    if person is None:
        return None
    return hmac.new(key.encode(), person.encode(), hashlib.sha256).hexdigest()[:16]


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_pseudonym_is_the_hmac_that_a_library_gives(key):
    sql = project_sql.render("{{ pseudonym('person_id') }}")
    with duckdb.connect() as db:
        db.execute("set variable pseudonym_key = $key", {"key": key})
        found = db.execute(
            f"select {sql} from unnest($ids) as people (person_id)", {"ids": IDS}
        ).fetchall()
    assert [row[0] for row in found] == [pseudonym(key, person) for person in IDS]


# --- what is open, or written to files -----------------------------------------------------------


@pytest.fixture(scope="module")
def with_another_key(new_project, make_world):
    """The small world, built with a key of its own."""
    project = new_project()
    project.deliver(make_world())
    run = project.build(data_tests=False, **{KEY: "k" * 32})
    assert run.returncode == 0, run.stdout
    return project


def test_nothing_that_is_open_depends_on_the_key(week, with_another_key, parsed_project):
    """What does would let anybody try keys, at home and as often as they like."""
    restricted = {
        f"{node['schema'].removeprefix('main_')}.{node['name']}"
        for node in parsed_project.nodes.values()
        if node["resource_type"] == "model" and node["config"]["meta"].get("readers") != "everybody"
    }
    warehouses = (week.warehouse, with_another_key.warehouse)
    differing = set(differing_rows(*warehouses))
    assert {"restricted.deliveries", "facts.fct_decisions", "restricted.dim_people"} <= differing
    assert differing <= restricted


def test_no_file_of_a_run_depends_on_the_key(with_another_key):
    compiled = [
        with_another_key.dbt("compile", "--select", "deliveries", **{KEY: letter * 32})
        for letter in "kl"
    ]
    sql = [run.results[0].node.compiled_code for run in compiled]
    assert sql[0] == sql[1]


def test_another_key_builds_history_again(with_another_key, new_project, week):
    project = with_another_key.copy_to(new_project())
    run = project.build(data_tests=False)
    assert run.returncode == 0, run.stdout
    assert differing_rows(project.warehouse, week.warehouse) == {}


# --- keys that are none --------------------------------------------------------------------------


def test_a_key_that_can_be_tried_out_is_refused(new_project, world):
    project = new_project()
    project.deliver(world)
    run = project.build("--select", "stg_queues", **{KEY: "k" * 31})
    assert run.returncode == 2
    assert f"{KEY} is shorter than 32 characters" in run.stdout
    assert "openssl rand -hex 32" in run.stdout
    assert project.tables() == set()


@pytest.mark.parametrize("home", ["files", "schema"])
@pytest.mark.parametrize("of", ["the simulator", "others"])
def test_the_sample_key_is_warned_of_where_people_may_be_real(new_project, world, home, of):
    project = new_project()
    world = {name: table.assign(source_system=SOURCE_SYSTEM[name]) for name, table in world.items()}
    if of == "others":
        world["decisions"].loc[7, "source_system"] = "another platform"
    variables = "{}"
    if home == "files":
        project.deliver(world)
    else:
        variables = "raw_schema: landing"
        with duckdb.connect(project.warehouse) as connection:
            connection.sql("create schema landing")
            for name, table in world.items():
                connection.register("delivered", table)
                connection.sql(f"create table landing.{name} as from delivered")
    run = project.build("--select", "stg_queues", "--vars", variables, data_tests=False)
    assert run.returncode == 0, run.stdout
    assert ("public sample key" in run.stdout) == (of == "others")


def test_the_systems_of_the_simulator_are_those_that_the_check_knows():
    macro = (ROOT / "macros" / "contract" / "pseudonym.sql").read_text()
    known = dict(re.findall(r"'(\w+)': '(\w+)'", macro))
    assert {"decisions", "audits", "roster"} <= known.keys()
    assert known.items() <= SOURCE_SYSTEM.items()


# --- what is printed -----------------------------------------------------------------------------

SWAPS = [
    ("decisions", "moderator_id", "decision_id"),
    ("decisions", "moderator_id", "job_id"),
    ("decisions", "moderator_id", "action_code"),
    ("audits", "auditor_id", "audit_id"),
    ("audits", "auditor_id", "decision_id"),
    ("audits", "auditor_id", "audited_at"),
    ("decisions", "moderator_id", "handling_seconds"),
]


def swaps():
    """Each swap of a whole column beside a roster; of some rows, and without a roster, deep."""
    for swap in SWAPS:
        for roster in ("with a roster", "without one"):
            for n_rows in (None, 30):
                is_plain = roster == "with a roster" and n_rows is None
                yield pytest.param(
                    *(swap, roster, n_rows),
                    marks=[] if is_plain or swap == SWAPS[0] else pytest.mark.deep,
                )


@pytest.mark.parametrize(("swap", "roster", "n_rows"), swaps(), ids=str)
def test_swapped_columns_print_nobody(new_project, world, swap, roster, n_rows):
    table, people, other = swap
    rows = world[table].astype({people: object, other: object})
    swapped = rows.rename(columns={people: other, other: people})[:n_rows]
    world[table] = pd.concat([swapped, rows[len(swapped) :]]).astype({people: str, other: str})
    if roster == "without one":
        if other == "action_code" and n_rows is None:
            pytest.skip("nothing tells who is a person")
        del world["roster"]
    project = new_project()
    project.deliver(world)
    run = project.build(log_file="debug")
    assert run.returncode != 0
    # Either nothing was built, or each test that failed showed its rows.
    failed = [name for name, status in run.statuses.items() if status in ("fail", "warn")]
    assert "does not meet its contract" in run.stdout or failed
    for name in failed:
        assert re.search(rf"{name}: \d+ rows?\. .*\n.*  - \w+=", run.stdout), name
    log = (project.folder / "logs" / "dbt.log").read_text()
    assert len(log) > 10_000
    assert set(re.findall(r"mod-\d|expert-\d", run.stdout + log)) == set()
