"""Taking everything out: prepared while one waits, fetched once, and gone after an hour."""
from __future__ import annotations

from pathlib import Path
from threading import Timer
from typing import Any

from flask import Blueprint, abort, redirect, request, send_file, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.interchange.archive import zip_folder
from clinic.services import errands
from clinic.services.export import export_all, note_export
from clinic.services.work import Actor, Done
from clinic.web.entry import allowed_everywhere, here
from clinic.web.errand_folders import EXPORTS, KEPT_FOR, folder_of, new_folder
from clinic.web.kit import Kit, kit
from clinic.web.pages import page

moving_out = Blueprint("moving_out", __name__)

_FOLDER, _FILE = "clinic-export", "clinic-export.zip"


@moving_out.get("/setup/export")
@allowed_everywhere(Right.MOVE_DATA)
def index() -> Response:
    """What an export is, and the button that begins one."""
    return page("moving/export.html")


@moving_out.post("/setup/export")
@allowed_everywhere(Right.MOVE_DATA)
def begin() -> Response:
    """Begins to write everything down."""
    token, folder = new_folder(EXPORTS)
    given, actor = kit(), here().actor
    errands.begin(folder, lambda progress: _write(given, actor, folder, progress))
    return redirect(url_for("moving_out.show", token=token), 303)


@moving_out.get("/setup/export/<token>")
@allowed_everywhere(Right.MOVE_DATA)
def show(token: str) -> Response:
    """How far it is, and the file once it is there."""
    standing = errands.standing(folder_of(EXPORTS, token))
    return page("moving/export_shown.html", token=token, standing=standing, here_href=request.path)


@moving_out.get(f"/setup/export/<token>/{_FILE}")
@allowed_everywhere(Right.MOVE_DATA)
def fetch(token: str) -> Response:
    """The export, for whoever asked for it."""
    folder = folder_of(EXPORTS, token)
    if errands.standing(folder).state != "done":
        abort(404)
    response = send_file(folder / _FILE, mimetype="application/zip", as_attachment=True, download_name=_FILE,
                         conditional=False, etag=False)
    response.headers["Cache-Control"] = "no-store"
    return response


def _write(given: Kit, actor: Actor, folder: Path, progress: errands.Progress) -> dict[str, Any]:
    with given.read() as db:
        outcome = export_all(db, folder / _FOLDER, progress)
    assert isinstance(outcome, Done)  # the folder is new
    zip_folder(folder / _FOLDER, folder / _FILE)
    errands.forget(folder / _FOLDER)
    with given.work(actor) as work:
        note_export(work)
    leave = Timer(KEPT_FOR[EXPORTS].total_seconds(), errands.forget, (folder,))
    leave.daemon = True
    leave.start()
    return {"rows": outcome.value, "bytes": (folder / _FILE).stat().st_size}
