"""`make check` finds what changed, and compares with a build only once that build was green."""

import shutil

import check
import duckdb
import pytest
from click.testing import CliRunner
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner
from project_sql import in_folder

# A project of four models: `make check` parses it in a second. Its `make lint-sql` notes what it
# was asked to lint, and finds fault with what says UGLY.
FILES = {
    "dbt_project.yml": """
name: small
profile: small
flags:
  send_anonymous_usage_stats: false
on-run-start: "{{ greet() }}"
vars:
  n: 1
""",
    "profiles.yml": """
small:
  target: dev
  outputs:
    dev:
      type: duckdb
      path: "{{ env_var('MODERATION_QUALITY_DATABASE') }}"
""",
    "Makefile": """
lint-sql:
	@echo $(SQL) >> linted
	@! grep -H UGLY $(SQL)
""",
    "macros/words.sql": """
{% macro greet() %}select 'hello'{% endmacro %}
{% macro half(n) %}{{ n }} / 2{% endmacro %}
""",
    "macros/words.yml": """
macros:
  - name: greet
    description: Runs first.
  - name: half
    description: The half.
    arguments:
      - name: n
        type: string
        description: A number.
""",
    "scripts/tool.py": '"""A tool."""\n',
    "seeds/codes.csv": "code\n1\n",
    "seeds/codes.yml": """
seeds:
  - name: codes
    description: Codes.
""",
    "models/first.sql": "select 2 as n\n",
    # Added to by each build, unless it is built from scratch.
    "models/second.sql": """
{{ config(materialized='incremental') }}
select n + 1 as n from {{ ref('first') }}
""",
    "models/third.sql": "select {{ half('n') }} as n from {{ ref('codes') }}, (select 1 as n)\n",
    "models/last.sql": "select 1 as n\n",
}
FILES |= {
    f"models/{name}.yml": f"""
models:
  - name: {name}
    description: A model.
    data_tests:
      - not_null:
          name: {name}_has_n
          description: It has n.
          arguments:
            column_name: n
          config:
            meta:
              owner: somebody
"""
    for name in ("first", "second", "third", "last")
}


class Small:
    """The small project, its warehouse, and `make check` on it."""

    def __init__(self, folder):
        self.folder = folder
        self.linted = folder / "linted"

    @property
    def warehouse(self):
        return self.folder / "data" / "warehouse.duckdb"

    def inside(self):
        return in_folder(self.folder, MODERATION_QUALITY_DATABASE=str(self.warehouse))

    def write(self, files):
        """Write files; one whose text is None is deleted."""
        for name, text in files.items():
            file = self.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                file.unlink()
            else:
                file.write_text(text)

    def build(self):
        """What `make build` does of it."""
        with self.inside():
            assert dbtRunner().invoke(["--quiet", "build"]).success
            DuckDBConnectionManager.close_all_connections()
        assert self.check("--save-state").exit_code == 0

    def check(self, *arguments):
        with self.inside():
            result = CliRunner().invoke(check.main, arguments)
            DuckDBConnectionManager.close_all_connections()
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        return result

    def selected(self, result):
        """The models and seeds that a check built."""
        folders = [self.folder / "models", self.folder / "seeds"]
        names = {file.stem for folder in folders for file in folder.iterdir()}
        after = result.output.partition("dbt builds and tests")[2].splitlines()
        return {line[2:] for line in after if line[:2] == "  " and line[2:] in names}

    def n(self, model):
        with duckdb.connect(self.warehouse, read_only=True) as connection:
            return [n for (n,) in connection.sql(f"select n from {model}").fetchall()]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    small = Small(tmp_path_factory.mktemp("built"))
    small.write(FILES)
    (small.folder / "data").mkdir()
    small.build()
    return small.folder


@pytest.fixture
def small(built, tmp_path):
    return Small(shutil.copytree(built, tmp_path / "small"))


def test_with_no_last_build_it_says_what_to_run(small):
    shutil.rmtree(small.folder / "target")
    result = small.check()
    assert result.exit_code == 2
    assert "run `make build` first" in result.output


