"""Find in the project's YAML what dbt lets pass without a word.

On DuckDB dbt checks no resource against its own JSON schemas: `desciption:` is read, ignored and
never seen again. This command applies those schemas (they come with dbt-core), strictly, and then
the rules of this house: what must be described, typed, named and owned.
"""

import difflib
import json
import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import click
import yaml
from jsonschema import Draft7Validator, ValidationError
from rich.console import Console

Keys = tuple[Hashable, ...]

RESOURCE_FOLDERS = ("models", "seeds", "macros", "tests", "analyses", "snapshots")
MACRO = re.compile(r"{%-?\s*(?:macro|(?P<test>test))\s+(?P<name>\w+)\s*\(")
# An engine's own version of a macro is described where the macro is that dispatches to it.
DISPATCHED = re.compile(r"^(default|duckdb|spark)__")


class Finding(NamedTuple):
    """One thing to correct: where it is, and what to do about it."""

    file: Path
    line: int
    message: str


@dataclass
class Document:
    """One YAML file: its data, and the line of each key and list item in it."""

    file: Path
    data: Any
    lines: dict[Keys, int]

    def at(self, keys: Iterable[Hashable], message: str) -> Finding:
        """A finding at a place in the document, or at the nearest place above it."""
        keys = tuple(keys)
        while keys and keys not in self.lines:
            keys = keys[:-1]
        return Finding(self.file, self.lines.get(keys, 1), message)


def did_you_mean(word: object, known: Iterable[object]) -> str:
    """A suggestion to end a message with; empty where no known word is near."""
    near = difflib.get_close_matches(str(word), [str(k) for k in known], n=1, cutoff=0.6)
    return f" (did you mean `{near[0]}`?)" if near else ""


# --- reading ----------------------------------------------------------------------------------


