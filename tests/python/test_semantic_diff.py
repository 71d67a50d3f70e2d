"""Changes of definitions are told from refactoring, and have to be declared."""

import re
import subprocess

import pytest
import semantic_diff
from click.testing import CliRunner
from projects import ROOT
from semantic_diff import Change, Declaration, fingerprint, seed_changes, sql_changes

RATE = """
with counted as (
    select audit_id, is_correct, weight from audits where is_final
),
joined as (
    select counted.audit_id, counted.is_correct, counted.weight, queues.name
    from counted inner join queues on counted.queue_id = queues.queue_id
)
select name, sum(weight * is_correct) / sum(weight) as rate, min(weight) as smallest
from joined group by name having count(*) > 10
"""


def changes(*edits):
    new = RATE
    for old, text in edits:
        assert old in new
        new = new.replace(old, text)
    return list(sql_changes(RATE, new))


@pytest.mark.parametrize(
    "edits",
    [
        [("\n", " ")],
        [("with counted", "-- What counts.\nwith counted")],
        [("sum(weight)", "SUM( weight )")],
        # A step between two, and one that is gone, are seen in what reads them; nothing does here.
        [("joined as", "unused as (select 1 as one),\njoined as")],
    ],
)
def test_what_is_written_otherwise_is_none(edits):
    assert changes(*edits) == []


@pytest.mark.parametrize(
    ("edits", "said"),
    [
        ([("min(weight)", "max(weight)")], "column smallest of the last select"),
        ([("where is_final", "where is_final and is_blind")], "filter (where) of counted"),
        ([(" where is_final", "")], "filter (where) of counted is gone"),
        ([("inner join", "left join")], "join of joined"),
        ([("from audits", "from ratings")], "join of counted"),
        ([("group by name", "group by name, weight")], "grouping (group) of the last select"),
        ([("count(*) > 10", "count(*) > 20")], "filter (having) of the last select"),
        ([("select audit_id", "select distinct audit_id")], "grouping (distinct) of counted"),
        ([("where is_final", "where is_final\n    union all select * from late")],
         "a part of counted is new"),
        ([("\nselect name", "\nselect * from (select name"), ("> 10", "> 10) as rows_of")],
         "the last select"),
    ],
)  # fmt: skip
def test_another_meaning_says_where_it_is(edits, said):
    found = changes(*edits)
    assert [kind for kind, _ in found if kind == "meaning"]
    assert any(said in what for _, what in found), found


def test_what_is_added_is_additive():
    assert changes(("min(weight)", "count(*) as n, min(weight)")) == [
        ("additive", "column n of the last select is new")
    ]
    chosen = "select case kind when 'a' then 1 {}end as n from t"
    found = list(sql_changes(chosen.format(""), chosen.format("when 'b' then 2 ")))
    assert found == [("additive", "column n of the last select knows a further value")]
    # With an else, the further value had that one before.
    chosen_else = chosen.replace("end", "else 0 end")
    found = sql_changes(chosen_else.format(""), chosen_else.format("when 'b' then 2 "))
    assert [kind for kind, _ in found] == ["meaning"]
    other = chosen.format("").replace("then 1", "then 3")
    assert [kind for kind, _ in sql_changes(chosen.format(""), other)] == ["meaning"]
    # Where rows are told apart by all columns, a further one makes other rows.
    distinct = "select distinct a from t"
    assert [k for k, _ in sql_changes(distinct, "select distinct a, b from t")] == ["meaning"]


def test_the_old_and_the_new_text_are_shown_where_they_differ():
    ((_, what),) = changes(("count(*) > 10", "count(*) > 20"))
    assert 'was "HAVING COUNT(*) > 10", is "HAVING COUNT(*) > 20"' in what


def test_rows_of_a_seed_are_compared_by_key_and_without_words():
    old = [
        {"code": "a", "points": "1", "sentence": "One."},
        {"code": "b", "points": "2", "sentence": "Two."},
    ]
    new = [
        {"code": "a", "points": "1", "sentence": "Said better."},
        {"code": "b", "points": "3", "sentence": "Two."},
        {"code": "c", "points": "4", "sentence": "Three."},
    ]
    assert list(seed_changes("points", ["code"], old, new)) == [
        Change("points", "meaning", 'points of b: was "2", is "3"'),
        Change("points", "additive", "row c is new"),
    ]
    assert [c.what for c in seed_changes("points", ["code"], old, new[:1])] == ["row b is gone"]


def node(name, columns, **more):
    return {
        "name": name,
        "resource_type": "model",
        "config": {"meta": {"readers": "everybody"}},
        "columns": {c: {"data_type": t, "description": ""} for c, t in columns.items()},
    } | more


