"""The SQL that the project's macros render for Spark, beside reviewed snapshots: no Java, no Spark.

dbt parses the project once for the target `spark`; each case renders a piece of Jinja as a model
would, through dbt-spark's own dispatch. Where a macro asks the engine while it renders, the case
says what the engine answers, and the snapshot has the statements that were sent. Whether Spark
takes the SQL and gives the right rows is for test_spark.py, which starts it.

After a change that is meant: `pytest tests/python/test_spark_sql.py --snapshot-update`, and read
the difference of __snapshots__/test_spark_sql.ambr.
"""

import contextlib
import io
import sys
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import agate
import pytest
from dbt.adapters import factory
from dbt.adapters.contracts.connection import AdapterResponse
from dbt.cli.main import dbtRunner
from dbt.clients.jinja import get_rendered
from dbt.context.providers import generate_runtime_model_context
from dbt.contracts.graph.manifest import Manifest
from dbt.flags import get_flags, set_flags
from dbt_common.exceptions import CompilationError
from project_sql import in_folder
from projects import ROOT

PACKAGE = "moderation_quality"
FACTS = "model.moderation_quality.fct_decisions"
# Of macros in macros/engine that have no case: why.
EXCEPTIONS = dict.fromkeys(
    ("path_list", "read_csv_files", "csv_layouts", "csv_header", "csv_faults"),
    "how DuckDB alone reads CSV",
)


@dataclass(frozen=True)
class Case:
    """What is rendered, in the place of a node, with variables, and what the engine answers."""

    template: str
    answers: list[list[Any]] = field(default_factory=list)
    node: str = "model.moderation_quality.int_deliveries__job_revisions"
    variables: dict[str, Any] = field(default_factory=dict)


