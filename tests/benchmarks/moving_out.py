"""How fast a large clinic leaves and comes back: `python -m tests.benchmarks.moving_out [patients]`.

The clinic is the one that `moving_in` moves in (50,000 patients unless another number is given). It is exported,
brought back, and exported again, on SQLite and on PostgreSQL, each step in a process of its own; the bytes must be the
same.
"""
from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy.orm import Session

from clinic.interchange.archive import read_manifest
from clinic.services.export import export_all
from clinic.services.restore import restore
from clinic.services.work import Actor, Done, UnitOfWork
from clinic.store import migrate
from clinic.store.engine import open_engine
from tests.benchmarks.moving_in import measured, say, write_folder
from tests.postgres import Postgres
from tests.small_clinic import MONDAY


def child(act: str, url: str, folder: Path) -> None:
    """Does one step and says how long it took and how much memory."""
    engine = open_engine(url)
    began = time.perf_counter()
    if act == "export":
        with Session(engine) as db:
            outcome: object = export_all(db, folder)
    else:
        with UnitOfWork(engine, lambda: MONDAY, Actor("benchmark")) as work:
            outcome = restore(work, folder)
    assert isinstance(outcome, Done), outcome
    rows = sum(file.rows for file in read_manifest(folder).files.values())
    took = time.perf_counter() - began
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say(f"{act}: {rows:,} rows in {took:.1f} s, {rows / took:,.0f} a second, at most {most:.0f} MB")


def step(act: str, url: str, folder: Path) -> None:
    """One step in a process of its own."""
    subprocess.run([sys.executable, "-m", "tests.benchmarks.moving_out", "--child", act, url, str(folder)], check=True)


def main(patients: int) -> None:
    """Runs both databases."""
    with tempfile.TemporaryDirectory(prefix="clinic-moving-out-") as name:
        where = Path(name)
        rows = write_folder(where / "files", patients)
        server = Postgres()
        try:
            for kind in ("sqlite", "postgresql"):
                urls = [f"sqlite:///{where / f'{place}.db'}" if kind == "sqlite" else server.create(place)
                        for place in ("old", "new")]
                for url in urls:
                    engine = open_engine(url)
                    migrate.upgrade(engine)
                    engine.dispose()
                measured(urls[0], where / "files", rows)
                say(kind)
                before, after = where / f"{kind}-before", where / f"{kind}-after"
                step("export", urls[0], before)
                step("restore", urls[1], before)
                step("export", urls[1], after)
                same = (before / "manifest.json").read_bytes() == (after / "manifest.json").read_bytes()
                say(f"the same bytes: {same}")
        finally:
            server.stop()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[3], Path(sys.argv[4]))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 50_000)