def shapes(before, now, today="2026-11-30"):
    sides = [
        {"nodes": {f"model.p.{i}": one for i, one in enumerate(side)}} for side in (before, now)
    ]
    return [(c.of, c.kind, c.what) for c in semantic_diff.shape_changes(*sides, today)]


def test_a_mart_may_go_once_its_date_is_over_and_another_version_may_come():
    first = node("rates", {"n": "bigint", "rate": "double"})
    second = node("rates", {"n": "bigint"}, version=2)
    assert shapes([first], [first, second]) == [("rates v2", "additive", "a new mart")]
    assert shapes([first], [second])[0] == (
        "rates", "breaking", "the mart is gone, and had no date for that",
    )  # fmt: skip
    ending = first | {"version": 1, "deprecation_date": "2026-12-31T00:00:00+00:00"}
    early = ("rates", "breaking", "the mart is gone, before 2026-12-31")
    assert shapes([ending, second], [second]) == [early]
    assert shapes([ending, second], [second], "2027-01-01") == []


def test_columns_that_go_or_change_type_break_a_mart():
    old, new = node("rates", {"n": "bigint", "rate": "double"}), node("rates", {"n": "double"})
    assert shapes([old], [new]) == [
        ("rates", "breaking", "column n is double, was bigint"),
        ("rates", "breaking", "column rate is gone"),
    ]


def refused(changes, declared=(), metrics=()):
    now = {"nodes": {"model.p.cells": node("cells", {})}, "child_map": {"model.p.cells": []}}
    return list(semantic_diff.judged(changes, set(declared), now, list(metrics), "2026-11-30"))


def test_a_declared_change_passes_and_a_further_one_does_not():
    once = [Change("cells", "meaning", "filter of counted: …"), Change("cells", "additive", "x")]
    (said,) = refused(once)
    assert "cells: another meaning" in said
    row = re.search(r"definition_changes\.csv: (\S+),", said)[1].split(",")
    declared = Declaration(*row, "Only final audits count.")
    assert declared.fingerprint == fingerprint(once[:1])
    assert refused(once, [declared]) == []
    assert refused([*once, Change("cells", "meaning", "join of joined: …")], [declared])


def test_a_registered_metric_cannot_be_declared_otherwise():
    change = [Change("metrics", "meaning", 'numerator of accuracy 1: was "a", is "b"')]
    declared = Declaration("2026-11-30", "metrics", fingerprint(change), "meaning", "So it is.")
    (said,) = refused(change, [declared])
    assert "add one with the next metric_version" in said


# --- On the project ------------------------------------------------------------------------------

# A file, what is in it, what is put there, and what is said of it.
DELIBERATE = [
    ("macros/estimators/measures.sql", "one_where(judged ~ ' and has_enforced')",
     "one_where('has_enforced')", r"accuracy_cells: column n_enforced"),
    ("macros/estimators/error_class.sql", "then 'technical'", "then 'correct'", r"error_class"),
    ("models/facts/audits/fct_audits.sql", "left join", "inner join", r"fct_audits: join of"),
    ("models/rates/overturned_decisions.sql", "where basis = 'accuracy'",
     "where basis = 'accuracy' and dimension_name <> 'queue'",
     r"overturned_decisions: filter \(where\) of"),
    ("models/explain/error_pareto.sql", "where basis = 'accuracy' and period_type = 'month'",
     "where basis = 'accuracy'", r"error_pareto: filter \(where\)"),
    ("models/report/headline.sql", "inner join metrics", "left join metrics",
     r"headline: join of"),
    ("seeds/severity_points.csv", "\nlow,1", "\nlow,2", r"severity_points: points of low"),
    ("seeds/action_codes.csv", "label,true,1", "label,false,1", r"is_enforcing of label"),
    ("seeds/metrics.csv", "accuracy_rates,n_correct,n_audits",
     "accuracy_rates,n_correct,n_not_technical", r"metrics: denominator of accuracy 1"),
    ("dbt_project.yml", "min_audits: 30", "min_audits: 20", r"\b30\b.*\b20\b"),
    ("models/rates/accuracy_rates.yml", "{name: n_strata, data_type: bigint",
     "{name: n_strata, data_type: double", r"accuracy_rates: column n_strata is double"),
]  # fmt: skip


@pytest.mark.deep
def test_ten_deliberate_changes_of_a_clone_are_each_stopped(tmp_path):
    """One run compiles the project twice: about 45 seconds."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    for path, old, new, _ in DELIBERATE:
        text = (clone / path).read_text(encoding="utf-8")
        assert old in text, f"{path} has no {old}"
        (clone / path).write_text(text.replace(old, new, 1), encoding="utf-8")
    result = CliRunner().invoke(semantic_diff.main, ["HEAD", "--project", str(clone)])
    assert result.exit_code == 1, result.output
    for path, _, _, said in DELIBERATE:
        assert re.search(said, result.output), f"{path}: nothing says {said}\n{result.output}"
