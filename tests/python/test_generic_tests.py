"""Every generic test of the project fails when it should, on nulls and empty relations too."""

import re
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from project_sql import render
from projects import ROOT

GENERIC_TESTS = Path(__file__).parents[1] / "generic"
SEPARATOR = "\n/* next case */\n"


@dataclass(frozen=True)
class Case:
    """A generic test with arguments, and how many rows it returns for each example.

    An example has the rows of `model` as SQL values, and those of `other` (the relation referred
    to, or the raw table). The columns of both are given as in `create table`.
    """

    test: str
    arguments: str
    columns: str
    examples: dict[str, tuple[str, int] | tuple[str, str, int]]
    other: str = "id varchar"
    raw_table: str | None = None

    @property
    def call(self) -> str:
        return f"{{{{ test_{self.test}({self.arguments}) }}}}"


PERIODS = "id varchar, scope varchar, starts timestamp, ends timestamp"
REFERENCE = "model='model', to='other', show=['row_id'], "
DISPUTE = "dispute_id varchar, audit_id varchar, outcome varchar, recorded_at timestamp"

CASES = [
    Case(
        "unique_key",
        "model='model', columns=['a', 'b']",
        "a varchar, b varchar",
        {
            "empty": ("", 0),
            "unique together": ("('x', '1'), ('x', '2'), ('y', '1')", 0),
            "a key twice": ("('x', '1'), ('x', '1'), ('y', '1')", 1),
            "null in the key": ("('x', null), ('y', '1')", 1),
            "null first in the key": ("(null, '1')", 1),
            "only nulls": ("(null, null), (null, null)", 1),
        },
    ),
    Case(
        "has_values",
        "model='model', columns=['a', 'b'], show=['row_id']",
        "row_id int, a varchar, b varchar",
        {
            "empty": ("", 0),
            "all there": ("(1, 'x', 'y')", 0),
            "first is null": ("(1, null, 'y'), (2, 'x', 'y')", 1),
            "last is null": ("(1, 'x', null), (2, 'x', 'y')", 1),
            "all null": ("(1, null, null)", 1),
            "null elsewhere": ("(null, 'x', 'y')", 0),
        },
    ),
    Case(
        "has_values",
        "model='model', columns=['job_id'], show=['row_id']",
        "row_id int, job_id varchar",
        {
            "a number": ("(1, '906000000000000001'), (2, '1.5'), (3, 'E+17')", 0),
            "digits lost": ("(1, '9.06E+17'), (2, '1E+05'), (3, '-9,06e+17')", 3),
            "an id with a plus": ("(1, 'a1E+17'), (2, '9E+17b')", 0),
        },
    ),
    Case(
        "has_rows",
        "model='model'",
        "a varchar",
        {"empty": ("", 1), "a row": ("('x')", 0), "a row of null": ("(null)", 0)},
    ),
    Case(
        "is_true",
        "model='model', expression='n < -5 or n > 0', show=['row_id']",
        "row_id int, n int",
        {
            "empty": ("", 0),
            "true": ("(1, 3), (2, -6)", 0),
            "false": ("(1, 3), (2, 0)", 1),
            "null": ("(1, 3), (2, null)", 1),
        },
    ),
    Case(
        "known_reference",
        REFERENCE + "columns=['ref'], to_columns=['id']",
        "row_id int, ref varchar",
        {
            "empty": ("", "", 0),
            "empty, others there": ("", "('x')", 0),
            "known": ("(1, 'x'), (2, 'x')", "('x'), ('x')", 0),
            "unknown": ("(1, 'x'), (2, 'y')", "('x')", 1),
            "none to refer to": ("(1, 'x'), (2, 'y')", "", 2),
            "null": ("(1, null), (2, 'x')", "('x')", 1),
            "null is no match for null": ("(1, null)", "(null)", 1),
            "null among the others": ("(1, 'y')", "('x'), (null)", 1),
        },
    ),
    Case(
        "known_reference",
        REFERENCE + "columns=['ref'], to_columns=['id'], allow_null=true",
        "row_id int, ref varchar",
        {
            "empty": ("", "", 0),
            "null": ("(1, null), (2, 'x')", "('x')", 0),
            "unknown": ("(1, null), (2, 'y')", "('x'), (null)", 1),
            "none to refer to": ("(1, null), (2, 'y')", "", 1),
        },
    ),
    Case(
        "known_reference",
        REFERENCE + "columns=['a', 'b'], allow_null=true",
        "row_id int, a varchar, b varchar",
        {
            "known": ("(1, 'x', 'y')", "('x', 'y')", 0),
            "known apart": ("(1, 'x', 'y')", "('x', 'z'), ('z', 'y')", 1),
            "all null": ("(1, null, null)", "('x', 'y')", 0),
            "one null": ("(1, 'x', null), (2, null, 'y')", "('x', 'y')", 2),
        },
        other="a varchar, b varchar",
    ),
    Case(
        "known_reference",
        REFERENCE + "columns=['ref'], to_columns=['id'], "
        "condition='that.n < this.n or that.n = 100'",
        "row_id int, ref varchar, n int",
        {
            "met": ("(1, 'x', 5)", "('x', 9), ('x', 4)", 0),
            "not met": ("(1, 'x', 5)", "('x', 5), ('y', 4)", 1),
            "not met, as another has 100": ("(1, 'x', 5)", "('x', 5), ('y', 100)", 1),
            "null": ("(1, 'x', null), (2, 'x', 3)", "('x', 1)", 1),
            "null there": ("(1, 'x', 5)", "('x', null)", 1),
        },
        other="id varchar, n int",
    ),
    Case(
        "no_overlap",
        "model='model', key=['id'], from_column='starts', to_column='ends', same=['scope']",
        PERIODS,
        {
            "empty": ("", 0),
            "touching": (
                "(1, 'q', '2026-01-01', '2026-01-02'), (2, 'q', '2026-01-02', null)",
                0,
            ),
            "touching, the later first": (
                "(1, 'q', '2026-01-02', null), (2, 'q', '2026-01-01', '2026-01-02')",
                0,
            ),
            "overlapping": (
                "(1, 'q', '2026-01-01', '2026-01-03'), (2, 'q', '2026-01-02', '2026-01-04')",
                1,
            ),
            "one inside another": (
                "(1, 'q', '2026-01-01', '2026-01-09'), (2, 'q', '2026-01-02', '2026-01-03')",
                1,
            ),
            "the same key and period twice": (
                "(1, 'q', '2026-01-01', '2026-01-02'), (1, 'q', '2026-01-01', '2026-01-02')",
                1,
            ),
            "open ends": ("(1, 'q', '2026-01-01', null), (2, 'q', '2026-05-01', null)", 1),
            "open end before": ("(1, 'q', '2026-01-01', null), (2, 'q', '2025-01-01', null)", 1),
            "another scope": ("(1, 'q', '2026-01-01', null), (2, 'r', '2026-01-01', null)", 0),
            "both scopes null": (
                "(1, null, '2026-01-01', null), (2, null, '2026-01-01', null)",
                1,
            ),
            "no beginning": ("(1, 'q', null, '2026-01-02')", 1),
            "null key": ("(null, 'q', '2026-01-01', null), (null, 'q', '2026-02-01', null)", 1),
        },
    ),
    Case(
        "no_overlap",
        "model='model', key=['id'], from_column='starts', to_column='ends', null_is_all=['scope']",
        PERIODS,
        {
            "empty": ("", 0),
            "apart": (
                "(1, 'q', '2026-01-01', '2026-01-08'), (2, 'r', '2026-01-01', '2026-01-08')",
                0,
            ),
            "the same": (
                "(1, 'q', '2026-01-01', '2026-01-08'), (2, 'q', '2026-01-01', '2026-01-08')",
                1,
            ),
            "one is all": (
                "(1, 'q', '2026-01-01', '2026-01-08'), (2, null, '2026-01-01', '2026-01-08')",
                1,
            ),
            "the other is all": (
                "(1, null, '2026-01-01', '2026-01-08'), (2, 'q', '2026-01-01', '2026-01-08')",
                1,
            ),
            "both are all": (
                "(1, null, '2026-01-01', '2026-01-08'), (2, null, '2026-01-07', '2026-01-09')",
                1,
            ),
            "all, but another week": (
                "(1, 'q', '2026-01-01', '2026-01-08'), (2, null, '2026-01-08', '2026-01-15')",
                0,
            ),
        },
    ),
    Case(
        "one_version",
        "model='model', table='disputes'",
        "dispute_id varchar",
        {
            "empty": ("", "", 0),
            "revisions": (
                "",
                "('x', 'a', 'pending', '2026-01-01'), ('x', 'a', 'upheld', '2026-01-02')",
                0,
            ),
            "exact duplicates": (
                "",
                "('x', 'a', 'upheld', '2026-01-01'), ('x', 'a', 'upheld', '2026-01-01')",
                0,
            ),
            "exact duplicates with a null": (
                "",
                "('x', 'a', null, '2026-01-01'), ('x', 'a', null, '2026-01-01')",
                0,
            ),
            "different content": (
                "",
                "('x', 'a', 'upheld', '2026-01-01'), ('x', 'a', 'overturned', '2026-01-01')",
                1,
            ),
            "null and a value": (
                "",
                "('x', 'a', null, '2026-01-01'), ('x', 'a', 'upheld', '2026-01-01')",
                1,
            ),
            "null key": (
                "",
                "(null, 'a', 'upheld', '2026-01-01'), (null, 'a', 'pending', '2026-01-01')",
                1,
            ),
            "a correction of another thing": (
                "",
                "('x', 'a', 'upheld', '2026-01-01'), ('x', 'b', 'upheld', '2026-01-02')",
                1,
            ),
            "a correction of a thing not named": (
                "",
                "('x', 'a', 'upheld', '2026-01-01'), ('x', null, 'upheld', '2026-01-02')",
                1,
            ),
            "null order": ("", "('x', 'a', 'upheld', null), ('x', 'a', 'pending', null)", 1),
        },
        other=DISPUTE,
        raw_table="disputes",
    ),
    Case(
        "pseudonymised",
        "model='model', table='roster', person_id='person_id', person_key='person_key'",
        "person_key varchar",
        {
            "empty": ("", "", 0),
            "one to one": ("('k1'), ('k2')", "('a', '2026-01-01'), ('b', '2026-01-01')", 0),
            "nobody": ("(null), (null)", "('', '2026-01-01'), (null, '2026-01-01')", 0),
            "no pseudonyms": ("(null), (null)", "('a', '2026-01-01'), ('b', '2026-01-01')", 1),
            "one has none": ("('k1'), (null)", "('a', '2026-01-01'), ('b', '2026-01-01')", 1),
            "one row has none": ("('k1'), (null)", "('a', '2026-01-01'), ('a', '2026-02-01')", 1),
            "one too many": ("('k1'), ('k2')", "('a', '2026-01-01'), (null, '2026-01-01')", 1),
            "shared": ("('k1'), ('k1')", "('a', '2026-01-01'), ('b', '2026-01-01')", 1),
            "two for one person": (
                "('k1'), ('k2')",
                "('a', '2026-01-01'), ('a', '2026-02-01')",
                1,
            ),
            "a raw id": ("('k1'), ('b')", "('a', '2026-01-01'), ('b', '2026-01-01')", 1),
            "no model rows": ("", "('a', '2026-01-01')", 1),
        },
        other="person_id varchar, valid_from timestamp, recorded_at timestamp default '2026-01-01'",
        raw_table="roster",
    ),
]


