"""Write the DSA's transparency sheets of a period as CSV files, with a page on every cell."""

import csv
import json
import os
import re
import shutil
import tempfile
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import click
import duckdb
import pandas as pd
from jinja2 import Environment, FileSystemLoader
from sheets import sums, template, words

PROJECT = Path(__file__).resolve().parents[1]
PERIOD = re.compile(r"(\d{4})(?:H([12]))?")
PAGE = "about.html"
CELLS = "cells.csv"
ABOUT = "about.json"


class Period(NamedTuple):
    """A half year or a calendar year."""

    period_type: str
    first_day: date
    last_day: date

    @classmethod
    def parse(cls, text: str) -> "Period":
        """The period of a text such as 2026H1 or 2026.

        Raises:
            click.BadParameter: it is neither.
        """
        if not (found := PERIOD.fullmatch(text)):
            raise click.BadParameter(f"{text} is no half year or year, such as 2026H1 or 2026.")
        year, half = int(found[1]), found[2]
        first = date(year, 7 if half == "2" else 1, 1)
        last = date(year, 6, 30) if half == "1" else date(year, 12, 31)
        return cls("half_year" if half else "year", first, last)

    def __str__(self) -> str:
        """As the template writes it."""
        return f"{self.first_day}/{self.last_day}"


class Source(NamedTuple):
    """What the warehouse has of a period.

    Attributes:
        cells: the rows of dsa_cells.
        categories: the seed dsa_template.
        others: the policies in the sub-category Other, by whether the sheet is of illegal content,
            and category.
        metrics: the seed metrics.
        reasons: what each reason says.
        as_of: until when rows count, UTC.
        first_day: of the first decision.
    """

    cells: pd.DataFrame
    categories: pd.DataFrame
    others: dict[tuple[bool, str], str]
    metrics: pd.DataFrame
    reasons: dict[str, str]
    as_of: str
    first_day: date


def read(database: Path, period: Period) -> Source:
    """Read the cells of a period.

    Raises:
        click.ClickException: the warehouse is not there, or has nothing of the period.
    """
    if not database.exists():
        raise click.ClickException(f"{database} is not there: run `make build` first.")
    with duckdb.connect(database, read_only=True) as connection:
        try:
            cells = connection.execute(
                "from restricted.dsa_cells where period_type = ? and period_starts_on = ? "
                "order by sheet, scope, category, keyword, indicator",
                [period.period_type, period.first_day],
            ).df()
            ((as_of, first_day),) = connection.execute(
                "select (select as_of from staging.int_context__as_of), "
                "(select min(calendar_date) from report.dim_calendar)"
            ).fetchall()
            reasons = connection.execute(
                "select reason_code, sentence from reference.reasons "
                "where applies_to in ('rate', 'transparency') order by applies_to"
            ).fetchall()
            others = connection.execute("""
                select is_illegal, category, string_agg(policy_id, ', ' order by policy_id)
                from (
                    select
                        is_illegal,
                        policy_id,
                        case when is_illegal then coalesce(illegal_category, category)
                            else category end as category,
                        case when is_illegal then coalesce(illegal_keyword, keyword)
                            else keyword end as keyword
                    from reference.dsa_categories
                    cross join (values (true), (false)) as grounds (is_illegal)
                    where policy_id in (select policy_id from report.dim_policies)
                )
                where keyword = 'KEYWORD_OTHER'
                group by is_illegal, category
            """).fetchall()
            seeds = [
                connection.sql(f"from reference.{name}").df()
                for name in ("dsa_template", "metrics")
            ]
        except duckdb.CatalogException as error:
            raise click.ClickException(f"{database} was not built whole: {error}") from error
    if cells.empty:
        raise click.ClickException(f"Nothing is known of {period}: decisions are of other days.")
    return Source(
        cells,
        seeds[0].sort_values("sort_order"),
        {(is_illegal, category): names for is_illegal, category, names in others},
        seeds[1],
        dict(reasons),
        f"{as_of:%Y-%m-%d %H:%M:%S}",
        first_day,
    )


def fill(source: Source, period: Period, service: str) -> tuple[dict, pd.DataFrame]:
    """The sheets with their values.

    Returns:
        The rows of each sheet, and a row a cell: its sheet, row, column, labels, value as text,
        where it comes from, whether it is fit to publish, and why not or why it is blank.
    """
    keys = ["scope", "category", "keyword", "indicator"]
    found = {(row["sheet"], *(row[key] for key in keys)): row for _, row in source.cells.iterrows()}
    texts = {
        template.ERROR_RATES: words.error_rates(source.metrics, source.cells),
        template.HEAD_COUNT: words.head_count(source.cells),
    }
    sheets, listed = {}, []
    for number in template.FILES:
        rows, cells = template.layout(number, source.categories, service, str(period))
        sheets[number] = rows
        for cell in cells:
            row = rows[cell.row]
            of_mart = found.get((number, *cell.key)) if cell.key else None
            if number == 11:
                value = texts.get(row["Indicator"], "")
                why = "" if value else words.BY_HAND
            else:
                value, why = _value(cell, of_mart, source.reasons)
            row[cell.column] = value
            if of_mart is not None:
                _add_context(row, cell, of_mart, found)
            listed.append(
                {
                    "sheet": number,
                    "row": cell.row,
                    "column": cell.column,
                    "row_label": cell.row_label,
                    "column_label": cell.column_label,
                    "value": value,
                    "source": words.source_of(number, cell.key[3] if cell.key else None)
                    if number != 11
                    else words.OF_SHEET[11],
                    "is_fit": bool(of_mart["is_fit_to_publish"])
                    if of_mart is not None
                    else why == words.DOES_NOT_APPLY or (number == 11 and bool(value)),
                    "why": why,
                }
            )
            if number in template.COLUMNS and cell.key and cell.key[2] == "KEYWORD_OTHER":
                is_illegal = number != 6
                row[template.OTHER] = source.others.get((is_illegal, cell.key[1]), "")
    return sheets, pd.DataFrame(listed)


