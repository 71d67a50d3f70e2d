"""The page and the weekly report say what open marts say, ask nothing of a network, and work."""

import html
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pandas as pd
import pictures
import publish
import pyarrow as pa
import pytest
from click.testing import CliRunner
from publishing import ledger
from reconciling import checks
from reporting import page as sections
from reporting import read, render, sentences
from reporting import week as weekly
from simulator.world import Settings

import report

ROOT = Path(__file__).parents[2]
OPEN = ("appeals", "explain", "operations", "planning", "rates", "reconciliation", "reference")
OPEN += ("monitoring", "report", "transparency")
# What the copy of the platform says of some of its queues, so that every case is on the page.
WITHHELD, THIN, BETTER, WORSE = "q01", "q02", "q03", "q04"
# Nothing is decided in the queue of appeals that could be accurate; a withheld count is one.
DECIDED = "and coalesce(n_decisions, 1) > 0 "
NAME = '<b>&"x"'  # of the queue WORSE


class Page(HTMLParser):
    """The page as tables {caption: (headings, rows of {heading: cell})}, and the text outside.

    A cell is its text and what it is sorted by. Text of charts is left out; what is read out
    instead of them is in `said`. `marks` are (caption, row as {heading: cell}, what the mark says).
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, list[dict[str, tuple[str, str | None]]]] = {}
        self.said: list[str] = []
        self.charts: list[str] = []
        self.marks: list[tuple[str, dict, str]] = []
        self.marked: list[str] = []
        self.stack: list[str] = []
        self.caption, self.headings, self.row = "", [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag in ("meta", "link", "img", "br"):
            return
        self.stack.append(tag)
        if "aria-label" in given:
            self.said.append(given["aria-label"])
        if tag == "table":
            self.caption, self.headings = "", []
        elif tag == "tr":
            self.row = []
        elif tag == "td":
            self.row.append(["", given.get("data-sort")])
        elif tag == "a":
            assert given["href"] == "#agreement"
            if "td" in self.stack:
                self.marked.append(given["title"])

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag
        if tag == "tr" and self.row:
            cells = zip(self.headings, map(tuple, self.row), strict=True)
            row = dict(cells)
            self.tables.setdefault(self.caption, []).append(row)
            self.marks += [(self.caption, row, said) for said in self.marked]
            self.marked = []

    def handle_data(self, data):
        if not data.strip() or {"style", "script"} & set(self.stack):
            return
        if "svg" in self.stack:
            self.charts.append(data)
        elif self.stack[-1] == "caption":
            self.caption += data
        elif self.stack[-2:] == ["th", "button"]:
            self.headings.append(data)
        elif self.stack[-1] == "td":
            self.row[-1][0] += data
        elif "table" not in self.stack:
            self.said.append(data.replace("\u00a0", " "))


@pytest.fixture(scope="module")
def world(platform, tmp_path_factory):
    """The platform's warehouse, with queues that are withheld, thin, better and worse."""
    warehouse = tmp_path_factory.mktemp("report") / "warehouse.duckdb"
    shutil.copy(platform.warehouse, warehouse)
    numbers = ["estimate", "ci_low", "ci_high", "effective_n", "n", "n_decisions", "n_audits"]
    numbers += ["coverage_rate", "target_gap", "target_status", "previous_estimate", "change"]
    numbers += ["change_ci_low", "change_ci_high", "change_status"]
    never = "n_periods_below_target = 0, n_periods_compared = 0"
    settings = {
        WITHHELD: ", ".join(f"{name} = null" for name in numbers)
        + f", {never}, is_reportable = false, reason_code = 'suppressed_small_group', "
        "reason = 'Too few people did this work to show it without showing theirs.'",
        THIN: f"{never}, estimate = 0.81234, ci_low = 0.6, ci_high = 0.9, target = 0.93, "
        "target_gap = -0.11766, target_status = null, change = null, change_ci_low = null, "
        "change_ci_high = null, change_status = null, is_reportable = false, "
        "reason_code = 'too_few_audits', reason = 'There are too few audits to report a rate.'",
        BETTER: "estimate = 0.97111, ci_low = 0.96, ci_high = 0.98, target = 0.93, "
        "n_periods_below_target = 0, n_periods_compared = 5, target_gap = 0.04111, "
        "target_status = 'above', change = 0.05, change_ci_low = 0.01, "
        "change_ci_high = 0.09, change_status = 'better', is_reportable = true, "
        "reason_code = null, reason = null, n_audits = 300, n_decisions = 4321",
        WORSE: "n_periods_below_target = 4, n_periods_compared = 5, "
        f"value_label = '{NAME}', estimate = 0.84222, ci_low = 0.8, ci_high = 0.88, "
        "target = 0.93, target_gap = -0.08778, target_status = 'below', change = -0.06, "
        "change_ci_low = -0.11, change_ci_high = -0.0003, change_status = 'worse', "
        "is_reportable = true, reason_code = null, reason = null",
    }
    with duckdb.connect(warehouse) as connection:
        for queue, setting in settings.items():
            ((n,),) = connection.execute(
                f"update report.headline set {setting} where "
                "metric_id = 'accuracy' and metric_version = 1 "
                "and dimension_name = 'queue' and dimension_value = ?",
                [queue],
            ).fetchall()
            assert n > 5
    return read.Warehouse(warehouse, platform.manifest_json)


@pytest.fixture(scope="module")
def manifest_json(platform):
    return platform.manifest_json


@pytest.fixture(scope="module")
def written(world, tmp_path_factory):
    """The page of that world, as a file."""
    file = tmp_path_factory.mktemp("page") / "index.html"
    render.write_page(world, file)
    return file


@pytest.fixture(scope="module")
def page(written):
    return Page(written.read_text(encoding="utf-8"))


def ask(world: read.Warehouse, sql: str) -> pd.DataFrame:
    with duckdb.connect(world.database, read_only=True) as connection:
        return connection.execute(sql).df()


def share(value):
    return "–" if pd.isna(value) else f"{100 * value:.1f} %"


def points(value):
    if pd.isna(value):
        return "–"
    text = f"{100 * value:+.1f}"
    if text[1:] == "0.0":
        text = "0.0" if value == 0 else f"{100 * value:+.2f}"
    return text.replace("-", "−")


def whole(value):
    return "–" if pd.isna(value) else f"{int(value):,}"


def text(value):
    return "" if pd.isna(value) else str(value)


def rate(value, row):
    return share(value) if row.is_reportable or pd.isna(value) else f"({share(value)})"


def ends(low, high, say: Callable, unit: str = ""):
    return "–" if pd.isna(low) else f"{say(low).removesuffix(unit)} to {say(high)}"


