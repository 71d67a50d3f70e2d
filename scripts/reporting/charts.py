"""The charts: rows of marts as SVG that needs no script, or as PNG for mail."""

import json
import textwrap
from dataclasses import dataclass, field

import altair as alt
import pandas as pd
import vl_convert

from reporting import words
from reporting.palette import LIGHT, PAGE

# Pixels: a desk, a phone, a letter.
WIDE, NARROW, LETTER = 930, 330, 648
PERCENT = "format(100 * datum.value, '.0f') + ' %'"
POINTS = "datum.value == 0 ? '0' : replace(format(100 * datum.value, '+.0f'), '-', '−')"
FINE_POINTS = POINTS.replace("+.0f", "+.1f")
STATUSES = ["below", "undecided", "above", "none"]
SHAPES = ["triangle-down", "diamond", "triangle-up", "circle"]


@dataclass(frozen=True)
class Canvas:
    """What a chart is drawn on: its width in pixels, and its colours by name."""

    width: int = WIDE
    colors: dict[str, str] = field(default_factory=lambda: PAGE)

    @property
    def is_narrow(self) -> bool:
        """Whether it is as wide as a phone."""
        return self.width <= NARROW

    def __getitem__(self, name: str) -> str:
        """The colour of a name."""
        return self.colors[name]

    def rows(self, height: int) -> alt.Step:
        """The height of rows: enough for two lines where labels are narrow."""
        return alt.Step(max(height, 30) if self.is_narrow else height)

    @property
    def labels(self) -> int:
        """Pixels for the labels of rows."""
        return 116 if self.is_narrow else 210


def svg(chart: alt.TopLevelMixin, canvas: Canvas) -> str:
    """A chart as an SVG element that takes its colours and font from the page."""
    return vl_convert.vegalite_to_svg(styled(chart, canvas).to_dict())


def png(chart: alt.TopLevelMixin, canvas: Canvas) -> bytes:
    """A chart as a PNG at twice the size, by day."""
    return vl_convert.vegalite_to_png(styled(chart, canvas).to_dict(), scale=2)


def paper(width: int = WIDE) -> Canvas:
    """A canvas that knows no style sheet."""
    return Canvas(width, LIGHT)


def styled(chart: alt.TopLevelMixin, canvas: Canvas) -> alt.TopLevelMixin:
    """The same look for all: thin lines, no frame, and no text for screen readers, who get ours."""
    text = {"labelColor": canvas["muted"], "titleColor": canvas["muted"], "labelFontSize": 12}
    return chart.configure(
        background="transparent" if canvas.colors is PAGE else canvas["paper"],
        aria=False,
        font="Arial, Liberation Sans, Helvetica, sans-serif",
        padding=2,
    ).configure_axis(
        **text, labelPadding=4, grid=False, gridColor=canvas["grid"], domain=False, ticks=False,
        titleFontSize=12, titleFontWeight="normal",
    ).configure_view(stroke=None)  # fmt: skip


def status_color(canvas: Canvas, field: str = "mark") -> alt.Color:
    """Colour by how a number stands, without a legend: the shape says it too."""
    colors = [canvas["below"], canvas["undecided"], canvas["above"], canvas["undecided"]]
    return alt.Color(f"{field}:N").scale(domain=STATUSES, range=colors).legend(None)


def status_shape(field: str = "mark") -> alt.Shape:
    """Shape by how a number stands."""
    return alt.Shape(f"{field}:N").scale(domain=STATUSES, range=SHAPES).legend(None)


def row_axis(canvas: Canvas, labels: pd.Series) -> alt.Y:
    """One row a label, in the order given; a long label takes two lines."""
    order = list(dict.fromkeys(labels))
    room = 17 if canvas.is_narrow else 34
    lines = {label: textwrap.wrap(label, room, max_lines=2, placeholder=" …") for label in order}
    axis = alt.Axis(
        title=None, labelLimit=canvas.labels - 4, labelColor=canvas["ink"], labelAlign="left",
        labelPadding=canvas.labels, minExtent=canvas.labels, maxExtent=canvas.labels,
        labelExpr=f"{json.dumps(lines)}[datum.value]", labelLineHeight=12,
    )  # fmt: skip
    return alt.Y("label:N", sort=order, axis=axis)


