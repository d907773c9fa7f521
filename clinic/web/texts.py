"""Texts: how each message reads, and what the clinic says in words of its own."""
from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.translations import ENGLISH, LANGUAGES
from clinic.planning.findings import Finding, Weight, blocks
from clinic.queries.texts import Newest, Writer, newest_texts, writer_of
from clinic.services import texts as service
from clinic.services.text_faults import judge_text
from clinic.services.work import Refused, Stale
from clinic.web.entry import allowed, here
from clinic.web.forms import Form
from clinic.web.headers import MESSAGE_POLICY
from clinic.web.kit import kit
from clinic.web.pages import page, stale_page
from clinic.web.rule_words import STRETCHES
from clinic.web.text_sheets import EVERY, LABELS, Sheet, findings_at, read_words, sheet_named, shown
from clinic.web.words import MESSAGE_KINDS, plural

texts = Blueprint("texts", __name__)


@dataclass(slots=True)
class GridCell:
    """A sheet in a language, as the list of all of them shows it: which of its texts are the clinic's own."""

    own: list[Newest] = field(default_factory=list)
    is_faulty: bool = False

    @property
    def waits(self) -> bool:
        """Whether somebody has to approve something of it."""
        return any(not each.is_approved for each in self.own)

    @property
    def made_at(self) -> datetime | None:
        """When it was changed last, where that is known."""
        return max((each.made_at for each in self.own if each.made_at), default=None)


@texts.get("/setup/texts")
@allowed(Right.SET_UP)
def index() -> Response:
    """All messages along a patient's way, in each language: ours, or the clinic's own."""
    with kit().read() as db:
        found, writer = newest_texts(db, here().clinic_id), writer_of(db, here().clinic_id)
    groups = [("Everywhere", [(EVERY, "In every message")]),
              *((each.title, [(kind.value, MESSAGE_KINDS[kind]) for kind in each.kinds]) for each in STRETCHES)]
    return page("texts/index.html", groups=groups, languages=LANGUAGES, cells=_cells(found, writer), labels=LABELS,
                place_of=service.place_of, has_phone=bool(writer.phone.strip()))


@texts.get("/setup/texts/<name>/<language>")
@allowed(Right.SET_UP)
def edit(name: str, language: str) -> Response:
    """One kind of message in a language: what it says now, and where the clinic may say it in its own words."""
    return sheet_page(sheet_named(name, language), Form(), None)


@texts.post("/setup/texts/<name>/<language>/look")
@allowed(Right.SET_UP)
def look(name: str, language: str) -> Response:
    """The same page with what was typed, before it is saved."""
    sheet, form = sheet_named(name, language), Form(request.form)
    return sheet_page(sheet, form, read_words(form, sheet))


@texts.get("/setup/texts/<name>/<language>/letter")
@allowed(Right.SET_UP)
def letter(name: str, language: str) -> Response:
    """The message as a patient sees it with what is kept, for a frame in which nothing runs."""
    found = shown(sheet_named(name, language)).preview
    return _framed(found.html if found else "")


@texts.post("/setup/texts/<name>/<language>/letter")
@allowed(Right.SET_UP)
def typed_letter(name: str, language: str) -> Response:
    """The message as a patient sees it with what was typed, for the same frame."""
    sheet, form = sheet_named(name, language), Form(request.form)
    found = shown(sheet, read_words(form, sheet)).preview
    return _framed(found.html if found else "")


@texts.post("/setup/texts/<name>/<language>")
@allowed(Right.SET_UP)
def save(name: str, language: str) -> Response:
    """Keeps the words, or shows what to correct, or what someone else made of them meanwhile."""
    sheet, form = sheet_named(name, language), Form(request.form)
    words, seen = read_words(form, sheet), form.version()
    if form.faults:
        return sheet_page(sheet, form, words)
    try:
        with kit().work(here().actor) as work:
            outcome = service.save_texts(work, here().clinic_id, sheet.kind, language, words, seen=seen)
    except Stale as error:
        return _overtaken(error, sheet, words)
    if isinstance(outcome, Refused):
        form.add(outcome.findings)
        return sheet_page(sheet, form, words)
    flash(f"Saved {plural(outcome.value, 'text')}. Messages that have not been sent yet say it too."
          if outcome.value else "Nothing was changed.", "ok" if outcome.value else "info")
    return redirect(sheet_address(sheet), 303)


@texts.post("/setup/texts/<name>/<language>/approve")
@allowed(Right.SET_UP)
def approve(name: str, language: str) -> Response:
    """Answers for words that no person has saved."""
    sheet = sheet_named(name, language)
    with kit().work(here().actor) as work:
        outcome = service.approve_texts(
            work, here().clinic_id, sheet.kind, language, shown=request.form.get("shown", ""))
    if isinstance(outcome, Refused):
        flash(outcome.findings[0].text, "warn")
    else:
        flash(f"Approved {plural(outcome.value, 'text')}. Messages that waited for it go their way.", "ok")
    return redirect(sheet_address(sheet), 303)


def sheet_page(sheet: Sheet, form: Form, words: dict[str, str] | None) -> Response:
    """The page of a sheet with what was typed, or with what is kept."""
    found = shown(sheet, words)
    said = found.words if words is None else words
    about = {name: [Finding("unfit", Weight.BLOCKS, fault, name)] for name, fault in form.faults.items()}
    about |= findings_at(sheet, said, found.writer)
    for name, findings in about.items():
        if words is not None and blocks(findings):
            form.fault(name, findings[0].text)
    return page("texts/sheet.html", form.status, sheet=sheet, form=form, shown=found, about=about, languages=LANGUAGES,
                typed={each.name: form.value(each.name) if words is not None else said.get(each.place.code, "")
                       for each in sheet.fields},
                is_saved=words is None or words == {code: found.words.get(code, "") for code in words},
                agrees_to=service.shown_texts(found.kept.values()), kinds=list(MESSAGE_KINDS.items()),
                version=form.value("lock_version") or found.seen, english=ENGLISH)


def sheet_address(sheet: Sheet) -> str:
    """The page of a sheet, read in the same message as before."""
    again: dict[str, Any] = {name: value for name in ("with", "kind") if (value := request.form.get(name, ""))}
    return url_for("texts.edit", name=sheet.name, language=sheet.language, **again)


def _overtaken(error: Stale, sheet: Sheet, words: dict[str, str]) -> Response:
    kept = shown(sheet).words
    rows = [(each.label, kept.get(each.place.code, ""), words[each.place.code]) for each in sheet.fields]
    return stale_page(error, title=sheet.title, rows=rows, again=sheet_address(sheet))


def _cells(found: tuple[Newest, ...], writer: Writer) -> dict[tuple[str, str], GridCell]:
    cells: dict[tuple[str, str], GridCell] = {}
    for each in found:
        if each.text:
            kind = service.sheet_of(each.code)
            cell = cells.setdefault((kind.value if kind else EVERY, each.language), GridCell())
            cell.own.append(each)
            cell.own.sort(key=lambda own: list(LABELS).index(service.place_of(own.code).part))
            cell.is_faulty |= blocks(judge_text(service.place_of(each.code), each.text, writer))
    return cells


def _framed(html: str) -> Response:
    response = Response(html, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = MESSAGE_POLICY
    return response
