"""The week in writing: what moved, what is below target, what is missing, what to audit next."""

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
from reconciling.checks import Event, runs

from reporting import sentences, words

Frames = dict[str, pd.DataFrame]
REAL = ("better", "worse", "changed")


@dataclass(frozen=True)
class Part:
    """A heading, and sentences each with its number."""

    title: str
    said: list[str]


def names(rows: list[sentences.Row]) -> str:
    """The labels of rows in a sentence."""
    return words.listed([row.label for row in rows])


def in_short(week: pd.DataFrame, four_weeks: pd.DataFrame) -> Part:
    """All decisions: the week, and the four weeks up to it."""
    said = []
    for row in filter(None, map(sentences.of_all, (week, four_weeks))):
        said += [f"{sentences.level(row)} {sentences.movement(row)}", sentences.coverage(row)]
    return Part("In short", [sentence for sentence in said if sentence])


def moved(four_weeks: pd.DataFrame, metrics: pd.DataFrame) -> Part:
    """What changed by more than chance, and the changes that may be chance."""
    queues = four_weeks[four_weeks["dimension_name"] != "overall"]
    by_queue = [(row.label, row) for row in queues.itertuples(index=False)]
    by_metric = [(row.metric_name, row) for row in metrics.itertuples(index=False)]
    said = [
        f"{name}: {sentences.value(row)}. {sentences.movement(row)}{sentences.on_break(row)}"
        for name, row in by_queue + by_metric
        if row.change_status in REAL
    ]
    compared = any(not words.is_missing(row.change_status) for _, row in by_queue + by_metric)
    if not compared:
        return Part("What moved", ["Nothing can be compared with the four weeks before."])
    if not said:
        said = ["Nothing moved by more than chance."]
    for of, named in (("Accuracy by queue", by_queue), ("Of all decisions", by_metric)):
        unclear = [
            f"{name} {words.signed(row.change)} "
            f"({words.points_interval(row.change_ci_low, row.change_ci_high)})"
            f"{sentences.aside(row)}"
            for name, row in named
            if row.change_status == "unclear"
        ]
        if unclear:
            said.append(f"{of}, could be chance: {'; '.join(unclear)}.")
    return Part("What moved", said)


def below_target(four_weeks: pd.DataFrame) -> Part:
    """Which queues are below target, and of which that cannot be said."""
    queues = list(four_weeks[four_weeks["dimension_name"] != "overall"].itertuples(index=False))
    said = [
        f"{sentences.level(row, row.label)} {sentences.lately(row)}"
        for row in queues
        if row.target_status == "below"
    ]
    if all(words.is_missing(row.target_status) for row in queues):
        return Part(
            "What is below target", ["No queue can be compared with its target over four weeks."]
        )
    if not said:
        said = ["No queue is below its target by more than chance."]
    for code, start in (("undecided", "Too close to call"), ("above", "On target")):
        others = [
            f"{row.label} {sentences.value(row)}, target {words.percent(row.target)}"
            f"{sentences.aside(row)}"
            for row in queues
            if row.target_status == code
        ]
        if others:
            said.append(f"{start}: {'; '.join(others)}.")
    before = [
        f"{row.label} in {words.so_many_of(row.n_periods_below_target, row.n_periods_compared)}"
        for row in queues
        if row.target_status != "below"
        and not words.is_missing(row.n_periods_below_target)
        and row.n_periods_below_target > 0
    ]
    if before:
        said.append(f"Below target in earlier weeks: {'; '.join(before)}.")
    said.append(
        "A week counts as below target if the four weeks up to its end were, by the whole interval."
    )
    return Part("What is below target", said)


def missing(week: pd.DataFrame, four_weeks: pd.DataFrame) -> Part:
    """What has no number that can stand alone, and why."""
    said = []
    for rows, when in ((four_weeks, "over the four weeks"), (week, "in the week alone")):
        hidden = rows[~rows["is_reportable"]]
        for reason, group in hidden.groupby("reason", sort=True):
            rows_ = list(group.itertuples(index=False))
            said.append(f"{names(rows_)}: no number {when}. {reason}")
    return Part("What is missing", said or ["Nothing: every number that there is can stand alone."])


def taking(waits: pd.DataFrame, backlog: pd.DataFrame, appeals: pd.DataFrame) -> Part:
    """How long jobs of the week wait, how many are open at its end, and how appeals ended."""
    said = []
    for row in waits[waits["dimension_name"] == "overall"].itertuples(index=False):
        said += [sentences.waiting(row)] if row.is_reportable else [str(row.why)]
    late = waits[(waits["dimension_name"] == "queue") & waits["within_target"].notna()]
    late = late.nsmallest(3, "within_target", keep="all")
    if len(late):
        queues = [f"{row.label} {words.percent(row.within_target)}" for row in late.itertuples()]
        said.append(f"Least within target, of jobs due in the week: {'; '.join(queues)}.")
    for row in backlog.itertuples(index=False):
        days = (
            "" if words.is_missing(row.days_of_work) else f", {row.days_of_work:.1f} days of work"
        )
        said.append(f"Open at the end of the week: {words.count(row.backlog_restated)} jobs{days}.")
    for row in appeals[appeals["is_reportable"]].itertuples(index=False):
        said.append(
            f"Of {words.count(row.n)} appeals decided in the week {sentences.value(row)} "
            "overturned the decision; this is no measure of accuracy."
        )
    return Part("How long it takes", said or ["No job was queued."])


