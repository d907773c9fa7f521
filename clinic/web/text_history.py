"""How a clinic's own texts came to be: every version with what it changed, and the way back to it."""
from __future__ import annotations

from flask import abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.queries.texts import MOST_VERSIONS, text_history
from clinic.services import texts as service
from clinic.services.work import NotFound, Refused, Stale
from clinic.web.entry import allowed, here
from clinic.web.faster import who_was_faster
from clinic.web.forms import Form
from clinic.web.kit import kit
from clinic.web.pages import page
from clinic.web.text_sheets import LABELS, sheet_named
from clinic.web.texts import texts


@texts.get("/setup/texts/<name>/<language>/history")
@allowed(Right.SET_UP)
def history(name: str, language: str) -> Response:
    """The versions of a sheet's texts, the newest first: who made each, when, and what it changed."""
    sheet = sheet_named(name, language)
    with kit().read() as db:
        found = text_history(db, here().clinic_id, language, [each.place.code for each in sheet.fields])
    newest = {each.code: each.id for each in found if each.is_newest}
    return page("texts/history.html", sheet=sheet, versions=found, newest=newest, labels=LABELS,
                place_of=service.place_of, is_cut=len(found) == MOST_VERSIONS)


@texts.post("/setup/texts/<name>/<language>/take-back")
@allowed(Right.SET_UP)
def take_back(name: str, language: str) -> Response:
    """Makes an older version the newest again."""
    sheet, form = sheet_named(name, language), Form(request.form)
    text_id, seen = form.number("text", "The version", least=1, most=999_999_999), form.version()
    if text_id is None or form.faults:
        abort(400)
    try:
        with kit().work(here().actor) as work:
            outcome = service.take_back(work, here().clinic_id, text_id, seen=seen)
    except NotFound:
        abort(404)
    except Stale as error:
        flash(f"{who_was_faster(error)[1]} Look again.", "warn")
        return redirect(url_for("texts.history", name=name, language=language), 303)
    if isinstance(outcome, Refused):
        flash(outcome.findings[0].text, "warn")
        return redirect(url_for("texts.history", name=name, language=language), 303)
    flash("That version stands again. Messages that have not been sent yet say it too.", "ok")
    return redirect(url_for("texts.edit", name=sheet.name, language=language), 303)