# {heading: what a row of headline shows there}, and by what it is sorted.
HEADLINE = {
    "Accuracy": lambda r: (rate(r.estimate, r), r.estimate),
    "Interval": lambda r: (
        ends(r.ci_low, r.ci_high, share, " %")
        if r.is_reportable or pd.isna(r.ci_low)
        else f"({ends(r.ci_low, r.ci_high, share, ' %')})",
        r.ci_low,
    ),
    "Target": lambda r: (share(r.target), r.target),
    "Gap, points": lambda r: (points(r.target_gap), r.target_gap),
    "Against target": lambda r: (
        {"below": "▼ Below target", "above": "▲ On target", "undecided": "◆ Too close to call"}.get(
            r.target_status, "Not shown"
        ),
        None,
    ),
    "Change, points": lambda r: (points(r.change), r.change),
    "Interval of change": lambda r: (
        ends(r.change_ci_low, r.change_ci_high, points),
        r.change_ci_low,
    ),
    "Is the change real?": lambda r: (
        {
            "better": "Real, better",
            "worse": "Real, worse",
            "changed": "Real",
            "unclear": "Could be chance",
        }.get(r.change_status, "–"),
        None,
    ),
    "Decisions": lambda r: (whole(r.n_decisions), r.n_decisions),
    "Audits": lambda r: (whole(r.n_audits), r.n_audits),
    "Covered": lambda r: (share(r.coverage_rate), r.coverage_rate),
    "Status": lambda r: (r.status, None),
    "Why not shown": lambda r: (text(r.reason), None),
    "Rests on a break": None,
    "Of": lambda r: (label(r), None),
    "Queue": lambda r: (label(r), None),
    "Four weeks to": lambda r: (f"{r.period_ends_on:%Y-%m-%d}", None),
    "Up to": lambda r: (f"{r.period_ends_on:%Y-%m-%d}", None),
}
MONTH = HEADLINE | {
    "Weeks below": lambda r: (
        (f"{r.weeks_below:.0f} of {r.weeks:.0f}", r.weeks_below) if r.weeks else ("–", None)
    ),
}
METRICS = HEADLINE | {
    "Number": lambda r: (r.metric_name, None),
    "All decisions": HEADLINE["Accuracy"],
}
POLICIES = HEADLINE | {
    "Policy area": lambda r: (r.value_label, None),
    "Precision": HEADLINE["Accuracy"],
    "Recall": HEADLINE["Accuracy"],
}
PARETO = {
    "Errors": lambda r: (
        r.error_label
        if r.group_name == "overall"
        else "Policies of few people, together"
        if r.group_value == "suppressed"
        else r.value_label,
        None,
    ),
    "Share of decisions": HEADLINE["Accuracy"],
    "Interval": HEADLINE["Interval"],
    "Share of errors": lambda r: (share(r.share_of_errors), r.share_of_errors),
    "Added up": lambda r: (share(r.cumulative_share_of_errors), r.cumulative_share_of_errors),
    "Errors found": lambda r: (whole(r.n_errors), r.n_errors),
    "Rests on a break": None,
    "Why not shown": None,
}
COMPARED = {
    "Group": lambda r: (
        r.value_label
        if r.value_label.lower().startswith(r.dimension_name)
        else f"{r.dimension_name.capitalize()}: {r.value_label}",
        None,
    ),
    "Points from the others": lambda r: (
        points(r.difference_from_others),
        r.difference_from_others,
    ),
    "Interval": lambda r: (
        ends(r.difference_ci_low, r.difference_ci_high, points),
        r.difference_ci_low,
    ),
    "Is it real?": lambda r: (
        "Not shown"
        if not r.is_reportable or pd.isna(r.difference_from_others)
        else "Could be chance"
        if not r.is_apart_from_others
        else "Better"
        if r.difference_from_others > 0
        else "Worse",
        None,
    ),
    "Accuracy at the same work": HEADLINE["Accuracy"],
    "Accuracy at its own work": lambda r: (share(r.raw_estimate), r.raw_estimate),
    "Audits": lambda r: (whole(r.n), r.n),
    "Rests on a break": None,
    "Why not shown": None,
}
EXCLUSIONS = {
    "Why": lambda r: (r.reason_label, None),
    "How many": lambda r: (whole(r.n_excluded), r.n_excluded),
    "Rests on a break": None,
    "What it means": lambda r: (r.sentence, None),
}


def hours(value: float) -> str:
    if pd.isna(value):
        return "–"
    if value < 1:
        return f"{60 * value:.1f} min" if 60 * value < 10 else f"{60 * value:.0f} min"
    return f"{value:.1f} h" if value < 48 else f"{value / 24:.1f} days"


def beside(row) -> str:
    if pd.isna(row.accuracy_estimate):
        return "–"
    said = share(row.accuracy_estimate)
    if pd.notna(row.accuracy_ci_low):
        said += f", {share(row.accuracy_ci_low)[:-2]} to {share(row.accuracy_ci_high)}"
    return said if row.accuracy_is_reportable else f"({said})"


WAITS = {
    "Queue": lambda r: (r.label, None),
    "Median wait": lambda r: (hours(r.estimate), r.estimate),
    "Interval": lambda r: (
        "–"
        if pd.isna(r.ci_low)
        else f"{hours(r.ci_low)} or more"
        if pd.isna(r.ci_high)
        else f"{hours(r.ci_low)} to {hours(r.ci_high)}",
        r.ci_low,
    ),
    "Nine in ten within": lambda r: (hours(r.p90), r.p90),
    "Of closed jobs alone": lambda r: (
        hours(r.closed_only_estimate),
        r.closed_only_estimate,
    ),
    "Difference": lambda r: (
        "–"
        if pd.isna(r.closed_only_difference)
        else ("−" if r.closed_only_difference < 0 else "+") + hours(abs(r.closed_only_difference)),
        r.closed_only_difference,
    ),
    "Within target": lambda r: (share(r.within), r.within),
    "Still open": lambda r: (f"{whole(r.n_open)} of {whole(r.n)}", r.n_open),
    "Accuracy of this work": lambda r: (beside(r), r.accuracy_estimate),
    "Why not shown": None,
}
BACKLOG = {
    "Day": lambda r: (f"{r.calendar_date:%Y-%m-%d}", None),
    "Open at its end": lambda r: (whole(r.backlog_restated), r.backlog_restated),
    "As known then": lambda r: (whole(r.backlog_as_known), r.backlog_as_known),
    "In": lambda r: (whole(r.n_in), r.n_in),
    "Out": lambda r: (whole(r.n_out), r.n_out),
}
APPEALS = {
    "Number": lambda r: (r.metric_name, None),
    "Policy area": lambda r: (r.policy_name, None),
    "Share": HEADLINE["Accuracy"],
    "Interval": HEADLINE["Interval"],
    "Of": lambda r: (whole(r.n), r.n),
    "Pending": lambda r: (whole(r.n_pending), r.n_pending),
    "Status": lambda r: (r.maturity_status, None),
    "Why not shown": None,
}
EXPOSURE = {
    "Team": lambda r: (r.dimension_value.replace("all", "Everybody"), None),
    "People": lambda r: (whole(r.n_people), r.n_people),
    "Items": lambda r: (whole(r.n_items), r.n_items),
    "High": lambda r: (whole(r.n_high), r.n_high),
    "Severe": lambda r: (whole(r.n_severe), r.n_severe),
    "Severity unknown": lambda r: (whole(r.n_unknown), r.n_unknown),
    "Hours at high and severe": lambda r: (
        "–" if pd.isna(r.exposure_seconds) else f"{r.exposure_seconds / 3600:,.0f}",
        r.exposure_seconds / 3600,
    ),
    "Of productive time": lambda r: (share(r.exposure_share), r.exposure_share),
    "Why not shown": None,
}
AGREEMENT = {
    "Check": lambda r: (r.check_name.replace("_", " "), None),
    "Between": lambda r: (r.sources, None),
    "Of": lambda r: (text(r.part), None),
    "What it is": None,
    "First day": lambda r: (f"{r.first_day:%Y-%m-%d}", None),
    "Last day": lambda r: (f"{r.last_day:%Y-%m-%d}", None),
    "What to do": None,
}
DUE = {
    "Queue": lambda r: ("Across queues" if r.queue_id == "all" else r.queue_name, None),
    "Plan": lambda r: (r.plan_id, None),
    "Decisions from": lambda r: (f"{r.period_starts_on:%Y-%m-%d}", None),
    "to": lambda r: (f"{r.period_ends_on:%Y-%m-%d}", None),
    "Planned": lambda r: (whole(r.n_planned), r.n_planned),
    "Final": lambda r: (whole(r.n_final), r.n_final),
    "Begun": lambda r: (whole(r.n_begun), r.n_begun),
    "Missing": lambda r: (whole(r.n_missing), r.n_missing),
    "Overdue": lambda r: (whole(r.n_overdue), r.n_overdue),
    "Due on": lambda r: (f"{r.due_on:%Y-%m-%d}", None),
    "Days overdue": lambda r: (whole(r.days_overdue), r.days_overdue),
    "Rests on a break": None,
}


