"""The page: sections of charts, each with its text alternative and its table."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date

import altair as alt
import pandas as pd
from reconciling.checks import runs

from reporting import charts, sentences, tables, words
from reporting.charts import NARROW, WIDE, Canvas
from reporting.tables import Cell, Column, Table

# Of what was compared for all days together.
ALL_DAYS = "all days"

Frames = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Figure:
    """A chart as wide as a desk's screen and as a phone's, what it says, and its table."""

    title: str
    alternative: str
    wide: str
    narrow: str
    table: Table
    value: str = ""  # what the page filters it by
    remark: str = ""  # below its title


@dataclass(frozen=True)
class Section:
    """A part of the page: a question, how to read what follows, and figures or a table."""

    id: str
    title: str
    note: str
    figures: list[Figure] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    is_grid: bool = False
    has_filter: bool = False
    key: list[tuple[str, str]] = field(default_factory=list)  # marks and what they mean
    said: list[str] = field(default_factory=list)  # sentences, most important first
    is_derived: bool = False  # whether a number in it is by a frame counted from the decisions


def figure(
    title: str, alternative: str, draw: Callable[[Canvas], alt.TopLevelMixin], table: Table
) -> Figure:
    """A chart drawn at both widths."""
    wide, narrow = (charts.svg(draw(Canvas(w)), Canvas(w)) for w in (WIDE, NARROW))
    return Figure(title, alternative, wide, narrow, table)


KEY = [
    ("▲", "on target: the whole interval is above it"),
    ("◆", "too close to call: the interval holds the target"),
    ("▼", "below target: the whole interval is"),
]


def against_target(rows: pd.DataFrame) -> Section:
    """Which queue is where, in the last complete month."""
    period = rows["period_label"].iloc[0]
    said = [
        f"{row.label}: {sentences.value(row)}, {words.status(row.target_status)[2:].lower()}"
        if row.is_reportable
        else f"{row.label}: not shown"
        for row in rows.itertuples()
    ]
    lately = tables.counted_of("Weeks below", "n_weeks_below_target", "n_weeks_compared")
    columns = tables.headline([tables.text("Of", "label")], [lately])
    table = tables.table(f"Accuracy and target, {period}", columns, rows, "label")
    return Section(
        "queues",
        f"Each queue against its target, {period}",
        "The mark is the estimate, the bar around it its interval, and the upright line the "
        "target. Furthest below target first; where bars overlap, the order is no ranking. A week "
        "counts as below target if the four weeks up to its end were, by the whole interval.",
        [
            figure(
                f"Accuracy by queue, {period}",
                "Accuracy with interval and target. " + "; ".join(said) + ".",
                lambda canvas: charts.against_target(rows, canvas),
                table,
            )
        ],
        key=KEY,
    )


def trends(rows: pd.DataFrame) -> Section:
    """How each queue got here: rolling four weeks."""
    shown = rows[rows["is_reportable"]]
    domain = charts.share_domain(shown, ["ci_low", "target"])
    figures = []
    for label, group in rows.groupby("label", sort=False):
        last = group.iloc[-1]
        now = next(group.iloc[-1:].itertuples(index=False))
        draw = charts.svg(charts.trend(group, domain, Canvas(NARROW)), Canvas(NARROW))
        columns = tables.headline([tables.day("Four weeks to", "period_ends_on")])
        figures.append(
            Figure(
                str(label),
                f"Accuracy of {label}, four weeks at a time, with its interval and target. "
                f"{sentences.level(now)}",
                draw,
                draw,
                tables.table(f"Accuracy of {label}, four weeks at a time", columns, group),
                "" if last["dimension_name"] == "overall" else str(label),
                sentences.lately(now),
            )
        )
    return Section(
        "trend",
        "How it got here",
        "Each mark is the four weeks up to that day; neighbouring marks share three of them. The "
        "band is the interval, the dashed line the target of those weeks. Weeks below target are "
        "the marks whose whole interval is below it.",
        figures,
        is_grid=True,
        has_filter=True,
        key=[*KEY, ("○", "thin: too few audits to rely on")],
    )


def heat_map(weeks: pd.DataFrame, four_weeks: pd.DataFrame) -> Section:
    """Queue by week, by gap to target: four weeks at a time, and each week alone."""
    queues = four_weeks[four_weeks["dimension_name"] == "queue"]
    figures = []
    for title, rows in (("Four weeks up to each week", queues), ("Each week alone", weeks)):
        columns = [tables.text("Queue", "label"), tables.day("Up to", "period_ends_on")]
        n_thin = int((~rows["is_reportable"]).sum())
        figures.append(
            figure(
                title,
                "Each queue in a row, each week in a column, coloured by the gap to target. "
                f"{n_thin} of {len(rows)} cells are thin or empty. The numbers are in the table.",
                lambda canvas, rows=rows: charts.heat_map(rows, canvas),
                tables.table(
                    f"Gap to target by queue. {title}", tables.headline(columns), rows, "label"
                ),
            )
        )
    return Section(
        "weeks",
        "Gap to target, week by week",
        "Blue is above target and orange below it. A strong colour means that the whole interval "
        "is on that side; a pale one may be chance, and a faint one rests on too few audits. The "
        "numbers are percentage points.",
        figures,
        key=[
            ("▲", "on target"),
            ("◆", "too close to call"),
            ("▼", "below target"),
            ("·", "thin"),
            ("×", "no number"),
        ],
    )


def errors(rows: pd.DataFrame) -> Section:
    """Where the errors are."""
    rows = rows.assign(
        label=rows["error_label"]
        .where(rows["group_name"] == "overall", rows["value_label"])
        .fillna(rows["group_value"])
    )
    columns = [
        tables.text("Errors", "label"),
        tables.rate("Share of decisions"),
        tables.interval("Interval"),
        tables.share("Share of errors", "share_of_errors"),
        tables.share("Added up", "cumulative_share_of_errors"),
        tables.counted("Errors found", "n_errors"),
        tables.rests_on(),
        tables.text("Why not shown", "why"),
    ]
    figures = []
    for group, title in (("overall", "By kind"), ("policy", "By policy, the ten largest")):
        part = rows[rows["group_name"] == group]
        largest = part[part["estimate"].notna()].head(10)
        if largest.empty:
            continue
        said = "; ".join(
            f"{row.label}: {words.percent(row.estimate)} of decisions"
            for row in largest[largest["is_reportable"]].head(3).itertuples()
        )
        figures.append(
            figure(
                title,
                "Share of all decisions that were wrong, largest first: "
                f"{said or 'none can be shown'}.",
                lambda canvas, part=part: charts.pareto(
                    part[part["estimate"].notna()].head(10), canvas
                ),
                tables.table(f"Errors, {title[:1].lower()}{title[1:]}", columns, part),
            )
        )
    period = rows["period_label"].iloc[0]
    return Section(
        "errors",
        f"Where the errors are, {period}",
        "The bar is the share of all decisions that went wrong this way: what accuracy loses "
        "there. The thin line is the interval; where lines overlap, the order may be chance.",
        figures,
    )


def policies(rows: pd.DataFrame) -> Section:
    """How well policies are told from each other."""
    period = rows["period_label"].iloc[0]
    figures = []
    for metric, part in rows.groupby("metric_name", sort=False):
        said = [
            f"{row.label}: {sentences.value(row) if row.is_reportable else 'not shown'}"
            for row in part.itertuples()
        ]
        columns = [
            tables.text("Policy area", "label"),
            tables.rate(str(metric)),
            tables.interval("Interval"),
            *tables.changed(),
            tables.counted("Audits", "n_audits"),
            tables.share("Covered", "coverage_rate"),
            tables.rests_on(),
            tables.text("Why not shown", "reason"),
        ]
        figures.append(
            figure(
                str(metric),
                f"{metric} of each policy area with its interval. {'; '.join(said)}.",
                lambda canvas, part=part: charts.against_target(part, canvas),
                tables.table(f"{metric} by policy area, {period}", columns, part),
            )
        )
    return Section(
        "policies",
        f"Do we see which policy it is? {period}",
        "Precision: when we say that it is this policy, are we right? Recall: of the violations of "
        "this policy that we review, how many do we decide under it?",
        figures,
    )


def named(dimension: str, value: str) -> str:
    """A value with its dimension, unless it says so itself: Site: Dublin, but Vendor a."""
    return value if value.lower().startswith(dimension.lower()) else f"{dimension}: {value}"


def compared(rows: pd.DataFrame) -> Section:
    """Who differs from the others at the same work."""
    apart = rows["is_apart_from_others"].fillna(False).astype(bool)
    better = rows["difference_from_others"] > 0
    rows = rows.assign(
        label=[named(row.dimension_label, row.value_label) for row in rows.itertuples()],
        mark=[
            ("above" if up else "below") if is_apart else "undecided"
            for is_apart, up in zip(apart, better, strict=True)
        ],
        is_shown=rows["is_reportable"] & rows["difference_from_others"].notna(),
        verdict=[
            ("Better" if up else "Worse") if is_apart else "Could be chance"
            for is_apart, up in zip(apart, better, strict=True)
        ],
    )
    rows.loc[~rows["is_shown"], "verdict"] = words.NOT_SHOWN
    differing = [
        f"{row.label}: {words.points(row.difference_from_others)} "
        f"({words.points_interval(row.difference_ci_low, row.difference_ci_high)})"
        for row in rows[apart & rows["is_shown"]].itertuples()
    ]
    columns = [
        tables.text("Group", "label"),
        tables.difference("Points from the others", "difference_from_others"),
        tables.difference_interval("Interval", "difference_ci_low", "difference_ci_high"),
        tables.text("Is it real?", "verdict"),
        tables.rate("Accuracy at the same work"),
        tables.share("Accuracy at its own work", "raw_estimate"),
        tables.counted("Audits", "n"),
        tables.rests_on(),
        tables.text("Why not shown", "why"),
    ]
    said = "; ".join(differing) or "no group differs from the others by more than chance"
    period = rows["period_label"].iloc[0]
    return Section(
        "compared",
        f"Who differs at the same work, {period}",
        "Each vendor, site and team is put to the same mix of queues, so that harder work is no "
        "fault. The dashed line is no difference; what does not cross it is apart from the others.",
        [
            figure(
                "Difference from the others",
                f"Difference in accuracy from all others in the same mix of queues: {said}.",
                lambda canvas: charts.compared(rows, canvas),
                tables.table(f"Accuracy at the same work, {period}", columns, rows),
            )
        ],
    )


def audits_due(rows: pd.DataFrame) -> Section:
    """Which audits are missing, and since when."""
    columns = [
        tables.text("Queue", "label"),
        tables.text("Plan", "plan_id"),
        tables.day("Decisions from", "period_starts_on"),
        tables.day("to", "period_ends_on"),
        tables.counted("Planned", "n_planned"),
        tables.marked(tables.counted("Final", "n_final")),
        tables.marked(tables.counted("Begun", "n_begun")),
        tables.counted("Missing", "n_missing"),
        tables.counted("Overdue", "n_overdue"),
        tables.day("Due on", "due_on"),
        tables.counted("Days overdue", "days_overdue"),
        tables.rests_on(),
    ]
    table = tables.table("Audits that are missing", columns, rows, "label")
    overdue = rows[rows["due_status"] == "overdue"]
    if overdue.empty:
        return Section("due", "Audits due", "Nothing is overdue; these are open.", tables=[table])
    first = next(overdue.sort_values("days_overdue", ascending=False).itertuples())
    return Section(
        "due",
        "Audits due",
        "Planned audits that were not done in time. Each piece of a bar is one plan period of "
        "the queue.",
        [
            figure(
                "Overdue audits",
                "Audits that are overdue, by queue. The oldest are of "
                f"{first.label}, {words.count(first.days_overdue)} days overdue.",
                lambda canvas: charts.stacked(overdue, "n_overdue", canvas),
                table,
            )
        ],
    )


def waits(rows: pd.DataFrame, backlog: pd.DataFrame) -> Section:
    """How long jobs wait, with those still open, and how many wait."""
    overall = next(rows.itertuples(index=False))
    columns = [
        tables.text("Queue", "label"),
        tables.time("Median wait", "estimate"),
        Column(
            "Interval",
            lambda row: Cell(words.hours_interval(row.ci_low, row.ci_high), row.ci_low),
        ),
        tables.time("Nine in ten within", "p90"),
        tables.time("Of closed jobs alone", "closed_only_estimate"),
        tables.time("Difference", "closed_only_difference", words.hours_difference),
        tables.share("Within target", "within_target"),
        tables.counted_of("Still open", "n_open", "n"),
        tables.marked(
            Column(
                "Accuracy of this work",
                lambda row: tables.bracketed(
                    tables.number(row.accuracy_estimate, sentences.accuracy_beside(row)),
                    row.accuracy_is_reportable,
                ),
            )
        ),
        tables.text("Why not shown", "why"),
    ]
    period = rows["period_label"].iloc[0]
    last = next(backlog.iloc[-1:].itertuples(index=False))
    days = [
        tables.day("Day", "calendar_date"),
        tables.counted("Open at its end", "backlog_restated"),
        tables.counted("As known then", "backlog_as_known"),
        tables.counted("In", "n_in"),
        tables.counted("Out", "n_out"),
    ]
    return Section(
        "waits",
        f"How long does it take? {period}",
        sentences.waits(overall),
        [
            figure(
                "Open jobs, day by day",
                f"Open jobs at the end of each day. On {last.calendar_date:%-d %B %Y}: "
                f"{words.count(last.backlog_restated)}.",
                lambda canvas: charts.backlog(backlog, canvas),
                tables.table("Open jobs by day", days, backlog),
            )
        ],
        tables=[tables.table(f"Turnaround by queue, {period}", columns, rows, "label")],
    )


def appeals(rows: pd.DataFrame) -> Section:
    """How often appeals overturn, and what else there is to say of them."""
    period = rows["period_label"].iloc[0]

    def columns(first: Column) -> list[Column]:
        return [
            first,
            tables.rate("Share"),
            tables.interval("Interval"),
            tables.counted("Of", "n"),
            tables.counted("Pending", "n_pending"),
            tables.text("Status", "maturity_status"),
            tables.text("Why not shown", "why"),
        ]

    overall = rows[rows["dimension_name"] == "overall"]
    by_policy = rows[rows["dimension_name"] != "overall"]
    shown = [
        tables.table(f"Appeals, {period}", columns(tables.text("Number", "metric_name")), overall)
    ]
    if len(by_policy):
        caption = f"Decided appeals that overturn, by policy area, {period}"
        shown.append(tables.table(caption, columns(tables.text("Policy area", "label")), by_policy))
    return Section(
        "appeals",
        f"How often do appeals overturn? {period}",
        "Those who appeal choose themselves, so these are no measure of accuracy. Rates of actions "
        "go by the date of the action and change for as long as it can be appealed; rates of "
        "decided appeals go by the date of the answer.",
        tables=shown,
    )


def exposure(rows: pd.DataFrame) -> Section:
    """How much harmful content teams look at."""
    period = rows["period_label"].iloc[0]
    columns = [
        tables.text("Team", "label"),
        tables.counted("People", "n_people"),
        tables.counted("Items", "n_items"),
        tables.counted("High", "n_high"),
        tables.counted("Severe", "n_severe"),
        tables.counted("Severity unknown", "n_unknown"),
        tables.time("Hours at high and severe", "exposure_hours", words.whole_hours),
        tables.share("Of productive time", "exposure_share"),
        tables.text("Why not shown", "why"),
    ]
    return Section(
        "exposure",
        f"What do people have to look at? {period}",
        "Time with content of high or severe harm. It is for looking after people: to plan breaks "
        "and turns, never to rank a team, and never beside a target of speed.",
        tables=[tables.table(f"Exposure by team, {period}", columns, rows)],
    )


def left_out(rows: pd.DataFrame) -> Section:
    """What is not in the numbers, and why."""
    rows = rows.assign(label=rows["reason_label"])
    columns = [
        tables.text("Why", "label"),
        tables.marked(tables.counted("How many", "n_excluded")),
        tables.rests_on(),
        tables.text("What it means", "meaning"),
    ]
    figures = []
    for applies_to, title in (("decision", "Decisions left out"), ("audit", "Audits left out")):
        part = rows[rows["applies_to"] == applies_to]
        if part["n_excluded"].isna().all():
            continue
        said = "; ".join(f"{r.label}: {words.count(r.n_excluded)}" for r in part.itertuples())
        figures.append(
            figure(
                title,
                f"{title}, by reason: {said}.",
                lambda canvas, part=part: charts.bars(part, "n_excluded", canvas),
                tables.table(title, columns, part),
            )
        )
    period = rows["period_label"].iloc[0]
    return Section(
        "left-out",
        f"What is left out, and why, {period}",
        "These are in none of the numbers above.",
        figures,
    )


def other_metrics(rows: pd.DataFrame) -> Section:
    """Other numbers of the month."""
    period = rows["period_label"].iloc[0]
    columns = [
        tables.text("Number", "metric_name"),
        tables.rate("All decisions"),
        tables.interval("Interval"),
        *tables.changed(),
        tables.rests_on(),
        tables.text("Why not shown", "reason"),
    ]
    return Section(
        "other",
        f"Other numbers, {period}",
        "What kinds of error there are, and whether the audits themselves can be trusted.",
        tables=[tables.table(f"All decisions, {period}", columns, rows)],
    )


LOOK_FIRST = 5


def look_first(alerts: pd.DataFrame, slices: pd.DataFrame) -> Section:
    """Where more is wrong than was to be expected, since when, and what could not be seen."""
    worse = alerts[alerts["direction"] == "worse"]
    going_on = worse[worse["alert_status"].isin(sentences.GOING_ON)].head(LOOK_FIRST)
    rows = alerts.assign(
        status=[sentences.alert_status(row) for row in alerts.itertuples(index=False)],
        days=[sentences.alert_days(row) for row in alerts.itertuples(index=False)],
        ratio_text=[
            f"{row.ratio:.1f} ({row.ratio_ci_low:.1f} to {row.ratio_ci_high:.1f})"
            if row.ratio > 0
            else "0"
            for row in alerts.itertuples(index=False)
        ],
    )
    columns = [
        tables.text("Where", "slice_label"),
        tables.day("Since, most likely", "since"),
        tables.text("Days counted", "days"),
        tables.text("Times the errors expected", "ratio_text"),
        tables.share("Accuracy now", "accuracy_now"),
        tables.share("Before", "accuracy_before"),
        tables.counted("Wrong decisions more", "excess_wrong_decisions"),
        tables.text("Looks like", "kind_label"),
        tables.counted("Alarms it explains", "n_explained"),
        tables.text("Status", "status"),
    ]
    said = [sentences.alert(row) for row in going_on.itertuples(index=False)]
    if not said:
        said = ["Nothing alarms now."]
        if len(worse):
            last = worse.sort_values("last_alarm_on", ascending=False).iloc[:1]
            row = next(last.itertuples(index=False))
            said.append(f"Last, until {row.last_alarm_on:%-d %B %Y}. {sentences.alert(row)}")
    shown = tables.table("Alarms, those that go on first", columns, rows)
    return Section(
        "first",
        "Look here first",
        "Audits that found more errors than the same kind of work had in the three months before, "
        "by queue, policy, vendor, language and pairs of them.",
        said=[*said, sentences.silence(slices)],
        tables=[shown] if len(rows) else [],
    )


def control_charts(rows: pd.DataFrame) -> Section:
    """Weekly accuracy on the chart that quality engineers expect; it alarms nobody."""
    domain = charts.share_domain(rows, ["estimate", "p_prime_low"])
    columns = [
        tables.day("Week of", "period_starts_on"),
        tables.share("Accuracy", "estimate"),
        tables.share("Centre", "centre"),
        tables.share("Lower limit (p′)", "p_prime_low"),
        tables.share("Upper limit (p′)", "p_prime_high"),
        tables.share("Moving average", "ewma"),
        tables.counted("Effective audits", "effective_n"),
    ]
    figures = []
    for label, group in rows.groupby("label", sort=False):
        beyond = group[
            (group["estimate"] < group["p_prime_low"]) | (group["estimate"] > group["p_prime_high"])
        ]
        drawn = charts.svg(charts.control(group, domain, Canvas(NARROW)), Canvas(NARROW))
        figures.append(
            Figure(
                str(label),
                f"Accuracy of {label} by week, with centre and limits: {len(beyond)} of "
                f"{len(group)} weeks are beyond them.",
                drawn,
                drawn,
                tables.table(f"Control chart of {label}", columns, group),
                "" if group["dimension_name"].iloc[0] == "overall" else str(label),
            )
        )
    return Section(
        "control",
        "Week by week, on a control chart",
        "Each point is a reportable week; a queue with fewer than five has no chart. The line is "
        "the mean of all weeks, the dashed lines are "
        "three standard deviations from it, widened by how much weeks vary (Laney's p′), and the "
        "thick line is the moving average (EWMA). With many charts some point is beyond the limits "
        "in most weeks in which nothing happened, so they raise no alarm.",
        figures,
        is_grid=True,
    )


def agreement(rows: pd.DataFrame, breaks: pd.DataFrame) -> Section:
    """Whether the sources agree, and what does not, since when."""
    events = sorted(runs(breaks), key=lambda event: (event.first_day or date.min, event.nth))
    found = pd.DataFrame(
        [
            {
                "sources": f"{event.left_source} and {event.right_source}",
                "check": event.check_name.replace("_", " "),
                "part": event.part,
                "sentence": event.sentence,
                "first_day": event.first_day or ALL_DAYS,
                "last_day": event.last_day or ALL_DAYS,
                "what_to_do": event.what_to_do,
            }
            for event in events
        ]
    )
    columns = [
        tables.text("Check", "check"),
        tables.text("Between", "sources"),
        tables.text("Of", "part"),
        tables.text("What it is", "sentence"),
        tables.text("First day", "first_day"),
        tables.text("Last day", "last_day"),
        tables.text("What to do", "what_to_do"),
    ]
    return Section(
        "agreement",
        "Do the sources agree?",
        sentences.agreement(next(rows.itertuples(index=False))),
        tables=[tables.table("What does not agree", columns, found)] if events else [],
    )


def restated(rows: pd.DataFrame) -> Section:
    """Which published numbers are others now, by how much, and why."""
    first = next(rows.itertuples(index=False))
    shown = rows[rows["metric_id"].notna()] if "metric_id" in rows else rows[:0]
    columns = [
        tables.text("Of", "label"),
        tables.text("Period", "period_label"),
        tables.rate("Published", "published"),
        tables.rate("Now", "current", "is_reportable_now"),
        tables.difference("Difference, points", "difference"),
        Column("Because of, points", lambda row: Cell(sentences.causes(row)), is_number=False),
        tables.text("Published as", "period_status"),
        tables.text("Why not shown", "reason"),
    ]
    caption = "Accuracy by month that was published as another number"
    return Section(
        "restated",
        "What changed since it was published?",
        sentences.restated(first),
        tables=[tables.table(caption, columns, shown)] if len(shown) else [],
    )


def sections(frames: Frames) -> list[Section]:
    """All sections that have rows, top to bottom."""
    builders: list[tuple[Callable[..., Section], list[str]]] = [
        (look_first, ["alerts", "slices"]),
        (against_target, ["month"]),
        (trends, ["four_weeks"]),
        (heat_map, ["weeks", "four_weeks"]),
        (control_charts, ["control"]),
        (errors, ["pareto"]),
        (policies, ["policies"]),
        (compared, ["compared"]),
        (waits, ["waits", "backlog"]),
        (appeals, ["appeals"]),
        (audits_due, ["audits_due"]),
        (left_out, ["exclusions"]),
        (agreement, ["agreement", "breaks"]),
        (restated, ["restated"]),
        (exposure, ["exposure"]),
        (other_metrics, ["metrics"]),
    ]
    return [
        replace(
            build(*(frames[name] for name in names)),
            is_derived=any(sentences.is_derived(frames[name]) for name in names),
        )
        for build, names in builders
        # That nothing breaks or alarms is said too.
        if not any(frames[name].empty for name in names if name not in ("breaks", "alerts"))
    ]