def audit_next(overdue: pd.DataFrame, plan: pd.DataFrame) -> Part:
    """The most that is overdue, and the largest draws of the next audit plan."""
    said = [
        f"{row.label}, {row.period_starts_on:%-d %b} to {row.period_ends_on:%-d %b %Y}: "
        f"{words.count(row.n_overdue)} of {words.count(row.n_planned)} planned audits are missing, "
        f"{words.count(row.days_overdue)} days overdue.{sentences.on_break(row)}"
        for row in overdue.itertuples(index=False)
    ]
    for row in plan.itertuples(index=False):
        group = words.plain(row.action_group).lower() if row.action_group else "all"
        who = words.plain(row.decided_by_type)
        where = who if words.is_missing(row.value_label) else row.value_label
        said.append(
            f"Next plan. {where}, {group}: draw {words.count(row.n_to_draw)} of about "
            f"{words.count(row.population_size)} decisions, instead of "
            f"{words.count(row.current_sample_size)}."
        )
    return Part("What to audit next", said or ["There is no plan to size."])


def alarming(alerts: pd.DataFrame, first: date, last: date) -> Part:
    """Which alarms began, go on or ended in the week."""
    said = []
    worse = alerts[(alerts["direction"] == "worse")]
    for row in worse.itertuples(index=False):
        if row.first_alarm_on.date() > last or row.last_alarm_on.date() < first:
            continue
        began = "New" if row.first_alarm_on.date() >= first else "Still"
        said.append(f"{began}. {sentences.alert(row)}")
    before = worse[(worse["last_alarm_on"].dt.date < first)]
    ended = before[before["last_alarm_on"].dt.date >= first - timedelta(days=7)]
    said += [f"No longer. {row.slice_label}." for row in ended.itertuples(index=False)]
    return Part("What alarms", said or ["Nothing alarmed in this week."])


def agreeing(rows: pd.DataFrame, breaks: pd.DataFrame, first: date, last: date) -> Part:
    """What does not agree on a day of the week, and that some of it could not be compared."""
    events = [event for event in runs(breaks) if event.touches(first, last)]
    said = [
        f"{event.left_source} and {event.right_source}{f' ({event.part})' if event.part else ''}, "
        f"{_days(event)}: {event.sentence} {event.what_to_do}."
        for event in sorted(events, key=lambda event: (event.first_day or date.min, event.nth))
    ]
    said = said or ["No difference in this week is without a known reason."]
    unknown = int(rows["n_not_evaluated"].iloc[0])
    if unknown:
        said.append(f"{words.count(unknown)} comparisons could not be made: a side is missing.")
    return Part("Do the sources agree?", said)


def _days(event: Event) -> str:
    if event.first_day is None or event.last_day is None:
        return "all days together"
    return f"{event.first_day:%-d %b} to {event.last_day:%-d %b %Y}"


def restated(rows: pd.DataFrame) -> Part:
    """Which published numbers are others now, by how much, and why."""
    said = [sentences.restated(next(rows.itertuples(index=False)))]
    shown = rows[rows["metric_id"].notna()] if "metric_id" in rows else rows[:0]
    for row in shown.itertuples(index=False):
        now = words.percent(row.current)
        moved = "" if words.is_missing(row.difference) else f", {words.points(row.difference)}"
        why = row.reason if words.is_missing(row.current) else f"Why: {sentences.causes(row)}."
        said.append(
            f"{row.label}, {sentences.uncapitalised(row.period_label)}: published "
            f"{words.percent(row.published)}, now {now}{moved}. {why}"
        )
    return Part("What changed since it was published", said)


def parts(frames: Frames, first: date, last: date) -> list[Part]:
    """The report on the week from `first` to `last`, in order."""
    return [
        in_short(frames["week"], frames["four_weeks"]),
        below_target(frames["four_weeks"]),
        moved(frames["four_weeks"], frames["metrics"]),
        alarming(frames["alerts"], first, last),
        missing(frames["week"], frames["four_weeks"]),
        taking(frames["waits"], frames["backlog"], frames["appeals"]),
        agreeing(frames["agreement"], frames["breaks"], first, last),
        restated(frames["restated"]),
        audit_next(frames["overdue"], frames["plan"]),
    ]