def label(row):
    return row.dimension_label if row.dimension_name == "overall" else row.value_label


def expect(rows: list[dict], mart: pd.DataFrame, columns: dict) -> None:
    """Rows of the page are the rows of a mart, in its order, and each number is its number."""
    assert len(rows) == len(mart) > 0
    for shown, row in zip(rows, mart.itertuples(), strict=True):
        for heading, (told, sort) in shown.items():
            say = columns[heading]  # a heading that nobody compares is an error
            if say is None:
                continue
            expected, value = say(row)
            assert told == expected, (heading, row)
            if value is None or pd.isna(value):
                assert sort is None, (heading, row)
            else:
                assert float(sort) == float(value), (heading, row)


def test_every_number_in_a_table_is_its_marts(world, page):
    accuracy = (
        "select * from report.headline where metric_id = 'accuracy' and metric_version = 1 "
        f"and dimension_name in ('overall', 'queue') and is_complete {DECIDED}"
    )
    month = ask(
        world,
        accuracy + "and period_type = 'month' and is_last_complete_period "
        "order by dimension_name, target_gap, sort_order",
    )
    lately = ask(
        world,
        "select dimension_value, n_periods_below_target as weeks_below, "
        "n_periods_compared as weeks from report.headline "
        "where metric_id = 'accuracy' and metric_version = 1 and period_type = 'four_weeks' "
        "and dimension_name in ('overall', 'queue') and is_last_complete_period",
    )
    month = month.merge(lately, on="dimension_value")
    assert month["weeks_below"].max() > 1
    tables = dict(page.tables)
    of = month["period_label"].iloc[0]
    expect(tables.pop(f"Accuracy and target, {of}"), month, MONTH)
    four_weeks = ask(
        world,
        accuracy + "and period_type = 'four_weeks' "
        "order by dimension_name, sort_order, period_starts_on",
    )
    for (_, _), rows in four_weeks.groupby(["dimension_name", "dimension_value"]):
        name = label(next(rows.itertuples()))
        expect(tables.pop(f"Accuracy of {name}, four weeks at a time"), rows, HEADLINE)
    queues = four_weeks[four_weeks["dimension_name"] == "queue"]
    expect(tables.pop("Gap to target by queue. Four weeks up to each week"), queues, HEADLINE)
    weeks = ask(
        world,
        accuracy + "and dimension_name = 'queue' and period_type = 'week' "
        "order by sort_order, period_starts_on",
    )
    expect(tables.pop("Gap to target by queue. Each week alone"), weeks, HEADLINE)
    metrics = ask(
        world,
        "select * from report.headline where period_type = 'month' and is_last_complete_period "
        f"and dimension_name = 'overall' and {read.BESIDE} order by metric_name",
    )
    expect(tables.pop(f"All decisions, {of}"), metrics, METRICS)
    for metric in ("Precision", "Recall"):
        mart = ask(
            world,
            "select * from report.headline where period_type = 'month' and "
            "is_last_complete_period and dimension_name = 'policy_parent' and "
            f"metric_id = '{metric.lower()}' order by estimate, sort_order",
        )
        expect(tables.pop(f"{metric} by policy area, {of}"), mart, POLICIES)
    period = f"date '{month['period_starts_on'].iloc[0]:%Y-%m-%d}'"
    for name, group in (("by kind", "overall"), ("by policy, the ten largest", "policy")):
        mart = ask(
            world,
            "select pareto.*, reason_label as error_label, value_label "
            "from explain.error_pareto as pareto "
            "left join reference.reasons on reason = reasons.reason_code and applies_to = 'error' "
            "left join (select distinct dimension_name as group_name, "
            "dimension_value as group_value, value_label from report.headline) "
            "using (group_name, group_value) "
            f"where month_starts_on = {period} and "
            f"group_name = '{group}' and (group_name = 'overall' or reason = 'all') "
            "order by error_rank, group_value, reason",
        )
        expect(tables.pop(f"Errors, {name}"), mart, PARETO)
    compared = ask(
        world,
        "select distinct compared.*, value_label from explain.accuracy_compared as compared "
        "left join report.headline using (dimension_name, dimension_value) "
        f"where compared.period_starts_on = {period} and compared.period_type = 'month' "
        "and mix_name = 'queue' and dimension_name in ('vendor', 'site', 'team') "
        "order by list_position(['vendor', 'site', 'team'], dimension_name), dimension_value",
    )
    expect(tables.pop(f"Accuracy at the same work, {of}"), compared, COMPARED)
    for applies_to in ("decision", "audit"):
        mart = ask(
            world,
            "select * from explain.exclusions "
            "inner join reference.reasons using (applies_to, reason_code) "
            f"where period_type = 'month' and period_starts_on = {period} "
            f"and dimension_name = 'overall' and applies_to = '{applies_to}' "
            "order by n_excluded desc, reason_code",
        )
        expect(tables.pop(f"{applies_to.capitalize()}s left out"), mart, EXCLUSIONS)
    due = ask(
        world,
        "select * from report.audits_due where due_status in ('overdue', 'open') "
        "order by due_on desc, n_overdue desc, plan_id, queue_id",
    )
    expect(tables.pop("Audits that are missing"), due, DUE)
    breaks = ask(
        world,
        "select found.left_source || ' and ' || found.right_source as sources, "
        "case when dimension_name not in ('overall', 'total') then "
        "replace(dimension_name, '_', ' ') || ' ' || dimension_value end as part, "
        "check_name, min(period_starts_on) as first_day, max(period_ends_on) as last_day, "
        "any_value(nth) as nth, any_value(check_key) as any_key "
        "from reconciliation.reconciliation_checks as found "
        "inner join reference.reconciliation as checks using (check_name) "
        "where status = 'break' and dimension_name <> 'reason' "
        "group by check_name, sources, part, reason_code, what_to_do "
        "order by first_day, nth, sum(abs(difference)) desc, part",
    )
    expect(tables.pop("What does not agree"), breaks, AGREEMENT)
    in_month = "period_type = 'month' and period_starts_on = date "
    in_month += f"'{month['period_starts_on'].iloc[0]:%Y-%m-%d}'"
    waits = ask(
        world,
        "select median.*, p90.estimate as p90, target.estimate as within, target.n as n_due, "
        "case dimension_value when 'all' then 'All jobs' else coalesce(queue_name, "
        "dimension_value) end as label "
        "from operations.turnaround as median "
        "left join operations.turnaround as p90 using (period_type, period_starts_on, "
        "dimension_name, dimension_value) "
        "left join operations.turnaround as target using (period_type, period_starts_on, "
        "dimension_name, dimension_value) "
        "left join report.dim_queues on dimension_value = queue_id "
        f"where {in_month} and dimension_name in ('overall', 'queue') "
        "and median.metric_id = 'turnaround_median' and p90.metric_id = 'turnaround_p90' "
        "and target.metric_id = 'within_target' "
        "order by dimension_name, target.estimate, dimension_value",
    )
    assert waits["closed_only_difference"].abs().max() > 0
    expect(tables.pop(f"Turnaround by queue, {of}"), waits, WAITS)
    days = "from operations.backlog where dimension_name = 'overall' and is_complete"
    backlog = ask(
        world,
        f"select * {days} and calendar_date > (select max(calendar_date) - 84 {days}) "
        "order by calendar_date",
    )
    expect(tables.pop("Open jobs by day"), backlog, BACKLOG)
    appeals = ask(
        world,
        "select * from appeals.appeal_rates inner join reference.metrics using (metric_id, "
        "metric_version) left join report.dim_policies on dimension_value = policy_id "
        f"where {in_month} order by metric_name, estimate desc nulls last, policy_name",
    )
    overall = appeals[appeals["dimension_name"] == "overall"]
    expect(tables.pop(f"Appeals, {of}"), overall, APPEALS)
    by_policy = appeals[
        (appeals["dimension_name"] == "policy_parent")
        & (appeals["metric_id"] == "appeal_overturn_rate_by_answer_date")
    ]
    caption = f"Decided appeals that overturn, by policy area, {of}"
    expect(tables.pop(caption), by_policy, APPEALS)
    exposure = ask(
        world,
        f"select * from operations.exposure where {in_month} "
        "order by dimension_name, dimension_value",
    )
    expect(tables.pop(f"Exposure by team, {of}"), exposure, EXPOSURE)
    assert not tables, "tables that nobody compares"