@pytest.fixture(scope="module")
def raw_path(tmp_path_factory):
    """A raw folder with tables that are still empty: the SQL is made for their columns."""
    folder = tmp_path_factory.mktemp("raw")
    for case in CASES:
        if case.raw_table:
            write_raw(folder, case, "")
    return folder


@pytest.fixture(scope="module")
def compiled(raw_path):
    """The SQL of each case, by its call; dbt starts once for all."""
    calls = [case.call for case in CASES]
    sql = render(SEPARATOR.join(calls), raw_path=str(raw_path))
    return dict(zip(calls, sql.split(SEPARATOR), strict=True))


def fill(connection, name, columns, values):
    connection.sql(f"create or replace table {name} ({columns})")
    if values:
        # The leading columns may be all that is given; the others have a default.
        n_given = len(connection.sql(f"from (values {values})").columns)
        given = ", ".join(c.split()[0] for c in columns.split(", ")[:n_given])
        connection.sql(f"insert into {name} ({given}) values {values}")


def write_raw(folder, case, values):
    with duckdb.connect() as connection:
        fill(connection, "other", case.other, values)
        connection.sql("from other").write_parquet(str(folder / f"{case.raw_table}.parquet"))


def examples():
    for number, case in enumerate(CASES):
        for name, example in case.examples.items():
            yield pytest.param(case, example, id=f"{case.test}-{number}-{name}")


