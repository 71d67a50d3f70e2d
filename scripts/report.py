"""Write what people read of the last build: the page, or the week in writing."""

from datetime import datetime
from pathlib import Path

import click
from reporting import render
from reporting.read import Warehouse, built


@click.group()
def main() -> None:
    """Write what people read of the last build, from marts that are open to everybody."""


@main.command()
@built
@click.option("--output", type=click.Path(path_type=Path), default=Path("report/index.html"),
              show_default=True, help="The file to write.")  # fmt: skip
def page(database: Path, manifest: Path, output: Path) -> None:
    """Write the page on accuracy: one file for a browser that asks nothing of a network."""
    render.write_page(Warehouse(database, manifest), output)
    click.echo(f"The page is {output}: open it in a browser.")


@main.command()
@built
@click.option("--period", type=click.DateTime(["%Y-%m-%d"]),
              help="A day of the week to report on; left out, the last complete week.")  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path), default=Path("report/weekly"),
              show_default=True, help="The folder in which the week gets one.")  # fmt: skip
def weekly(database: Path, manifest: Path, period: datetime | None, output: Path) -> None:
    """Write the week for a manager: HTML for mail, Markdown, and the charts as PNG."""
    day = period.date() if period else None
    folder = render.write_week(Warehouse(database, manifest), day, output)
    click.echo(f"The report is in {folder}: report.html, report.md and its charts.")


if __name__ == "__main__":
    main()
