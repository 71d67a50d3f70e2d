"""Which groups may not be shown, as they are of few people or would give away one that is."""

import numpy as np
import pandas as pd

MIN_PEOPLE = 5
OF_PEOPLE = ("site", "vendor", "team")


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
    codes[is_few] = "suppressed_small_group"
    codes[others.index] = "suppressed_complementary"
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
        rows[name] = codes.where(codes.notna(), rows[name])
    return rows


def codes_of(groups: pd.DataFrame, suppressed: pd.DataFrame) -> pd.Series:
    """Why nothing of a group is shown, by the index of groups; null where something is.

    Args:
        groups: period_type, period_starts_on, dimension_name and dimension_value.
        suppressed: RawTables.suppressed.
    """
    key = ["period_type", "period_starts_on", "dimension_name", "dimension_value"]
    listed = suppressed.set_index(key)["suppression_code"]
    codes = listed.reindex(pd.MultiIndex.from_frame(groups[key]))
    return pd.Series(codes.to_numpy(), groups.index, dtype=object)
