"""Lint what changed since the last green build, and build and test the changed models.

The edit-run loop: `make build` once, then edit and `make check`. Models are selected by dbt's own
state comparison (`state:modified+`) with the manifest of the last green build. Exits with 0 when
all is well or nothing changed, 1 when something failed, and 2 when there is no last build.
"""

import contextlib
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from warehouse import DEFAULT_DATABASE, must_be_writable

MANIFEST = Path("target/manifest.json")
# A place of its own: the next dbt command writes target/manifest.json again.
STATE = Path("target/last_build")
BUILT = STATE / "manifest.json"
# The files that were last linted and last built, each with the hash of its content.
FILES = STATE / "files.json"
# The models of a check that did not end green: the warehouse may hold what it made of them.
RED = STATE / "red.json"

FOLDERS = ("models", "macros", "seeds", "tests", "analyses", "scripts")
ENDINGS = (".sql", ".yml", ".yaml", ".csv", ".py")
SETTINGS = ("dbt_project.yml", "profiles.yml", "selectors.yml", "pyproject.toml", ".sqlfluff")
# What dbt's state comparison does not look at: variables, connections, and the columns of sources,
# which macros read.
BUILD_ALL = ("dbt_project.yml", "profiles.yml", "models/sources/")
KINDS = ("model", "seed", "snapshot", "test", "unit_test")


# --- what changed, for the linters ---------------------------------------------------------------


def fingerprints() -> dict[str, str]:
    """{path: hash of its content} of every file that is linted or built."""
    files = [Path(name) for name in SETTINGS if Path(name).exists()]
    for folder in FOLDERS:
        files += [file for file in Path(folder).rglob("*") if file.suffix in ENDINGS]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files)}


def changes(before: dict[str, str], now: dict[str, str]) -> dict[str, str]:
    """{path: modified, new or deleted} of the files whose content differs."""
    return {
        path: "new" if path not in before else "deleted" if path not in now else "modified"
        for path in sorted(before.keys() | now.keys())
        if before.get(path) != now.get(path)
    }


def lint_commands(changed: dict[str, str]) -> Iterator[list[str]]:
    """The linters that the changed files need, each with the files that it reads."""
    there = [path for path, how in changed.items() if how != "deleted"]
    python = [path for path in there if path.endswith(".py")]
    if "pyproject.toml" in changed:
        python = ["scripts", "tests"]
    if python:
        yield [sys.executable, "-m", "ruff", "check", "--quiet", *python]
        yield [sys.executable, "-m", "ruff", "format", "--check", *python]
    # The whole project at once: whether a model is described, another file says.
    if any(path.endswith((".yml", ".yaml", ".sql", ".csv")) for path in changed):
        yield [sys.executable, str(Path(__file__).with_name("validate_yaml.py")), "."]
    lint_sql = ["make", "--silent", "--no-print-directory", "lint-sql"]
    # sqlfluff reads no macro by itself, and a generic test is a macro.
    sql = [
        path
        for path in there
        if path.endswith(".sql") and not path.startswith(("macros/", "tests/generic/"))
    ]
    if ".sqlfluff" in changed:
        yield lint_sql
    elif sql:
        yield [*lint_sql, f"SQL={' '.join(sql)}"]


@dataclass(frozen=True)
class Linter:
    """A linter that runs beside dbt."""

    name: str
    process: subprocess.Popen

    @classmethod
    def start(cls, command: list[str]) -> "Linter":
        """Start a linter; what it says is kept until it is asked for."""
        # A make inside a make would report to the outer one.
        env = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
        pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        name = " ".join(part for part in command if not part.startswith("--"))
        return cls(
            name.replace(sys.executable, "python"), subprocess.Popen(command, env=env, **pipe)
        )

    def is_green(self) -> bool:
        """Wait for it, say what it said if it failed, and say whether it passed."""
        said, _ = self.process.communicate()
        if self.process.returncode:
            click.echo(f"\n{self.name}\n{said.strip()}")
        return self.process.returncode == 0


# --- what changed, for dbt -----------------------------------------------------------------------


@dataclass(frozen=True)
class Dbt:
    """The project, parsed once for several commands."""

    manifest: Any

    @classmethod
    def parse(cls) -> "Dbt | None":
        """Parse the project; None when it does not parse, which dbt has explained."""
        from dbt.cli.main import dbtRunner  # noqa: PLC0415 (slow, and --save-state needs none)

        run = dbtRunner().invoke(["--quiet", "parse"])
        return cls(run.result) if run.success else None

    def invoke(self, *arguments: str) -> Any:
        """Run a dbt command on the parsed project."""
        from dbt.cli.main import dbtRunner  # noqa: PLC0415

        return dbtRunner(manifest=self.manifest).invoke(list(arguments))

    def select(self, selection: list[str]) -> list[dict]:
        """The name and the type of each node that a selection holds."""
        with contextlib.redirect_stdout(io.StringIO()):
            run = self.invoke(
                *("--quiet", "ls", "--output", "json", "--output-keys", "name resource_type"),
                *("--resource-types", *KINDS, *selection),
            )
        if not run.success:
            raise click.ClickException(str(run.exception))
        return [json.loads(line) for line in run.result]


def macros_named(manifest: dict) -> set[str]:
    """The macros that something which dbt can select names, directly or through other macros."""
    nodes = [*manifest["nodes"].values(), *manifest["unit_tests"].values()]
    waiting = [
        macro
        for node in nodes
        if node["resource_type"] in KINDS
        for macro in node["depends_on"].get("macros", [])
    ]
    named = set()
    while waiting:
        macro = waiting.pop()
        if macro not in named:
            named.add(macro)
            waiting += manifest["macros"][macro]["depends_on"]["macros"]
    return named