TOKYO = {"reporting_timezone": "Asia/Tokyo"}
# {macro, or macro: what is special}. The macro's name says what a case covers.
CASES = {
    # macros/engine/calendar
    "local_timestamp": Case("{{ local_timestamp('decided_at') }}"),
    "local_timestamp: of a zone": Case("{{ local_timestamp('decided_at') }}", variables=TOKYO),
    "reporting_date": Case("{{ reporting_date('decided_at') }}", variables=TOKYO),
    "date_series": Case("{{ date_series('first_on', 'last_on') }}"),
    "add_days": Case("{{ add_days('decided_on', '-n') }}"),
    "days_between": Case("{{ days_between('decided_on', 'audited_on') }}"),
    "iso_weekday": Case("{{ iso_weekday('decided_on') }}"),
    "week_start": Case("{{ week_start('decided_on') }}"),
    "week_start: sunday": Case(
        "{{ week_start('decided_on') }}", variables={"week_starts_on": "Sunday"}
    ),
    "seconds_between": Case("{{ seconds_between('filed_at', 'resolved_at') }}"),
    # macros/engine/raw_files
    "raw_listing": Case(
        "{{ raw_listing() }}", [["file:/tmp/data/raw/a.csv", "file:/tmp/data/raw/audits/b.parquet"]]
    ),
    "read_raw_files": Case("{{ read_raw_files('audits', {'kind': 'csv'}) }}"),
    "file_headers": Case("{{ file_headers('audits', {}) }}"),
    "unreadable_files": Case("{{ unreadable_files('audits', {'kind': 'csv'}) }}", [[(1,)]]),
    "read_files: parquet": Case("{{ read_files('parquet', ['raw/audits{.parquet,.csv,}']) }}"),
    "read_files: csv": Case("{{ read_files('csv', ['raw/audits{.csv,}']) }}"),
    "read_files: one csv": Case("{{ read_files('csv', ['raw/labels.csv']) }}"),
    "read_files: several": Case("{{ read_files('csv', ['raw/2025.csv', 'raw/2026.csv']) }}"),
    "relation_columns": Case(
        "{{ relation_columns('parquet.`raw/audits`') }}",
        [[("AUDIT_ID", "STRING", None), ("audited_at", "timestamp", None)]],
    ),
    # macros/engine/tables
    "layer_schema": Case("{{ layer_schema('core') }}"),
    "layer_schema: the target's own": Case("{{ layer_schema(target.schema) }}"),
    "drop_days": Case("{{ drop_days(this, 'found_on', ['2026-03-02', '2026-03-03']) }}"),
    "create_table_as": Case("{{ create_table_as(false, this, 'select 1') }}"),
    "create_table_as: without partitions": Case(
        "{{ create_table_as(false, this, 'select 1') }}", node="model.moderation_quality.dim_queues"
    ),
    "create_table_as: temporary": Case("{{ create_table_as(true, this, 'select 1') }}"),
    "persist_constraints": Case("{{ persist_constraints(this, model) }}", [[(0,) * 5]], node=FACTS),
    "persist_constraints: broken": Case(
        "{{ persist_constraints(this, model) }}", [[(0, 3, 0, 0, 0)]], node=FACTS
    ),
    "load_csv_rows": Case(
        "{% set rows = run_query('the seed') %}{{ load_csv_rows(model, rows) }}",
        [[(1, "plain"), (2, None), (3, "it's"), (4, "back\\slash")]],
        node="seed.moderation_quality.reasons",
    ),
    # macros/engine/sheets
    "numbered_rows": Case("{{ numbered_rows('mine/sheet.csv') }}"),
    "file_text": Case("{{ file_text('mine/mapping.yml') }}"),
    "parsed_time": Case("{{ parsed_time('audited', ['%d/%m/%Y %H:%M', '%Y-%m-%d']) }}"),
    "parsed_day_number": Case("{{ parsed_day_number('audited') }}"),
    "numbers_up_to": Case("{{ numbers_up_to('n_decisions') }}"),
    "add_seconds": Case("{{ add_seconds('decided_at', 'n') }}"),
    # macros/engine/calendar
    "utc_timestamp": Case("{{ utc_timestamp('decided_at', 'zone') }}"),
    # macros/engine/types
    "try_cast": Case("{{ try_cast('text', 'timestamp') }}"),
    "sha256": Case("{{ sha256('person_id') }}"),
    "hmac_sha256": Case("{{ hmac_sha256('pseudonym_key', 'person_id') }}"),
    "padded_key": Case("{{ padded_key('pseudonym_key', '36') }}"),
    "utf8_bytes": Case("{{ utf8_bytes('person_id') }}"),
    "joined_text": Case("{{ joined_text('reason') }}"),
    "joined_text: by another": Case("{{ joined_text('reason', '|') }}"),
    "session_secret": Case("{{ session_secret('pseudonym_key') }}"),
    "is_secret_known": Case("{{ is_secret_known('pseudonym_key') }}"),
    "may_log_secrets": Case("{{ may_log_secrets() }}"),
    "mark_ledger": Case("{{ mark_ledger('restricted.deliveries') }}"),
    "unseen_characters": Case("{{ unseen_characters() }}"),
    "spelling": Case("{{ spelling('person_id') }}"),
    "read_anew": Case("with found as {{ read_anew() }} (select 1)"),
    "computed_once": Case("{{ computed_once() }}"),
    "exact_sum": Case("{{ exact_sum('weight * x') }}"),
    "exact_sum: of shares": Case("{{ exact_sum('share', bits=100) }}"),
    # macros/contract/text_times
    "text_timestamp": Case("{{ text_timestamp('decided_at') }}"),
    # Some of those that rest on them: contract, increments, estimators.
    "pseudonym": Case("{{ pseudonym('moderator_id') }}"),
    "raw_select": Case(
        "{{ raw_select('audits', 'parquet.`raw/audits`') }}",
        [[("audit_id", "bigint", None), ("audited_at", "string", None)]],
    ),
    "decided_on": Case("{{ decided_on() }}", variables=TOKYO),
    "period_start": Case("{{ period_start('decided_on') }}"),
    "period_end": Case("{{ period_end() }}"),
    "period_status": Case(
        "{{ period_status('period_ends_on', 'now.as_of', 35) }}", variables=TOKYO
    ),
    "touches_day": Case("{{ touches_day('valid_from', 'valid_to') }}"),
    "moments": Case("{{ moments('is_correct', 'correct') }}"),
    "sum_moments": Case("{{ sum_moments('correct') }}"),
    "observed_agreement": Case("{{ observed_agreement('items', ['period', 'queue']) }}"),
}


