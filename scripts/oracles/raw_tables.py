"""Raw tables as pandas reads them, for oracles."""

from pathlib import Path

import duckdb
import pandas as pd


class RawTables:
    """A folder of raw tables: <table>.parquet, <table>.csv, or folders of such files."""

    def __init__(self, folder: Path, warehouse: Path | None = None) -> None:
        """Look nowhere yet; tables are read when they are asked for."""
        self.folder = Path(folder)
        self.warehouse = warehouse

    def suppressed(self, basis: str) -> pd.DataFrame:
        """The groups of which nothing is shown, as the warehouse lists them.

        They are not recomputed: tests attack the list, and oracles say that marts follow it.

        Args:
            basis: a basis of int_people__suppressed_groups.
        """
        with duckdb.connect(self.warehouse, read_only=True) as connection:
            return connection.execute(
                "select * exclude (basis) from restricted.int_people__suppressed_groups "
                "where basis = ?",
                [basis],
            ).df()

    def built(self, sql: str) -> pd.DataFrame:
        """What the warehouse says of what is not recomputed: seeds, and other people's models."""
        with duckdb.connect(self.warehouse, read_only=True) as connection:
            return connection.sql(sql).df()

    def rows(self, table: str, columns: list[str]) -> pd.DataFrame:
        """All rows of a table; none, with these columns, where there is no such table.

        Args:
            table: its name in the raw contract.
            columns: the columns to have; one that the files lack is null throughout.
        """
        parts = []
        for kind, read in ((".parquet", pd.read_parquet), (".csv", pd.read_csv)):
            files = [self.folder / f"{table}{kind}", *(self.folder / table).rglob(f"*{kind}")]
            parts += [read(file) for file in sorted(files) if file.exists()]
        parts = [part for part in parts if len(part)]
        rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
        return rows.reindex(columns=columns)

    def latest(self, table: str, key: list[str], columns: list[str]) -> pd.DataFrame:
        """The last recorded row of each key of a table.

        Args:
            table: its name in the raw contract.
            key: the columns that a correction shares with what it corrects.
            columns: further columns to have.
        """
        rows = self.rows(table, [*key, *columns, "recorded_at"])
        rows = rows.sort_values("recorded_at", kind="stable").drop_duplicates(key, keep="last")
        return rows.drop(columns="recorded_at").reset_index(drop=True)


def looked_up(keys: pd.Series, values: pd.Series) -> pd.Series:
    """The value of each key, of the values' own type also where there are none.

    Args:
        keys: what to look up.
        values: with unique keys as their index.
    """
    return values.reindex(keys).set_axis(keys.index)