def not_compared(changed: dict[str, str], before: dict, now: dict) -> list[str]:
    """The changes that dbt's state comparison does not follow, by file or macro.

    A macro that no model names takes part in every build: a hook, or an override of dbt's own.
    """
    found = [path for path in changed if path.startswith(BUILD_ALL)]
    named = macros_named(before) | macros_named(now)
    for key in sorted(before["macros"].keys() | now["macros"].keys()):
        old, new = (manifest["macros"].get(key, {}).get("macro_sql") for manifest in (before, now))
        if old != new and key not in named:
            found.append(f"macro {key.split('.')[-1]}")
    return found


# --- the state -----------------------------------------------------------------------------------


def read(file: Path) -> Any:
    """What a JSON file holds; nothing when it is not there."""
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def save_state(files: dict[str, str], linted: dict[str, str] | None = None) -> None:
    """Keep what was built, and the manifest by which it was, to compare the next check with.

    Args:
        files: the files that were built.
        linted: the files as they were last linted; None: as at the last check, or else `files`.
    """
    STATE.mkdir(parents=True, exist_ok=True)
    shutil.copy(MANIFEST, BUILT)
    if linted is None:
        linted = read(FILES).get("linted", files)
    FILES.write_text(json.dumps({"built": files, "linted": linted}), encoding="utf-8")
    RED.unlink(missing_ok=True)


# --- the check -----------------------------------------------------------------------------------


def counted(nodes: list[dict]) -> str:
    """How many nodes of each kind, such as `2 models, 7 tests`."""
    count = Counter(node["resource_type"].replace("_", " ") for node in nodes)
    return ", ".join(f"{n} {kind}{'s' if n > 1 else ''}" for kind, n in count.items())


def listed(lines: list[str], most: int = 20) -> str:
    """Lines, indented; of many, only the first."""
    more = [f"and {len(lines) - most} more"] if len(lines) > most else []
    return "\n".join(f"  {line}" for line in lines[:most] + more)


def build(changed: dict[str, str]) -> tuple[bool, list[dict]]:
    """Build and test what changed; whether all is well, and the nodes that were selected."""
    dbt = Dbt.parse()
    if dbt is None:
        return False, []
    reasons = not_compared(changed, read(BUILT), read(MANIFEST))
    left = read(RED) or []
    # From scratch: what is there was built by another definition, and days added to it would mix
    # the two. This empties the ledger of deliveries too, so that the next whole build trusts none.
    selection = ["--full-refresh"] if left or not reasons else []
    # What is not selected is built already, so every test that touches a change can run.
    selection += ["--indirect-selection", "eager"]
    if reasons:
        click.echo(
            f"All is built, because of {', '.join(reasons)}: dbt cannot say what that affects."
        )
    else:
        still_there = {node.name for node in dbt.manifest.nodes.values()} & set(left)
        selection += ["--state", str(STATE), "--select", "state:modified+", *sorted(still_there)]
    nodes = dbt.select([part for part in selection if part != "--full-refresh"])
    if not nodes:
        return True, []
    built = sorted(node["name"] for node in nodes if node["resource_type"] in ("model", "seed"))
    click.echo(f"dbt builds and tests {counted(nodes)}" + (":" if built else "."))
    click.echo(listed(built))
    if left:
        click.echo("Among them is what the last check left red.")
    RED.write_text(json.dumps(sorted({*built, *left})), encoding="utf-8")
    run = dbt.invoke("build", *selection)
    if not run.success:
        results = getattr(run.result, "results", [])
        failed = [
            f"{result.status}: {result.node.name}"
            for result in results
            if result.status in ("error", "fail", "runtime error")
        ]
        n_skipped = sum(result.status == "skipped" for result in results)
        click.echo(f"\ndbt build failed; {n_skipped} nodes were skipped\n{listed(failed)}")
    return run.success, nodes


@click.command(help=__doc__)
@click.option(
    "--save-state",
    "only_save",
    is_flag=True,
    help="Check nothing: keep the state of the green build that just ended (`make build` does so).",
)
def main(only_save: bool) -> None:
    """Lint, build and test what changed."""
    started, files = time.monotonic(), fingerprints()
    if only_save:
        save_state(files)
        return
    warehouse = Path(os.environ.get("MODERATION_QUALITY_DATABASE", DEFAULT_DATABASE))
    if not (BUILT.exists() and FILES.exists() and warehouse.exists()):
        click.echo(
            "There is no last green build to compare with: run `make build` first.", err=True
        )
        raise SystemExit(2)
    must_be_writable(warehouse)

    state = read(FILES)
    changed = changes(state["linted"], files)
    if changed:
        click.echo(f"Changed since the last green check: {len(changed)} files")
        click.echo(listed([f"{how:<8}  {path}" for path, how in changed.items()]))
    # They run beside dbt.
    linters = [Linter.start(command) for command in lint_commands(changed)]
    for linter in linters:
        click.echo(f"Lint: {linter.name}")
    is_built, nodes = build(changes(state["built"], files))
    # All of them are waited for, also when the first is red.
    is_green = all([is_built, *[linter.is_green() for linter in linters]])
    if is_green:
        save_state(files, linted=files)
    if not (changed or nodes) and is_green:
        click.echo("Nothing changed since the last green build.")
    else:
        done = f"{len(linters)} linters, dbt: {counted(nodes) or 'nothing to build or test'}"
        seconds = time.monotonic() - started
        click.echo(f"\n{'Green' if is_green else 'RED'} after {seconds:.0f} s ({done}).")
    raise SystemExit(0 if is_green else 1)


if __name__ == "__main__":
    main()