def share_domain(rows: pd.DataFrame, columns: list[str]) -> list[float]:
    """The shares from a round five per cent below the lowest to 100 %."""
    lowest = rows[columns].min().min()
    return [0.0 if pd.isna(lowest) else max(0.0, (lowest * 100 // 5) * 5 / 100), 1.0]


def not_shown(rows: pd.DataFrame, reason: str, y: alt.Y, canvas: Canvas) -> alt.Chart:
    """Why there is no number, in its place; on a phone only that there is none."""
    said = "Not shown" if canvas.is_narrow else "Not shown. " + rows[reason].fillna("")
    return (
        alt.Chart(rows[["label"]].assign(said=said))
        .mark_text(align="left", color=canvas["muted"], dx=4)
        .encode(x=alt.value(0), y=y, text="said:N")
    )


def against_target(rows: pd.DataFrame, canvas: Canvas) -> alt.TopLevelMixin:
    """Rows of headline: estimate and interval beside a tick at the target."""
    shown = ["ci_low", "ci_high", "target"]
    data = rows.assign(mark=rows["target_status"].fillna("none").astype(str))[
        ["label", "mark", "estimate", "is_reportable", "reason", *shown]
    ]
    domain = share_domain(data[data["is_reportable"]], shown)
    good = alt.Chart(data[data["is_reportable"]])
    x = (
        alt.X("estimate:Q")
        .scale(domain=domain, nice=False)
        .axis(title=None, labelExpr=PERCENT, grid=True, tickCount=6)
    )
    y = row_axis(canvas, data["label"])
    low = alt.X("ci_low:Q").scale(domain=domain)
    interval = good.mark_rule(strokeWidth=5, opacity=0.45, strokeCap="round").encode(
        x=low, x2="ci_high:Q", y=y, color=status_color(canvas)
    )
    target = good.mark_tick(thickness=3, size=20, color=canvas["ink"]).encode(x="target:Q", y=y)
    dots = good.mark_point(filled=True, size=110, opacity=1).encode(
        x=x, y=y, color=status_color(canvas), shape=status_shape()
    )
    hidden = not_shown(data[~data["is_reportable"]], "reason", y, canvas)
    return (interval + target + dots + hidden).properties(
        width=canvas.width - canvas.labels - 30, height=canvas.rows(30)
    )


def trend(rows: pd.DataFrame, domain: list[float], canvas: Canvas) -> alt.TopLevelMixin:
    """Rows of headline of one dimension value: a line in its band, and the target, over time."""
    data = rows.assign(mark=rows["target_status"].fillna("none").astype(str))[
        ["period_ends_on", "mark", "estimate", "ci_low", "ci_high", "target", "is_reportable"]
    ]
    solid = data.copy()
    solid.loc[~data["is_reportable"], ["estimate", "ci_low", "ci_high"]] = None
    thin = data[~data["is_reportable"] & data["estimate"].notna()]
    x = alt.X("period_ends_on:T").axis(
        title=None, format="%b", tickCount={"interval": "month", "step": 1}
    )
    y = (
        alt.Y("estimate:Q")
        .scale(domain=domain, nice=False, clamp=True)
        .axis(title=None, labelExpr=PERCENT, grid=True, tickCount=5)
    )
    low = alt.Y("ci_low:Q").scale(domain=domain, clamp=True)
    base = alt.Chart(solid)
    band = base.mark_area(opacity=0.22, color=canvas["above"]).encode(x=x, y=low, y2="ci_high:Q")
    line = base.mark_line(strokeWidth=1.5, color=canvas["undecided"]).encode(x=x, y=y)
    goal = alt.Chart(data).mark_line(
        interpolate="step", strokeDash=[5, 3], strokeWidth=1.5, color=canvas["ink"]
    ).encode(x=x, y=alt.Y("target:Q").scale(domain=domain))  # fmt: skip
    dots = base.mark_point(filled=True, size=45, opacity=1).encode(
        x=x, y=y, color=status_color(canvas), shape=status_shape()
    )
    hollow = alt.Chart(thin).mark_point(
        filled=False, size=30, opacity=0.6, color=canvas["undecided"], strokeWidth=1
    ).encode(x=x, y=y)  # fmt: skip
    return (band + goal + line + hollow + dots).properties(width=canvas.width - 50, height=130)


def control(rows: pd.DataFrame, domain: list[float], canvas: Canvas) -> alt.TopLevelMixin:
    """Rows of control_charts of one dimension value: weeks, centre, limits, moving average."""
    data = rows[["period_starts_on", "estimate", "centre", "p_prime_low", "p_prime_high", "ewma"]]
    x = alt.X("period_starts_on:T").axis(
        title=None, format="%b", tickCount={"interval": "month", "step": 1}
    )

    def y(name: str) -> alt.Y:
        return (
            alt.Y(f"{name}:Q")
            .scale(domain=domain, nice=False, clamp=True)
            .axis(title=None, labelExpr=PERCENT, grid=True, tickCount=5)
        )

    base = alt.Chart(data)
    limits = [
        base.mark_line(strokeDash=[5, 3], strokeWidth=1.2, color=canvas["muted"]).encode(
            x=x, y=y(name)
        )
        for name in ("p_prime_low", "p_prime_high")
    ]
    centre = base.mark_line(strokeWidth=1.2, color=canvas["muted"]).encode(x=x, y=y("centre"))
    average = base.mark_line(strokeWidth=2, color=canvas["above"]).encode(x=x, y=y("ewma"))
    points = base.mark_point(filled=True, size=30, opacity=1, color=canvas["undecided"]).encode(
        x=x, y=y("estimate")
    )
    return alt.layer(*limits, centre, average, points).properties(
        width=canvas.width - 50, height=130
    )


def heat_map(rows: pd.DataFrame, canvas: Canvas) -> alt.TopLevelMixin:
    """Rows of headline: value by period, by the gap to target; what is thin is faint.

    A cell is dark only where the whole interval is on that side of the target.
    """
    thin = ~rows["is_reportable"] & rows["estimate"].notna()
    side = (rows["target_gap"] < 0).map({True: "below", False: "above"})
    certain = rows["target_status"].isin(["below", "above"])
    data = pd.DataFrame(
        {
            "label": rows["label"],
            "until": rows["period_ends_on"],
            "shade": (certain.map({True: "far-", False: "near-"}) + side).where(
                rows["target_gap"].notna(), "panel"
            ),
            "sign": rows["target_status"].map(words.STATUS_MARK).fillna("×").mask(thin, "·"),
            "gap": rows["target_gap"].map(words.signed),
            "is_thin": thin,
            "is_certain": certain,
            "is_reportable": rows["is_reportable"],
        }
    )
    step = (canvas.width - canvas.labels - 12) / max(1, data["until"].nunique())
    ticks = alt.Axis(
        title=None, format="%-d %b", formatType="time", labelAngle=-90 if canvas.is_narrow else -45,
        labelOverlap=True,
    )  # fmt: skip
    shades = ["far-below", "near-below", "near-above", "far-above", "panel"]
    color = (
        alt.Color("shade:N").scale(domain=shades, range=[canvas[s] for s in shades]).legend(None)
    )
    x, y = alt.X("until:O", axis=ticks), row_axis(canvas, data["label"])
    ink = alt.condition(
        "datum.is_certain", alt.value(canvas["on-strong"]), alt.value(canvas["on-weak"])
    )
    cells = alt.Chart(data).mark_rect(stroke=canvas["paper"], strokeWidth=1.5).encode(
        x=x, y=y, color=color, opacity=alt.condition("datum.is_thin", alt.value(0.3), alt.value(1))
    )  # fmt: skip
    signs = alt.Chart(data).mark_text(
        fontSize=10 if canvas.is_narrow else 11, dy=0 if canvas.is_narrow else -6
    ).encode(x=x, y=y, text="sign:N", color=ink)  # fmt: skip
    gaps = alt.Chart(data[data["is_reportable"]]).mark_text(fontSize=11, dy=7).encode(
        x=x, y=y, text="gap:N", color=ink
    )  # fmt: skip
    layers = [cells, signs] if canvas.is_narrow else [cells, signs, gaps]
    return alt.layer(*layers).properties(width=alt.Step(step), height=canvas.rows(34))


def pareto(rows: pd.DataFrame, canvas: Canvas) -> alt.TopLevelMixin:
    """Rows of error_pareto with a label: bars of the share of decisions, with whiskers."""
    data = rows[["label", "estimate", "ci_low", "ci_high", "is_reportable", "why"]]
    x = alt.X("estimate:Q").axis(
        title=None, labelExpr="format(100 * datum.value, '.1f') + ' %'", grid=True, tickCount=4
    )
    y = row_axis(canvas, data["label"])
    base = alt.Chart(data[data["is_reportable"]])
    bars = base.mark_bar(color=canvas["near-below"], height=16).encode(x=x, y=y)
    whiskers = base.mark_rule(strokeWidth=1.5, color=canvas["ink"]).encode(
        x="ci_low:Q", x2="ci_high:Q", y=y
    )
    hidden = not_shown(data[~data["is_reportable"]], "why", y, canvas)
    return (bars + whiskers + hidden).properties(
        width=canvas.width - canvas.labels - 30, height=canvas.rows(24)
    )


def compared(rows: pd.DataFrame, canvas: Canvas) -> alt.TopLevelMixin:
    """Rows of accuracy_compared with a label and a mark: the difference from the others."""
    columns = ["difference_from_others", "difference_ci_low", "difference_ci_high"]
    data = rows[["label", "mark", "is_shown", "why", *columns]]
    good = alt.Chart(data[data["is_shown"]])
    x = alt.X("difference_from_others:Q").axis(
        title="points from the others, at the same work", labelExpr=POINTS, grid=True, tickCount=6
    )
    y = row_axis(canvas, data["label"])
    interval = good.mark_rule(strokeWidth=5, opacity=0.45, strokeCap="round").encode(
        x="difference_ci_low:Q", x2="difference_ci_high:Q", y=y, color=status_color(canvas)
    )
    zero = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(
        color=canvas["ink"], strokeDash=[5, 3]
    ).encode(x=alt.X("zero:Q"))  # fmt: skip
    dots = good.mark_point(filled=True, size=90, opacity=1).encode(
        x=x, y=y, color=status_color(canvas), shape=status_shape()
    )
    hidden = not_shown(data[~data["is_shown"]], "why", y, canvas)
    return (zero + interval + dots + hidden).properties(
        width=canvas.width - canvas.labels - 30, height=canvas.rows(22)
    )


def contributions(rows: pd.DataFrame, canvas: Canvas) -> alt.TopLevelMixin:
    """Rows of accuracy_change with a label: what rate and mix add, each with its interval."""
    parts = {"rate": "rate", "mix": "mix of work"}
    data = pd.concat(
        [
            pd.DataFrame(
                {"label": rows["label"], "part": part}
                | {end: rows[f"{name}_contribution{end}"] for end in ("", "_ci_low", "_ci_high")}
            )
            for name, part in parts.items()
        ]
    ).rename(columns={"": "value"})
    x = alt.X("value:Q").axis(
        title="points of the change", labelExpr=FINE_POINTS, grid=True, tickCount=6
    )
    y = row_axis(canvas, data["label"])
    offset = alt.YOffset("part:N", sort=list(parts.values()))
    color = (
        alt.Color("part:N")
        .scale(domain=list(parts.values()), range=[canvas["near-above"], canvas["near-below"]])
        .legend(title=None, orient="top")
    )
    base = alt.Chart(data)
    bars = base.mark_bar().encode(x=x, y=y, yOffset=offset, color=color)
    whiskers = base.mark_rule(strokeWidth=1.5, color=canvas["ink"]).encode(
        x="_ci_low:Q", x2="_ci_high:Q", y=y, yOffset=offset
    )
    return (bars + whiskers).properties(
        width=canvas.width - canvas.labels - 30, height=canvas.rows(30)
    )


def stacked(rows: pd.DataFrame, column: str, canvas: Canvas) -> alt.TopLevelMixin:
    """Rows with a label, several to a label: one bar a label, of a piece for each row."""
    data = rows[["label", "due_on", column]]
    y = row_axis(canvas, data["label"].sort_values())
    x = alt.X(f"{column}:Q").axis(title=None, grid=True, tickCount=6, format="d")
    return (
        alt.Chart(data)
        .mark_bar(color=canvas["near-below"], stroke=canvas["paper"], height=16)
        .encode(x=x, y=y, order="due_on:T", detail="due_on:T")
        .properties(width=canvas.width - canvas.labels - 30, height=canvas.rows(24))
    )


def bars(rows: pd.DataFrame, column: str, canvas: Canvas) -> alt.TopLevelMixin:
    """Rows with a label: bars of a count, which stands at their end."""
    data = rows[["label", column]].assign(text=rows[column].map(words.count))
    y = row_axis(canvas, data["label"])
    x = alt.X(f"{column}:Q").axis(None)
    base = alt.Chart(data)
    drawn = base.mark_bar(color=canvas["near-above"], height=16).encode(x=x, y=y)
    text = base.mark_text(align="left", dx=4, color=canvas["ink"], fontSize=12).encode(
        x=x, y=y, text="text:N"
    )
    return (drawn + text).properties(
        width=canvas.width - canvas.labels - 60, height=canvas.rows(24)
    )


def backlog(rows: pd.DataFrame, canvas: Canvas) -> alt.TopLevelMixin:
    """Rows of backlog, a day each: how many jobs are open at its end."""
    data = rows[["calendar_date", "backlog_restated"]]
    x = alt.X("calendar_date:T").axis(
        title=None, format="%b", tickCount={"interval": "month", "step": 1}
    )
    y = alt.Y("backlog_restated:Q").axis(title=None, grid=True, tickCount=5, format=",d")
    base = alt.Chart(data)
    area = base.mark_area(opacity=0.22, color=canvas["near-above"]).encode(x=x, y=y)
    line = base.mark_line(strokeWidth=1.5, color=canvas["undecided"]).encode(x=x, y=y)
    return (area + line).properties(width=canvas.width - 50, height=150)
