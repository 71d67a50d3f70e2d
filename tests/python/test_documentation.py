"""Everything is described, everything typed, and what the documents point to exists."""

import json
import re
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import parity
import pytest
import yaml
from project_sql import run_dbt
from reporting import read

ROOT = Path(__file__).parents[2]
PROJECT = "moderation_quality"
DOCUMENTS = [
    path for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))) if path.exists()
]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
COMMAND = re.compile(r"\bmake ([a-z][a-z-]*)")


@pytest.fixture(scope="module")
def target(platform):
    """What `dbt docs generate --static` leaves, the analyses and switched-off connectors too."""
    return platform.folder / "target"


@pytest.fixture(scope="module")
def manifest(target):
    return json.loads((target / "manifest.json").read_text())


@pytest.fixture(scope="module")
def described(manifest):
    """{resource: node} of all that a reader may look up, the switched-off models too."""
    disabled = [node for nodes in manifest["disabled"].values() for node in nodes]
    nodes = [
        *manifest["nodes"].values(),
        *manifest["sources"].values(),
        *manifest["macros"].values(),
        *disabled,
    ]
    return {
        node["unique_id"]: node
        for node in nodes
        if node["package_name"] == PROJECT
        and node["resource_type"] != "operation"
        # What one engine does differently is described with the macro that asks for it.
        and not (node["resource_type"] == "macro" and "__" in node["name"])
    }


def of_type(described, *types):
    found = {key: node for key, node in described.items() if node["resource_type"] in types}
    assert found, types
    return found


def is_generic(node):
    return bool(node.get("test_metadata"))


def blank(text):
    return not (text or "").strip()


def test_the_documentation_is_one_file_that_holds_every_model(target, described):
    page = (target / "static_index.html").read_text(encoding="utf-8")
    for key, model in of_type(described, "model").items():
        if model["config"]["enabled"]:
            assert key in page, key
    # Types as the warehouse names them: the catalog is in it, and not the manifest alone.
    assert "VARCHAR" in page
    assert not re.search(r"<script[^>]+src=[\"'](?!data:)", page), "a script of another file"


def test_all_is_described(described):
    kinds = "model", "seed", "source", "macro", "analysis", "test"
    for kind in kinds:
        of_type(described, kind)
    assert [
        key for key, node in of_type(described, *kinds).items() if blank(node.get("description"))
    ] == []


def test_unit_tests_are_described(manifest):
    unit_tests = manifest["unit_tests"]
    assert len(unit_tests) > 5
    assert [key for key, node in unit_tests.items() if blank(node["description"])] == []


def test_all_columns_are_described_and_typed(described):
    missing = []
    for key, node in of_type(described, "model", "seed", "source").items():
        if not node["columns"]:
            missing.append(f"{key} has no columns")
        for name, column in node["columns"].items():
            missing += [f"{key}.{name} description"] if blank(column["description"]) else []
            missing += [f"{key}.{name} data_type"] if blank(column.get("data_type")) else []
    assert missing == []


def names_with_two_texts(nodes):
    """{column name: {text: what has it}} of the names that do not have one text everywhere."""
    found = {}
    for node in nodes:
        for name, column in node["columns"].items():
            text = " ".join(column["description"].split())
            found.setdefault(name, {}).setdefault(text, []).append(node["unique_id"])
    return {name: texts for name, texts in found.items() if len(texts) > 1}


def test_a_column_name_has_one_text(manifest):
    # A connector's columns are apart (and switched off): they say how its system maps to the name.
    nodes = [
        node
        for node in [*manifest["nodes"].values(), *manifest["sources"].values()]
        if node["resource_type"] in ("model", "seed", "source")
    ]
    assert {"model", "seed", "source"} == {node["resource_type"] for node in nodes}
    assert names_with_two_texts(nodes) == {}


def test_a_second_text_of_a_column_name_is_seen():
    nodes = [
        {"unique_id": name, "columns": {"n": {"description": text}}}
        for name, text in [
            ("one", "How many."),
            ("same", "How\nmany."),
            ("other", "How many rows."),
        ]
    ]
    assert names_with_two_texts(nodes) == {
        "n": {"How many.": ["one", "same"], "How many rows.": ["other"]}
    }


