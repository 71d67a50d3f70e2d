"""What does a change do to definitions? Nothing, additions, a broken shape, or another meaning.

`make semantic-diff` compares the project as it was at a commit (BASE; as a rule the one that set
the version of dbt_project.yml) with what it is now, by the compiled SQL of everything that open
marts are made of, their columns and keys, and the seeds that feed them. Each change is

- none: texts, formatting, tests, how a table is stored;
- additive: a new mart, column, metric, row of a seed;
- breaking: a column, mart or metric is gone, or has another type or key;
- meaning: another formula, filter, join, grouping or seed.

Breaking changes and changes of meaning have to be declared in seeds/definition_changes.csv, where
readers see them. A registered metric never changes: it gets a new version. SQL written otherwise
for the same numbers counts as a change of meaning, as nothing can tell in general; declare it as
same_numbers, with `make compare` as the proof. Exit codes: 0 all declared, 1 not, 2 wrong usage.
"""

import csv
import difflib
import hashlib
import re
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import click
import sqlglot
from impact import MADE, Manifest, as_it_was, is_open, made_of, read_by_dbt, types
from metric_catalog import ROOT, SEED
from sqlglot import exp

DECLARED = "definition_changes"
KINDS = ("meaning", "breaking", "additive")
# Columns of seeds that are words for people: another wording is no other definition.
WORDS = {
    "sentence", "label", "question", "owner", "since", "not_to_be_read_as", "counter_metric",
    "metric_name", "what_to_check", "note", "meaning", "population", "exclusions", "maturity",
}  # fmt: skip
# The parts of a select, and what a change of one is called.
CLAUSES = {
    "where": "filter", "having": "filter", "qualify": "filter", "group": "grouping",
    "distinct": "grouping", "limit": "filter",
}  # fmt: skip
LONGEST = 220

Scopes = dict[str, dict[str, str]]


class Change(NamedTuple):
    """What is not as it was in a model, mart or seed."""

    of: str
    kind: str
    what: str


class Declaration(NamedTuple):
    """A row of seeds/definition_changes.csv."""

    changed_on: str
    changed: str
    fingerprint: str
    change_kind: str
    explanation: str


def scopes(sql: str) -> Scopes:
    """Each select of a query by its place, and its parts as text in one form.

    Returns:
        {place: {part: text}}. A part is "column x", "row …", "join", or "filter" or "grouping" with
        the clause that it is.
    """
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    found: Scopes = {}
    for node in tree.walk():
        if isinstance(node, exp.Values):
            rows = {f"row {_text(row)}": _text(row) for row in node.expressions}
            found[_free(_place(node) + " (values)", found)] = rows
        elif isinstance(node, exp.Select):
            found[_free(_place(node), found)] = dict(_parts(node))
        elif isinstance(node, exp.SetOperation):
            distinct = "" if node.args.get("distinct") is False else " distinct"
            found[_free(_place(node) + " (set)", found)] = {"join": f"{node.key}{distinct}"}
    return found


def _free(place: str, found: Scopes) -> str:
    """A place that is not taken, for the branches of a union come one after the other."""
    number, name = 1, place
    while name in found:
        number += 1
        name = f"{place}, {number}"
    return name


def _place(node: exp.Expression) -> str:
    """The CTE or subquery that a select is in."""
    parent = node.parent
    while parent is not None:
        if isinstance(parent, exp.CTE):
            return parent.alias
        if isinstance(parent, exp.Subquery) and parent.alias:
            return parent.alias
        parent = parent.parent
    return "the last select"


def _parts(select: exp.Select) -> Iterator[tuple[str, str]]:
    """What a select says, part by part, without what is inside its subqueries."""
    for place, projection in enumerate(select.expressions):
        alias = projection.alias_or_name or f"number {place + 1}"
        yield f"column {alias}", _text(projection.unalias())
    source = select.args.get("from_") or select.args.get("from")
    joined = [source.this] if source else []
    yield "join", " ".join(_text(one) for one in [*joined, *(select.args.get("joins") or [])])
    for clause, called in CLAUSES.items():
        if part := select.args.get(clause):
            yield f"{called} ({clause})", _text(part)
    if select.args.get("limit") and (order := select.args.get("order")):
        yield "filter (order)", _text(order)


def _text(node: exp.Expression) -> str:
    """An expression in one form; a subquery is but its name, as it has a place of its own."""
    copy = node.copy()
    for query in list(copy.find_all(exp.Subquery)):
        if query is not copy and query.alias:
            query.replace(exp.to_table(query.alias))
    if isinstance(copy, exp.Subquery) and copy.alias:
        copy = exp.to_table(copy.alias)
    return copy.sql(dialect="duckdb", comments=False, normalize=True)


