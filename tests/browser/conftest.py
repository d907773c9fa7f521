"""A Chromium and a whole clinic, started once; every page is watched for complaints and foreign requests."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, StorageState

from tests.browser.desk import Walker
from tests.browser.site import PASSWORD, Site, lived_in, served
from tests.browser.windows import Seats, SignedIn, Windows, cookies_of
from tests.databases import SQLiteFiles

Enter = Callable[..., Walker]


@pytest.fixture(scope="session")
def lived(sqlite_files: SQLiteFiles) -> Site:
    """The clinic that each file has a copy of."""
    return lived_in(sqlite_files.migrated())


@pytest.fixture(scope="module")
def site(lived: Site, sqlite_files: SQLiteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The clinic of this file, served: what other files do in theirs is not seen here."""
    url = sqlite_files.copied(lived.kit.settings.database_url)
    with served(lived, url, tmp_path_factory.mktemp("site")) as running:
        yield running
    sqlite_files.remove(url)


@pytest.fixture
def window(chromium: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """Opens a window; at the end no page may have complained."""
    windows = Windows(chromium, site.url)
    yield windows.open
    windows.close()
    assert windows.complaints == []


@pytest.fixture(scope="module")
def signed_in(site: Site) -> SignedIn:
    """The cookies of a role, which signs in once and without a browser: the door has tests of its own."""

    @cache
    def of_role(role: str) -> StorageState:
        return cookies_of(site.app, f"{role}@harbour.example", PASSWORD)

    return of_role


@pytest.fixture
def enter(window: Callable[..., Page], shots: Path | None, signed_in: SignedIn) -> Enter:
    """Opens a window of somebody who is signed in, and has not gone anywhere yet."""

    def open_signed_in(role: str = "receptionist", **how: object) -> Walker:
        return Walker(window(kept=signed_in(role), **how), shots)

    return open_signed_in


@pytest.fixture(scope="module")
def seats(chromium: Browser, site: Site, shots: Path | None, signed_in: SignedIn) -> Iterator[Seats]:
    """A window of each role that stays open for the tests of a file."""
    windows = Windows(chromium, site.url)
    yield Seats(windows, signed_in, shots)
    windows.close()


@pytest.fixture
def seated(seats: Seats) -> Iterator[Callable[[str], Walker]]:
    """Finds the window of a role as the test before left it, which opening another one would cost half a second; at
    the end no page may have complained."""
    yield seats.of
    complaints, seats.windows.complaints = seats.windows.complaints, []
    assert complaints == []


@pytest.fixture(scope="session")
def shots() -> Path | None:
    """Where pictures are kept, if the run was asked for any by TEST_SHOTS."""
    asked = os.environ.get("TEST_SHOTS")
    if not asked:
        return None
    folder = Path(asked)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
