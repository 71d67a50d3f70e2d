"""Which groups may not be shown, as they are of few people or would give away one that is."""

import math

import numpy as np
import pandas as pd

from .raw_tables import RawTables

MIN_PEOPLE = 5
OF_PEOPLE = {"site": "site", "vendor": "vendor", "team": "team_id"}
NOBODY = ("unknown", "not_applicable")


def withheld(rows: pd.DataFrame, n_people: str, of_set: list[str], key: str) -> pd.Series:
    """Why a row may not be shown; null where it may.

    Args:
        rows: groups.
        n_people: the column that says how many people are behind each; 0 or null: nothing is.
        of_set: the columns of the sets whose rows sum to a total.
        key: the column that settles ties.
    """
    codes = pd.Series(None, index=rows.index, dtype=object)
    is_few = (rows[n_people] > 0) & (rows[n_people] < MIN_PEOPLE)
    sets = pd.MultiIndex.from_frame(rows[of_set])
    others = rows[(rows[n_people] >= MIN_PEOPLE) & sets.isin(sets[is_few])]
    others = others.sort_values([n_people, key]).drop_duplicates(of_set)
    codes[is_few] = "too_few_people"
    codes[others.index] = "withheld_with_another"
    return codes


def hide(
    rows: pd.DataFrame, n_people: str, of_set: list[str], key: str, columns: list[str]
) -> pd.DataFrame:
    """Take out what may not be shown.

    Args:
        rows: as for withheld.
        n_people: as for withheld.
        of_set: as for withheld.
        key: as for withheld.
        columns: those that are null where a row is withheld.
    """
    if rows.empty:
        return rows
    rows = rows.astype(dict.fromkeys(rows[columns].select_dtypes("integer"), float))
    codes = withheld(rows, n_people, of_set, key)
    rows.loc[codes.notna(), columns] = np.nan
    for name in rows.columns[rows.columns.str.endswith("reason_code")]:
        # Of nothing there is nothing to withhold; ratings that are all alike are not nothing.
        is_nothing = rows[name].fillna("").str.startswith("no_") & (rows[name] != "no_variation")
        is_why = codes.notna() & ~is_nothing
        rows[name] = codes.where(is_why, rows[name])
    return rows


def head_counts(raw: RawTables, groups: pd.DataFrame) -> pd.Series:
    """How many moderators the roster has in a site, vendor or team in a period.

    Args:
        raw: the raw tables.
        groups: period_type, period_starts_on, dimension_name and dimension_value.
    """
    columns = ["role", "valid_to", *OF_PEOPLE.values()]
    roster = raw.latest("roster", ["person_id", "valid_from"], columns)
    roster = roster[roster["role"] == "moderator"]
    begins = pd.to_datetime(roster["valid_from"]).dt.normalize()
    ends = pd.to_datetime(roster["valid_to"]).dt.normalize().fillna(pd.Timestamp("2262-01-01"))

    def count(group: pd.Series) -> float:
        name, value = group["dimension_name"], group["dimension_value"]
        if name not in OF_PEOPLE:
            return math.nan
        if value in NOBODY:
            return math.inf
        first = group["period_starts_on"]
        last = {
            "week": first + pd.Timedelta(days=6),
            "month": first + pd.offsets.MonthEnd(1),
            "quarter": first + pd.offsets.QuarterEnd(1),
        }[group["period_type"]]
        there = roster[(roster[OF_PEOPLE[name]] == value) & (begins <= last) & (ends > first)]
        return max(there["person_id"].nunique(), 1)

    if groups.empty:
        return pd.Series(dtype=float)
    return groups.apply(count, axis=1)
