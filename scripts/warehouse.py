"""Say before a build that the warehouse cannot be written, and what to do.

dbt opens the file before any hook or macro of ours can run, and ends with a traceback.
"""

import os
import re
from pathlib import Path

import click
import duckdb

DEFAULT_DATABASE = "data/warehouse.duckdb"
HOLDER = re.compile(r"Conflicting lock is held in (\S+) \(PID (\d+)\)")


def must_be_writable(database: Path) -> None:
    """Look whether dbt could build into a DuckDB file, which need not be there yet.

    Raises:
        click.ClickException: it is open elsewhere, read-only, or no DuckDB file.
    """
    if ":" in str(database):  # in memory, or a service
        return
    folder = next(part for part in database.absolute().parents if part.exists())
    for path in (folder, database):
        if path.exists() and not os.access(path, os.W_OK):
            raise click.ClickException(
                f"{path} is read-only for this user, so {database} cannot be built: allow writing, "
                "or build into another file with MODERATION_QUALITY_DATABASE."
            )
    if database.exists():
        try:
            duckdb.connect(database).close()
        except duckdb.IOException as error:
            raise click.ClickException(not_opened(database, error)) from error


def quoted(text: object) -> str:
    """A text or path as SQL writes it, with any quote in it doubled."""
    return "'" + str(text).replace("'", "''") + "'"


def not_opened(database: Path, error: duckdb.IOException) -> str:
    """Why a DuckDB file could not be opened, and what to do."""
    holder = HOLDER.search(str(error))
    if holder:
        return (
            f"{database} is open in another program ({Path(holder[1]).name}, process {holder[2]}): "
            "a build, a notebook or a BI tool. Close it there, or name another file with "
            "MODERATION_QUALITY_DATABASE."
        )
    return (
        f"{database} cannot be opened: move it away and build again, or name another file with "
        f"MODERATION_QUALITY_DATABASE. DuckDB says: {str(error).splitlines()[0]}"
    )


@click.command(help=__doc__)
def main() -> None:
    """Look at the warehouse of the next build. Exit codes: 0 it can be written; 1 it cannot."""
    must_be_writable(Path(os.environ.get("MODERATION_QUALITY_DATABASE", DEFAULT_DATABASE)))


if __name__ == "__main__":
    main()