def test_the_columns_described_are_those_of_the_warehouse(target, described):
    catalog = json.loads((target / "catalog.json").read_text())["nodes"]
    models = {
        key: node
        for key, node in of_type(described, "model", "seed").items()
        if node["config"]["enabled"]
    }
    assert models.keys() == catalog.keys()
    for key, node in models.items():
        assert list(node["columns"]) == list(catalog[key]["columns"]), key


def test_every_model_has_a_contract(described):
    models = of_type(described, "model")
    assert [key for key, node in models.items() if not node["config"]["contract"]["enforced"]] == []


def test_every_stored_model_has_a_key(manifest):
    stored = [
        name
        for name, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and node["config"]["materialized"] != "view"
    ]
    assert set(stored) - set(parity.keys_of_tables(manifest["nodes"])) == set()


def layers_crossed(nodes, order):
    """Each reference from a model to one in a later folder: (model, what it reads)."""
    place = {
        key: order.index(node["original_file_path"].split("/")[1])
        for key, node in nodes.items()
        if node["resource_type"] == "model"
    }
    return [
        (nodes[key]["name"], nodes[parent]["name"])
        for key in place
        for parent in nodes[key]["depends_on"]["nodes"]
        if parent in place and place[parent] > place[key]
    ]


def test_data_never_goes_back_up_the_folders(manifest):
    project = yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))
    order = [name for name in project["models"][PROJECT] if not name.startswith("+")]
    assert layers_crossed(manifest["nodes"], order) == []
    # The check sees one that does.
    turned = layers_crossed(manifest["nodes"], order[::-1])
    assert ("accuracy_rates", "accuracy_population") in turned


def test_every_long_model_says_why_it_stays_whole():
    """A model over 120 lines holds two thoughts, or stands in contributing.md with its reason."""
    text = (ROOT / "docs" / "contributing.md").read_text()
    given = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", text.split("## Models over")[1], re.M))
    models = (ROOT / "models").rglob("*.sql")
    found = {path.stem for path in models if len(path.read_text().splitlines()) > 120}
    assert {*given} == found


def test_every_data_test_says_who_owns_it_and_what_to_do(described):
    missing = [
        f"{key} {what}"
        for key, node in of_type(described, "test").items()
        for what in ("owner", "what_to_do")
        if blank(node["config"]["meta"].get(what))
    ]
    assert missing == []


def test_no_generic_test_has_a_made_up_name(described):
    # dbt would name it after its arguments; a name that reads well was given instead.
    for node in of_type(described, "test").values():
        if is_generic(node):
            assert not node["name"].startswith(f"{node['test_metadata']['name']}_"), node["name"]


def headings(document):
    """The anchors of a document, as a forge makes them of its headings."""
    found = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-") for text in found}


def without_docs_blocks(text):
    """The text without its Jinja, in which a link is dbt's affair."""
    return re.sub(r"{%.*?%}", "", text)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_points_to_exists(document):
    text = without_docs_blocks(document.read_text(encoding="utf-8"))
    missing = []
    for link in LINK.findall(text):
        # Of other sites, and of the dbt docs.
        if re.match(r"[a-z]+:|#!/", link):
            continue
        path, _, anchor = link.partition("#")
        aim = (document.parent / path).resolve() if path else document
        if not aim.exists() or (anchor and aim.suffix == ".md" and anchor not in headings(aim)):
            missing.append(link)
    assert missing == []