def _value(
    cell: template.Cell, of_mart: pd.Series | None, reasons: dict[str, str]
) -> tuple[str, str]:
    """The text of a cell, and why it is blank or not fit; empty where neither."""
    if cell.key is None:
        return "", words.NOT_IN_CONTRACT
    if of_mart is None:
        return "", words.DOES_NOT_APPLY
    code = of_mart["reason_code"]
    why = "" if pd.isna(code) else reasons[code]
    return words.as_text(of_mart["cell_value"], of_mart["unit"]), why


def _add_context(row: dict[str, str], cell: template.Cell, of_mart: pd.Series, found: dict) -> None:
    """Say beside a value what must be said of it."""
    scope = cell.key[0]
    pending = found.get((cell.sheet, scope, "TOTAL", "", "n_pending"))
    said = words.context_of(of_mart, None if pending is None else pending["cell_value"])
    if said and row[cell.column]:
        columns = template.header(cell.sheet)
        about = columns[-1] if cell.column == "Value" else template.about(cell.sheet, cell.column)
        row[about] = said


def write_sheets(folder: Path, sheets: dict) -> None:
    """Write each sheet as RFC 4180 has it: UTF-8, commas, lines that end in CR and LF."""
    for number, rows in sheets.items():
        path = folder / template.FILES[number]
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, template.header(number), restval="")
            writer.writeheader()
            writer.writerows(rows)


def last_version(folder: Path) -> int:
    """The number of the last version in a folder; 0 where there is none."""
    found = [re.fullmatch(r"version_(\d+)", path.name) for path in folder.glob("version_*")]
    return max((int(match[1]) for match in found if match), default=0)


def changed_cells(folder: Path, cells: pd.DataFrame) -> pd.DataFrame:
    """The cells whose value is another than in a version: before and now."""
    before = pd.read_csv(folder / CELLS, dtype=str, keep_default_na=False)
    before["sheet"], before["row"] = before["sheet"].astype(int), before["row"].astype(int)
    key = ["sheet", "row", "column"]
    both = cells.merge(
        before[[*key, "value"]].rename(columns={"value": "before"}), on=key, how="left"
    )
    return both[both["value"] != both["before"].fillna("")]


