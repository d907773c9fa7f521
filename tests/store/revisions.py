"""Revisions made up for tests, on top of the real ones, and processes that migrate and may be killed."""
from __future__ import annotations

import os
import shutil
import signal
import sys
import textwrap
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Engine

from clinic import paths
from clinic.store import migrate
from clinic.store.engine import open_engine
from tests.store.processes import processes

ADDED = "9001"
_HEAD = paths.migrations()
_REVISION = '''"""{sentence}."""
import sqlalchemy as sa
from alembic import op
from migration_tools import altered, instant

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
{upgrade}


def downgrade() -> None:
{downgrade}
'''


def all_revisions() -> list[str]:
    """The product's own revisions, oldest first."""
    if str(_HEAD) not in sys.path:  # for `migration_tools`
        sys.path.append(str(_HEAD))
    config = Config()
    config.set_main_option("script_location", str(_HEAD))
    config.set_main_option("path_separator", "os")
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]


def with_revision(folder: Path, upgrade: str, downgrade: str = "pass") -> Path:
    """A copy of the migrations with one more revision, `9001`, that does this."""
    copy = folder / "migrations"
    shutil.copytree(_HEAD, copy)
    (copy / "versions" / f"{ADDED}_try_it.py").write_text(_REVISION.format(
        sentence="Try it", revision=ADDED, before=all_revisions()[-1], upgrade=_indented(upgrade),
        downgrade=_indented(downgrade),
    ))
    return copy


def start_upgrade(url: str, scripts: Path | None = None, *, kill_at: int | None = None) -> BaseProcess:
    """A process that migrates to the head, and is killed before that statement; the commit comes after the last."""
    process = processes().Process(target=_upgrade, args=(url, str(scripts or _HEAD), kill_at))
    process.start()
    return process


def _indented(code: str) -> str:
    return textwrap.indent(textwrap.dedent(code).strip(), "    ")


def _upgrade(url: str, scripts: str, kill_at: int | None) -> None:
    paths.migrations = lambda: Path(scripts)
    engine = open_engine(url)
    if kill_at is not None:
        _Death(kill_at).wait_in(engine)
    migrate.upgrade(engine)
    engine.dispose()


class _Death:
    def __init__(self, at: int) -> None:
        self.left = at

    def wait_in(self, engine: Engine) -> None:
        sa.event.listen(engine, "before_cursor_execute", self._step)
        sa.event.listen(engine, "commit", self._step)

    def _step(self, *_: Any) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
