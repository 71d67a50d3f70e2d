"""The tables of the page: what each chart shows, in numbers that sort and filter."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from reporting import words

Row = Any  # a row of DataFrame.itertuples()


@dataclass(frozen=True)
class Cell:
    """What a cell shows, what it is sorted by where that is not its text, and its class.

    A number that rests on a break has the name of its check as `rests_on`.
    """

    text: str
    value: float | str | None = None
    css: str = ""
    rests_on: str = ""


@dataclass(frozen=True)
class Column:
    """A heading, whether it holds numbers, and how a row becomes its cell."""

    heading: str
    cell: Callable[[Row], Cell]
    is_number: bool = True


@dataclass(frozen=True)
class Line:
    """A row of a table, and what it is filtered by."""

    cells: list[Cell]
    value: str = ""


@dataclass(frozen=True)
class Table:
    """A table for the page."""

    caption: str
    columns: list[Column]
    lines: list[Line] = field(default_factory=list)

    @property
    def n_on_breaks(self) -> int:
        """How many of its rows have a number that rests on a break."""
        return sum(any(cell.rests_on for cell in line.cells) for line in self.lines)


def table(caption: str, columns: list[Column], rows: pd.DataFrame, value: str = "") -> Table:
    """Rows of a mart as a table.

    Args:
        caption: what it shows.
        columns: its columns, in order.
        rows: of a mart.
        value: the column by which the page filters it. None where it is empty.

    Returns:
        The table, without the columns that are empty in every row.
    """
    headings = [column.heading for column in columns]
    if len(set(headings)) < len(headings):
        raise ValueError(f"{caption}: two columns have one heading, {headings}.")
    rows_ = list(rows.itertuples(index=False))
    cells = {column.heading: [column.cell(row) for row in rows_] for column in columns}
    shown = [column for column in columns if any(cell.text for cell in cells[column.heading])]
    lines = [
        Line([cells[column.heading][i] for column in shown], getattr(row, value) if value else "")
        for i, row in enumerate(rows_)
    ]
    return Table(caption, shown, lines)


def number(value: float, text: str, css: str = "") -> Cell:
    """A number; a null one sorts last and shows its dash."""
    return Cell(text, None if words.is_missing(value) else float(value), css)


def text(heading: str, name: str) -> Column:
    """A column of text. Null is empty."""
    return Column(
        heading,
        lambda row: Cell("" if words.is_missing(getattr(row, name)) else str(getattr(row, name))),
        is_number=False,
    )


def counted(heading: str, name: str) -> Column:
    """A column of counts."""
    return Column(heading, lambda row: number(getattr(row, name), words.count(getattr(row, name))))


def share(heading: str, name: str) -> Column:
    """A column of shares."""
    return Column(
        heading, lambda row: number(getattr(row, name), words.percent(getattr(row, name)))
    )


def difference(heading: str, name: str) -> Column:
    """A column of differences of shares."""
    return Column(heading, lambda row: number(getattr(row, name), words.signed(getattr(row, name))))


def time(heading: str, name: str, say: Callable[[float], str] = words.hours) -> Column:
    """A column of times, in hours."""
    return Column(heading, lambda row: number(getattr(row, name), say(getattr(row, name))))


def counted_of(heading: str, part: str, whole: str) -> Column:
    """A column of counts of others: 3 of 14."""

    def cell(row: Row) -> Cell:
        shown = words.so_many_of(getattr(row, part), getattr(row, whole))
        return number(None if shown == "–" else getattr(row, part), shown)

    return Column(heading, cell)


def bracketed(cell: Cell, is_reportable: bool) -> Cell:
    """A number that cannot stand alone, in brackets."""
    if is_reportable or cell.value is None:
        return cell
    return Cell(f"({cell.text})", cell.value, "thin")


def marked(column: Column) -> Column:
    """The same column, with a mark where a row's number rests on a break."""

    def cell(row: Row) -> Cell:
        found, check = column.cell(row), words.rests_on(row)
        return replace(found, rests_on=check) if found.value is not None else found

    return Column(column.heading, cell, column.is_number)


def rests_on() -> Column:
    """Which check that is."""
    return Column("Rests on a break", lambda row: Cell(words.rests_on(row)), is_number=False)


def rate(heading: str, name: str = "estimate", reportable: str = "is_reportable") -> Column:
    """A rate; in brackets where it is not reportable, and no number where it is withheld."""
    return marked(
        Column(
            heading,
            lambda row: bracketed(
                number(getattr(row, name), words.percent(getattr(row, name))),
                getattr(row, reportable),
            ),
        )
    )


def interval(heading: str, low: str = "ci_low", high: str = "ci_high") -> Column:
    """The interval of a rate, sorted by its lower end."""

    def cell(row: Row) -> Cell:
        ends = getattr(row, low), getattr(row, high)
        return bracketed(number(ends[0], words.percent_interval(*ends)), row.is_reportable)

    return Column(heading, cell)


def difference_interval(heading: str, low: str, high: str) -> Column:
    """The interval of a difference, in points, sorted by its lower end."""

    def cell(row: Row) -> Cell:
        ends = getattr(row, low), getattr(row, high)
        shown = "–" if words.is_missing(ends[0]) else " to ".join(map(words.signed, ends))
        return number(ends[0], shown)

    return Column(heading, cell)


def coded(heading: str, name: str, say: Callable[[object], str]) -> Column:
    """A code in words, with a class of the code."""
    return Column(
        heading,
        lambda row: Cell(
            say(getattr(row, name)),
            css="" if words.is_missing(getattr(row, name)) else f"is-{getattr(row, name)}",
        ),
        is_number=False,
    )


def day(heading: str, name: str) -> Column:
    """A date."""
    return Column(
        heading,
        lambda row: Cell(f"{getattr(row, name):%Y-%m-%d}"),
        is_number=False,
    )


def changed() -> list[Column]:
    """The columns of the change from the period before."""
    return [
        difference("Change, points", "change"),
        difference_interval("Interval of change", "change_ci_low", "change_ci_high"),
        coded("Is the change real?", "change_status", words.change),
    ]


def headline(first: Iterable[Column], after_target: Iterable[Column] = ()) -> list[Column]:
    """The columns of rows of headline, after those that tell them apart.

    Args:
        first: the columns that tell rows apart.
        after_target: more of how they stand against their target.
    """
    return [
        *first,
        rate("Accuracy"),
        interval("Interval"),
        share("Target", "target"),
        difference("Gap, points", "target_gap"),
        coded("Against target", "target_status", words.status),
        *after_target,
        *changed(),
        counted("Decisions", "n_decisions"),
        counted("Audits", "n_audits"),
        share("Covered", "coverage_rate"),
        text("Status", "status"),
        rests_on(),
        text("Why not shown", "reason"),
    ]
