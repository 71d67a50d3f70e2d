"""Take the pictures in docs/ of the page and the weekly report, from the sample data."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import click
from playwright.sync_api import Browser, sync_playwright
from reporting import render
from reporting.read import Warehouse, built

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# The week that docs/ shows: one in which something moved.
WEEK = date(2026, 6, 7)


def browser_path() -> str | None:
    """Where a Chromium is on this machine. None: nowhere."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@contextmanager
def browser(path: str) -> Iterator[Browser]:
    """A Chromium without a window."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path)
        try:
            yield started
        finally:
            started.close()


@click.command()
@built
@click.option("--docs", type=click.Path(path_type=Path), default=Path("docs"), show_default=True,
              help="The folder for the pictures.")  # fmt: skip
def main(database: Path, manifest: Path, docs: Path) -> None:
    """Take the pictures in docs/ of the page and the weekly report, from the last build.

    Build the sample data first. Needs Debian's chromium-headless-shell, or another Chromium.
    """
    path = browser_path()
    if path is None:
        raise click.ClickException(f"None of {', '.join(BROWSERS)} is here: install one.")
    with tempfile.TemporaryDirectory() as folder, browser(path) as chromium:
        # What somebody published from here is not of the sample.
        warehouse = Warehouse(database, manifest, Path(folder) / "published")
        page, weekly = Path(folder) / "index.html", docs / "weekly"
        render.write_page(warehouse, page)
        opened = chromium.new_page(viewport={"width": 1060, "height": 1320})
        opened.goto(page.as_uri())
        opened.screenshot(path=docs / "report.png")
        written = render.write_week(warehouse, WEEK, Path(folder))
        shutil.rmtree(weekly, ignore_errors=True)
        shutil.copytree(written, weekly, ignore=shutil.ignore_patterns("*.html"))
    click.echo(f"The pictures are {docs / 'report.png'} and {weekly}.")


if __name__ == "__main__":
    main()
