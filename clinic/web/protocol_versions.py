"""A further version of a protocol: written by the clinic, compared with another one."""
from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.differences import differences
from clinic.care.new_version import document_with
from clinic.queries.protocols import ProtocolPage, protocol_page
from clinic.services import protocol_versions as service
from clinic.services.work import Done, Refused, UnitOfWork
from clinic.web import version_form
from clinic.web.entry import allowed, here
from clinic.web.forms import Form
from clinic.web.kit import kit
from clinic.web.once import done_once
from clinic.web.pages import page
from clinic.web.protocols import protocols


@protocols.get("/protocols/<code>/new-version")
@allowed(Right.EDIT_PROTOCOLS)
def new_version(code: str) -> Response:
    """The form for a further version, as the one that it begins with says it."""
    found = _found(code, request.args.get("version", type=int))
    return _page(found, Form(initial=version_form.initial_of(found.content)))


@protocols.post("/protocols/<code>/new-version")
@allowed(Right.EDIT_PROTOCOLS)
def draft(code: str) -> Response:
    """Keeps it as a draft and shows what it says differently, or shows what to correct."""
    form = Form(request.form)
    base = form.number("version", "The version that this begins with", least=1, most=999_999)
    found = _found(code, base)
    wanted = version_form.read_wanted(form, found.content)
    if form.faults:
        return _page(found, form)
    document = document_with(found.content, wanted)

    def act(work: UnitOfWork) -> Done[Any] | Refused:
        return service.draft_version(work, code, document, base=found.version.number)

    outcome = done_once(
        act, to=lambda number: _difference(code, found.version.number, number), told="The draft was saved. A "
        "practitioner approves it.", otherwise=url_for("protocols.show", code=code))
    if isinstance(outcome, Refused):
        version_form.add_faults(form, outcome.findings, found.content)
        return _page(found, form)
    return outcome


@protocols.get("/protocols/<code>/difference")
@allowed(Right.SEE_PROTOCOLS)
def difference(code: str) -> Response:
    """What one version says differently from another."""
    before = _found(code, request.args.get("before", type=int))
    after = _found(code, request.args.get("after", type=int))
    rows = differences(before.content, after.content)
    return page("protocols/difference.html", before=before, after=after,
                figures=[row for row in rows if not row.is_source], sources=[row for row in rows if row.is_source])


@protocols.post("/protocols/<code>/consultation")
@allowed(Right.EDIT_PROTOCOLS)
def consultation(code: str) -> Response:
    """Says whether this protocol's courses ask for a consultation first."""
    _found(code, None)
    with kit().work(here().actor) as work:
        outcome = service.choose_consultation(work, code, request.form.get("consultation", ""))
    if isinstance(outcome, Refused):
        flash(outcome.findings[0].text, "warn")
    else:
        flash("From now on, new courses follow this choice.", "ok")
    return redirect(url_for("protocols.show", code=code), 303)


def _found(code: str, number: int | None) -> ProtocolPage:
    with kit().read() as db:
        found = protocol_page(db, code, number)
    if found is None:
        abort(404)
    return found


def _difference(code: str, before: int, after: int) -> str:
    return url_for("protocols.difference", code=code, before=before, after=after)


def _page(found: ProtocolPage, form: Form) -> Response:
    return page("protocols/new_version.html", form.status, form=form, found=found, content=found.content,
                **version_form.asked(form, found.content))