def sql_changes(old: str, new: str) -> Iterator[tuple[str, str]]:
    """How a query differs from what it was: kind and what, for each part that does.

    A step or a column that is new or gone changes nothing by itself: what reads it is seen.
    """
    before, now = scopes(old), scopes(new)
    steps = [{_step(place) for place in side} for side in (before, now)]
    for place in [*before, *(place for place in now if place not in before)]:
        if place in before and place in now:
            yield from _part_changes(place, before[place], now[place])
        elif _step(place) in steps[0] and _step(place) in steps[1]:
            yield "meaning", f"a part of {_step(place)} is {'new' if place in now else 'gone'}"


def _step(place: str) -> str:
    """The CTE of a place, whichever select of it."""
    return re.split(r" \(|, ", place, maxsplit=1)[0]


def _part_changes(
    place: str, was: dict[str, str], is_now: dict[str, str]
) -> Iterator[tuple[str, str]]:
    """How a select differs from what it was."""
    is_distinct = any("(distinct)" in part for part in (*was, *is_now))
    is_joined_otherwise = was.get("join") != is_now.get("join")
    for part in [*was, *(part for part in is_now if part not in was)]:
        is_column = part.startswith("column ")
        if part not in was or part not in is_now:
            if part not in was and part.startswith(("column ", "row ")) and not is_distinct:
                yield "additive", f"{part} of {place} is new"
            elif not is_column or is_distinct:
                said = _short(was.get(part) or is_now[part])
                yield (
                    "meaning",
                    f"{part} of {place} is {'new' if part in is_now else 'gone'}: {said}",
                )
        elif was[part] != is_now[part]:
            if is_column and _is_longer_case(was[part], is_now[part]):
                yield "additive", f"{part} of {place} knows a further value"
            elif not (
                is_column and is_joined_otherwise and _bare(was[part]) == _bare(is_now[part])
            ):
                yield "meaning", f"{part} of {place}: {difference(was[part], is_now[part])}"


def _bare(expression: str) -> str:
    """An expression without the names of the relations that its columns are of."""
    return re.sub(r"\b\w+\.(?=\w)", "", expression)


def _is_longer_case(old: str, new: str) -> bool:
    """Whether an expression but chooses among more values than before: case x when … end.

    Where there is an else, the further value was that before: another meaning.
    """
    sides = [sqlglot.parse_one(side, dialect="duckdb") for side in (old, new)]
    cases = [list(side.find_all(exp.Case)) for side in sides]
    if len(cases[0]) != len(cases[1]) or not cases[0]:
        return False
    for was, is_now in zip(*cases, strict=True):
        if was.this is None or is_now.this is None or is_now.args.get("default"):
            continue
        known = [one.sql() for one in was.args["ifs"]]
        for one in list(is_now.args["ifs"]):
            if one.sql() not in known:
                one.pop()
    return sides[0].sql() == sides[1].sql()


def difference(old: str, new: str) -> str:
    """Where two texts differ, with a little around it."""
    words = [text.split(" ") for text in (old, new)]
    blocks = difflib.SequenceMatcher(a=words[0], b=words[1], autojunk=False).get_opcodes()
    apart = [block for block in blocks if block[0] != "equal"]
    first, last = apart[0], apart[-1]
    sides = (
        " ".join(words[0][max(0, first[1] - 3) : last[2] + 3]),
        " ".join(words[1][max(0, first[3] - 3) : last[4] + 3]),
    )
    return f'was "{_short(sides[0])}", is "{_short(sides[1])}"'


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 2] + " …"


def named(manifest: Manifest) -> dict[str, str]:
    """{name: unique_id} of models and seeds. The first version of a model has its bare name."""
    found = {}
    for key, node in manifest["nodes"].items():
        if node["resource_type"] in MADE:
            version = node.get("version")
            found[node["name"] if version in (None, 1) else f"{node['name']} v{version}"] = key
    return found


def feeding(manifest: Manifest) -> set[str]:
    """The models and seeds that open marts are made of, those with them."""
    nodes = manifest["nodes"]
    left = [key for key, node in nodes.items() if node["resource_type"] in MADE and is_open(node)]
    found: set[str] = set()
    while left:
        key = left.pop()
        if key in nodes and key not in found:
            found.add(key)
            left += nodes[key]["depends_on"].get("nodes", [])
    return found