def test_every_number_in_a_sentence_is_a_marts(world, page):
    """What is said outside tables, and instead of charts, has no number of its own."""
    known = set()
    month = world.read({"month": read.MONTH})["month"]["month_starts_on"].iloc[0]
    for frame in world.read(read.PAGE, month=f"{month:%Y-%m-%d}").values():
        for column in frame.select_dtypes("number"):
            for value in frame[column].dropna():
                known |= {share(value)[:-2], points(value), points(value).lstrip("+−")}
                known |= {f"{value:,.0f}"}
    number = re.compile(r"(?<![\w.,−+-])[−+]?\d[\d,]*(?:\.\d+)?(?= %| to | points|\)| audits| dec)")
    found = {n for said in page.said for n in number.findall(said)}
    assert len(found) > 20
    # The confidence level, and dates (of this and the next millennium).
    assert found - known <= {"95"} | {str(year) for year in range(2000, 3000)}
    assert "84.2" in found  # of the queue that is worse


def rows_of(page: Page, name: str) -> list[dict]:
    """The rows of one queue in all tables of headline."""
    return [
        row
        for caption, rows in page.tables.items()
        for row in rows
        if caption.startswith(f"Accuracy of {name},")
        or ("Accuracy" in row and name in (row.get("Of", ("",))[0], row.get("Queue", ("",))[0]))
    ]


def test_a_withheld_row_shows_no_number(world, page):
    ((name,),) = ask(
        world,
        f"select distinct value_label from report.headline where dimension_value = '{WITHHELD}'",
    ).to_numpy()
    rows = rows_of(page, name)
    assert len(rows) > 8
    for row in rows:
        assert row["Accuracy"] == ("–", None)
        assert row["Against target"][0] == "Not shown"
        assert row["Why not shown"][0].startswith("Too few people did this")
        left = [cell for of, cell in row.items() if of not in ("Target", "Four weeks to", "Up to")]
        assert not any(re.search(r"\d", told) or sort for told, sort in left), row
    assert not any(name in said and "%" in said.split(name)[1][:9] for said in page.said)


def test_a_thin_number_is_marked_and_no_sentence_uses_it(page):
    thin = [
        row
        for rows in page.tables.values()
        for row in rows
        if "81.2 %" in row.get("Accuracy", ("",))[0]
    ]
    assert len(thin) > 8
    for row in thin:
        assert row["Accuracy"][0] == "(81.2 %)"
        assert row["Interval"][0] == "(60.0 to 90.0 %)"
        assert row["Why not shown"][0].startswith("There are too few audits")
    assert not any("81.2" in said for said in page.said)


def test_a_name_from_the_data_is_text(written, page):
    assert html.escape(NAME, quote=False) in written.read_text(encoding="utf-8")
    assert "<b>&" not in written.read_text(encoding="utf-8")
    assert any(NAME in said for said in page.said)


