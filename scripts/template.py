"""Write what a team has to fill in: a CSV file with a header for each raw table, and a README."""

import csv
from pathlib import Path

import click
from raw_contract import FORMS, Table, tables

README = "README.md"
INTRODUCTION = """# Raw tables

One CSV file per table, with a header and no rows: fill in what you have, delete the rest. Required
tables must be there. In each file required columns come first; an optional column may be deleted,
and then reads as not known. An empty cell means not known or not measured, never "correct" or 0.

- Times: {timestamp}, or with an offset (2026-03-02 10:00:00+01:00). Days: {date}.
- Ids are text, and the same in every table. No content, names or comments belong here.
- A correction is a new row with the same key and a later recorded_at.

Then `make own RAW=<this folder>`. A spreadsheet with one row per audit needs none of these files:
see docs/own_data.md.
"""


def cell(text: str) -> str:
    """Text that fits a cell of a Markdown table."""
    return text.replace("|", "\\|")


def section(table: Table) -> str:
    """What the README says of one table."""
    kind = "required" if table.is_required else "optional"
    lines = [f"## {table.name} ({kind})", "", table.description, ""]
    lines += [f"If it is missing or empty: {table.empty_means}", ""]
    heads = ["column", "required", "how to write it", "example", "what it is"]
    lines += ["| " + " | ".join(heads) + " |", "|---|---|---|---|---|"]
    for column in table.ordered:
        required = "yes" if column.is_required else ""
        if column.is_required and column.is_nullable:
            required = "yes, may be empty"
        cells = [column.name, required, column.form, column.example, column.description]
        lines.append("| " + " | ".join(map(cell, cells)) + " |")
    return "\n".join(lines) + "\n"


def write(folder: Path) -> list[Path]:
    """Write the files to a folder.

    Returns the files. Nothing is written where one of them is there already.

    Raises:
        click.ClickException: where a file would be overwritten.
    """
    contract = tables()
    files = {folder / f"{table.name}.csv": table for table in contract}
    present = [str(file) for file in [*files, folder / README] if file.exists()]
    if present:
        raise click.ClickException(f"{', '.join(present)}: there already, nothing was written.")
    folder.mkdir(parents=True, exist_ok=True)
    for file, table in files.items():
        with file.open("w", encoding="utf-8", newline="") as opened:
            csv.writer(opened).writerow([column.name for column in table.ordered])
    introduction = INTRODUCTION.format(**FORMS)
    text = "\n".join([introduction, *map(section, contract)])
    (folder / README).write_text(text, encoding="utf-8")
    return [*files, folder / README]


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Write a CSV file with a header for each raw table to FOLDER, and a README of all columns.

    The columns, their meaning, allowed values and examples are those of models/sources.
    """
    files = write(folder)
    required = ", ".join(table.name for table in tables() if table.is_required)
    click.echo(f"{len(files) - 1} tables and {README} are in {folder}. Required: {required}.")


if __name__ == "__main__":
    main()
