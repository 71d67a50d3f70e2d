"""The nine sums that hold in whatever is exported: checked before anything is written."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from .template import LANGUAGES, RESTRICTIONS

OUTCOMES = ["n_upheld", "n_partially_reversed", "n_reversed", "n_omitted", "n_pending"]
KINDS = ["visibility", "service", "account", "monetary"]
BY_CATEGORY = (3, 4, 5, 6)


class Broken(NamedTuple):
    """A sum that does not hold.

    Attributes:
        number: which of the nine.
        sheet: the sheet, or sheets.
        row: its row, in words.
        says: what should be what.
        left: the number on the left.
        right: the number on the right.
    """

    number: int
    sheet: str
    row: str
    says: str
    left: float
    right: float

    def __str__(self) -> str:
        """The sum in a sentence."""
        return (
            f"Sum {self.number}, sheet {self.sheet}, {self.row}: {self.says} does not hold: "
            f"{_number(self.left)} and {_number(self.right)}."
        )


def broken(cells: pd.DataFrame) -> list[Broken]:
    """The sums that do not hold, in their order; blanks are in none.

    Args:
        cells: the rows of dsa_cells of one period.
    """
    known = cells.dropna(subset="cell_value")
    table = Table(known)
    checks = (_outcomes, _kinds, _categories, _restrictions, _automated, _own_initiative,
              _solely, _forms, _languages)  # fmt: skip
    return [found for check in checks for found in check(table)]


class Table:
    """The cells by their keys."""

    def __init__(self, cells: pd.DataFrame) -> None:
        """Take the cells that have a value."""
        self.cells = cells
        keys = ["sheet", "scope", "category", "keyword", "indicator"]
        self.values = cells.set_index(keys)["cell_value"].to_dict()

    def of(
        self, sheet: int, scope: str, indicator: str, category: str = "TOTAL", keyword: str = ""
    ) -> float | None:
        """A value; None where there is none."""
        return self.values.get((sheet, scope, category, keyword, indicator))

    def rows(self, sheet: int) -> list[tuple[str, str]]:
        """The categories and sub-categories that a sheet has."""
        of_sheet = self.cells[self.cells["sheet"] == sheet]
        return list(of_sheet[["category", "keyword"]].drop_duplicates().itertuples(index=False))


def _total(values: list[float | None]) -> float | None:
    """The sum of what is there; None where nothing is."""
    there = [value for value in values if value is not None]
    return sum(there) if there else None


def _differ(left: float | None, right: float | None) -> bool:
    """Whether two sides that are both there differ, or one of them is missing."""
    if left is None and right is None:
        return False
    return left is None or right is None or left != right


def _named(category: str, keyword: str) -> str:
    return f"{category} {keyword}".strip()


def _outcomes(table: Table) -> Iterator[Broken]:
    """1. Upheld, partially reversed, reversed, omitted and pending are all complaints."""
    for scope in (*KINDS, "internal", "no_action_on_notice", "no_action_on_trusted_notice",
                  "out_of_court"):  # fmt: skip
        total = table.of(7, scope, "n_complaints")
        parts = _total([table.of(7, scope, name) for name in OUTCOMES])
        if _differ(total, parts):
            says = "complaints = upheld + partially reversed + reversed + omitted + pending"
            yield Broken(1, "7", scope, says, _nan(total), _nan(parts))


def _kinds(table: Table) -> Iterator[Broken]:
    """2. The kinds of decision complained of are all complaints of those restricted."""
    for name in ("n_complaints", *OUTCOMES):
        total = table.of(7, "internal", name)
        parts = _total([table.of(7, kind, name) for kind in KINDS])
        if _differ(total, parts):
            says = f"{name} of all = {name} of the kinds of decision"
            yield Broken(2, "7", "internal", says, _nan(total), _nan(parts))


def _categories(table: Table) -> Iterator[Broken]:
    """3. TOTAL is the sum of the categories, and a category of its sub-categories."""
    for sheet in BY_CATEGORY:
        rows = table.rows(sheet)
        of_sheet = table.cells[table.cells["sheet"] == sheet]
        counts = [name for name in of_sheet["indicator"].unique() if "median" not in name]
        categories = [row[0] for row in rows if not row[1] and row[0] != "TOTAL"]
        for name in counts:
            total = table.of(sheet, "total", name)
            parts = _total([table.of(sheet, "total", name, one) for one in categories])
            if _differ(total, parts):
                says = f"{name} of TOTAL = {name} of the categories"
                yield Broken(3, str(sheet), "TOTAL", says, _nan(total), _nan(parts))
            for one in categories:
                keywords = [row[1] for row in rows if row[0] == one and row[1]]
                # A category for what nobody specified has no sub-categories.
                if not keywords:
                    continue
                of_one = table.of(sheet, "total", name, one)
                of_keywords = [table.of(sheet, "total", name, one, word) for word in keywords]
                if _differ(of_one, _total(of_keywords)):
                    says = f"{name} of a category = {name} of its sub-categories"
                    yield Broken(3, str(sheet), one, says, _nan(of_one), _nan(_total(of_keywords)))


def _restrictions(table: Table) -> Iterator[Broken]:
    """4. A measure restricts at least once; what is beyond is of measures with several."""
    for sheet in (5, 6):
        for category, keyword in table.rows(sheet):
            of_row = {"category": category, "keyword": keyword}
            measures = table.of(sheet, "total", "n_measures", **of_row)
            restrictions = _total(
                [table.of(sheet, "total", name, **of_row) for name in RESTRICTIONS.values()]
            )
            if measures is not None and (restrictions or 0) < measures:
                says = "restrictions >= measures"
                yield Broken(
                    4, str(sheet), _named(category, keyword), says, _nan(restrictions), measures
                )


def _automated(table: Table) -> Iterator[Broken]:
    """5. What machines did alone is a part, and so is what is of trusted flaggers."""
    pairs = {
        5: {"n_automated": "n_measures"},
        6: {"n_automated": "n_measures"},
        4: {
            name.replace("n_", "n_trusted_"): name
            for name in ("n_requests", "n_items", "n_actions_by_law", "n_actions_by_terms")
        },
    }
    for sheet, parts in pairs.items():
        for category, keyword in table.rows(sheet):
            for part, whole in parts.items():
                left = table.of(sheet, "total", part, category, keyword)
                right = table.of(sheet, "total", whole, category, keyword)
                if left is not None and (right is None or left > right):
                    yield Broken(
                        5, str(sheet), _named(category, keyword), f"{part} <= {whole}", left,
                        _nan(right),
                    )  # fmt: skip


def _own_initiative(table: Table) -> Iterator[Broken]:
    """6. What machines did alone on own initiative is the same in sheets 8, 5 and 6."""
    left = table.of(8, "own_initiative", "n_automated")
    right = _total([table.of(sheet, "total", "n_automated") for sheet in (5, 6)])
    if _differ(left, right):
        says = "solely automated, own initiative (sheet 8) = sheets 5 + 6"
        yield Broken(6, "8", "Own-initiative", says, _nan(left), _nan(right))


def _solely(table: Table) -> Iterator[Broken]:
    """7. Solely and not automated are all measures, and all notices with the pending ones."""
    sides = {
        "own_initiative": _total([table.of(sheet, "total", "n_measures") for sheet in (5, 6)]),
        "notices": table.of(4, "total", "n_requests"),
        "trusted_notices": table.of(4, "total", "n_trusted_requests"),
    }
    for scope, right in sides.items():
        parts = ["n_automated", "n_not_automated", "n_pending"]
        left = _total([table.of(8, scope, name) for name in parts])
        if _differ(left, right):
            says = "solely automated + not automated (+ pending) = measures or notices"
            yield Broken(7, "8", scope, says, _nan(left), _nan(right))
    for name in ("n_automated", "n_not_automated"):
        part, whole = table.of(8, "own_initiative", name), table.of(8, "total", name)
        if part is not None and (whole is None or part > whole):
            yield Broken(7, "8", "Total number", f"{name} of all >= own initiative", _nan(whole),
                         part)  # fmt: skip


def _forms(table: Table) -> Iterator[Broken]:
    """8. Shares are from 0 to 1, hours are 0 or more, counts are whole."""
    for cell in table.cells.itertuples():
        value, row = cell.cell_value, f"{cell.scope} {_named(cell.category, cell.keyword)}"
        if cell.unit == "share" and not 0 <= value <= 1:
            says = f"{cell.indicator} is from 0 to 1"
            yield Broken(8, str(cell.sheet), row, says, value, 1)
        elif cell.unit != "share" and not value >= 0:
            yield Broken(8, str(cell.sheet), row, f"{cell.indicator} is 0 or more", value, 0)
        elif cell.unit == "count" and value != round(value):
            says = f"{cell.indicator} is a whole number"
            yield Broken(8, str(cell.sheet), row, says, value, round(value))


def _languages(table: Table) -> Iterator[Broken]:
    """9. People with several languages count in each; a measure is in one language at most."""
    of_languages = _total([table.of(9, code, "n_moderators") for code in LANGUAGES])
    total = table.of(9, "languages", "n_moderators")
    if total and (of_languages or 0) < total:
        yield Broken(9, "9", "languages", "people of all languages >= total",
                     _nan(of_languages), total)  # fmt: skip
    for name in ("n_automated", "n_not_automated"):
        of_languages = _total([table.of(8, code, name) for code in LANGUAGES])
        total = table.of(8, "total", name)
        if of_languages is not None and (total is None or of_languages > total):
            yield Broken(9, "8", "languages", f"{name} of all languages <= total", of_languages,
                         _nan(total))  # fmt: skip


def _nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _number(value: float) -> str:
    if math.isnan(value):
        return "blank"
    return f"{value:,.0f}" if value == round(value) else f"{value:,}"
