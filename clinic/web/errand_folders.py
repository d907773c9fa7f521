"""Folders of long works: made for one account, named so that nobody guesses them, gone when their time is over."""
from __future__ import annotations

import re
import secrets
from pathlib import Path

from flask import abort

from clinic.services.errands import forget_older
from clinic.web.entry import here
from clinic.web.kit import kit

IMPORTS, EXPORTS = "imports", "exports"
KEPT_FOR = {IMPORTS: 24 * 3600.0, EXPORTS: 3600.0}
"""Seconds: an export lies about no longer than it takes to fetch it."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)


def new_folder(kind: str) -> tuple[str, Path]:
    """A folder for a work of the account that is here, and its name."""
    token = secrets.token_urlsafe(16)
    folder = _home(kind) / token
    folder.mkdir(mode=0o700)
    (folder / "owner").write_text(str(here().account_id), encoding="ascii")
    return token, folder


def folder_of(kind: str, token: str) -> Path:
    """The folder of that name; 404 where there is none, or it is another account's."""
    folder = _home(kind) / token
    if not _TOKEN.fullmatch(token) or not folder.is_dir():
        abort(404)
    if (folder / "owner").read_text(encoding="ascii") != str(here().account_id):
        abort(404)
    return folder


def _home(kind: str) -> Path:
    home: Path = kit().settings.data_dir / kind
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    forget_older(home, KEPT_FOR[kind])
    return home
