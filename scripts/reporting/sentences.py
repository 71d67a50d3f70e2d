"""Sentences that say what rows of `headline` say, and nothing that their interval does not."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from reporting import words

Row = Any  # a row of headline, from DataFrame.itertuples()

AGAINST = {
    "below": "below target, as the whole interval is",
    "above": "on target, as the whole interval is above it",
    "undecided": "too close to call, as the interval holds the target",
}
REAL = {
    "better": "real, and better",
    "worse": "real, and worse",
    "changed": "real",
    "unclear": "could be chance",
}


@dataclass(frozen=True)
class Answer:
    """A question, its answer in a few words, the code of that answer, and the sentences for it."""

    question: str
    answer: str
    code: str
    details: list[str]


def value(row: Row) -> str:
    """The estimate and its interval: 93.1 % (91.1 to 94.3 %)."""
    shown = words.percent(row.estimate)
    if words.is_missing(row.ci_low):
        return shown
    return f"{shown} ({words.percent_interval(row.ci_low, row.ci_high)})"


def level(row: Row, subject: str = "") -> str:
    """A metric in a period, against its target; or why it is not shown.

    Args:
        row: of headline.
        subject: what the sentence is about; left out, the metric in its period.
    """
    subject = subject or f"{row.metric_name} in {in_period(row)}"
    if not row.is_reportable:
        return f"{subject}: not shown. {row.reason}"
    if words.is_missing(row.target):
        return f"{subject}: {value(row)}, without a target.{on_break(row)}"
    against = AGAINST.get(row.target_status, "not compared")
    return f"{subject}: {value(row)}, target {words.percent(row.target)}: {against}.{on_break(row)}"


def on_break(row: Row) -> str:
    """That a number rests on rows that do not agree, and by which check; else nothing."""
    check = words.rests_on(row)
    return f" {words.RESTS_ON}: {check}." if check else ""


def aside(row: Row) -> str:
    """The same within a sentence."""
    return f" ({on_break(row)[1:-1].lower()})" if on_break(row) else ""


def lately(row: Row) -> str:
    """In how many weeks it was below target, by a row of four weeks; nothing without a target."""
    if words.is_missing(row.n_periods_compared):
        return ""
    if not row.n_periods_compared:
        return "No week can be compared with its target."
    weeks = words.so_many_of(row.n_periods_below_target, row.n_periods_compared)
    return f"Below target in {weeks} weeks."


def in_period(row: Row) -> str:
    """The label of the period within a sentence."""
    label = str(row.period_label)
    return label if row.period_type == "month" else f"the {uncapitalised(label)}"


def uncapitalised(text: str) -> str:
    """Text as it reads within a sentence."""
    return text[:1].lower() + text[1:]


def movement(row: Row) -> str:
    """The change from the period before, and whether it is more than chance."""
    before = {"month": "month", "week": "week"}.get(row.period_type, "four weeks")
    if words.is_missing(row.change_status):
        return f"It cannot be compared with the {before} before."
    direction = "Up" if row.change > 0 else "Down" if row.change < 0 else "Unchanged by"
    size = f"{abs(100 * row.change):.1f} points"
    ends = words.points_interval(row.change_ci_low, row.change_ci_high)
    return f"{direction} {size} on the {before} before ({ends}): {REAL[row.change_status]}."


def coverage(row: Row) -> str:
    """How much the number speaks for, and whether it can still move."""
    if words.is_missing(row.coverage_rate) or words.is_missing(row.n_decisions):
        return ""
    speaks = (
        f"{words.count(row.n_audits)} audits speak for {words.percent(row.coverage_rate)} of "
        f"{words.count(row.n_decisions)} decisions."
    )
    # Rows that tests make by hand may not have it.
    if getattr(row, "weighting", None) == "derived_frame":
        speaks += (
            " Frame: derived. What an audit stands for was counted from the decisions; it holds if "
            "audits were drawn at random within week, queue, decider and action group."
        )
    if row.status == "final":
        return f"{speaks} The {row.period_type} is final: its audits are in."
    return f"{speaks} The number is provisional: audits still come in, and may move it."


def is_derived(rows: pd.DataFrame) -> bool:
    """Whether a number in rows of a mart is by a frame that was counted from the decisions."""
    return "weighting" in rows and bool((rows["weighting"] == "derived_frame").any())


def of_all(rows: pd.DataFrame) -> Row | None:
    """The row of all decisions. None where there is none."""
    return next(rows[rows["dimension_name"] == "overall"].itertuples(index=False), None)


def below_lately(row: Row) -> str:
    """In how many weeks a row of a month was below target, within a sentence."""
    if words.is_missing(row.n_weeks_compared) or not row.n_weeks_compared:
        return ""
    weeks = words.so_many_of(row.n_weeks_below_target, row.n_weeks_compared)
    return f"; below in {weeks} weeks"


def answers(month: pd.DataFrame) -> list[Answer]:
    """The three questions of a manager, answered by the month that the page shows.

    Args:
        month: rows of headline, all decisions and each queue.
    """
    rows = list(month.itertuples(index=False))
    overall = of_all(month)
    if overall is None:
        return [
            Answer("Are we on target?", words.NOT_SHOWN, "none", ["There are no decisions yet."])
        ]
    queues = [row for row in rows if row.dimension_name != "overall"]
    below = [row for row in queues if row.target_status == "below"]
    hidden = [row for row in queues if not row.is_reportable]
    code = "none" if words.is_missing(overall.target_status) else str(overall.target_status)
    moved = "none" if words.is_missing(overall.change_status) else str(overall.change_status)
    where = [
        f"{row.label}: {value(row)}, target {words.percent(row.target)}{below_lately(row)}."
        f"{on_break(row)}"
        for row in below
    ]
    if hidden:
        where.append(f"Not shown: {words.listed([row.label for row in hidden])}.")
    compared = any(not words.is_missing(row.target_status) for row in queues)
    if not compared:
        where.insert(0, "No queue can be compared with its target.")
    elif not below:
        where.insert(0, "No queue is below its target by more than chance.")
    return [
        Answer(
            "Are we on target?",
            words.STATUS.get(code, words.NOT_SHOWN),
            code,
            [level(overall)],
        ),
        Answer(
            "Which queues are below?",
            words.listed([row.label for row in below])
            or ("None for certain" if compared else "Cannot be said"),
            "below" if below else "none",
            where,
        ),
        Answer(
            "Did it change?",
            {"better": "Yes, better", "worse": "Yes, worse", "changed": "Yes"}.get(
                moved, "Not by more than chance" if moved == "unclear" else "Cannot be compared"
            ),
            {"better": "above", "worse": "below"}.get(moved, "none"),
            [movement(overall)],
        ),
    ]


def waits(row: Row) -> str:
    """What a wait is, how long jobs wait, and by how much the closed ones alone would flatter."""
    said = (
        "Jobs count in the month in which they were queued, and those still open with the time "
        "that they have waited: leaving them out would make the worst cases improve the number."
    )
    return f"{said} {waiting(row)}" if row.is_reportable else said


def accuracy_beside(row: Row) -> str:
    """The accuracy of the same work, with its interval."""
    said = words.percent(row.accuracy_estimate)
    ends = words.percent_interval(row.accuracy_ci_low, row.accuracy_ci_high)
    return said if ends == "–" else f"{said}, {ends}"


def waiting(row: Row) -> str:
    """How long jobs wait, and by how much the closed ones alone would flatter."""
    said = (
        f"Half of all jobs had ended within {words.hours(row.estimate)}, and "
        f"{words.count(row.n_open)} of {words.count(row.n)} are still open."
    )
    if words.is_missing(row.closed_only_estimate):
        return said
    gap = row.closed_only_difference
    by = f"{words.hours(abs(gap))} {'shorter' if gap > 0 else 'longer'}" if gap else "the same"
    return (
        f"{said} Of closed jobs alone, as most tools show it, the median is "
        f"{words.hours(row.closed_only_estimate)}: {by}."
    )


GOING_ON = ("open", "provisional")


def alert(row: Row) -> str:
    """An alarm: where, what was found beside what was expected, since when, and what to check.

    Args:
        row: of alerts, with kind_label and what_to_check.
    """
    found = (
        f"{row.slice_label}: {words.count(row.n_errors)} errors in {words.count(row.n_audits)} "
        f"audits of decisions of {alert_days(row)}, where {row.expected_errors:.1f} were to be "
        "expected"
    )
    if not words.is_missing(row.ratio_ci_low):
        found += (
            f": {row.ratio:.1f} times as many ({row.ratio_ci_low:.1f} to {row.ratio_ci_high:.1f})"
        )
    found += f". Most likely since {row.since:%-d %b}. "
    accuracy = (
        f"Accuracy {words.percent(row.accuracy_now)} "
        f"({words.percent_interval(row.accuracy_now_ci_low, row.accuracy_now_ci_high)}), "
        f"{words.percent(row.accuracy_before)} in the days before"
    )
    if row.direction == "worse" and row.excess_ci_low > 0:
        accuracy += (
            f"; {words.count(row.excess_ci_low)} to {words.count(row.excess_ci_high)} wrong "
            "decisions more"
        )
    return f"{found}{accuracy}. Looks like: {uncapitalised(row.kind_label)}. {row.what_to_check}"


def alert_days(row: Row) -> str:
    """The days whose audits an alarm counts."""
    return f"{row.window_starts_on:%-d %b} to {row.window_ends_on:%-d %b %Y}"


def alert_status(row: Row) -> str:
    """Whether an alarm goes on, and why it may not count."""
    return {
        "open": "Goes on",
        "provisional": "Goes on; audits are still due",
        "data_suspect": "The data are the likelier cause",
        "accepted": "Accepted",
        "absorbed": "Has become usual",
        "closed": f"Last on {row.last_alarm_on:%-d %b %Y}",
    }[row.alert_status]


def silence(slices: pd.DataFrame) -> str:
    """What no alarm means: the change of each queue's error rate that would have been seen.

    Args:
        slices: rows of monitored_slices, queues.
    """
    shown = slices[slices["detectable_ratio_28_days"].notna()]
    if shown.empty:
        return "No queue has audits enough for an alarm: that there is none says nothing."
    least, most = (next(rows.itertuples(index=False)) for rows in (shown.iloc[:1], shown.iloc[-1:]))
    said = (
        "No alarm does not mean that nothing happened. Over four weeks an error rate must be "
        f"{least.detectable_ratio_28_days:.1f} times what it was to be seen in {least.label}"
    )
    if len(shown) > 1:
        said += f", and {most.detectable_ratio_28_days:.1f} times in {most.label}"
    n_blind = len(slices) - len(shown)
    blind = f" Of {n_blind} queues nothing can be seen." if n_blind else ""
    return f"{said}; less than that can be there.{blind}"


def agreement(row: Row) -> str:
    """How many comparisons between sources agree, and how many could not be made."""
    said = f"Of the comparisons between sources {words.count(row.n_agree)} agree, "
    said += f"{words.count(row.n_break)} do not"
    if row.n_not_evaluated:
        said += f", and {words.count(row.n_not_evaluated)} could not be made"
    return f"{said}. A number that rests on what does not agree has the mark ‡."


def restated(row: Row) -> str:
    """How many published numbers are others now."""
    if not row.n_published:
        return (
            "No number was published yet, so none can have changed since. "
            "make publish keeps the numbers of a build."
        )
    said = (
        f"Of {words.count(row.n_published)} numbers published as of {row.published_as_of:%-d %B %Y}"
    )
    if not row.n_moved:
        return f"{said}, none is another one now."
    said += f", {words.count(row.n_moved)} are others now"
    if row.n_moved_final:
        said += f", {words.count(row.n_moved_final)} of them published as final"
    return f"{said}. make restatements lists all of them, with their causes."


def causes(row: Row) -> str:
    """Why a published number is another one, each cause with its share in points."""
    if not hasattr(row.causes, "__iter__"):  # null, by whichever name
        return "not split yet: run make restatements"
    return ", ".join(
        f"{str(one['cause']).replace('_', ' ')} {words.signed(one['share'])}" for one in row.causes
    )