def test_a_macro_that_is_named_exists(described):
    """In documents, descriptions and advice; a word with an underscore after "macro" is a name."""
    macros = {node["name"] for node in of_type(described, "macro").values()}
    texts = [node.get("description", "") for node in described.values()]
    texts += [str(node["config"].get("meta")) for node in described.values() if "config" in node]
    texts += [path.read_text(encoding="utf-8") for path in DOCUMENTS]
    named = {name for text in texts for name in re.findall(r"macro\s+`?(\w+_\w+)", text)}
    assert len(named) > 10
    assert named - macros == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_commands_of_a_document_exist(document):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    text = document.read_text(encoding="utf-8")
    # Commands stand in code, in backticks or in an indented or fenced block; prose may "make sure".
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`|^ {4}.+$", text, re.DOTALL | re.MULTILINE))
    commands = set(COMMAND.findall(code))
    assert commands <= targets
    scripts = set(re.findall(r"\b(scripts/[a-z_]+\.py)\b", text))
    assert [script for script in sorted(scripts) if not (ROOT / script).exists()] == []


# The marts whose rates are made of cells, and where these are counted.
COUNTED_IN = {
    "accuracy_rates": "accuracy_cells",
    "policy_rates": "policy_cells",
    "appeal_rates": "int_appeals__cells",
    "enforcement_rates": "int_enforcement__cells",
}


def test_every_metric_is_in_its_mart_and_made_of_what_is_counted(target, described):
    columns = {node["name"]: set(node["columns"]) for node in of_type(described, "model").values()}
    # One column there holds them all; what it is made of has a name in the SQL alone.
    cells = target / "compiled" / PROJECT / "models" / "cells" / "quality_cells.sql"
    columns["quality_rates"] = set(re.findall(r"when '(\w+)' then sums", cells.read_text("utf-8")))
    metrics = pd.read_csv(ROOT / "seeds" / "metrics.csv")
    assert metrics["meaning"].notna().all()
    for metric in metrics.itertuples():
        assert metric.mart in columns
        counted = columns[COUNTED_IN.get(metric.mart, metric.mart)]
        terms = {metric.numerator, metric.denominator} - {np.nan}
        assert terms <= counted, (metric.metric_id, terms - counted)


@pytest.mark.parametrize(
    ("name", "queries"),
    [
        ("accuracy_page", [*read.PAGE.values()]),
        ("weekly_report", [read.WEEK, *read.WEEKLY.values()]),
    ],
)
def test_an_exposure_rests_on_what_its_page_reads(manifest, name, queries):
    exposure = manifest["exposures"][f"exposure.{PROJECT}.{name}"]
    says = {node.split(".")[-1] for node in exposure["depends_on"]["nodes"]}
    assert says == set(re.findall(r"ref\('(\w+)'\)", " ".join(queries)))


def test_every_model_has_an_owner(manifest):
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    assert models
    for model in models:
        assert model["config"]["group"] in {one["name"] for one in manifest["groups"].values()}


def test_a_bi_tool_finds_the_descriptions_in_the_warehouse(platform, manifest):
    with duckdb.connect(platform.warehouse, read_only=True) as warehouse:
        comments = warehouse.execute(
            "select table_name, column_name, comment from duckdb_columns() "
            "where comment is not null"
        ).fetchall()
    found = {(table, column): comment for table, column, comment in comments}
    told = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
        and node["config"]["meta"].get("readers") == "everybody"
        and node["config"]["enabled"]
    ]
    assert len(told) > 20
    for node in told:
        for name, column in node["columns"].items():
            assert found[node["name"], name] == column["description"], (node["name"], name)


@pytest.mark.parametrize(
    ("selector", "has", "has_not"),
    [
        ("headline", "headline", "moderator_accuracy"),
        ("open", "accuracy_rates", "moderator_accuracy"),
        ("no_people", "accuracy_rates", "moderator_accuracy"),
        ("no_scorecards", "accuracy_rates", "quality_scores"),
        ("daily", "accuracy_rates", "audit_plan"),
    ],
)
def test_a_selector_takes_what_it_says(parsed_project, selector, has, has_not):
    run = run_dbt(
        [
            *("--log-level-file", "none", "--no-write-json", "ls", "--output", "name"),
            *("--selector", selector),
            *("--profiles-dir", str(parsed_project.folder / "one_thread")),
        ],
        parsed_project.manifest(),
        parsed_project.folder,
    )
    assert has in run.stdout.split()
    assert has_not not in run.stdout.split()


def test_every_selector_is_tried(manifest):
    tried = {"headline", "open", "no_people", "no_scorecards", "daily"}
    assert set(manifest["selectors"]) == tried


def test_links_inside_the_dbt_docs_are_to_what_is_there(manifest):
    text = "\n".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    links = re.findall(r"#!/(\w+)/(\S+?)\)", text)
    there = {**manifest["nodes"], **manifest["exposures"]}
    assert len(links) > 5
    assert [link for kind, link in links if kind != "source_list" and link not in there] == []
