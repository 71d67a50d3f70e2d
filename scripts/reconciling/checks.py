"""The checks of a built warehouse, summed up: what agrees, and each break with its window."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import duckdb
import pandas as pd
from jinja2 import Environment

STATUSES = ["match", "explained", "within_tolerance", "break", "not_evaluated"]
# Two days with breaks this many days apart are of one event.
SAME_EVENT_DAYS = 2

SUMMARY = """
    select
        checks.check_name,
        checks.left_source,
        checks.right_source,
        checks.catches,
        count(*) as n,
        count(*) filter (where found.status = 'match') as n_match,
        count(*) filter (where found.status = 'explained') as n_explained,
        count(*) filter (where found.status = 'within_tolerance') as n_within_tolerance,
        count(*) filter (where found.status = 'break') as n_break,
        count(*) filter (where found.status = 'not_evaluated') as n_not_evaluated
    from reference.reconciliation as checks
    inner join reconciliation.reconciliation_checks as found using (check_name)
    group by all
    order by any_value(checks.nth)
"""
# Of dbt's relations, by whoever knows where they are.
NAMED = """
    select
        found.check_name,
        checks.nth,
        found.left_source,
        found.right_source,
        found.measure,
        found.dimension_name,
        found.dimension_value,
        found.reason_code,
        reasons.sentence,
        checks.what_to_do,
        found.period_starts_on,
        found.period_ends_on,
        found.left_value,
        found.right_value,
        found.difference,
        found.difference - found.explained_difference as unexplained
    from {{ ref('reconciliation_checks') }} as found
    inner join {{ ref('reconciliation') }} as checks using (check_name)
    left join {{ ref('reasons') }} as reasons
        on found.reason_code = reasons.reason_code and reasons.applies_to = 'reconciliation'
    where found.status = '{{ status }}'
    order by checks.nth, found.check_key
"""
WHERE = {
    "reconciliation_checks": "reconciliation.reconciliation_checks",
    "reconciliation": "reference.reconciliation",
    "reasons": "reference.reasons",
}
GROUPED_BY = [
    *("check_name", "left_source", "right_source", "measure", "dimension_name"),
    *("dimension_value", "reason_code"),
]


@dataclass(frozen=True)
class Event:
    """Differences of one kind on days that follow each other.

    Attributes:
        nth: the place of the check among all.
        first_day, last_day: the window; None where all days were compared together.
        n: how many comparisons differ.
        difference: left - right, summed over them; None where a value is withheld.
    """

    check_name: str
    nth: int
    left_source: str
    right_source: str
    measure: str
    dimension_name: str
    dimension_value: str
    reason_code: str
    sentence: str
    what_to_do: str
    first_day: date | None
    last_day: date | None
    n: int
    difference: float | None

    @property
    def part(self) -> str:
        """The part that was compared, as text; empty where it was the whole."""
        if self.dimension_name in ("overall", "total", "reason"):
            return ""
        return f"{self.dimension_name.replace('_', ' ')} {self.dimension_value}"

    def touches(self, first: date, last: date) -> bool:
        """Whether a day of the window is one of these; what has no days touches all."""
        if self.first_day is None or self.last_day is None:
            return True
        return self.first_day <= last and self.last_day >= first

    @property
    def window(self) -> str:
        """The days, as text."""
        if self.first_day is None:
            return "all days"
        if self.first_day == self.last_day:
            return f"{self.first_day}"
        return f"{self.first_day} to {self.last_day}"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        said = asdict(self)
        for name in ("first_day", "last_day"):
            said[name] = None if said[name] is None else str(said[name])
        return said


def summary(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """One row per check: how many comparisons it made, and how they ended.

    Args:
        connection: a connection to a built warehouse.

    Raises:
        duckdb.CatalogException: the warehouse has no reconciliation.
    """
    return connection.execute(SUMMARY).df()


def events(connection: duckdb.DuckDBPyConnection, status: str) -> list[Event]:
    """The differences of a status, one event per kind and run of days, the largest first.

    Args:
        connection: a connection to a built warehouse.
        status: break, or another of STATUSES.
    """
    sql = Environment().from_string(NAMED).render(ref=WHERE.__getitem__, status=status)
    return runs(connection.execute(sql).df())


def runs(rows: pd.DataFrame) -> list[Event]:
    """Rows of NAMED as events, one per kind and run of days, the largest first."""
    found: list[Event] = []
    rows = rows.sort_values("period_starts_on", kind="stable")
    for _, group in rows.groupby(GROUPED_BY, sort=False, dropna=False):
        first, last = (pd.to_datetime(group[f"period_{end}_on"]) for end in ("starts", "ends"))
        gaps = (first - last.shift()).dt.days > SAME_EVENT_DAYS
        for _, run in group.groupby(gaps.cumsum(), sort=False):
            found.append(_event(run))
    # The rows by reason add up to the whole: an event of one reason would be said twice.
    whole = {
        (event.check_name, event.reason_code, event.window)
        for event in found
        if event.dimension_name == "overall"
    }
    found = [
        event
        for event in found
        if event.dimension_name != "reason"
        or (event.check_name, event.reason_code, event.window) not in whole
    ]
    return sorted(found, key=lambda event: -abs(event.difference or 0))


def _event(run: pd.DataFrame) -> Event:
    first = run.iloc[0]
    first_days, last_days = (
        pd.to_datetime(run[f"period_{end}_on"]).dropna() for end in ("starts", "ends")
    )
    known = run["difference"].notna().all()
    return Event(
        **{name: str(first[name]) for name in GROUPED_BY},
        nth=int(first["nth"]),
        sentence="" if pd.isna(first["sentence"]) else str(first["sentence"]),
        what_to_do=str(first["what_to_do"]),
        first_day=first_days.min().date() if len(first_days) else None,
        last_day=last_days.max().date() if len(last_days) else None,
        n=len(run),
        difference=float(run["difference"].sum()) if known else None,
    )
