"""Files from templates."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from reporting import page, palette, read, sentences

TEMPLATES = Path(__file__).parent / "templates"


def environment() -> Environment:
    """Templates that escape what goes into HTML, and stop at a name that is not there."""
    jinja = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.filters["svg"] = Markup
    jinja.filters["unbroken"] = unbroken
    return jinja


def unbroken(text: str) -> str:
    """Text in which a number and its unit stay on one line."""
    for unit in ("%", "points"):
        text = text.replace(f" {unit}", f"\u00a0{unit}")
    return text


def page_html(warehouse: read.Warehouse) -> str:
    """The page, one file with all that it needs.

    Args:
        warehouse: a built warehouse.
    """
    frames = warehouse.read(read.PAGE)
    month = frames["month"]
    overall = next(month[month["dimension_name"] == "overall"].itertuples(index=False))
    context: dict[str, Any] = {
        "light": palette.LIGHT,
        "dark": palette.DARK,
        "overall": overall,
        "answers": sentences.answers(month),
        "coverage": sentences.coverage(overall),
        "queues": list(month[month["dimension_name"] == "queue"]["label"].sort_values()),
        "statuses": month[month["dimension_name"] == "queue"],
        "sections": page.sections(frames),
        "as_of": frames["as_of"]["as_of"].iloc[0],
        "built_at": warehouse.built_at(),
        "version": read.code_version(),
    }
    return environment().get_template("page.html.j2").render(context)
