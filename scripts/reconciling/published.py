"""Sums that should hold inside published transparency reports, and the name of what does not.

Reports of the EU's harmonised template (Annex I of Implementing Regulation 2024/2835), as tables of
complaints, own-initiative measures by category and restriction, and automated means.
"""

from pathlib import Path

import duckdb
import pandas as pd

RESTRICTIONS = [
    *("visibility_removal", "visibility_disable", "visibility_demoted"),
    *("visibility_age_restricted", "visibility_interaction", "visibility_labelled"),
    *("visibility_other", "monetary_suspension", "monetary_termination", "monetary_other"),
    *("service_suspension", "service_termination", "account_suspension", "account_termination"),
]
FILES = {
    "complaints": "complaints_2025h2.csv",
    "measures": "own_initiative_2025h2.csv",
    "automated": "automated_means_2025h2.csv",
}
COLUMNS = ["identity", "service", "part", "left", "right", "difference", "name"]

COMPLAINTS = """
    select
        'complaints = upheld + partially reversed + reversed + omitted' as identity,
        service,
        surface as part,
        max(value) filter (where scope = 'Total number') as left_value,
        sum(value) filter (where scope like 'Decision%') as right_value,
        'pending' as name
    from complaints
    where indicator = 'Number of complaints submitted to the internal-complaints mechanism'
    group by service, surface
    having left_value is not null and count(*) filter (where scope like 'Decision%') > 0
"""
SOLELY_AUTOMATED = """
    select
        'solely automated <= measures (per category)' as identity,
        service,
        concat(ground, ' ', category) as part,
        measures_solely_automated as left_value,
        measures as right_value,
        'part_exceeds_whole' as name
    from measures
    where measures_solely_automated > measures and category like 'STATEMENT_CATEGORY%'
"""
SHEET_8 = """
    with stated as (
        select
            service,
            scope,
            indicator like '%solely taken%' as is_automated,
            value
        from automated
        where
            indicator in (
                'Number of measures solely taken by automated means',
                'Number of measures not taken by automated means'
            )
            and lower(trim(scope)) in ('total number', 'total', 'own initiative')
    ),

    sheets as (
        select
            service,
            sum(measures) as measures,
            sum(measures_solely_automated) as measures_solely_automated
        from measures
        where category = 'TOTAL' and surface = 'All'
        group by service
        having count(measures_solely_automated) = count(*)
    )

    select
        concat('automated measures (sheet 8, ', lower(trim(scope)), ') = sheets 5 + 6') as identity,
        stated.service,
        trim(scope) as part,
        stated.value as left_value,
        sheets.measures_solely_automated as right_value,
        -- The total may hold measures on notices too, which are not of sheets 5 and 6.
        case
            when lower(trim(scope)) like 'total%' then 'not_own_initiative'
            else 'same_cell_two_values'
        end as name
    from stated
    inner join sheets using (service)
    where stated.is_automated
    union all
    select
        concat('measures (sheet 8, ', lower(trim(scope)), ') = sheets 5 + 6') as identity,
        stated.service,
        trim(scope) as part,
        sum(stated.value) as left_value,
        any_value(sheets.measures) as right_value,
        case
            when lower(trim(scope)) like 'total%' then 'not_own_initiative'
            else 'same_cell_two_values'
        end as name
    from stated
    inner join sheets using (service)
    group by stated.service, stated.scope
    having count(*) = 2
"""


def identities(folder: Path) -> pd.DataFrame:
    """The identities of the reports in a folder.

    Args:
        folder: with the files of FILES.

    Returns:
        A row per identity, service and part (surface, ground or category): both sides, their
        difference (left - right), and a name where they differ.

    Raises:
        FileNotFoundError: one of the files is not there.
    """
    with duckdb.connect() as connection:
        for name, file in FILES.items():
            if not (folder / file).exists():
                raise FileNotFoundError(folder / file)
            connection.execute(f"create view {name} as from read_csv('{folder / file}')")
        found = [
            connection.sql(sql).df().rename(columns={"left_value": "left", "right_value": "right"})
            for sql in (COMPLAINTS, SOLELY_AUTOMATED, SHEET_8)
        ]
        found += [_totals(connection.sql("from measures").df().convert_dtypes())]
    rows = pd.concat(found, ignore_index=True)
    rows["difference"] = rows["left"] - rows["right"]
    rows["name"] = rows["name"].where(rows["difference"] != 0, "")
    return rows[COLUMNS].sort_values(["identity", "service", "part"], ignore_index=True)


def _totals(measures: pd.DataFrame) -> pd.DataFrame:
    """TOTAL rows beside their categories, and beside the restrictions that they state."""
    rows = []
    for (service, surface, ground), part in measures.groupby(["service", "surface", "ground"]):
        whole = part[part["category"] == "TOTAL"]
        categories = part[part["category"].str.startswith("STATEMENT_CATEGORY")]
        if len(whole) != 1 or pd.isna(whole["measures"].iloc[0]):
            continue
        total = whole.iloc[0]
        stated = pd.to_numeric(total[RESTRICTIONS]).astype("Float64")
        place = {"service": service, "part": f"{surface} {ground}", "left": total["measures"]}
        if len(categories):
            right = categories["measures"].sum()
            missing = total["measures"] - right
            # A restriction that the total has and no category: all of the difference, or not.
            alone = categories[RESTRICTIONS].isna().all() & (stated == missing).fillna(False)
            name = "restriction_not_categorised" if alone.any() else "unexplained"
            rows.append(place | {"identity": "TOTAL = sum of categories", "right": right,
                                 "name": name})  # fmt: skip
        if stated.notna().any():
            right = stated.sum()
            outside = (stated == right - total["measures"]).fillna(False).any()
            name = "restriction_outside_total" if outside else "unexplained"
            rows.append(place | {"identity": "measures = sum of restriction types",
                                 "right": right, "name": name})  # fmt: skip
    return pd.DataFrame(rows)
