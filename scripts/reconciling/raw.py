"""The raw files of a folder as views of a DuckDB connection, with nothing of the layer's SQL."""

from pathlib import Path

import duckdb
import raw_contract

TYPES = {"string": "varchar"}


def files_of(folder: Path, table: str) -> tuple[str, list[str]]:
    """The files of a raw table.

    Args:
        folder: the folder of raw tables.
        table: the table's name in the contract.

    Returns:
        The DuckDB function that reads them, and their paths; no paths where there is no such table.
    """
    for kind in ("parquet", "csv"):
        found = [folder / f"{table}.{kind}", *sorted((folder / table).rglob(f"*.{kind}"))]
        paths = [str(path) for path in found if path.exists()]
        if paths:
            return f"read_{kind}", paths
    return "read_parquet", []


def create_views(connection: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, int]:
    """Create a view raw_<table> per table of the contract, with its columns and types.

    Args:
        connection: DuckDB, in memory.
        folder: the folder of raw tables.

    Returns:
        {table: number of files}.
    """
    found = {}
    for table in raw_contract.tables():
        reader, paths = files_of(folder, table.name)
        found[table.name] = len(paths)
        source = f"{reader}({paths!r}, union_by_name = true)" if paths else "(select 1)"
        present = set()
        if paths:
            described = connection.sql(f"describe select * from {source}").fetchall()
            present = {row[0] for row in described}
        columns = []
        for column in table.columns:
            kind = TYPES.get(column.data_type, column.data_type)
            value = f'"{column.name}"' if column.name in present else "null"
            columns.append(f"try_cast({value} as {kind}) as {column.name}")
        connection.execute(
            f"create view raw_{table.name} as select {', '.join(columns)} from {source}"
            + ("" if paths else " where false")
        )
    return found
