"""Each rule of validate_yaml catches its typo, at its place, and lets the right spelling pass."""

import textwrap
from pathlib import Path

import pytest
from click.testing import CliRunner
from validate_yaml import main, validate

PROJECT = {
    "dbt_project.yml": """
        name: house
        profile: house
        flags:
          send_anonymous_usage_stats: false
        vars:
          anything: {goes: here}
        models:
          +persist_docs: {relation: true}
          house:
            staging:
              +materialized: view
        """,
    "profiles.yml": """
        house:
          target: dev
          outputs:
            dev: {type: duckdb, path: a.duckdb, threads: 2}
        """,
    "models/staging/stg_jobs.sql": "select 1 as job_id",
    "models/staging/stg_jobs.yml": """
        models:
          - name: stg_jobs
            description: One row per job.
            config:
              contract: {enforced: true}
              meta: {own_key: 1}
            columns:
              - name: job_id
                data_type: string
                description: The job.
                data_tests:
                  - unique:
                      name: a_job_is_one_row
                      description: Why.
                      config:
                        severity: error
                        meta: {owner: data}
            data_tests:
              - same_rows:
                  name: no_row_is_lost
                  description: Why.
                  arguments: {other: ref('x')}
                  config: {meta: {owner: data}}
        unit_tests:
          - name: jobs_are_read
            description: What it shows.
            model: stg_jobs
            given:
              - input: source('raw', 'jobs')
                rows: [{job_id: a}]
            expect:
              rows: [{job_id: a, tests: any column name}]
        """,
    "models/sources/jobs.yml": """
        sources:
          - name: raw
            tables:
              - name: jobs
                description: One row per job.
                columns:
                  - name: job_id
                    data_type: string
                    description: The job.
        """,
    "seeds/codes.csv": "code\na",
    "seeds/codes.yml": """
        seeds:
          - name: codes
            description: One row per code.
            columns:
              - name: code
                description: The code.
        """,
    "macros/ratio.sql": "{% macro ratio(a, b) %}x{% endmacro %}"
    "{% macro default__ratio(a, b) %}x{% endmacro %}",
    "macros/ratio.yml": """
        macros:
          - name: ratio
            description: a over b.
            arguments:
              - name: a
                type: string
                description: The upper.
        """,
    "tests/no_orphan.sql": "select 1",
    "tests/no_orphan.yml": """
        data_tests:
          - name: no_orphan
            description: Why.
            config: {meta: {owner: data}}
        """,
    "tests/generic/same_rows.sql": "{% test same_rows(model, other) %}select 1{% endtest %}",
    "tests/generic/same_rows.yml": """
        macros:
          - name: test_same_rows
            description: Why.
        """,
    "analyses/first.sql": "select 1",
    "analyses/first.yml": """
        analyses:
          - name: first
            description: What to ask first.
        """,
}

JOBS = "models/staging/stg_jobs.yml"
SETTINGS, PROFILES = "dbt_project.yml", "profiles.yml"
SOURCE, SEED, MACRO = "models/sources/jobs.yml", "seeds/codes.yml", "macros/ratio.yml"
TEST, GENERIC, ANALYSIS = "tests/no_orphan.yml", "tests/generic/same_rows.yml", "analyses/first.yml"

