"""The headline recomputed from the raw files, by SQL that shares nothing with the layer."""

import re
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

BY_HAND = Path(__file__).resolve().parents[1] / "benchmarks" / "headline.sql"
FILES = re.compile(r"read_parquet\('\{raw\}/(\w+)/\*\.parquet'\)")
MART = """
    select
        cast(period_starts_on as timestamp) as month,
        case when dimension_name = 'overall' then 'all' else dimension_value end as queue_id,
        n_decisions as n_decisions_of_mart,
        n as n_audits_of_mart,
        estimate as accuracy_of_mart,
        reason_code
    from rates.accuracy_rates
    where
        metric_id = 'accuracy' and metric_version = 1 and period_type = 'month'
        and dimension_name in ('overall', 'queue') and dimension_value <> 'unknown'
"""
LARGEST = 1e-9


@dataclass(frozen=True)
class Figure:
    """A figure of the headline, and how far the mart is from it.

    Attributes:
        n: months and queues compared.
        n_withheld: of these, those that the mart does not show, which are not compared.
        largest: the largest difference.
        worst: where that is.
    """

    name: str
    n: int
    n_withheld: int
    largest: float
    worst: str

    @property
    def status(self) -> str:
        """match, break or not_evaluated."""
        if self.n == self.n_withheld:
            return "not_evaluated"
        return "match" if self.largest <= LARGEST else "break"


def recompute(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """The headline of the raw views: a row per month and queue, queue `all` for the whole.

    Args:
        connection: DuckDB with the views of `raw.create_views`.
    """
    sql = FILES.sub(r"raw_\1", BY_HAND.read_text(encoding="utf-8"))
    return connection.sql(sql).df()


def compare(ours: pd.DataFrame, warehouse: duckdb.DuckDBPyConnection) -> list[Figure]:
    """Decisions, audits and accuracy of each month and queue beside the mart.

    Args:
        ours: what `recompute` gives.
        warehouse: a connection to the built warehouse.
    """
    ours = ours.assign(month=pd.to_datetime(ours["month"]).astype("datetime64[us]"))
    mart = warehouse.sql(MART).df()
    mart["month"] = mart["month"].astype("datetime64[us]")
    # No queue and all queues are both `all` to the query by hand: the whole is the larger.
    ours = ours.sort_values("n_decisions").drop_duplicates(["month", "queue_id"], keep="last")
    both = mart.merge(ours, on=["month", "queue_id"], how="outer")
    withheld = both["reason_code"].isin(["suppressed_small_group", "suppressed_complementary"])
    figures = []
    for name in ("n_decisions", "n_audits", "accuracy"):
        theirs = both[f"{name}_of_mart"].astype(float)
        mine = both[name].astype(float)
        if name == "n_audits":
            mine, theirs = mine.fillna(0), theirs.where(withheld, theirs.fillna(0))
        # One side null and the other not is a difference that no number says.
        apart = (mine - theirs).abs().where(mine.notna() & theirs.notna())
        apart = apart.where(mine.isna() == theirs.isna(), float("inf")).fillna(0)
        skipped = withheld & theirs.isna()
        apart = apart.mask(skipped, 0)
        worst = both.loc[apart.idxmax()] if len(both) else None
        figures.append(
            Figure(
                name=name,
                n=len(both),
                n_withheld=int(skipped.sum()),
                largest=float(apart.max()) if len(both) else 0.0,
                worst="" if worst is None else f"{worst['month']:%Y-%m}, {worst['queue_id']}",
            )
        )
    return figures
