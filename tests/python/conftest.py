"""The project, parsed once a session, and worlds that are built once and read by many tests.

What is made once is made by the first worker that asks for it, under a lock; the others read it.
Nobody writes to it: a test that changes a warehouse works on a copy.
"""

import os
from collections.abc import Callable
from pathlib import Path

import faster_dbt
import project_sql
import pytest
import worlds
from filelock import FileLock
from projects import Parsed, Project

# Dealt first: files that take long, for else one of them comes last and a worker has nothing to do;
# and one that builds the platform, while the other worker is at what does not read it.
FIRST = (
    "test_spark.py",
    "test_faults.py",
    "test_agreement.py",
    "test_increments.py",
    "test_healthy_worlds.py",
)


def pytest_configure():
    faster_dbt.speed_up()


def pytest_collection_modifyitems(items):
    def place(item):
        name = item.path.name
        return FIRST.index(name) if name in FIRST else len(FIRST)

    items.sort(key=place)


@pytest.fixture(scope="session")
def once(tmp_path_factory):
    """A function that fills a folder with a name, once a session whichever worker asks."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    shared.mkdir(exist_ok=True)

    def make(name: str, fill: Callable[[Path], None]) -> Path:
        folder, done = shared / name, shared / f"{name} is done"
        with FileLock(shared / f"{name}.lock"):
            if not done.exists():
                folder.mkdir()
                fill(folder)
                done.touch()
        return folder

    return make


@pytest.fixture(scope="session")
def parse(once):
    """A function that gives this project as parsed, with a connector switched on or with none."""

    def with_connector(connector: str | None = None) -> Parsed:
        variables = f"raw_connector: {connector}" if connector else "{}"
        return Parsed(
            once(f"parsed {connector or 'plain'}", lambda folder: Parsed.make(folder, variables))
        )

    return with_connector


@pytest.fixture(scope="session", autouse=True)
def _sql_is_rendered_from_the_parsed_project(parse):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(project_sql, "parsed", lambda connector: parse(connector).manifest())
        yield


@pytest.fixture(scope="session")
def parsed_project(parse):
    return parse()


@pytest.fixture(scope="session")
def new_project(parse, tmp_path_factory):
    """A function that makes a project with an empty warehouse and no raw data."""

    def make(connector: str | None = None) -> Project:
        return Project.make(tmp_path_factory.mktemp("case"), parse(connector))

    return make


@pytest.fixture(scope="session")
def built_once(once, parsed_project):
    """A function that gives a project that is built once a session. It is only read."""

    def give(name: str, build: Callable[[Project], None]) -> Project:
        folder = once(name, lambda folder: build(Project.make(folder, parsed_project)))
        return Project(folder, parsed_project)

    return give


@pytest.fixture(scope="session")
def week(built_once):
    """The small world; every data test passes on it."""
    return built_once("week", worlds.build_week)


@pytest.fixture(scope="session")
def platform(built_once):
    """Six weeks of one quarter of a small platform, built and documented as a user does."""
    return built_once("platform", worlds.build_platform)


@pytest.fixture
def world():
    return worlds.small_world()


@pytest.fixture(scope="session")
def make_world():
    return worlds.small_world