class Engine:
    """What stands for Spark: it keeps what is said to it, and gives the answers of a case."""

    def __init__(self, answers: list[list[Any]]) -> None:
        self.said: list[str] = []
        self._answers = list(answers)

    def execute(self, sql: str, *_: Any, **__: Any) -> tuple[AdapterResponse, agate.Table]:
        self.said.append(sql)
        rows = self._answers.pop(0) if self._answers else []
        rows = [row if isinstance(row, tuple) else (row,) for row in rows]
        names = [f"column_{i}" for i in range(len(rows[0]) if rows else 1)]
        return AdapterResponse("OK"), agate.Table(rows, names)

    def add_query(self, sql: str, *_: Any, **__: Any) -> None:
        self.said.append(sql)

    def columns_of(self, sql: str) -> list[Any]:
        """A contract is compared with a query; here the two are the same."""
        self.said.append(sql)
        return []


@pytest.fixture(scope="module")
def parsed(tmp_path_factory) -> tuple[Manifest, Any]:
    """The project as parsed for Spark, dbt-spark's adapter, and the flags that dbt had then."""
    folder = tmp_path_factory.mktemp("parsed_for_spark")
    said = io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(said),
        in_folder(ROOT, MODERATION_QUALITY_SPARK_HOME=str(folder)),
    ):
        # dbt-spark imports it to see whether a session could be opened, and none is.
        patch.setitem(sys.modules, "pyspark", ModuleType("pyspark"))
        run = dbtRunner().invoke(
            [
                *("parse", "--target", "spark", "--log-level-file", "none"),
                *("--target-path", str(folder), "--log-path", str(folder)),
            ]
        )
    assert run.success, said.getvalue()
    return run.result, factory.FACTORY.adapters["spark"], get_flags()


@pytest.fixture
def render(parsed, monkeypatch):
    """A function that renders a case: the text, and before it what was sent to the engine."""
    manifest, adapter, flags = parsed

    def rendered(case: Case) -> str:
        engine = Engine(case.answers)
        # Other tests run dbt in this process, on DuckDB.
        before = get_flags()
        monkeypatch.setitem(factory.FACTORY.adapters, "spark", adapter)
        monkeypatch.setattr(adapter, "execute", engine.execute)
        monkeypatch.setattr(adapter, "add_query", engine.add_query)
        monkeypatch.setattr(adapter, "get_column_schema_from_query", engine.columns_of)
        for name, value in case.variables.items():
            monkeypatch.setitem(adapter.config.cli_vars, name, value)
        node = manifest.nodes[case.node]
        set_flags(flags)
        try:
            context = generate_runtime_model_context(node, adapter.config, manifest)
            text = str(get_rendered(case.template, context, node))
        except CompilationError as error:
            text = f"error: {error.msg}"
        finally:
            set_flags(before)
        return "\n---\n".join(_plain(part) for part in [*engine.said, text])

    return rendered


def _plain(text: str) -> str:
    """Without empty lines and what stands at the end of lines: Jinja leaves both."""
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())


@pytest.mark.parametrize("name", CASES)
def test_the_sql_for_spark_is_the_reviewed_one(render, name, snapshot):
    assert render(CASES[name]) == snapshot


def test_every_macro_of_an_engine_has_a_case(parsed):
    manifest, *_ = parsed
    wanted = {
        macro.name.removeprefix("spark__")
        for macro in manifest.macros.values()
        if macro.package_name == PACKAGE
        and not macro.name.startswith("default__")
        and ("macros/engine/" in macro.original_file_path or macro.name.startswith("spark__"))
    }
    assert len(wanted) > 20
    covered = {name.split(":")[0] for name in CASES}
    assert wanted - covered == EXCEPTIONS.keys()
    for name, case in CASES.items():
        assert f"{name.split(':')[0]}(" in case.template
