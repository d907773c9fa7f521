"""Folders of long works: made for one account, named so that nobody guesses them, gone when their time is over."""
from __future__ import annotations

import json
import re
import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import abort

from clinic.services.errands import forget, standing
from clinic.web.entry import here
from clinic.web.kit import kit, now

IMPORTS, EXPORTS = "imports", "exports"
KEPT_FOR = {IMPORTS: timedelta(days=1), EXPORTS: timedelta(hours=1)}
"""An export lies about no longer than it takes to fetch it."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)


def new_folder(kind: str) -> tuple[str, Path]:
    """A folder for a work of the account that is here, and its name."""
    token = secrets.token_urlsafe(16)
    folder = _home(kind) / token
    folder.mkdir(mode=0o700)
    (folder / "owner.json").write_text(
        json.dumps({"account_id": here().account_id, "made_at": now().isoformat()}), encoding="ascii")
    return token, folder


def folder_of(kind: str, token: str) -> Path:
    """The folder of that name; 404 where there is none, or it is another account's."""
    folder = _home(kind) / token
    if not _TOKEN.fullmatch(token) or not folder.is_dir():
        abort(404)
    if _owner(folder).get("account_id") != here().account_id:
        abort(404)
    return folder


def _home(kind: str) -> Path:
    """Where folders of that kind lie; those whose time is over are removed on the way."""
    home: Path = kit().settings.data_dir / kind
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    for folder in home.iterdir():
        with suppress(OSError):
            made_at = _owner(folder).get("made_at")
            if made_at and now() - datetime.fromisoformat(made_at) > KEPT_FOR[kind]:
                _forget_idle(folder)
    return home


def _forget_idle(folder: Path) -> None:
    if standing(folder).state != "running":
        forget(folder)


def _owner(folder: Path) -> dict[str, Any]:
    """Whose it is and since when; empty for a folder that is only just being made."""
    try:
        found: dict[str, Any] = json.loads((folder / "owner.json").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return {}
    return found
