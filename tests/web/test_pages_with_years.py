"""Pages with much behind them ask as much of the database as with little; `tests.benchmarks.pages` times them."""
from __future__ import annotations

from pathlib import Path

from clinic.store.engine import open_engine
from tests.benchmarks.pages import PAGES, Site, measured
from tests.benchmarks.years import fill_years
from tests.databases import SQLiteFiles

AS_MANY_AS_ONE_PERSON_HAS = {"booking panel, what fits", "people to tell"}
"""Pages that ask once for each course or message of the one person they show, up to a bound."""


def test_no_page_takes_more_statements_with_more_behind_it(sqlite_files: SQLiteFiles, tmp_path: Path) -> None:
    taken = []
    for years, practitioners in ((0.34, 2), (0.36, 4)):
        engine = open_engine(sqlite_files.migrated(), durable=False)
        filled = fill_years(engine, years, practitioners=practitioners, patients=100 * practitioners)
        site = Site(engine, filled, tmp_path)
        taken.append({page.name: measured(site, page, times=1, warm=1).statements for page in PAGES
                      if page.name not in AS_MANY_AS_ONE_PERSON_HAS})
        engine.dispose()

    few, many = taken
    assert many == few