def test_changes_of_every_kind_are_found_linted_and_built_once(small):
    small.write(
        {
            "models/first.sql": "select 10 as n\n",
            "models/new.sql": "select 5 as n\n",
            "models/new.yml": FILES["models/last.yml"].replace("last", "new"),
            "models/last.sql": None,
            "models/last.yml": None,
            "scripts/tool.py": '"""A better tool."""\n',
        }
    )
    result = small.check()
    assert result.exit_code == 0, result.output
    for line in (
        "modified  models/first.sql",
        "new       models/new.sql",
        "deleted   models/last.sql",
        "modified  scripts/tool.py",
        "ruff check scripts/tool.py",
        "ruff format scripts/tool.py",
        "validate_yaml.py",
    ):
        assert line in result.output
    assert small.linted.read_text().split() == ["models/first.sql", "models/new.sql"]
    # The children too, and nothing else.
    assert small.selected(result) == {"first", "second", "new"}
    assert "dbt builds and tests 3 models, 3 tests" in result.output
    assert small.n("second") == [11]

    # A green check is what the next one compares with.
    small.linted.unlink()
    result = small.check()
    assert result.exit_code == 0
    assert "Nothing changed since the last green build." in result.output
    assert not small.linted.exists()


def test_a_seed_and_a_test_are_built_with_what_reads_them(small):
    second = FILES["models/second.yml"].replace("column_name: n", "column_name: n + 0")
    small.write({"seeds/codes.csv": "code\n7\n", "models/second.yml": second})
    result = small.check()
    assert result.exit_code == 0, result.output
    assert small.selected(result) == {"codes", "third"}
    assert "1 model, 1 seed, 2 tests" in result.output


def test_the_models_that_name_a_macro_are_built(small):
    small.write({"macros/words.sql": FILES["macros/words.sql"].replace("/ 2", "/ 4")})
    result = small.check()
    assert result.exit_code == 0, result.output
    assert small.selected(result) == {"third"}
    assert not small.linted.exists(), "sqlfluff reads no macro"


def test_all_is_built_for_what_dbt_does_not_compare(small):
    """A macro that no model names takes part in every build, and a variable may."""
    words = FILES["macros/words.sql"].replace("'hello'", "'hi'")
    project = FILES["dbt_project.yml"].replace("n: 1", "n: 2")
    small.write({"macros/words.sql": words, "dbt_project.yml": project})
    result = small.check()
    assert result.exit_code == 0, result.output
    assert small.selected(result) == {"codes", "first", "second", "third", "last"}
    assert "All is built, because of dbt_project.yml, macro greet" in result.output


def test_what_failed_is_checked_again_until_it_is_green(small):
    small.write({"models/first.sql": "select cast(null as integer) as n\n"})
    for _ in range(2):
        result = small.check()
        assert result.exit_code == 1
        assert "fail: first_has_n" in result.output
        assert small.selected(result) == {"first", "second"}
    # Back to what was built last: the warehouse still holds what the red check made.
    small.write({"models/first.sql": FILES["models/first.sql"]})
    result = small.check()
    assert result.exit_code == 0, result.output
    assert small.selected(result) == {"first", "second"}
    assert small.n("first") == [2]


def test_what_lint_finds_is_red(small):
    small.write(
        {
            "models/first.sql": "select 3 as n -- UGLY\n",
            "models/last.yml": FILES["models/last.yml"].replace("description: A", "desciption: A"),
            "scripts/tool.py": '"""A tool."""\n\nx = [1,2]\n',
        }
    )
    result = small.check()
    assert result.exit_code == 1
    for said in ("first.sql:select 3 as n -- UGLY", "`desciption`", "1 file would be reformatted"):
        assert said in result.output
    # It built well, and is checked again all the same.
    assert small.n("first") == [3]
    assert "Changed since the last green check: 3 files" in small.check().output


def test_a_project_that_does_not_parse_is_red(small):
    small.write({"models/second.sql": "select n from {{ ref('frist') }}\n"})
    result = small.check()
    assert result.exit_code == 1
    assert "frist" in result.output