def read(file: Path) -> tuple[Document, list[Finding]]:
    """A YAML file with its lines, and what is wrong with it as YAML.

    Args:
        file: a YAML file. One that cannot be parsed gives an empty document and one finding.
    """
    document, findings = Document(file, None, {}), []
    loader = yaml.SafeLoader(file.read_text(encoding="utf-8"))
    try:
        root = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return document, [Finding(file, line, f"not YAML: {error.problem}")]

    def value_of(node: yaml.Node, keys: Keys) -> Any:
        if isinstance(node, yaml.SequenceNode):
            for i, item in enumerate(node.value):
                document.lines[(*keys, i)] = item.start_mark.line + 1
            return [value_of(item, (*keys, i)) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            mapping = {}
            for key_node, value_node in node.value:
                line = key_node.start_mark.line + 1
                if key_node.tag == "tag:yaml.org,2002:merge":
                    message = "`<<:` merge: write the keys out, dbt 2 does not merge"
                    findings.append(Finding(file, line, message))
                    continue
                key = loader.construct_object(key_node)
                if key in mapping:
                    first = document.lines[(*keys, key)]
                    message = f"`{key}` is here twice: the one on line {first} is lost"
                    findings.append(Finding(file, line, message))
                document.lines[(*keys, key)] = line
                mapping[key] = value_of(value_node, (*keys, key))
            return mapping
        # The schemas know dates as text.
        is_date = node.tag == "tag:yaml.org,2002:timestamp"
        return node.value if is_date else loader.construct_object(node)

    document.data = value_of(root, ()) if root else None
    return document, findings


# --- dbt's schemas ----------------------------------------------------------------------------


def shipped_schema(name: str) -> dict:
    """A JSON schema from dbt-core, such as `resources/latest`."""
    package = find_spec("dbt.jsonschemas")
    file = Path(package.origin).parent / f"{name}.json" if package and package.origin else None
    if not file or not file.exists():
        raise click.ClickException(f"dbt-core ships no schema {name}: see requirements/runtime.in")
    return json.loads(file.read_text(encoding="utf-8"))


def without_null(schema: Any) -> Any:
    """The schema with `X or null` as X, so that an error names what is wrong in X."""
    if isinstance(schema, list):
        return [without_null(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "enum" in schema:  # dbt reads `error` as it reads `Error`, and its schema knows one of them
        words = schema["enum"]
        schema = schema | {"enum": words + [w.lower() for w in words if isinstance(w, str)]}
    parts = [part for part in schema.get("anyOf", []) if part != {"type": "null"}]
    if len(parts) == 1 and len(schema["anyOf"]) > 1:
        schema = {k: v for k, v in schema.items() if k != "anyOf"} | parts[0]
    return {k: without_null(v) for k, v in schema.items()}


def resource_schema() -> dict:
    """dbt's schema of resource files, closed where it leaves a door open."""
    schema = without_null(shipped_schema("resources/latest"))
    known = schema["definitions"]
    # One way to write a data test, of the several that dbt reads.
    one_test = {"$ref": "#/definitions/CustomTestInner"}
    known["DataTests"] = {"type": ["string", "object"], "additionalProperties": one_test}
    version = known["Versions"]
    for key in ("columns", "constraints", "description", "data_tests", "deprecation_date"):
        version["properties"][key] = known["ModelProperties"]["properties"][key]
    version["properties"]["defined_in"] = {"type": "string"}
    version["additionalProperties"] = False
    # Semantic models are written to the specification that dbt 1.11 reads; `latest` has the next.
    legacy = without_null(shipped_schema("resources/0.0.110"))["definitions"]
    for name, definition in legacy.items():
        if isinstance(definition, dict) and "properties" in definition:
            definition["additionalProperties"] = False
        known.setdefault(name, definition)
    known["Entity"] = legacy["Entity"]  # the next specification has another of that name
    schema["properties"]["semantic_models"]["items"] = {"$ref": "#/definitions/_SemanticModels"}
    known["MetricsProperties"]["properties"]["type_params"] = {"type": "object"}
    return schema


def without_empty(data: Any) -> Any:
    """The data without keys that have no value: to dbt they are not there."""
    if isinstance(data, dict):
        return {k: without_empty(v) for k, v in data.items() if v is not None}
    return [without_empty(item) for item in data] if isinstance(data, list) else data


def schema_findings(document: Document, schema: dict) -> Iterator[Finding]:
    """What dbt's schema says of a document, in the words of somebody who made a typo."""
    for error in Draft7Validator(schema).iter_errors(without_empty(document.data)):
        yield from explain(document, error)


def explain(document: Document, error: ValidationError) -> Iterator[Finding]:
    """One schema error as findings: one for each key that is not known."""
    keys = tuple(error.absolute_path)
    place = ".".join(str(key) for key in keys if isinstance(key, str)) or "the top level"
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        for key in [key for key in error.instance if key not in known]:
            hint = did_you_mean(key, known)
            if not hint and "arguments" in known:
                hint = "; a test's argument goes under `arguments`"
            elif not hint and "config" in known:
                hint = "; a key of one's own goes under config.meta"
            elif not hint and "meta" in known:
                hint = "; a key of one's own goes under meta"
            yield document.at((*keys, key), f"unknown key `{key}` in {place}{hint}")
    elif error.validator == "anyOf" and error.context:
        # The alternative that got furthest is the one that was meant.
        meant = max(error.context, key=lambda e: len(e.absolute_path)).schema_path[0]
        for cause in error.context:
            if cause.schema_path[0] == meant:
                yield from explain(document, cause)
    else:
        yield document.at(keys, f"{place}: {error.message}")


# --- dbt_project.yml and profiles.yml -----------------------------------------------------------


def project_findings(document: Document) -> Iterator[Finding]:
    """Unknown keys, flags, settings and folders in dbt_project.yml."""
    from dbt.contracts.project import ProjectFlags  # noqa: PLC0415 (a third of a second)

    schema = without_null(shipped_schema("project/0.0.110"))
    trees = [key for key in document.data if is_tree(schema, key)]
    for key in trees:
        reference = schema["properties"].pop(key)["$ref"]
        schema["properties"][key] = {"type": "object"}
        known = schema["definitions"][reference.split("/")[-1]]["properties"]
        yield from settings_findings(document, (key,), document.data[key], known, schema)
    yield from schema_findings(document, schema)
    flags = [field.name for field in fields(ProjectFlags)]
    for flag in set(document.data.get("flags") or {}) - set(flags):
        yield document.at(("flags", flag), f"unknown flag `{flag}`{did_you_mean(flag, flags)}")


def is_tree(schema: dict, key: str) -> bool:
    """Whether a key of dbt_project.yml holds settings by folder, such as `models`."""
    reference = schema["properties"].get(key, {}).get("$ref", "")
    return re.search(r"/Project\w+Configs?$", reference) is not None and key != "dbt-cloud"


def settings_findings(
    document: Document, keys: Keys, tree: dict | None, known: dict, schema: dict
) -> Iterator[Finding]:
    """Settings with no plus sign or that dbt does not know, and folders that do not exist."""
    kind, *folders = keys
    for key, value in (tree or {}).items():
        here = (*keys, key)
        if str(key).startswith("+"):
            if key not in known:
                yield document.at(here, f"unknown setting `{key}`{did_you_mean(key, known)}")
                continue
            setting = known[key] | {"definitions": schema["definitions"]}
            # A value in Jinja has its type only when it is rendered.
            if not (isinstance(value, str) and "{{" in value):
                for error in Draft7Validator(setting).iter_errors(without_empty(value)):
                    yield document.at((*here, *error.absolute_path), f"{key}: {error.message}")
        elif not isinstance(value, dict):
            hint = did_you_mean(f"+{key}", known)
            yield document.at(here, f"`{key}` is neither a folder nor a +setting{hint}")
        else:
            yield from settings_findings(document, here, value, known, schema)
            yield from folder_findings(document, kind, folders, here)


def folder_findings(
    document: Document, kind: str, folders: list[Hashable], here: Keys
) -> Iterator[Finding]:
    """Whether settings are for this project, and for a folder or file that is there."""
    key, project = here[-1], document.data.get("name")
    if not folders:
        if key != project:
            yield document.at(here, f"`{key}` is not this project{did_you_mean(key, [project])}")
    elif kind in ("models", "seeds", "snapshots"):
        above = document.file.parent.joinpath(kind, *map(str, folders[1:]))
        names = {path.stem for path in above.glob("*")}
        if key not in names:
            hint = did_you_mean(key, names)
            yield document.at(here, f"nothing in {above.name}/ is named `{key}`{hint}")


def profile_findings(document: Document) -> Iterator[Finding]:
    """Unknown keys in the DuckDB targets of profiles.yml."""
    from dbt.adapters.duckdb.credentials import DuckDBCredentials  # noqa: PLC0415

    known = {field.name for field in fields(DuckDBCredentials)} | {"type", "threads"}
    for profile, body in document.data.items():
        if profile == "config":
            continue
        for key in set(body) - {"target", "outputs"}:
            hint = did_you_mean(key, ["target", "outputs"])
            yield document.at((profile, key), f"unknown key `{key}` in {profile}{hint}")
        for target, settings in body.get("outputs", {}).items():
            for key in set(settings) - known if settings.get("type") == "duckdb" else ():
                keys = (profile, "outputs", target, key)
                yield document.at(
                    keys, f"unknown key `{key}` in {target}{did_you_mean(key, known)}"
                )


# --- the rules of this house --------------------------------------------------------------------


def resource_findings(document: Document, schema: dict) -> Iterator[Finding]:
    """Everything about one resource file: the schema, data tests, descriptions and types."""
    yield from schema_findings(document, schema)
    for keys, node in walk(document.data):
        if "tests" in node and keys != ("config",):
            yield document.at((*keys, "tests"), "say `data_tests`: one thing has one name")
        for key, value in node.items():
            if isinstance(value, list) and all(isinstance(item, dict) for item in value):
                yield from repeated_names(document, (*keys, key), value)
        if isinstance(node.get("data_tests"), list) and keys:
            for i, test in enumerate(node["data_tests"]):
                yield from data_test_findings(document, (*keys, "data_tests", i), test)

    for keys, kind, node in resources(document):
        yield from description_findings(document, keys, kind, node)


def description_findings(
    document: Document, keys: Keys, kind: str, node: dict
) -> Iterator[Finding]:
    """Whether a thing, its columns and its arguments are described and typed."""
    name = node.get("name", "?")
    if kind != "sources" and not text(node, "description"):
        yield document.at(keys, f"{kind} `{name}` has no description")
    for part, type_key in (("columns", "data_type"), ("arguments", "type")):
        for i, column in enumerate(node.get(part) or []):
            here, said = (*keys, part, i), f"{part[:-1]} `{column.get('name', '?')}` of {name}"
            if not text(column, "description"):
                yield document.at(here, f"{said} has no description")
            if kind in ("models", "tables", "macros") and not text(column, type_key):
                yield document.at(here, f"{said} has no {type_key}")


def walk(data: Any, keys: Keys = ()) -> Iterator[tuple[Keys, dict]]:
    """Every mapping in the data with its place, but for a user's own (meta, rows, arguments)."""
    if isinstance(data, list):
        for i, item in enumerate(data):
            yield from walk(item, (*keys, i))
    elif isinstance(data, dict):
        yield keys, data
        for key, value in data.items():
            if key not in ("meta", "rows") and not (key == "arguments" and isinstance(value, dict)):
                yield from walk(value, (*keys, key))


def resources(document: Document) -> Iterator[tuple[Keys, str, dict]]:
    """Each described thing of a resource file: its place, its kind, and what is said of it."""
    for kind, nodes in (document.data or {}).items():
        for i, node in enumerate(nodes if isinstance(nodes, list) else []):
            if isinstance(node, dict):
                yield (kind, i), kind, node
                for j, table in enumerate(node.get("tables") or [] if kind == "sources" else []):
                    yield (kind, i, "tables", j), "tables", table


def text(node: dict, key: str) -> bool:
    """Whether a key holds something that a person could read."""
    return bool(str(node.get(key) or "").strip())


def repeated_names(document: Document, keys: Keys, items: list[dict]) -> Iterator[Finding]:
    """Two entries of one list with one name: dbt keeps the last column and says nothing."""
    seen = Counter()
    for i, item in enumerate(items):
        name = item.get("name")
        seen[name] += 1
        if name is not None and seen[name] > 1:
            yield document.at((*keys, i), f"`{name}` is twice in {keys[-1]}")


def data_test_findings(document: Document, keys: Keys, test: Any) -> Iterator[Finding]:
    """Whether a generic data test is named and described."""
    if isinstance(test, dict) and len(test) > 1:
        yield document.at(keys, "a data test is `- test_name:` with its settings indented below it")
        return
    test_name, settings = next(iter(test.items())) if isinstance(test, dict) else (test, None)
    settings = settings or {}
    missing = [key for key in ("name", "description") if not text(settings, key)]
    if missing:
        yield document.at(keys, f"data test `{test_name}` has no {', no '.join(missing)}")


def described(project: Path, documents: list[Document]) -> Iterator[Finding]:
    """Whether each model, seed, macro, analysis and singular test is described, and exists."""
    said = {
        (kind, node.get("name")): (document, keys)
        for document in documents
        for keys, kind, node in resources(document)
    }
    made = dict(things(project))
    for (kind, name), file in made.items():
        if (kind, name) not in said:
            yield Finding(file, 1, f"{kind} `{name}` is described in no YAML file")
        elif kind in ("models", "seeds"):
            document, keys = said[kind, name]
            if document.file != file.with_suffix(".yml"):
                yield document.at(keys, f"describe `{name}` beside {file.name}, in {file.stem}.yml")
    kinds = {kind for kind, _ in made}
    for (kind, name), (document, keys) in said.items():
        if kind in kinds and (kind, name) not in made:
            hint = did_you_mean(name, [other for has, other in made if has == kind])
            yield document.at(keys, f"{kind} `{name}` is described but does not exist{hint}")


def things(project: Path) -> Iterator[tuple[tuple[str, str], Path]]:
    """Each thing of the project that must be described: its kind and name, and its file."""
    suffixes = {"models": ("sql", "py"), "seeds": ("csv",), "analyses": ("sql",)}
    for kind, endings in suffixes.items():
        for ending in endings:
            for file in sorted((project / kind).rglob(f"*.{ending}")):
                yield (kind, file.stem), file
    for file in sorted((project / "tests").rglob("*.sql")):
        if (project / "tests" / "generic") not in file.parents:
            yield ("data_tests", file.stem), file
    for folder in ("macros", "tests/generic"):
        for file in sorted((project / folder).rglob("*.sql")):
            for match in MACRO.finditer(file.read_text(encoding="utf-8")):
                name = ("test_" if match["test"] else "") + match["name"]
                if not DISPATCHED.match(name):
                    yield ("macros", name), file


def validate(project: Path) -> tuple[list[Finding], int]:
    """All findings of a project, by file and line, and the number of files read.

    Args:
        project: the folder that holds dbt_project.yml.
    """
    findings: list[Finding] = []
    documents: list[Document] = []
    schema = resource_schema()
    top = [project / name for name in ("dbt_project.yml", "profiles.yml", "selectors.yml")]
    files = [file for file in top if file.exists()]
    for folder in RESOURCE_FOLDERS:
        files += sorted((project / folder).rglob("*.yml"))
        for wrong in sorted((project / folder).rglob("*.yaml")):
            findings.append(Finding(wrong, 1, "the ending is .yml in this project"))
    for file in files:
        document, problems = read(file)
        findings += problems
        if document.data is None:
            continue
        if not isinstance(document.data, dict):
            findings.append(Finding(file, 1, "the top level is not a mapping"))
        elif file.name == "dbt_project.yml":
            findings += project_findings(document)
        elif file.name == "profiles.yml":
            findings += profile_findings(document)
        elif file not in top:
            documents.append(document)
            findings += resource_findings(document, schema)
    findings += described(project, documents)
    return sorted(set(findings)), len(files)


@click.command()
@click.argument(
    "project",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(__file__).parents[1],
)
def main(project: Path) -> None:
    """Check the YAML of a dbt project (default: this one).

    Exits with 0 where nothing is wrong, with 1 where something is: a line for each finding.
    """
    findings, n_files = validate(project)
    console = Console(highlight=False, soft_wrap=True)
    for file, line, message in findings:
        console.print(f"[bold]{file.relative_to(project)}:{line}[/]", end=": ")
        console.print(message, markup=False)
    console.print(f"{len(findings)} findings in {n_files} YAML files")
    raise SystemExit(1 if findings else 0)


if __name__ == "__main__":
    main()