def write_page(path: Path, source: Source, cells: pd.DataFrame, **said: Any) -> None:
    """Write the page that says of each cell where it comes from and whether it can be published."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "sheets"), autoescape=True,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    is_blank = cells["value"] == ""
    of_shares = source.cells[source.cells["indicator"].isin(["accuracy", "precision", "recall"])]
    shares = [
        {
            "scope": row.scope,
            "indicator": row.indicator,
            "value": words.as_text(row.cell_value, "share"),
            "interval": "" if pd.isna(row.ci_low) else f"{row.ci_low:.3f} to {row.ci_high:.3f}",
            "n": "" if pd.isna(row.n) else f"{row.n:,.0f}",
            "effective_n": "" if pd.isna(row.effective_n) else f"{row.effective_n:,.0f}",
            "why": "" if pd.isna(row.reason_code) else source.reasons[row.reason_code],
        }
        for row in of_shares.itertuples()
    ]
    text = environment.get_template("page.html.j2").render(
        n_filled=int((~is_blank).sum()),
        n_zero=int((cells["value"] == "0").sum()),
        n_blank=int(is_blank.sum()),
        n_unfit=int((~cells["is_fit"]).sum()),
        shares=shares,
        proxy=_proxy(source.cells),
        sheets=[_sheet_of_page(number, part) for number, part in cells.groupby("sheet")],
        **said,
    )
    path.write_text(text, encoding="utf-8")


def _proxy(cells: pd.DataFrame) -> str:
    """The appeal proxy beside the precision that was estimated."""
    total = cells[(cells["sheet"] == 8) & (cells["scope"] == "total")]
    values = total.set_index("indicator")["cell_value"]
    if pd.isna(proxy := values.get("appeal_proxy_precision")):
        return ""
    said = f"which is {proxy:.4f}"
    if pd.notna(precision := values.get("precision")):
        said += f", {proxy - precision:+.4f} from the precision that was estimated"
    return said


def _sheet_of_page(number: int, cells: pd.DataFrame) -> dict[str, Any]:
    """What the page says of a sheet."""
    by_row = cells.groupby("row_label", sort=False)["why"]
    blank = by_row.agg(lambda why: set(why) <= {words.DOES_NOT_APPLY, words.NOT_IN_CONTRACT})
    rows_blank = blank[blank].index if number in template.COLUMNS else []
    columns = [
        {
            "label": label,
            "source": part["source"].iloc[0],
            "n_filled": int((part["value"] != "").sum()),
            "n_blank": int((part["value"] == "").sum()),
            "unfit": " ".join(part.loc[~part["is_fit"], "why"].unique()),
        }
        for label, part in cells.groupby(
            "column_label" if number in template.COLUMNS else "row_label", sort=False
        )
    ]
    shown = cells[~cells["row_label"].isin(rows_blank)]
    return {
        "number": number,
        "file": template.FILES[number],
        "columns": columns,
        "rows_blank": list(rows_blank),
        "cells": shown.to_dict("records"),
    }


@click.command()
@click.argument("period", metavar="PERIOD")
@click.option("--database", type=click.Path(path_type=Path),
              default=PROJECT / "data" / "warehouse.duckdb", show_default="data/warehouse.duckdb",
              help="The DuckDB file that dbt built.")  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path), default=PROJECT / "data" / "dsa",
              show_default="data/dsa", help="The folder in which the period gets one.")  # fmt: skip
@click.option("--service", default="", help="The name of the service, for the column Service.")
@click.option("--because", default="", help="Why numbers are others than in the last version.")
def main(period: str, database: Path, output: Path, service: str, because: str) -> None:
    """Write the DSA's sheets 3 to 9 and 11 of PERIOD, such as 2026H1 or 2026, as CSV files.

    The nine sums are checked first, and nothing is written where one does not hold. Versions are
    kept: with other numbers than the last, a new one is written beside it, with each change.

    Exit codes: 0 written, or the same as the last version; 1 a sum does not hold, or nothing is
    known of the period; 2 wrong usage.
    """
    of_period = Period.parse(period)
    source = read(database, of_period)
    if found := sums.broken(source.cells):
        more = f" ({len(found) - 1} more do not.)" if len(found) > 1 else ""
        raise click.ClickException(f"{found[0]}{more} Nothing was written.")
    sheets, cells = fill(source, of_period, service)
    folder = output / period
    version = last_version(folder) + 1
    changes, explanation = pd.DataFrame(), ""
    if version > 1:
        before = folder / f"version_{version - 1}"
        changes = changed_cells(before, cells)
        about = json.loads((before / ABOUT).read_text(encoding="utf-8"))
        if changes.empty:
            click.echo(f"Every cell is as in {before}: nothing was written.")
            return
        explanation = because or _why(about["as_of"], source.as_of)
    folder.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft_", dir=folder))
    try:
        write_sheets(draft, sheets)
        cells.to_csv(draft / CELLS, index=False)
        if len(changes):
            changes.to_csv(draft / "changes.csv", index=False)
        about = {
            "period": str(of_period), "version": version, "service": service, "as_of": source.as_of,
            "n_changed": len(changes), "explanation": explanation,
        }  # fmt: skip
        (draft / ABOUT).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
        write_page(
            draft / PAGE, source, cells, service=service, period=str(of_period), version=version,
            as_of=source.as_of, warnings=_warnings(source, of_period), explanation=explanation,
            changes=changes.to_dict("records"),
        )  # fmt: skip
        draft.chmod(0o755)
        os.rename(draft, folder / f"version_{version}")
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    _report(folder / f"version_{version}", cells, changes, _warnings(source, of_period))


def _why(before: str, now: str) -> str:
    """What changed the numbers, where nobody says."""
    if before != now:
        return f"Rows that were recorded after {before} and by {now} UTC count now."
    return (
        f"Both are of what was recorded by {now} UTC: rows were delivered late under an earlier "
        "date, or a definition changed (seeds, variables, code)."
    )


def _warnings(source: Source, period: Period) -> list[str]:
    """What must be known before any of it is published."""
    found = []
    if not (source.cells["period_ends_on"].dt.date < date.fromisoformat(source.as_of[:10])).all():
        found.append("The period is not over: not to be published.")
    if source.first_day > period.first_day:
        found.append(
            f"Decisions begin on {source.first_day}: unless the service did, what came before is "
            "missing."
        )
    return found


def _report(folder: Path, cells: pd.DataFrame, changes: pd.DataFrame, warnings: list[str]) -> None:
    """Say what was written."""
    n_unfit = int((~cells["is_fit"]).sum())
    click.echo(f"The sheets are in {folder}; {PAGE} says where each cell comes from.")
    if len(changes):
        click.echo(f"{len(changes)} cells are others than in the version before: changes.csv.")
    click.echo(f"Not fit to publish or to be filled in by hand: {n_unfit} of {len(cells)} cells.")
    for warning in warnings:
        click.echo(warning)


if __name__ == "__main__":
    main()
