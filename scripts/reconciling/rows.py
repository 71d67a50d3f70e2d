"""Rows side by side: a file of the source, and the layer's staging, compared by diffly."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import polars as pl
import raw_contract
from diffly import compare_frames

# Event time of each table that can be compared, by which it is cut into days.
MOMENTS = {
    "decisions": "decided_at",
    "review_jobs": "enqueued_at",
    "disputes": "filed_at",
    "appeals": "filed_at",
    "statements_of_reasons": "submitted_at",
}
# Renamed, made pseudonymous or made anew in staging: not the source's own values any more.
NOT_COMPARED = {"moderator_id", "primary_policy_id", "decided_by_type", "recorded_at"}
SHOWN = 5


@dataclass
class RowDifferences:
    """How a source's file and staging differ.

    Attributes:
        n_same, n_changed, n_only_source, n_only_layer: rows.
        columns: {column: rows in which it differs}.
        days: {day: rows that differ in any way}.
        examples: ids of a few rows of each kind; of people's work, so not for an open page.
    """

    table: str
    n_same: int = 0
    n_changed: int = 0
    n_only_source: int = 0
    n_only_layer: int = 0
    columns: dict[str, int] = field(default_factory=dict)
    days: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)

    @property
    def n_different(self) -> int:
        """Rows that differ in any way."""
        return self.n_changed + self.n_only_source + self.n_only_layer

    def add(self, kind: str, ids: list[str]) -> None:
        """Keep the first ids of a kind."""
        kept = self.examples.setdefault(kind, [])
        kept += ids[: SHOWN - len(kept)]


def compare_rows(
    warehouse: duckdb.DuckDBPyConnection,
    table: str,
    file: Path,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> RowDifferences:
    """Compare a file that a source wrote with the layer's rows of that table, a day at a time.

    A day's rows are in memory at once, and no more.

    Args:
        warehouse: a connection to the built warehouse.
        table: a raw table of MOMENTS.
        file: Parquet or CSV with the table's columns; those that it lacks are not compared.
        advance: called with the days done and the days there are.

    Raises:
        ValueError: the table cannot be compared, or the file has no key or no event time.
    """
    if table not in MOMENTS:
        raise ValueError(f"{table} cannot be compared row by row; {', '.join(MOMENTS)} can.")
    contract = next(one for one in raw_contract.tables() if one.name == table)
    (key,), moment = contract.key, MOMENTS[table]
    reader = "read_csv" if file.suffix == ".csv" else "read_parquet"
    source = f"{reader}('{file}')"
    theirs = {row[0] for row in warehouse.sql(f"describe from {source}").fetchall()}
    missing = {key, moment} - theirs
    if missing:
        raise ValueError(f"{file} has no column {', '.join(sorted(missing))}.")
    ours = {row[0] for row in warehouse.sql(f"describe from staging.stg_{table}").fetchall()}
    kinds = {
        column.name: "varchar" if column.data_type == "string" else column.data_type
        for column in contract.columns
        if column.name in theirs & ours and column.name not in NOT_COMPARED
    }
    columns = ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in kinds.items())
    days = warehouse.sql(
        f"select distinct cast({moment} as date) as day from {source} union "
        f"select distinct cast({moment} as date) from staging.stg_{table} order by day"
    ).fetchall()
    found = RowDifferences(table)
    for number, (day,) in enumerate(days, 1):
        sides = []
        for relation in (source, f"staging.stg_{table}"):
            sides.append(
                pl.from_arrow(
                    warehouse.sql(
                        f"select {columns} from {relation} "
                        f"where cast({moment} as date) is not distinct from $day",
                        params={"day": day},
                    ).to_arrow_table()
                )
            )
        _add_day(found, key, str(day), sides[0], sides[1])
        advance(number, len(days))
    return found


def _add_day(
    found: RowDifferences, key: str, day: str, theirs: pl.DataFrame, ours: pl.DataFrame
) -> None:
    repeated = theirs.filter(pl.col(key).is_duplicated())
    # A key twice is a difference in itself; one row of it is compared.
    theirs = theirs.unique(key, keep="last")
    found.n_only_source += len(repeated) - repeated[key].n_unique()
    found.add("twice in the source", repeated[key].unique().sort().to_list())
    compared = compare_frames(theirs, ours, primary_key=key)
    changed, only_source = compared.joined_unequal(), compared.left_only()
    only_layer = compared.right_only()
    found.n_same += compared.num_rows_joined_equal()
    found.n_changed += len(changed)
    found.n_only_source += len(only_source)
    found.n_only_layer += len(only_layer)
    different = len(changed) + len(only_source) + len(only_layer)
    if different:
        found.days[day] = different
    for name, share in compared.fraction_same().items():
        n = round((1 - share) * compared.num_rows_joined())
        if n:
            found.columns[name] = found.columns.get(name, 0) + n
    found.add("changed", changed[key].sort().to_list())
    found.add("only in the source", only_source[key].sort().to_list())
    found.add("only in the layer", only_layer[key].sort().to_list())
