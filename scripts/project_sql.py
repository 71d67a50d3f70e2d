"""The project's own SQL, rendered by dbt, for Python to run: no formula is written twice."""

import atexit
import contextlib
import functools
import gc
import io
import json
import os
import pickle
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

PROJECT = Path(__file__).resolve().parents[1]
OURS = ("DBT_", "MODERATION_QUALITY_")


class ProjectSqlError(RuntimeError):
    """Dbt could not render what was asked for; the message is dbt's own."""


@dataclass(frozen=True)
class CompiledModel:
    """A model's compiled SQL, and the quoted name of the relation that it would fill."""

    relation: str
    sql: str


@dataclass(frozen=True)
class DbtRun:
    """How a run of dbt ended, and what it said.

    Attributes:
        returncode: of the process, had it been one.
        stdout: all that was printed.
        results: of the nodes, where it ran in this process.
        warnings: what the project's own macros warned of.
        stops: the error that ended it, or that a hook raised before anything was built.
    """

    returncode: int
    stdout: str
    results: list[Any] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    stops: list[str] = field(default_factory=list)

    @property
    def statuses(self) -> dict[str, str]:
        """{name of a model, seed or test: its status}."""
        return {
            result.node.name: str(result.status)
            for result in self.results
            if result.node.resource_type != "operation"
        }


@contextlib.contextmanager
def in_folder(folder: Path, **environment: str) -> Iterator[None]:
    """Be in a folder, with no variable of ours set but these."""
    before = dict(os.environ)
    for name in [name for name in before if name.startswith(OURS)]:
        del os.environ[name]
    os.environ |= {"DO_NOT_TRACK": "1"} | environment
    try:
        with contextlib.chdir(folder):
            yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def run_dbt(arguments: list[str], manifest: Manifest, folder: Path, **environment: str) -> DbtRun:
    """Run dbt in this process, on a manifest, in a folder, with no variable of ours but these."""
    printed, warnings = io.StringIO(), []

    def listen(event: Any) -> None:
        if event.info.name == "JinjaLogWarning":
            warnings.append(event.info.msg)

    with contextlib.redirect_stdout(printed), in_folder(folder, **environment):
        # A manifest is a million objects that live as long as the run: nothing to collect.
        gc.disable()
        try:
            run = dbtRunner(manifest=manifest, callbacks=[listen]).invoke(arguments)
        finally:
            gc.enable()
            DuckDBConnectionManager.close_all_connections()
    results = list(getattr(run.result, "results", []))
    stops = [str(run.exception)] if run.exception else []
    stops += [
        str(result.message)
        for result in results
        if result.node.resource_type == "operation" and str(result.status) == "error"
    ]
    code = 0 if run.success else 2 if run.exception else 1
    return DbtRun(code, printed.getvalue(), results, warnings, stops)


@functools.cache
def render(template: str, **variables: Any) -> str:
    """Render a piece of SQL that calls the project's macros.

    Args:
        template: SQL with Jinja, as in a model; relations that are no models go by plain name.
        **variables: dbt variables that differ from dbt_project.yml.

    Returns:
        The SQL. It is rendered once per process.

    Raises:
        ProjectSqlError: the template does not render, for example for want of a macro.
    """
    (node,) = _compile(["--inline", template], variables)
    return node.compiled_code


def compiled_models(names: list[str], **variables: Any) -> dict[str, CompiledModel]:
    """Compile models without running them.

    Args:
        names: the models.
        **variables: dbt variables that differ from dbt_project.yml.

    Returns:
        {name: its relation and SQL}, in the order of `names`.

    Raises:
        ProjectSqlError: a model does not compile, does not exist or is disabled.
    """
    # Without the models' data tests: to compile, these need the relations.
    found = _compile(["--select", *names, "--indirect-selection", "empty"], variables)
    nodes = {node.name: node for node in found}
    if missing := [name for name in names if name not in nodes]:
        raise ProjectSqlError(f"no such model, or not enabled: {', '.join(missing)}")
    return {
        name: CompiledModel(nodes[name].relation_name, nodes[name].compiled_code) for name in names
    }


def dump(manifest: Manifest) -> bytes:
    """Write a manifest so that `load` gives it again, however often.

    A manifest that was run carries what the run left, its own deepcopy fails, and pickle mixes up
    what it looks up; so this keeps its parts without what is looked up.
    """
    parts = [part.name for part in fields(manifest) if not part.name.startswith("_")]
    return pickle.dumps({name: getattr(manifest, name) for name in parts})


def load(dumped: bytes) -> Manifest:
    """Read what `dump` wrote: a manifest that no run has used."""
    return Manifest(**pickle.loads(dumped))


def parsed(connector: str | None) -> Manifest:
    """Give the project as parsed, with a connector switched on or with none; parsed once."""
    return load(_parse(connector))


@functools.cache
def _parse(connector: str | None) -> bytes:
    return dump(_invoke(["parse"], {"raw_connector": connector}, None))


def _compile(selection: list[str], variables: dict[str, Any]) -> list[Any]:
    """Run `dbt compile` on an empty database in memory; return the compiled nodes."""
    manifest = parsed(variables.get("raw_connector"))
    # To fill dbt's cache of relations is half of the time, and there are none.
    arguments = ["compile", *selection, "--no-populate-cache", "--no-write-json"]
    return [result.node for result in _invoke(arguments, variables, manifest).results]


def _invoke(arguments: list[str], variables: dict[str, Any], manifest: Manifest | None) -> Any:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), _environment():
        outcome = dbtRunner(manifest=manifest).invoke(
            [
                *arguments,
                *("--vars", json.dumps(variables)),
                *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
                *("--target-path", _scratch(), "--log-path", _scratch()),
                *("--quiet", "--log-level-file", "none", "--no-use-colors"),
            ]
        )
    if not outcome.success:
        error = outcome.exception
        # "Error parsing inline query" says nothing; what it was raised from does.
        said = [str(one) for one in (error, error and error.__context__) if one]
        raise ProjectSqlError("\n".join(said) or printed.getvalue().strip())
    return outcome.result


@contextlib.contextmanager
def _environment() -> Any:
    before = dict(os.environ)
    os.environ |= {"MODERATION_QUALITY_DATABASE": ":memory:", "DO_NOT_TRACK": "1"}
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@functools.cache
def _scratch() -> str:
    """Give a folder for dbt's artifacts: of this process alone, so that no build is disturbed."""
    folder = tempfile.mkdtemp(prefix="project-sql-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