def keys(manifest: Manifest, of: str) -> list[str]:
    """The columns by which a row of a model or seed is there once, or none."""
    for node in manifest["nodes"].values():
        said = node.get("test_metadata")
        if node.get("attached_node") == of and said and said["name"] == "unique_key":
            return said["kwargs"]["columns"]
    return []


def shape_changes(before: Manifest, now: Manifest, today: str) -> Iterator[Change]:
    """What is not as it was in the columns and keys of open marts.

    Args:
        before: the manifest as it was.
        now: the manifest as it is.
        today: as in 2026-11-30. A version may go once its deprecation date is over.
    """
    then, there = named(before), named(now)
    for name, key in then.items():
        old, new = before["nodes"][key], now["nodes"].get(there.get(name, ""))
        if not is_open(old):
            continue
        if new is None or not is_open(new):
            ended = old.get("deprecation_date")
            if not (ended and str(ended)[:10] <= today):
                said = f"before {str(ended)[:10]}" if ended else "and had no date for that"
                yield Change(name, "breaking", f"the mart is gone, {said}")
            continue
        was, is_now = types(old), types(new)
        for column in was:
            if column not in is_now:
                yield Change(name, "breaking", f"column {column} is gone")
            elif was[column] != is_now[column]:
                yield Change(name, "breaking",
                             f"column {column} is {is_now[column]}, was {was[column]}")  # fmt: skip
        for column in is_now:
            if column not in was:
                yield Change(name, "additive", f"column {column} is new")
        old_key, new_key = keys(before, key), keys(now, there[name])
        if old_key and old_key != new_key:
            yield Change(name, "breaking",
                         f"a row is one of {', '.join(new_key) or 'nothing'}, was one of "
                         f"{', '.join(old_key)}")  # fmt: skip
    for name, key in there.items():
        if name not in then and is_open(now["nodes"][key]):
            yield Change(name, "additive", "a new mart")


def rows_of(project: Path, node: dict[str, Any]) -> list[dict[str, str]]:
    """The rows of a seed."""
    with (project / node["original_file_path"]).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def seed_changes(
    name: str, key: list[str], old: list[dict[str, str]], new: list[dict[str, str]]
) -> Iterator[Change]:
    """What is not as it was in the rows of a seed that feeds open marts."""
    by_key = [
        {tuple(row.get(column) or "" for column in key or sorted(row)): row for row in rows}
        for rows in (old, new)
    ]
    for said, row in by_key[0].items():
        place = " ".join(part for part in said if part)
        if said not in by_key[1]:
            yield Change(name, "meaning", f"row {_short(place)} is gone")
            continue
        for column, value in row.items():
            is_now = by_key[1][said].get(column)
            if value != is_now and column not in WORDS and not column.endswith("_label"):
                yield Change(name, "meaning", f'{column} of {place}: was "{value}", is "{is_now}"')
    for said in by_key[1]:
        if said not in by_key[0]:
            yield Change(name, "additive", f"row {_short(' '.join(filter(None, said)))} is new")


def definition_changes(
    before: Manifest, now: Manifest, projects: tuple[Path, Path], today: str
) -> list[Change]:
    """All that is not as it was in what open marts show, by what it is in.

    Args:
        before: the compiled manifest as it was.
        now: the compiled manifest as it is.
        projects: the folders of both, for their seeds.
        today: as in 2026-11-30.
    """
    found = list(shape_changes(before, now, today))
    sides, fed = (named(before), named(now)), (feeding(before), feeding(now))
    for name in sorted({*sides[0], *sides[1]}):
        ids = [side.get(name, "") for side in sides]
        if (ids[0] not in fed[0] and ids[1] not in fed[1]) or name == DECLARED:
            continue
        if not ids[0] or not ids[1]:
            # A step that is gone is seen in what was made of it, an open mart in its shape.
            if not ids[0] and not is_open(now["nodes"][ids[1]]):
                found.append(Change(name, "additive", "a new step"))
            continue
        old, new = before["nodes"][ids[0]], now["nodes"][ids[1]]
        if old["resource_type"] == new["resource_type"] == "seed":
            rows = [
                rows_of(folder, node) for folder, node in zip(projects, (old, new), strict=True)
            ]
            found += seed_changes(name, keys(now, ids[1]), *rows)
        elif old.get("compiled_code") != new.get("compiled_code"):
            found += (
                Change(name, *said)
                for said in sql_changes(old["compiled_code"], new["compiled_code"])
            )
    return found


