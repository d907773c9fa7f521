"""Moving in from another system: send the files, say what their columns are, check, move in."""
from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.interchange.cells import harmless
from clinic.interchange.moving_in import FORMS
from clinic.interchange.parcel import MOST_BYTES, ParcelFault, unpack
from clinic.queries.held_back import held_back
from clinic.services import errands
from clinic.services.move_in import move_in
from clinic.services.work import Actor
from clinic.web.entry import allowed_everywhere, here
from clinic.web.errand_folders import IMPORTS, folder_of, new_folder
from clinic.web.kit import Kit, kit, now
from clinic.web.pages import page
from clinic.web.parcels import (
    FORM_OF,
    ParcelFile,
    as_form,
    faults_of,
    glance_at,
    keep,
    kept,
    laid_out,
    recognised,
    report_document,
)
from clinic.web.uploads import takes_files

moving_in = Blueprint("moving_in", __name__)

FORM_WORDS = {
    "clinics.csv": "Clinics", "practitioners.csv": "Practitioners", "rota.csv": "Rotas", "rooms.csv": "Rooms",
    "devices.csv": "Devices", "absences.csv": "Absences and downtime", "patients.csv": "Patients",
    "courses.csv": "Courses, half-done ones too", "appointments.csv": "Future appointments",
}


@moving_in.get("/setup/import")
@allowed_everywhere(Right.MOVE_DATA)
def index() -> Response:
    """What can be moved in, and the form for the files."""
    return _index()


@moving_in.post("/setup/import")
@takes_files(MOST_BYTES)
@allowed_everywhere(Right.MOVE_DATA)
def send() -> Response:
    """Takes the files, and looks what they are."""
    given = [file for file in request.files.getlist("files") if file.filename]
    if not given:
        return _index("Choose the files, or one zip of them.")
    token, folder = new_folder(IMPORTS)
    (folder / "files").mkdir(mode=0o700)
    try:
        sent = unpack(folder / "files", ((file.filename or "", file.stream) for file in given))
    except ParcelFault as fault:
        errands.forget(folder)
        return _index(str(fault))
    finally:
        for file in given:
            file.close()
    keep(folder, recognised(sent))
    return redirect(url_for("moving_in.columns", token=token), 303)


@moving_in.get("/setup/import/<token>/columns")
@allowed_everywhere(Right.MOVE_DATA)
def columns(token: str) -> Response:
    """Each file with its columns beside ours."""
    folder = folder_of(IMPORTS, token)
    if _is_over(folder) or errands.standing(folder).state == "running":
        return redirect(url_for("moving_in.show", token=token), 303)
    return _columns(token, folder, {})


@moving_in.post("/setup/import/<token>/columns")
@allowed_everywhere(Right.MOVE_DATA)
def decide(token: str) -> Response:
    """Keeps what was decided about the columns, and checks the files where asked and nothing is missing."""
    folder = folder_of(IMPORTS, token)
    if _is_over(folder) or errands.standing(folder).state == "running":
        return redirect(url_for("moving_in.show", token=token), 303)
    before = kept(folder)
    files = [_decided(folder, number, file) for number, file in enumerate(before)]
    keep(folder, files)
    changed = [file.form for file in files] != [file.form for file in before]
    if changed or request.form.get("then") != "check":
        return redirect(url_for("moving_in.columns", token=token), 303)
    faults = faults_of(files)
    if faults:
        return _columns(token, folder, faults)
    _begin(folder, "check")
    return redirect(url_for("moving_in.show", token=token), 303)


@moving_in.get("/setup/import/<token>")
@allowed_everywhere(Right.MOVE_DATA)
def show(token: str) -> Response:
    """How far it is, and then what was found or moved in."""
    folder = folder_of(IMPORTS, token)
    standing = errands.standing(folder)
    if standing.state == "none":
        return redirect(url_for("moving_in.columns", token=token), 303)
    with kit().read() as db:
        waits = held_back(db, now())
    return page("moving/shown.html", token=token, standing=standing, report=standing.answer, held_back=waits,
                act=_act(folder), here_href=request.path)


