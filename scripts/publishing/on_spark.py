"""A warehouse that dbt built on Spark, read through dbt's own connection, and the ledger there."""

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pyarrow as pa
from dbt.adapters.factory import FACTORY
from dbt.cli.main import dbtRunner


@dataclass(frozen=True)
class OnSpark:
    """A warehouse on Spark.

    Attributes:
        adapter: dbt's, with an open connection.
        prefix: what stands before the names of schemas.
    """

    adapter: Any
    prefix: str

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a statement, and fetch its rows."""
        cursor = self.adapter.connections.get_thread_connection().handle.cursor()
        cursor.execute(sql)
        return [tuple(row) for row in cursor.fetchall() or []]

    def rows(self, sql: str, *names: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self.run(sql.format(self.prefix, *names))

    def table(self, sql: str, shape: pa.Schema) -> pa.Table:
        """The rows of a query in a shape."""
        # As text, days and moments are those of the session, which is in UTC.
        columns = [
            f"cast({one.name} as string) as {one.name}"
            if pa.types.is_temporal(one.type)
            else one.name
            for one in shape
        ]
        rows = self.rows(f"select {', '.join(columns)} from ({sql}) as asked")
        values = zip(*rows, strict=True) if rows else [()] * len(shape)
        arrays = [
            pa.array(list(column)).cast(one.type) for one, column in zip(shape, values, strict=True)
        ]
        return pa.table(arrays, schema=shape)

    def register(self, name: str, files: Path) -> str:
        """Show Parquet files as a table of the schema published; later files are in it at once.

        Args:
            name: of the table.
            files: the files, as the server finds them, with *.

        Returns:
            The table.
        """
        self.run(f"create schema if not exists {self.prefix}published")
        table = f"{self.prefix}published.{name}"
        self.run(f"create or replace view {table} as select * from parquet.`file:{files}`")
        return table


@contextlib.contextmanager
def connected(target: str) -> Iterator[OnSpark]:
    """A connection to a target of profiles.yml that is on Spark.

    Args:
        target: its name.

    Raises:
        click.ClickException: dbt cannot connect, or the target is not on Spark.
    """
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        opened = dbtRunner().invoke(["debug", "--connection", "--target", target])
    if not opened.success:
        raise click.ClickException(f"dbt cannot connect to {target}:\n{said.getvalue()}")
    adapter = FACTORY.adapters.get("spark")
    if adapter is None:
        raise click.ClickException(f"{target} is not on Spark.")
    with adapter.connection_named("publish"):
        yield OnSpark(adapter, f"{adapter.config.credentials.schema}_")