def declarations(project: Path) -> set[Declaration]:
    """What seeds/definition_changes.csv says; nothing where there is none."""
    file = project / "seeds" / f"{DECLARED}.csv"
    if not file.exists():
        return set()
    with file.open(encoding="utf-8", newline="") as rows:
        return {Declaration(**row) for row in csv.DictReader(rows)}


def fingerprint(changes: list[Change]) -> str:
    """What is declared: a further change of the same model has another."""
    told = "\n".join(sorted(change.what for change in changes))
    return hashlib.sha256(told.encode()).hexdigest()[:8]


def judged(
    changes: list[Change], new: set[Declaration], now: Manifest, metrics: list[dict[str, str]],
    today: str,
) -> Iterator[str]:  # fmt: skip
    """What has to be declared and is not, each with what to do.

    Args:
        changes: all changes.
        new: the declarations since the base.
        now: the manifest as it is.
        metrics: the registry as it is.
        today: as in 2026-11-30.
    """
    ids = named(now)
    for of in dict.fromkeys(change.of for change in changes):
        those = [change for change in changes if change.of == of and change.kind != "additive"]
        if not those:
            continue
        kind = "breaking" if any(change.kind == "breaking" for change in those) else "meaning"
        told = [f"{of}: {'its shape is broken' if kind == 'breaking' else 'another meaning'}"]
        told += [f"  {change.what}" for change in those]
        if of == Path(SEED).stem:
            yield "\n".join([
                *told, "  A registered metric does not change. Leave its row as it was and add one "
                "with the next metric_version.",
            ])  # fmt: skip
            continue
        mark = fingerprint(those)
        if any(one.changed == of and one.fingerprint == mark for one in new):
            continue
        reached = made_of(now, {ids[of]}) if of in ids else set()
        marts = sorted(
            now["nodes"][key]["name"]
            for key in reached
            if key in now["nodes"] and is_open(now["nodes"][key])
        )
        n_metrics = len({row["metric_id"] for row in metrics if row["mart"] in marts})
        told.append(f"  Reaches {len(marts)} open marts ({_short(', '.join(marts))}) and "
                    f"{n_metrics} metrics.")  # fmt: skip
        row = f"{today},{of},{mark},{kind}"
        told.append(f"  Declare it in seeds/{DECLARED}.csv: {row},<what readers should know>")
        if kind == "meaning":
            told.append("  If every number stays the same (make compare), write same_numbers "
                        "for meaning.")  # fmt: skip
        yield "\n".join(told)


def released(project: Path) -> str | None:
    """The commit that set the version of dbt_project.yml; None without git's history."""
    command = ["git", "log", "-1", "--format=%H", "-G^version:", "--", "dbt_project.yml"]
    run = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    return run.stdout.strip() or None


@click.command(help=__doc__)
@click.argument("base", required=False)
@click.option("--project", type=click.Path(path_type=Path, exists=True, file_okay=False),
              default=ROOT, help="The folder of the dbt project.")  # fmt: skip
def main(base: str | None, *, project: Path) -> None:
    """Compare definitions with those at a commit."""
    base, today = base or released(project), date.today().isoformat()
    if base is None:
        click.echo("Not compared: there is no git history here. In a clone, name a BASE.", err=True)
        return
    with tempfile.TemporaryDirectory(prefix="semantic-diff-") as scratch:
        then, targets = Path(scratch) / "then", [Path(scratch) / side for side in ("t0", "t1")]
        then.mkdir()
        as_it_was(project, base, then)
        # What SQL is made depends on the raw files that are there: the same for both.
        (then / "data").symlink_to((project / "data").resolve())
        click.echo(f"Compiling the project as it was at {base[:12]}, and as it is", err=True)
        before, now = (
            read_by_dbt("compile", folder, target)
            for folder, target in zip((then, project), targets, strict=True)
        )
        changes = definition_changes(before, now, (then, project), today)
        new = declarations(project) - declarations(then)
    with (project / SEED).open(encoding="utf-8", newline="") as file:
        refused = list(judged(changes, new, now, list(csv.DictReader(file)), today))
    for kind in KINDS:
        of = [change for change in changes if change.kind == kind]
        click.echo(f"{kind}: {len(of) or 'none'}")
        for change in of if kind != "additive" else []:
            click.echo(f"  {change.of}: {change.what}")
    if refused:
        click.echo("\n" + "\n\n".join(refused), err=True)
        raise SystemExit(1)


if __name__ == "__main__":
    main()
