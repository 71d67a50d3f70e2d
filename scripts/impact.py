"""What does a change reach? Marts, their columns, metrics, pages and files.

`make impact BASE=main~3` parses the project as it was at a commit and as it is now, and prints for
a reviewer: what was changed, which open marts are made of it, which of their columns are new, gone
or of another type or text, which metrics they hold, and which exposures rest on them. It says what
may change, not that a number does: `make compare` compares numbers. Variables are not followed.
"""

import csv
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
from metric_catalog import ROOT, SEED

MADE = ("model", "seed", "snapshot")

Manifest = dict[str, Any]


class Column(NamedTuple):
    """A column of an open mart that is not as it was."""

    mart: str
    name: str
    how: str


def read_by_dbt(verb: str, project: Path, target: Path) -> Manifest:
    """The manifest of a project, made without its warehouse.

    Args:
        verb: parse, or compile for the SQL of each model.
        project: its folder.
        target: where dbt writes.

    Raises:
        click.ClickException: dbt does not understand it.
    """
    command = [sys.executable, "-m", "dbt.cli.main", "--quiet", verb, "--target-path", target]
    # Compiled SQL names the raw files that are there, which are no part of a project.
    command += ["--no-partial-parse", "--vars", "raw_path: without raw files"]
    run = subprocess.run(
        command,
        cwd=project, env=os.environ | {"MODERATION_QUALITY_DATABASE": ":memory:"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if run.returncode:
        raise click.ClickException(f"dbt {verb} fails here:\n{run.stdout[-2000:]}")
    return json.loads((target / "manifest.json").read_text(encoding="utf-8"))


def as_it_was(project: Path, base: str, folder: Path) -> None:
    """Write the files of a commit into a folder.

    Raises:
        click.ClickException: git knows no such commit.
    """
    run = subprocess.run(["git", "archive", base], cwd=project, capture_output=True, check=False)
    if run.returncode:
        raise click.ClickException(f"git has no {base}: {run.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(run.stdout)) as files:
        files.extractall(folder, filter="data")


def changed(before: Manifest, now: Manifest) -> dict[str, str]:
    """{unique_id: how} of the models and seeds whose own definition is not what it was."""
    macros = {
        name: macro["macro_sql"] != now["macros"].get(name, {}).get("macro_sql")
        for name, macro in before["macros"].items()
    }

    def uses_changed(names: list[str], seen: set[str]) -> str | None:
        for name in names:
            if name not in seen:
                seen.add(name)
                if macros.get(name, True):
                    return name.split(".")[-1]
                deeper = uses_changed(now["macros"][name]["depends_on"]["macros"], seen)
                if deeper:
                    return deeper
        return None

    found = {}
    for key in sorted({*before["nodes"], *now["nodes"]}):
        old, new = before["nodes"].get(key), now["nodes"].get(key)
        if (new or old)["resource_type"] not in MADE:
            continue
        if old is None or new is None:
            found[key] = "new" if old is None else "gone"
        elif old["checksum"] != new["checksum"]:
            found[key] = "changed"
        elif old["config"] != new["config"] or types(old) != types(new):
            found[key] = "config or types changed"
        elif macro := uses_changed(new["depends_on"].get("macros", []), set()):
            found[key] = f"macro {macro} changed"
    return found


def columns(node: dict[str, Any]) -> dict[str, tuple[str | None, str]]:
    """{column: type and text} of a node."""
    return {
        name: (column["data_type"], column["description"])
        for name, column in node["columns"].items()
    }


def types(node: dict[str, Any]) -> dict[str, str | None]:
    """{column: type} of a node."""
    return {name: said[0] for name, said in columns(node).items()}


def made_of(now: Manifest, those: set[str]) -> set[str]:
    """These nodes and all that is made of them."""
    found, left = set(), [key for key in those if key in now["child_map"]]
    while left:
        key = left.pop()
        if key not in found:
            found.add(key)
            left += now["child_map"][key]
    return found


def is_open(node: dict[str, Any]) -> bool:
    """Whether everybody may read a node."""
    return node["resource_type"] in MADE and node["config"]["meta"].get("readers") == "everybody"


def column_changes(before: Manifest, now: Manifest) -> Iterator[Column]:
    """What is not as it was in the columns of open marts."""
    for key in sorted({*before["nodes"], *now["nodes"]}):
        sides = [manifest["nodes"].get(key) for manifest in (before, now)]
        there = [side for side in sides if side and is_open(side)]
        if not there:
            continue
        mart = there[-1]["name"]
        if len(there) == 1:
            yield Column(mart, "*", "gone" if there[0] is sides[0] else "new mart")
            continue
        old, new = map(columns, there)
        for name in sorted({*old, *new}):
            if name not in old or name not in new:
                yield Column(mart, name, "new" if name not in old else "gone")
            elif old[name][0] != new[name][0]:
                yield Column(mart, name, f"{new[name][0]}, was {old[name][0]}")
            elif old[name][1] != new[name][1]:
                yield Column(mart, name, "another text")


def registry(project: Path) -> dict[tuple[str, str], dict[str, str]]:
    """The registered metrics, by id and version."""
    with (project / SEED).open(encoding="utf-8", newline="") as file:
        return {(row["metric_id"], row["metric_version"]): row for row in csv.DictReader(file)}


def report(before: Manifest, now: Manifest, metrics: tuple[dict, dict]) -> dict[str, Any]:
    """What a change reaches, by kind; each a list of texts.

    Args:
        before: the manifest as it was.
        now: the manifest as it is.
        metrics: the registry then and now.
    """
    own = changed(before, now)
    reached = made_of(now, set(own))
    marts = {
        now["nodes"][key]["name"]: key
        for key in reached
        if key in now["nodes"] and is_open(now["nodes"][key])
    }
    then, today = metrics
    return {
        "changed": [f"{key.split('.')[-1]}: {how}" for key, how in own.items()],
        "open marts made of it": sorted(marts),
        "columns": [f"{c.mart}.{c.name}: {c.how}" for c in column_changes(before, now)],
        "metrics in them": sorted(
            {row["metric_id"] for row in today.values() if row["mart"] in marts}
        ),
        "metrics defined otherwise": sorted(
            f"{key[0]} version {key[1]}"
            for key in {*then, *today}
            if then.get(key) != today.get(key)
        ),
        "exposures": sorted(
            f"{node['label'] or node['name']}: {node['owner']['name']}, maturity {node['maturity']}"
            for key, node in now["exposures"].items()
            if key in reached
        ),
    }


@click.command(help=__doc__)
@click.argument("base")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, for a tool.")
@click.option("--project", type=click.Path(path_type=Path, exists=True, file_okay=False),
              default=ROOT, help="The folder of the dbt project.")  # fmt: skip
def main(base: str, *, as_json: bool, project: Path) -> None:
    """Print what the change since a commit reaches."""
    with tempfile.TemporaryDirectory(prefix="impact-") as scratch:
        then, targets = Path(scratch) / "then", [Path(scratch) / side for side in ("t0", "t1")]
        then.mkdir()
        as_it_was(project, base, then)
        click.echo(f"Reading the project as it was at {base}, and as it is", err=True)
        before = read_by_dbt("parse", then, targets[0])
        now = read_by_dbt("parse", project, targets[1])
        found = report(before, now, (registry(then), registry(project)))
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    for kind, lines in found.items():
        click.echo(f"{kind}: {len(lines) or 'none'}")
        for line in lines:
            click.echo(f"  {line}")


if __name__ == "__main__":
    main()