@pytest.mark.parametrize(("case", "example"), list(examples()))
def test_a_generic_test_returns_the_rows_that_are_wrong(case, example, compiled, raw_path):
    rows, *other, n_failing = example
    with duckdb.connect() as connection:
        fill(connection, "model", case.columns, rows)
        fill(connection, "other", case.other, "".join(other))
        if case.raw_table:
            write_raw(raw_path, case, "".join(other))
        assert len(connection.sql(compiled[case.call]).fetchall()) == n_failing


def test_every_generic_test_is_seen_to_pass_and_to_fail_and_on_an_empty_relation():
    written = {file.stem for file in GENERIC_TESTS.glob("*.sql")}
    assert written == {case.test for case in CASES}
    for test in written:
        of_test = [case.examples for case in CASES if case.test == test]
        fails = {example[-1] > 0 for case in of_test for example in case.values()}
        assert fails == {True, False}, test
        assert any("empty" in case for case in of_test), test


def test_every_tolerance_is_a_row_of_the_seed_and_every_row_is_asked():
    # Compared with a tolerance that is not there, a test in SQL could not fail.
    asked = set()
    for folder in ("models", "macros", "tests"):
        for file in (ROOT / folder).rglob("*"):
            if file.suffix in (".sql", ".yml") and file.parent.name != "contract":
                text = file.read_text(encoding="utf-8")
                asked |= set(re.findall(r"tolerance\('(\w+)'\)", text))
                asked |= set(re.findall(r"^ +tolerance: (\w+)$", text, re.MULTILINE))
    rows = (ROOT / "seeds" / "tolerances.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert asked == {row.split(",")[0] for row in rows}
