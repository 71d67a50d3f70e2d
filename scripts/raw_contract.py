"""The raw contract as models/sources states it, for scripts that tell people of it."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined

PROJECT = Path(__file__).parents[1]
DOC = re.compile(r"{% docs (\w+) %}(.*?){% enddocs %}", re.DOTALL)
# How a value of each type is written in a CSV file.
FORMS = {
    "timestamp": "YYYY-MM-DD HH:MM:SS, UTC",
    "date": "YYYY-MM-DD",
    "boolean": "true or false",
    "bigint": "whole number",
    "double": "number, with a point",
    "string": "text",
}


@dataclass(frozen=True)
class Column:
    """One column of a raw table: what it is, and what may be in it."""

    name: str
    data_type: str
    description: str
    is_required: bool
    is_nullable: bool
    allowed: list[str]
    example: str

    @property
    def form(self) -> str:
        """How a value is written: the allowed ones, or the form of the type."""
        return ", ".join(self.allowed) or FORMS[self.data_type]


@dataclass(frozen=True)
class Table:
    """One raw table of the contract."""

    name: str
    description: str
    key: list[str]
    is_required: bool
    empty_means: str
    columns: list[Column]

    @property
    def ordered(self) -> list[Column]:
        """The columns, required ones first, else as the contract has them."""
        return sorted(self.columns, key=lambda column: not column.is_required)


def tables(project: Path = PROJECT) -> list[Table]:
    """Every raw table of models/sources, required ones first.

    Args:
        project: the folder of the dbt project.
    """
    texts = (project / "models" / "sources" / "raw_columns.md").read_text(encoding="utf-8")
    docs = {name: " ".join(text.split()) for name, text in DOC.findall(texts)}
    jinja = Environment(undefined=StrictUndefined)
    found = []
    for file in sorted((project / "models" / "sources").glob("*.yml")):
        for source in yaml.safe_load(file.read_text(encoding="utf-8"))["sources"]:
            found += [_table(table, docs, jinja, project) for table in source["tables"]]
    return sorted(found, key=lambda table: not table.is_required)


def _table(table: dict[str, Any], docs: dict[str, str], jinja: Environment, home: Path) -> Table:
    meta = table["config"]["meta"]

    def text(template: str) -> str:
        return " ".join(jinja.from_string(template).render(doc=docs.__getitem__).split())

    columns = []
    for column in table["columns"]:
        said = column["config"]["meta"]
        columns.append(
            Column(
                name=column["name"],
                data_type=column["data_type"],
                description=text(column["description"]),
                is_required=said["is_required"],
                is_nullable=said.get("is_nullable", True),
                allowed=_allowed(said.get("allowed", []), home),
                example=str(said.get("example", "")),
            )
        )
    return Table(
        name=table["name"],
        # How systems map to it is for those who write the mapping: it is in the docs.
        description=text(table["description"].partition("\n\n")[0]),
        key=meta["key"],
        is_required=meta["is_required"],
        empty_means=text(meta["empty_means"]),
        columns=columns,
    )


def _allowed(allowed: list[str] | str, project: Path) -> list[str]:
    """The allowed values: a list, or the keys of the seed that is named."""
    if isinstance(allowed, list):
        return allowed
    with (project / "seeds" / f"{allowed}.csv").open(encoding="utf-8", newline="") as file:
        return [row[0] for row in csv.reader(file)][1:]