@moving_in.post("/setup/import/<token>/move")
@allowed_everywhere(Right.MOVE_DATA)
def move(token: str) -> Response:
    """Moves in what was checked and found good; the second press finds it moved in."""
    folder = folder_of(IMPORTS, token)
    answer = errands.standing(folder).answer
    if answer.get("is_good") and not answer["was_kept"]:
        _begin(folder, "move")
    return redirect(url_for("moving_in.show", token=token), 303)


@moving_in.post("/setup/import/<token>/forget")
@allowed_everywhere(Right.MOVE_DATA)
def forget(token: str) -> Response:
    """Removes what was sent."""
    folder = folder_of(IMPORTS, token)
    if errands.standing(folder).state != "running":
        errands.forget(folder)
        flash("The files were removed. Nothing of them was kept.", "ok")
    return redirect(url_for("moving_in.index"), 303)


@moving_in.get("/setup/import/<token>/faults.csv")
@allowed_everywhere(Right.MOVE_DATA)
def faults(token: str) -> Response:
    """What was found, for whoever mends the files."""
    answer = errands.standing(folder_of(IMPORTS, token)).answer
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(("weight", "file", "line", "column", "text"))
    for weight, key in (("fault", "faults"), ("warning", "warnings")):
        for each in answer.get(key, ()):
            writer.writerow((weight, harmless(each["file"]), each["line"], harmless(each["column"]),
                             harmless(each["text"])))
    response = Response("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="faults.csv"'
    return response


def _index(fault: str | None = None) -> Response:
    return page("moving/import.html", 422 if fault else 200, fault=fault, forms=FORMS, words=FORM_WORDS,
                most=MOST_BYTES // 1024 // 1024)


def _columns(token: str, folder: Path, faults: dict[str, str]) -> Response:
    files = [(file, glance_at(folder / "files" / file.path), FORM_OF.get(file.form)) for file in kept(folder)]
    return page("moving/columns.html", 422 if faults else 200, token=token, files=files, faults=faults,
                words=FORM_WORDS)


def _decided(folder: Path, number: int, file: ParcelFile) -> ParcelFile:
    """The file as the form says; where it is another one of ours now, its columns are looked at afresh."""
    headings = glance_at(folder / "files" / file.path).headings
    form = request.form.get(f"form-{number}", "")
    if form not in FORM_OF or not headings:
        return as_form(file, headings, "")
    if form != file.form:
        return as_form(file, headings, form)
    names = FORM_OF[form].names
    chosen = {heading: request.form.get(f"column-{number}-{place}", "") for place, heading in enumerate(headings)}
    columns = {heading: ours if ours in names else None for heading, ours in chosen.items() if heading}
    return ParcelFile(file.name, file.path, form, columns)


def _is_over(folder: Path) -> bool:
    return bool(errands.standing(folder).answer.get("was_kept"))


def _act(folder: Path) -> str:
    path = folder / "act"
    return path.read_text(encoding="ascii") if path.exists() else ""


def _begin(folder: Path, act: str) -> None:
    given, actor, files = kit(), here().actor, kept(folder)

    if errands.standing(folder).state != "running":
        (folder / "act").write_text(act, encoding="ascii")
        errands.begin(folder, lambda progress: _read(given, actor, folder, files, act, progress))


def _read(
    given: Kit, actor: Actor, folder: Path, files: list[ParcelFile], act: str, progress: errands.Progress
) -> dict[str, Any]:
    target = laid_out(folder, files)
    with given.work(actor) as work:
        report = move_in(work, target, dry_run=act == "check", progress=progress)
    if report.was_kept:
        errands.forget(folder / "files")
        errands.forget(target)
    return report_document(report, files)
