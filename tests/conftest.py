"""What every test may ask for: a database of its own, on SQLite and on PostgreSQL, and no network."""
from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, expect, sync_playwright
from sqlalchemy.engine import Engine

from tests.databases import KINDS, DatabasesOf, PostgreSQLDatabases, SQLiteFiles, unavailable
from tests.engines import lent_engine
from tests.network import stay_at_home
from tests.postgres import Postgres

_HERE = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer `--full`: the counts of a release instead of the short ones."""
    parser.addoption("--full", action="store_true", help="run experiments with the counts of a release")


def pytest_configure(config: pytest.Config) -> None:
    """Let processes that tests start know about `--full`."""
    if config.getoption("--full"):
        os.environ["TEST_FULL"] = "1"
    # No deadline and no complaint of slowness: a busy machine is no reason for a rule to fail.
    patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    # The short run tries the same examples each time, so that no change is turned away by bad luck with something it
    # did not touch; the long run is the one that looks for new examples.
    settings.register_profile("short", patient, derandomize=True, max_examples=50)
    settings.register_profile("full", patient, max_examples=2000)
    settings.load_profile("full" if config.getoption("--full") else "short")


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: a third of the time a worker waits for browsers, servers and processes."""
    return (os.cpu_count() or 1) + 1


_LONG, _SHORT = ("browser", "prove"), ("care", "messages")
"""The folders whose files take longest, and those whose files take no time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long files and end with the short ones, so that no worker is left alone with a long one.

    The long ones come by turns: an experiment waits for its processes while a browser is at work.
    """
    places: dict[str, list[Path]] = {}

    def turn(item: pytest.Item) -> tuple[int, int]:
        folder = item.path.relative_to(_HERE).parts[0]
        files = places.setdefault(folder, [])
        if item.path not in files:
            files.append(item.path)
        return (0, files.index(item.path)) if folder in _LONG else (1 + (folder in _SHORT), 0)

    items.sort(key=turn)


def pytest_collection_finish() -> None:
    """What was loaded so far stays to the end: the collector of garbage need not look at it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def _at_home() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        stay_at_home(monkeypatch)
        yield


@pytest.fixture(scope="session")
def sqlite_files(tmp_path_factory: pytest.TempPathFactory) -> SQLiteFiles:
    """SQLite databases of this run."""
    return SQLiteFiles(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQLDatabases]:
    """The PostgreSQL server of this run; skips where there is none."""
    try:
        server = Postgres()
    except FileNotFoundError as missing:
        unavailable(str(missing))
    yield PostgreSQLDatabases(server)
    server.stop()


@pytest.fixture
def databases_of(request: pytest.FixtureRequest) -> DatabasesOf:
    """The databases of a kind by its name; PostgreSQL starts when it is first asked for."""
    return lambda kind: request.getfixturevalue("sqlite_files" if kind == "sqlite" else "postgresql")


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, databases_of: DatabasesOf) -> Iterator[str]:
    """The address of a migrated database of this test's own, once of each kind."""
    databases = databases_of(request.param)
    url = databases.migrated()
    yield url
    databases.remove(url)


@pytest.fixture(params=KINDS)
def empty_database_url(request: pytest.FixtureRequest, databases_of: DatabasesOf) -> Iterator[str]:
    """The address of a database where nothing was migrated yet, once of each kind."""
    databases = databases_of(request.param)
    url = databases.empty()
    yield url
    databases.remove(url)


@pytest.fixture
def sqlite_url(sqlite_files: SQLiteFiles) -> Iterator[str]:
    """The address of a migrated SQLite database of this test's own, where one kind of database is enough."""
    url = sqlite_files.migrated()
    yield url
    sqlite_files.remove(url)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on `database_url`."""
    with lent_engine(database_url) as lent:
        yield lent


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser of this machine, one for the whole run; skips where there is none."""
    found = os.environ.get("TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        unavailable("no Chromium on PATH: apt-get install chromium, or name one in TEST_CHROMIUM")
    expect.set_options(timeout=15_000)  # a busy machine takes its time
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found)
        yield browser
        browser.close()
