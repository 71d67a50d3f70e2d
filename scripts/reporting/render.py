"""Files from templates."""

import base64
import html
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import click
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from reporting import charts, page, palette, read, sentences, week, words

TEMPLATES = Path(__file__).parent / "templates"
RESTATED_ON_PAGE = 20
RESTATED_IN_WEEK = 5


@dataclass(frozen=True)
class Picture:
    """A chart of the weekly report: the part it stands below, its file, and what it shows."""

    below: str
    file: str
    caption: str
    png: bytes

    @property
    def data(self) -> str:
        """The file as an address that holds it."""
        return f"data:image/png;base64,{base64.b64encode(self.png).decode()}"


def environment() -> Environment:
    """Templates that escape what goes into HTML, and stop at a name that is not there."""
    jinja = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    jinja.filters["svg"] = Markup
    jinja.filters["unbroken"] = unbroken
    jinja.filters["linked"] = linked
    # Markdown takes HTML as it is.
    jinja.filters["plain"] = lambda text: html.escape(text, quote=False)
    return jinja


def unbroken(text: str) -> str:
    """Text in which a number and its unit stay on one line."""
    for unit in ("%", "points"):
        text = text.replace(f" {unit}", f"\u00a0{unit}")
    return text


def linked(text: str) -> Markup:
    """Text in which what rests on a break leads to what does not agree."""
    link = Markup('<a class="mark" href="#agreement">‡ {}</a>').format(words.RESTS_ON)
    return escape(text).replace(words.RESTS_ON, link)


def write_page(warehouse: read.Warehouse, output: Path) -> None:
    """Write the page, one file with all that it needs.

    Args:
        warehouse: a built warehouse.
        output: the file; its folder is made.
    """
    shown = warehouse.read({"month": read.MONTH})["month"]["month_starts_on"].iloc[0]
    frames = warehouse.read(read.PAGE, month=f"{shown:%Y-%m-%d}")
    frames["restated"] = warehouse.restated("'month'", RESTATED_ON_PAGE)
    month = frames["month"]
    overall = sentences.of_all(month)
    text = environment().get_template("page.html.j2").render(
        light=palette.LIGHT,
        dark=palette.DARK,
        overall=overall,
        answers=sentences.answers(month),
        coverage=sentences.coverage(overall) if overall else "",
        queues=sorted(month[month["dimension_name"] == "queue"]["label"]),
        sections=page.sections(frames),
        definitions=frames["definitions"].to_dict("records"),
        definition_changes=frames["definition_changes"].to_dict("records"),
        as_of=frames["as_of"]["as_of"].iloc[0],
        built_at=warehouse.built_at(),
        version=read.code_version(),
    )  # fmt: skip
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, encoding="utf-8")


def write_week(warehouse: read.Warehouse, day: date | None, folder: Path) -> Path:
    """Write the weekly report: report.html, report.md and its charts.

    Args:
        warehouse: a built warehouse.
        day: a day of the week to report on. None: the last complete week.
        folder: where a folder named for the last day of the week is made.

    Returns:
        That folder.

    Raises:
        click.ClickException: where there is no such complete week.
    """
    found = warehouse.read({"week": read.WEEK}, day=day)["week"]
    if found.empty:
        raise click.ClickException(f"There is no complete week of {day or 'data'}.")
    chosen = next(found.itertuples(index=False))
    frames = warehouse.read(read.WEEKLY, last_day=f"{chosen.period_ends_on:%Y-%m-%d}")
    frames["restated"] = warehouse.restated("'week', 'four_weeks'", RESTATED_IN_WEEK)
    four_weeks = frames["four_weeks"]
    frame = " Frame: derived." if sentences.is_derived(four_weeks) else ""
    paper = charts.paper(charts.LETTER)
    pictures = []
    if not four_weeks.empty:
        domain = charts.share_domain(frames["trend"], ["ci_low", "target"])
        pictures = [
            Picture(
                "In short",
                "trend.png",
                "Accuracy of all decisions, four weeks at a time. The band is the interval, the "
                f"dashed line the target.{frame}",
                charts.png(charts.trend(frames["trend"], domain, paper), paper),
            ),
            Picture(
                "What is below target",
                "queues.png",
                f"{four_weeks['period_label'].iloc[0]}: the mark is the estimate, the bar its "
                f"interval, and the upright line the target.{frame}",
                charts.png(charts.against_target(four_weeks, paper), paper),
            ),
        ]
    context = {
        "title": sentences.uncapitalised(chosen.period_label),
        "as_of": frames["as_of"]["as_of"].iloc[0],
        "confidence": frames["week"]["confidence_level"].max(),
        "parts": week.parts(frames, chosen.period_starts_on.date(), chosen.period_ends_on.date()),
        "charts": pictures,
        "ink": palette.LIGHT["ink"],
        "muted": palette.LIGHT["muted"],
    }
    target = folder / f"{chosen.period_ends_on:%Y-%m-%d}"
    target.mkdir(parents=True, exist_ok=True)
    for name, template in (("report.html", "week.html.j2"), ("report.md", "week.md.j2")):
        text = environment().get_template(template).render(context)
        (target / name).write_text(text, encoding="utf-8")
    for picture in pictures:
        (target / picture.file).write_bytes(picture.png)
    return target
