"""Write the page on accuracy, one file for a browser, from the warehouse that was built last."""

import os
from pathlib import Path

import click
from headline import DEFAULT_DATABASE
from reporting import render
from reporting.read import Warehouse


@click.command()
@click.option(
    "--database",
    type=click.Path(path_type=Path),
    default=lambda: Path(os.environ.get("MODERATION_QUALITY_DATABASE", DEFAULT_DATABASE)),
    show_default=DEFAULT_DATABASE,
    help="The warehouse that dbt built.",
)
@click.option(
    "--manifest",
    type=click.Path(path_type=Path),
    default=Path("target/manifest.json"),
    show_default=True,
    help="What dbt says it built.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("report/index.html"),
    show_default=True,
    help="The file to write.",
)
def main(database: Path, manifest: Path, output: Path) -> None:
    """Write the page on accuracy, one file for a browser that asks nothing of a network."""
    html = render.page_html(Warehouse(database, manifest))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(html, encoding="utf-8")
    click.echo(f"The page is {output}: open it in a browser.")


if __name__ == "__main__":
    main()