def test_only_open_schemas_are_read_and_the_same_rows_give_the_same_bytes(
    world, manifest_json, written, tmp_path
):
    """Without all that is not open, in another process, folder and order of sets."""
    bare = tmp_path / "warehouse.duckdb"
    shutil.copy(world.database, bare)
    with duckdb.connect(bare) as connection:
        schemas = connection.execute(
            "select distinct table_schema from information_schema.tables"
        ).fetchall()
        closed = {schema for (schema,) in schemas} - set(OPEN)
        assert {"restricted", "facts", "cells", "staging"} <= closed
        for schema in closed:
            connection.execute(f"drop schema {schema} cascade")
    subprocess.run(
        [
            *(sys.executable, ROOT / "scripts" / "report.py", "page", "--output", "again.html"),
            *("--database", bare, "--manifest", manifest_json),
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTHONHASHSEED": "7"},
        check=True,
        capture_output=True,
    )
    assert (tmp_path / "again.html").read_bytes() == written.read_bytes()


def test_a_restricted_mart_is_refused(world):
    with pytest.raises(Exception, match="is restricted"):
        world.read({"people": "select * from {{ ref('dim_people') }}"})


def test_the_page_names_no_other_file(written):
    text = written.read_text(encoding="utf-8")
    named = re.findall(r"""(?:src|href|action|data)\s*=[^ >]*""", text.replace("data-", ""))
    assert set(named) <= {'href="#agreement"'}
    assert re.findall(r"url\((?!#)|@import", text) == []
    addresses = set(re.findall(r"https?://[^\"' <]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}  # names
    assert "default-src 'none'" in text
    own = (ROOT / "scripts" / "reporting" / "templates" / "page.js").read_text()
    assert len(own.splitlines()) <= 60


def test_a_world_without_a_complete_month_has_a_page(world, manifest_json, tmp_path):
    young = tmp_path / "warehouse.duckdb"
    shutil.copy(world.database, young)
    with duckdb.connect(young) as connection:
        for table in ("report.dim_periods", "report.headline"):
            connection.execute(
                f"update {table} set is_complete = false, is_last_complete_period = false "
                "where period_type = 'month'"
            )
        months = "select max(period_label) from report.headline where period_type = 'month' "
        ((label,),) = connection.execute(f"{months} and periods_ago = 0").fetchall()
    render.write_page(read.Warehouse(young, manifest_json), tmp_path / "index.html")
    page = Page((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert any(said.startswith(f"{label} so far, provisional.") for said in page.said)
    assert f"Accuracy and target, {label}" in page.tables
    with duckdb.connect(young) as connection:
        connection.execute(
            "delete from report.headline where period_type in ('month', 'four_weeks')"
        )
    render.write_page(read.Warehouse(young, manifest_json), tmp_path / "index.html")
    said = Page((tmp_path / "index.html").read_text(encoding="utf-8")).said
    assert "There are no decisions yet." in said
    folder = render.write_week(read.Warehouse(young, manifest_json), None, tmp_path)
    parts = parts_of(folder)
    assert parts["What moved"] == ["Nothing can be compared with the four weeks before."]
    assert "can be compared" in parts["What is below target"][0]


def test_errors_by_a_derived_frame_or_of_few_audits_say_so(world, page, manifest_json, tmp_path):
    """The section of the mart, and no other; of all decisions, the page and the week too."""
    assert not any("Frame: derived" in said for said in page.said)
    derived = tmp_path / "warehouse.duckdb"
    shutil.copy(world.database, derived)
    with duckdb.connect(derived) as connection:
        connection.execute(
            "update explain.error_pareto set weighting = 'derived_frame', estimate = 0.81234, "
            "is_reportable = false, reason_code = 'too_few_audits'"
        )
    warehouse = read.Warehouse(derived, manifest_json)
    render.write_page(warehouse, tmp_path / "index.html")
    written = Page((tmp_path / "index.html").read_text(encoding="utf-8"))
    said = written.said
    assert sum("largest first: none can be shown." in text for text in said) == 2
    assert not any("81.2" in text for text in said)
    kinds = {row["Errors"][0] for row in written.tables["Errors, by kind"]}
    assert all(
        row["Share of decisions"][0] == "(81.2 %)" for row in written.tables["Errors, by kind"]
    )
    assert written.charts.count("Not shown. There are too few audits to report a rate.") > len(
        kinds
    )
    (at,) = (i for i, text in enumerate(said) if text == "Frame: derived.")
    assert said[at - 2].startswith("Where the errors are")
    with duckdb.connect(derived) as connection:
        connection.execute("update report.headline set weighting = 'derived_frame'")
    week = render.write_week(warehouse, None, tmp_path) / "report.md"
    text = week.read_text(encoding="utf-8")
    assert text.count("the target. Frame: derived.]") == 2  # below each chart
    assert "Frame: derived. What an audit stands for was counted" in text


def parts_of(folder: Path) -> dict[str, list[str]]:
    """The sentences of a weekly report, by heading."""
    parts: dict[str, list[str]] = {}
    for line in (folder / "report.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            parts[line[3:]] = []
        elif line.startswith("- "):
            parts[list(parts)[-1]].append(html.unescape(line[2:]))
    return parts


@pytest.fixture(scope="module")
def week(world, tmp_path_factory):
    return render.write_week(world, None, tmp_path_factory.mktemp("weekly"))


def test_the_week_tells_of_its_own_breaks(world, manifest_json, tmp_path):
    """Not of those before and after it; of what is of no day always, and that a side is missing."""
    copy = tmp_path / "warehouse.duckdb"
    shutil.copy(world.database, copy)
    heading = "Do the sources agree?"

    def said(sql):
        with duckdb.connect(copy) as connection:
            connection.execute(sql)
        return parts_of(render.write_week(read.Warehouse(copy, manifest_json), None, tmp_path))

    (first, last) = ask(
        world,
        "select period_starts_on, period_ends_on from report.dim_periods "
        "where period_type = 'week' and is_last_complete_period",
    ).iloc[0]
    broken = "update reconciliation.reconciliation_checks set status = 'break', "
    broken += "reason_code = 'unexplained' where check_name = 'facts_to_rates' and "
    nothing = "No difference in this week is without a known reason."
    around = said(
        "update reconciliation.reconciliation_checks set status = 'match', reason_code = null;"
        f"{broken} period_starts_on not between '{first}' and '{last}'"
    )
    assert around[heading] == [nothing]
    (inside,) = said(
        "update reconciliation.reconciliation_checks set status = 'match', reason_code = null;"
        f"{broken} period_starts_on = '{last}'"
    )[heading]
    assert f"{last:%-d %b} to {last:%-d %b %Y}: No name was found for it." in inside
    always, unknown = said(
        "update reconciliation.reconciliation_checks set status = 'match', reason_code = null;"
        f"{broken} period_starts_on = '{first}';"
        "update reconciliation.reconciliation_checks set period_starts_on = null "
        "where status = 'break';"
        "update reconciliation.reconciliation_checks set status = 'not_evaluated' "
        "where check_name = 'decisions_to_statements'"
    )[heading]
    assert "all days together: No name was found for it." in always
    assert re.fullmatch(r"[1-9][\d,]* comparisons could not be made: a side is missing\.", unknown)


def test_breaks_with_days_between_them_are_events_of_their_own(world, manifest_json, tmp_path):
    """As make reconcile has them, on the page and in the week, which has the whole of its own."""
    copy = tmp_path / "warehouse.duckdb"
    shutil.copy(world.database, copy)
    with duckdb.connect(copy) as connection:
        days = [
            day
            for (day,) in connection.execute(
                "select period_ends_on - n "
                "from report.dim_periods, unnest([9, 8, 1, 0]) as days (n) "
                "where period_type = 'week' and is_last_complete_period order by 1"
            ).fetchall()
        ]
        connection.execute(
            "update reconciliation.reconciliation_checks set status = 'match', reason_code = null"
        )
        connection.execute(
            "update reconciliation.reconciliation_checks set status = 'break', "
            "reason_code = 'unexplained' "
            "where check_name = 'facts_to_rates' and period_starts_on in $days",
            {"days": days},
        )
        expected = [
            (str(event.first_day), str(event.last_day))
            for event in checks.events(connection, "break")
        ]
    assert expected == [(str(days[0]), str(days[1])), (str(days[2]), str(days[3]))]
    warehouse = read.Warehouse(copy, manifest_json)
    render.write_page(warehouse, tmp_path / "index.html")
    page = Page((tmp_path / "index.html").read_text(encoding="utf-8"))
    shown = page.tables["What does not agree"]
    assert [(row["First day"][0], row["Last day"][0]) for row in shown] == expected
    (said,) = parts_of(render.write_week(warehouse, None, tmp_path))["Do the sources agree?"]
    assert f"{days[2]:%-d %b} to {days[3]:%-d %b %Y}" in said


@pytest.fixture(scope="module")
def broken(world, manifest_json, tmp_path_factory):
    """The world in which accuracy of the queue WORSE rests on a break, on one day of last month.

    Beside it what is left out as closed in bulk, on that day.
    """
    copy = tmp_path_factory.mktemp("broken") / "warehouse.duckdb"
    shutil.copy(world.database, copy)
    (day,) = ask(
        world,
        "select period_ends_on - 2 from report.dim_periods "
        "where period_type = 'month' and is_last_complete_period",
    ).iloc[0]
    row = "insert into reconciliation.numbers_on_breaks values "
    with duckdb.connect(copy) as connection:
        connection.execute("delete from reconciliation.numbers_on_breaks")
        for check, metric, dimension, value in (
            ("frame_to_decisions", "accuracy", "queue", WORSE),
            ("plan_to_drawn", "accuracy", "queue", WORSE),
            ("closes_to_usual", "exclusions", "reason", "automatic_close"),
        ):
            connection.execute(
                f"{row} ('{check}', 'unexplained', '{metric}', '{dimension}', '{value}', $1, $1)",
                [day],
            )
    return read.Warehouse(copy, manifest_json), day


@pytest.fixture(scope="module")
def marked(broken, tmp_path_factory):
    """The page of that world, as a file."""
    file = tmp_path_factory.mktemp("marked") / "index.html"
    render.write_page(broken[0], file)
    return file


def test_a_number_that_rests_on_a_break_is_marked_and_no_other(broken, marked):
    world, day = broken
    page = Page(marked.read_text(encoding="utf-8"))
    found, said = {}, set()
    for caption, row, mark in page.marks:
        found.setdefault(caption, []).append(row)
        said.add((mark, row["Rests on a break"][0]))
    # Of two checks the first.
    assert said == {
        ("Rests on a break: frame to decisions", "frame to decisions"),
        ("Rests on a break: closes to usual", "closes to usual"),
    }
    (left_out,) = found.pop("Decisions left out")
    assert left_out["Why"][0] == "Closed in bulk, nobody decided"
    expected = ask(
        world,
        "select period_type, count(*) as n, any_value(period_label) as label from report.headline "
        f"where metric_id = 'accuracy' and metric_version = 1 "
        f"and dimension_value = '{WORSE}' and is_complete "
        f"and date '{day:%Y-%m-%d}' between period_starts_on and period_ends_on "
        "group by all",
    ).set_index("period_type")
    four_weeks, weeks = expected.loc["four_weeks", "n"], expected.loc["week", "n"]
    assert {caption: len(rows) for caption, rows in found.items()} == {
        f"Accuracy and target, {expected.loc['month', 'label']}": 1,
        f"Accuracy of {NAME}, four weeks at a time": four_weeks,
        "Gap to target by queue. Four weeks up to each week": four_weeks,
        "Gap to target by queue. Each week alone": weeks,
    }
    for rows in found.values():
        assert all(NAME in (row.get("Of") or row.get("Queue") or (NAME,))[0] for row in rows)
    assert any(f"{NAME}: 84.2 %" in text for text in page.said)
    assert "‡ Rests on a break" in page.said  # of the queue that is below
    assert any(" on " in text and "rest" in text for text in page.said)


def test_the_week_says_what_rests_on_a_break(broken, tmp_path):
    world, _ = broken
    with duckdb.connect(world.database, read_only=True) as connection:
        ((last,),) = connection.execute(
            "select last_day from reconciliation.numbers_on_breaks limit 1"
        ).fetchall()
    parts = parts_of(render.write_week(world, last, tmp_path))
    resting = [said for part in parts.values() for said in part if "ests on a break" in said]
    assert len(resting) >= 2
    assert all(NAME in said and "frame to decisions" in said for said in resting)


def test_declared_changes_of_definitions_are_on_the_page(world, manifest_json, tmp_path):
    """What readers should know; not SQL that is written otherwise for the same numbers."""
    heading = "Defined otherwise than before"
    copy, file = tmp_path / "warehouse.duckdb", tmp_path / "index.html"
    shutil.copy(world.database, copy)
    with duckdb.connect(copy) as connection:
        connection.execute("delete from reference.definition_changes")
    render.write_page(read.Warehouse(copy, manifest_json), file)
    assert heading not in file.read_text()
    with duckdb.connect(copy) as connection:
        connection.execute(
            "insert into reference.definition_changes values "
            "(date '2026-06-02', 'fct_audits', 'a', 'meaning', 'Only blind audits count now.'), "
            "(date '2026-06-03', 'fct_jobs', 'b', 'same_numbers', 'Written otherwise.')"
        )
    render.write_page(read.Warehouse(copy, manifest_json), file)
    said = file.read_text()
    assert heading in said
    assert "<dt>fct_audits, 2 June 2026</dt>" in said
    assert "Only blind audits count now." in said
    assert "Written otherwise." not in said


def test_what_was_published_stands_beside_what_it_is_now(world, manifest_json, tmp_path):
    copy = tmp_path / "warehouse.duckdb"
    shutil.copy(world.database, copy)
    warehouse = read.Warehouse(copy, manifest_json)
    of = (
        "metric_id = 'accuracy' and metric_version = 1 "
        "and dimension_name = 'queue' and dimension_value = "
    )

    def said():
        """The section's sentence and rows, and what the week says."""
        section = sections.restated(warehouse.restated("'month'", 20))
        rows = [
            {column.heading: cell.text for column, cell in zip(t.columns, line.cells, strict=True)}
            for t in section.tables
            for line in t.lines
        ]
        return section.note, rows, weekly.restated(warehouse.restated("'week'", 5)).said

    note, rows, week = said()
    assert note.startswith("No number was published yet")
    assert (rows, week) == ([], [note])
    built = ["--database", str(copy), "--manifest", str(manifest_json)]
    assert CliRunner().invoke(publish.main, ["add", *built]).exit_code == 0
    note, rows, week = said()
    assert re.fullmatch(r"Of [\d,]+ numbers published .*, none is another one now\.", note)
    assert (rows, week) == ([], [note])

    with duckdb.connect(copy) as connection:
        ((n,),) = connection.execute(
            f"update report.headline set estimate = estimate - 0.02 where {of} '{BETTER}'"
        ).fetchall()
        ((n_gone,),) = connection.execute(
            "update report.headline set estimate = null, is_reportable = false, "
            f"reason = 'Nobody knows.' where {of} '{THIN}'"
        ).fetchall()
        split = connection.execute(
            f"select {', '.join(publish.KEY)}, status as period_status, estimate as current, "
            f"estimate + 0.02 as published, -0.02 as difference from report.headline where {of} "
            f"'{BETTER}'"
        ).df()
    note, rows, week = said()
    assert f", {n + n_gone:,} are others now" in note
    gone, moved = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    for row in gone:
        assert (row["Published"], row["Now"]) == ("(81.2 %)", "–")
        assert row["Why not shown"] == "Nobody knows."
    for row in moved:
        assert (row["Published"], row["Now"]) == ("97.1 %", "95.1 %")
        assert row["Difference, points"] == "−2.0"
        assert row["Because of, points"] == "not split yet: run make restatements"
    assert any("published 81.2 %, now –. Nobody knows." in text for text in week)
    render.write_page(warehouse, tmp_path / "index.html")
    page = Page((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert note in page.said
    assert len(page.tables["Accuracy by month that was published as another number"]) == len(rows)

    # Once they are split, the page says how; not where the number has moved on since.
    (now,) = (tmp_path / "published").glob("*.parquet")
    split = split.assign(cause="late_audit", share=split["difference"], published_as_of=None)
    (tmp_path / "published" / "restatements").mkdir()
    ledger.write_whole(
        pa.Table.from_pandas(split, schema=publish.SHARES, preserve_index=False),
        tmp_path / "published" / "restatements" / now.name,
    )
    _, rows, _ = said()
    assert {row["Because of, points"] for row in rows[len(gone) :]} == {"late audit −2.0"}
    with duckdb.connect(copy) as connection:
        connection.execute(
            f"update report.headline set estimate = estimate - 0.01 where {of} '{BETTER}'"
        )
    _, rows, _ = said()
    assert {row["Because of, points"] for row in rows[len(gone) :]} == {
        "not split yet: run make restatements"
    }


def test_the_week_says_what_the_mart_says(world, week):
    parts = parts_of(week)
    four_weeks = ask(
        world,
        "select * from report.headline where metric_id = 'accuracy' and metric_version = 1 "
        "and dimension_name = 'queue' "
        f"and period_type = 'four_weeks' and is_last_complete_period {DECIDED}",
    )
    assert set(four_weeks["change_status"].dropna()) >= {"better", "worse"}
    for row in four_weeks.itertuples():
        name, value = row.value_label, f"{share(row.estimate)} ("
        about = {title: [s for s in said if name in s] for title, said in parts.items()}
        if not row.is_reportable:
            assert any(row.reason in said for said in about["What is missing"])
            assert not about["What moved"]
            assert not about["What is below target"]
            continue
        below = f"{name}: {value}"
        status = about["What is below target"]
        before = [said for said in status if said.startswith("Below target in earlier weeks")]
        status = [said for said in status if said not in before]
        times = f"{row.n_periods_below_target} of {row.n_periods_compared}"
        if row.target_status == "below":
            assert not before
            assert f"in {times} weeks" in status[0]
        else:
            assert bool(before) == (row.n_periods_below_target > 0)
            assert all(f"{name} in {times}" in said for said in before)
        assert len(status) == 1
        assert (status[0].startswith(below) and "below target" in status[0]) == (
            row.target_status == "below"
        )
        assert status[0].startswith("Too close to call") == (row.target_status == "undecided")
        assert status[0].startswith("On target") == (row.target_status == "above")
        assert f"target {share(row.target)}" in status[0]
        moved = about["What moved"]
        if pd.isna(row.change_status):
            assert not moved
            continue
        assert len(moved) == 1
        is_real = row.change_status in ("better", "worse", "changed")
        assert (": real" in moved[0]) == is_real
        assert ("could be chance" in moved[0]) == (not is_real)
        assert ends(row.change_ci_low, row.change_ci_high, points) in moved[0]
        if is_real:
            direction = "Up" if row.change > 0 else "Down"
            assert f"{direction} {abs(100 * row.change):.1f} points" in moved[0]
            assert moved[0].endswith(f"real, and {row.change_status}.")


@pytest.mark.parametrize("status", ["better", "worse", "changed", "unclear", None])
@pytest.mark.parametrize("against", ["below", "above", "undecided", None])
def test_a_sentence_says_no_more_than_the_mart(world, status, against):
    months = ask(
        world,
        "select * from report.headline where metric_id = 'accuracy' and metric_version = 1 "
        "and period_type = 'month' "
        f"and dimension_value = '{BETTER}' and is_last_complete_period",
    )
    codes = {"change_status": status, "target_status": against}
    row = SimpleNamespace(**months.iloc[0].to_dict() | codes)
    moved = sentences.movement(row)
    assert ("real" in moved) == (status in ("better", "worse", "changed"))
    assert ("chance" in moved) == (status == "unclear")
    assert ("5.0 points" in moved and "+1.0 to +9.0 points" in moved) == (status is not None)
    level = sentences.level(row)
    assert ("below target" in level) == (against == "below")
    assert ("on target" in level) == (against == "above")
    assert ("too close to call" in level) == (against == "undecided")
    assert "97.1 % (96.0 to 98.0 %), target 93.0 %" in level


def test_the_week_is_html_for_mail_markdown_and_charts(week):
    mail = (week / "report.html").read_text(encoding="utf-8")
    assert "<script" not in mail
    assert "<style" not in mail  # mail programs drop it
    assert re.findall(r"https?://", mail) == []
    assert "<b>&" not in mail + (week / "report.md").read_text(encoding="utf-8")
    charts = re.findall(r"!\[[^]]+\]\((\w+\.png)\)", (week / "report.md").read_text("utf-8"))
    assert len(charts) == 2
    for chart in charts:
        assert (week / chart).read_bytes().startswith(b"\x89PNG")
    mailed = [html.unescape(item) for item in re.findall(r"<li[^>]*>(.*)</li>", mail)]
    said = [sentence for part in parts_of(week).values() for sentence in part]
    assert [item.replace("\u00a0", " ") for item in mailed] == said


def test_what_is_not_there_is_one_clear_error(world, manifest_json, tmp_path):
    built = ["--database", str(world.database), "--manifest", str(manifest_json)]
    there_is_none = CliRunner().invoke(report.main, ["weekly", *built, "--period", "2031-01-01"])
    assert there_is_none.exit_code == 1
    assert there_is_none.output == "Error: There is no complete week of 2031-01-01.\n"
    absent = tmp_path / "absent.duckdb"
    not_built = CliRunner().invoke(report.main, ["page", "--database", str(absent), *built[2:]])
    assert not_built.exit_code == 1
    assert not_built.output == f"Error: {absent} is not there: run `make build` first.\n"


def test_the_sample_in_docs_is_what_the_sample_data_say(tmp_path):
    """docs/weekly is `make pictures` of the sample data of `make build`."""
    database, truth = ROOT / "data" / "warehouse.duckdb", ROOT / "data" / "truth" / "world.json"
    manifest = ROOT / "target" / "manifest.json"
    if not (database.exists() and truth.exists() and manifest.exists()):
        pytest.skip("no sample data: run make build")
    settings = json.loads(truth.read_text())["settings"]
    if settings != json.loads(json.dumps(asdict(Settings()), default=str)):
        pytest.skip("data/ holds another world than the README's")
    built = read.Warehouse(database, manifest, tmp_path / "published")
    folder = render.write_week(built, pictures.WEEK, tmp_path)
    sample = ROOT / "docs" / "weekly" / "report.md"
    assert (folder / "report.md").read_text("utf-8") == sample.read_text("utf-8")
    for picture in (ROOT / "docs" / "report.png", *sample.parent.glob("*.png")):
        assert picture.stat().st_size <= 300_000


needs_browser = pytest.mark.skipif(
    pictures.browser_path() is None,
    reason="needs Chromium: apt-get install chromium-headless-shell",
)


@pytest.fixture(scope="module")
def browser():
    with pictures.browser(pictures.browser_path()) as started:
        yield started


@contextmanager
def opened(browser, file, **settings):
    """A file in a browser: a tab, all addresses that it asks for, and all that it complains of."""
    tab = browser.new_page(**settings)
    tab.asked, tab.said = [], []
    tab.on("request", lambda request: tab.asked.append(request.url))
    tab.on("console", lambda message: tab.said.append(message.text))
    tab.on("pageerror", lambda error: tab.said.append(str(error)))
    tab.goto(file.as_uri())
    yield tab
    tab.close()


@pytest.fixture(scope="module")
def album():
    """The folder in which the pictures are left for people to look at."""
    folder = ROOT / "target" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@needs_browser
def test_the_page_filters_and_sorts(browser, written, world):
    queues = ask(
        world,
        "select distinct value_label from report.headline where dimension_name = 'queue' "
        f"and metric_id = 'accuracy' and metric_version = 1 {DECIDED}order by 1",
    )["value_label"]
    with opened(browser, written) as tab:
        shown = tab.locator("#trend figure:visible figcaption")
        assert shown.all_inner_texts() == ["All decisions", *sorted(queues, key=list(queues).index)]
        tab.locator("#trend select").select_option(NAME)
        assert shown.all_inner_texts() == ["All decisions", NAME]
        tab.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
        rows = tab.locator("#weeks tbody tr:visible")
        assert set(rows.locator("td:first-child").all_inner_texts()) == {NAME}
        tab.locator("#trend select").select_option("")
        assert len(set(rows.locator("td:first-child").all_inner_texts())) == len(queues)

        table = tab.locator("#queues table")
        heading = table.get_by_role("button", name="Accuracy")
        column = "rows => rows.map(row => row.cells[1].dataset.sort).map(n => n ? Number(n) : null)"
        for n, direction in ((1, "ascending"), (2, "descending")):
            heading.click()
            assert table.locator("th").nth(1).get_attribute("aria-sort") == direction
            values = table.locator("tbody tr").evaluate_all(column)
            there = [value for value in values if value is not None]
            assert there == sorted(there, reverse=n == 2)
            assert values == there + [None] * (len(values) - len(there))
            assert len(there) < len(values)
        table.get_by_role("button", name="Of", exact=True).click()
        names = table.locator("tbody td:first-child").all_inner_texts()
        assert names == sorted(names, key=str.lower)
        assert table.locator("th[aria-sort]").count() == 1
        assert tab.asked == [written.as_uri()]
        assert tab.said == []


LOOKS = {
    "desk": {},
    "phone": {"viewport": {"width": 375, "height": 800}},
    "dark": {"color_scheme": "dark"},
    "print": {"viewport": {"width": 680, "height": 960}},  # A4 between its margins
}


@needs_browser
@pytest.mark.parametrize("name", LOOKS)
def test_the_page_reads_well_everywhere(browser, written, album, name):
    with opened(browser, written, **LOOKS[name]) as tab:
        if name == "print":
            tab.emulate_media(media="print")
        assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == ("rgb(20, 24, 29)" if name == "dark" else "rgb(255, 255, 255)")
        charts = tab.locator("figure [role=img]")
        assert charts.count() > 10
        for label in charts.evaluate_all("all => all.map(one => one.getAttribute('aria-label'))"):
            assert len(label) > 40
        # One drawing of each chart is seen, and its colours are the page's.
        drawn = tab.locator("figure svg:visible")
        assert drawn.count() == charts.count()
        smallest = drawn.locator("text").evaluate_all(
            "all => Math.min(...all.map(t => t.getBoundingClientRect().height))"
        )
        assert smallest > (9 if name != "print" else 7)
        fills = drawn.locator("text").evaluate_all(
            "all => [...new Set(all.map(t => getComputedStyle(t).fill))]"
        )
        assert "rgb(0, 0, 0)" not in fills
        assert tab.locator("figure").count() == tab.locator("figure table").count()
        tab.screenshot(path=album / f"{name}.png", full_page=True)
        assert tab.asked == [written.as_uri()]
        assert tab.said == []


@needs_browser
@pytest.mark.parametrize("name", ["desk", "phone"])
def test_a_mark_leads_to_what_does_not_agree(browser, marked, album, name):
    with opened(browser, marked, **LOOKS[name]) as tab:
        assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        tab.locator("#queues details").evaluate("one => one.open = true")
        mark = tab.locator("#queues td a.mark")
        assert mark.get_attribute("aria-label") == "Rests on a break: frame to decisions"
        tab.screenshot(path=album / f"marks_{name}.png", full_page=True)
        mark.click()
        assert tab.evaluate("location.hash") == "#agreement"
        seen = "document.getElementById('agreement').getBoundingClientRect().top"
        assert tab.evaluate(f"{seen} < window.innerHeight")


@needs_browser
def test_the_documentation_asks_for_nothing(browser, platform, album):
    """Of a network. Before it is set up it asks for files named {{ … }}, which are not there."""
    page = platform.folder / "target" / "static_index.html"
    with opened(browser, page) as tab:
        tab.wait_for_selector("text=Moderation quality")
        tab.screenshot(path=album / "docs.png")
        assert {url.split(":")[0] for url in tab.asked} == {"file"}
        about_files = ("ERR_FILE_NOT_FOUND", "Unsafe attempt to load URL file:")
        assert [said for said in tab.said if not any(text in said for text in about_files)] == []