# What is changed in which file: what was right, what is wrong, what must be said of it.
TYPOS = [
    (JOBS, "description: One", "desciption: One", "did you mean `description`"),
    (JOBS, "data_type:", "datatype:", "did you mean `data_type`"),
    (JOBS, "unit_tests:", "unit_test:", "did you mean `unit_tests`"),
    (JOBS, "contract:", "contrct:", "did you mean `contract`"),
    (JOBS, "enforced:", "enforce:", "did you mean `enforced`"),
    (
        JOBS,
        "    config:\n      con",
        "    purpose: x\n    config:\n      con",
        "unknown key `purpose`",
    ),
    (JOBS, "meta: {own_key: 1}", "purpose: 1", "under meta"),
    (JOBS, "{enforced: true}", "{enforced: [1]}", "enforced"),
    (JOBS, "severity: error", "severity: eror", "severity"),
    (JOBS, "given:", "givn:", "did you mean `given`"),
    (JOBS, "name: no_row", "nam: no_row", "did you mean `name`"),
    (JOBS, "arguments: {other: ref('x')}", "other: ref('x')", "goes under `arguments`"),
    (JOBS, "    data_tests:\n      - same", "    tests:\n      - same", "say `data_tests`"),
    (JOBS, "          name: no_row_is_lost\n", "", "`same_rows` has no name"),
    (
        JOBS,
        "              description: Why.\n              config",
        "              config",
        "`unique` has no description",
    ),
    (
        JOBS,
        "      - same_rows:\n",
        "      - not_null\n      - same_rows:\n",
        "data test `not_null` has no name",
    ),
    (
        JOBS,
        "    description: One row per job.\n",
        "    description: One row per job.\n    description: Two.\n",
        "is here twice",
    ),
    (
        JOBS,
        "    data_tests:\n      - same",
        "      - {name: job_id, data_type: string, description: x}\n    data_tests:\n      - same",
        "`job_id` is twice in columns",
    ),
    (JOBS, "    config:\n      con", "    <<: {}\n    config:\n      con", "`<<:` merge"),
    (JOBS, "models:", "models: [", "not YAML"),
    (JOBS, "        description: The job.\n", "", "column `job_id` of stg_jobs has no description"),
    (JOBS, "One row per job.", "''", "models `stg_jobs` has no description"),
    (JOBS, "        data_type: string\n", "", "has no data_type"),
    (JOBS, "    description: What it shows.\n", "", "unit_tests `jobs_are_read`"),
    (JOBS, "name: stg_jobs", "name: stg_job", "did you mean `stg_jobs`"),
    (SOURCE, "            data_type: string\n", "", "no data_type"),
    (SOURCE, "columns:", "colums:", "did you mean `columns`"),
    (SEED, "        description: The code.\n", "", "column `code`"),
    (MACRO, "name: ratio", "name: other", "`ratio` is described in no"),
    (MACRO, "        type: string\n", "", "argument `a` of ratio has no type"),
    (GENERIC, "test_same", "test_some", "`test_same_rows`"),
    (ANALYSIS, "name: first", "name: frist", "`first` is described in no"),
    (SETTINGS, "profile:", "profil:", "did you mean `profile`"),
    (SETTINGS, "usage_stats", "usage_stat", "did you mean `send_anonymous_usage_stats`"),
    (SETTINGS, "+materialized", "+materialised", "did you mean `+materialized`"),
    (SETTINGS, "+materialized", "materialized", "did you mean `+materialized`"),
    (SETTINGS, "relation: true", "relations: true", "relations"),
    (SETTINGS, "staging:", "stagging:", "did you mean `staging`"),
    (SETTINGS, "  house:", "  hause:", "did you mean `house`"),
    (PROFILES, "threads", "thread", "did you mean `threads`"),
    (PROFILES, "target:", "tarjet:", "did you mean `target`"),
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in PROJECT.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text).lstrip("\n"))
    return tmp_path


def test_a_sound_project_has_no_findings(project: Path):
    findings, n_files = validate(project)
    assert findings == []
    assert n_files == sum(name.endswith(".yml") for name in PROJECT)


@pytest.mark.parametrize(("name", "right", "wrong", "message"), TYPOS)
def test_catches(project: Path, name: str, right: str, wrong: str, message: str):
    file = project / name
    text = file.read_text()
    assert right in text, "the case does not change the file"
    file.write_text(text.replace(right, wrong, 1))
    findings, _ = validate(project)
    assert any(message in finding.message for finding in findings), findings


def test_wants_a_test_s_settings_indented_below_it(project: Path):
    file = project / JOBS
    head, _ = file.read_text().split("      - same_rows:\n")
    file.write_text(head + "      - {same_rows: {}, name: no_row_is_lost}\n")
    assert any("settings indented" in f.message for f in validate(project)[0])


def test_says_the_line_of_the_typo(project: Path):
    file = project / JOBS
    file.write_text(file.read_text().replace("data_type:", "datatype:"))
    typos = [f for f in validate(project)[0] if "unknown key" in f.message]
    assert [(f.file, f.line) for f in typos] == [(file, 9)]


@pytest.mark.parametrize("name", [JOBS, SEED, MACRO, TEST, GENERIC, ANALYSIS])
def test_misses_a_description_file_that_is_gone(project: Path, name: str):
    (project / name).unlink()
    assert any("described in no YAML file" in f.message for f in validate(project)[0])


def test_wants_a_model_described_beside_its_sql(project: Path):
    (project / JOBS).rename(project / "models/staging/_models.yml")
    messages = [f.message for f in validate(project)[0]]
    assert messages == ["describe `stg_jobs` beside stg_jobs.sql, in stg_jobs.yml"]


def test_wants_one_ending(project: Path):
    (project / JOBS).rename(project / "models/staging/stg_jobs.yaml")
    assert any("ending is .yml" in f.message for f in validate(project)[0])


def test_exit_codes_and_output(project: Path):
    sound = CliRunner().invoke(main, [str(project)])
    assert (sound.exit_code, sound.output) == (0, "0 findings in 9 YAML files\n")
    (project / "seeds/codes.yml").write_text("seed: []\n")
    broken = CliRunner().invoke(main, [str(project)])
    assert broken.exit_code == 1
    assert "seeds/codes.yml:1: unknown key `seed` in the top level (did you mean `seeds`?)" in (
        broken.output
    )
    assert CliRunner().invoke(main, ["no/such/folder"]).exit_code == 2
    assert CliRunner().invoke(main, ["--help"]).exit_code == 0
