"""Rules of messages: what goes and when, a made-up course that follows them, and the coming 30 days."""
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.made_up_course import Story
from clinic.care.message_kinds import MessageKind
from clinic.care.message_rules import Rule
from clinic.queries.foreseen import ComingDays, OtherRules, coming_days
from clinic.queries.rules_page import RulesPage, rules_page
from clinic.services import message_rules as service
from clinic.services.work import Refused, Stale
from clinic.web.entry import allowed, here, today
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.pages import page, stale_page
from clinic.web.rule_rows import rule_rows
from clinic.web.rule_words import STORIES, rule_sentence
from clinic.web.rules_form import CHOSEN, chosen_rules, read_rules, rule_values, with_rule
from clinic.web.sequence_lines import sequence
from clinic.web.words import MESSAGE_KINDS, lower_first, plural

rules = Blueprint("rules", __name__)

_REGIONS = " ".join(("sequence", "unsaved", *(f"rule-{kind}" for kind in CHOSEN)))
"""What of the page follows the typing."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The page that was asked for, with the rules as typed."""

    found: RulesPage
    form: Form
    rules: dict[MessageKind, Rule]
    most_a_day: int


@rules.get("/setup/rules")
@allowed(Right.SET_UP)
def index() -> Response:
    """The rules of all protocols or of one, as they are kept."""
    found = _found(request.args)
    chosen = chosen_rules(found.kept)
    form = Form(initial={**rule_values(chosen), "most_a_day": found.clinic.most_a_day})
    return _page(Asked(found, form, chosen, found.clinic.most_a_day), request.args)


@rules.post("/setup/rules/look")
@allowed(Right.SET_UP)
def look() -> Response:
    """The same page with what was typed, or with one rule put back; nothing is kept."""
    found, typed = _found(request.form), MultiDict(request.form)
    kind = _kind(typed.get("back", ""))
    asked = _read(found, with_rule(typed, kind, found.base.of(kind)) if kind else typed)
    coming = _coming(asked) if typed.get("show") == "coming" else None
    return _page(asked, request.form, coming)


@rules.post("/setup/rules")
@allowed(Right.SET_UP)
def save() -> Response:
    """Keeps the rules, or shows what to correct, or what someone else made of them meanwhile."""
    found = _found(request.form)
    asked, level = _read(found, MultiDict(request.form)), found.level
    version = asked.form.version()
    if asked.form.faults or asked.form.findings:
        return _page(asked, request.form)
    try:
        with kit().work(here().actor) as work:
            outcome = service.save_rules(
                work, here().clinic_id, asked.rules, protocol_id=level.id if level else None,
                most_a_day=None if level else asked.most_a_day, lock_version=version)
    except Stale as error:
        return _stale(error, asked)
    if isinstance(outcome, Refused):
        asked.form.add(outcome.findings)
        return _page(asked, request.form)
    flash("The rules were saved. What waits follows within a minute; what was sent stays sent.", "ok")
    return redirect(url_for("rules.index", protocol=level.code if level else None,
                            shown=None if level else request.form.get("shown"), story=request.form.get("story")), 303)


def _found(asked: Any) -> RulesPage:
    with kit().read() as db:
        found = rules_page(db, here().clinic_id, level=asked.get("protocol") or None, shown=asked.get("shown") or None)
    return found or abort(404)


def _read(found: RulesPage, typed: MultiDict[str, str]) -> Asked:
    """What was typed; a rule that could not be kept is shown as it is kept, and said to be wrong at its field."""
    form = Form(typed)
    read, most = read_rules(form, found.kept), found.clinic.most_a_day
    if found.level is None:
        most = form.number("most_a_day", "The most messages on one day", least=1, most=service.MOST_A_DAY) or most
    judged = {kind: service.judge_rules({kind: rule}) for kind, rule in read.items()}
    for kind, findings in judged.items():
        form.add(replace(each, text=f"{MESSAGE_KINDS[kind]}: {lower_first(each.text)}") for each in findings)
    return Asked(found, form, {kind: found.kept.of(kind) if judged[kind] else rule for kind, rule in read.items()},
                 most)


def _coming(asked: Asked) -> ComingDays:
    found, level = asked.found, asked.found.level
    other = OtherRules(found.documents(asked.rules), level.id if level else None, asked.most_a_day)
    is_kept = asked.rules == chosen_rules(found.kept) and asked.most_a_day == found.clinic.most_a_day
    with kit().read() as db:
        return coming_days(db, here().clinic_id, None if is_kept else other, most_a_day=found.clinic.most_a_day,
                           where=found.clinic.quiet.zone.key, now=now())


def _kind(code: str) -> MessageKind | None:
    return MessageKind(code) if code in list(MessageKind) else None


def _story(asked: Any) -> Story:
    given = asked.get("story") or Story.AHEAD
    return Story(given) if given in list(Story) else abort(404)


def _stale(error: Stale, asked: Asked) -> Response:
    kept = chosen_rules(asked.found.kept)
    rows = [(MESSAGE_KINDS[kind], rule_sentence(kind, kept[kind]), rule_sentence(kind, rule))
            for kind, rule in asked.rules.items() if rule != kept[kind]]
    if asked.most_a_day != asked.found.clinic.most_a_day:
        rows.append(("Most on one day", str(asked.found.clinic.most_a_day), str(asked.most_a_day)))
    level = asked.found.level
    return stale_page(error, title="Rules of messages", rows=rows,
                      again=url_for("rules.index", protocol=level.code if level else None))


def _page(asked: Asked, how: Any, coming: ComingDays | None = None) -> Response:
    found, story = asked.found, _story(how)
    is_saved = (asked.rules, asked.most_a_day) == (chosen_rules(found.kept), found.clinic.most_a_day)
    return page(
        "rules/index.html", asked.form.status, form=asked.form, found=found, levels=_levels(found),
        shown=[(each.code, each.name) for each in found.protocols], stories=list(STORIES.items()), story=story,
        stretches=rule_rows(found, asked.rules, asked.form), regions=_REGIONS, coming=coming,
        bars=[(on, each.kept, each.other) for on, each in coming.by_day] if coming else [],
        sequence=sequence(found, asked.rules, story, most_a_day=asked.most_a_day, today=today()),
        is_saved=is_saved and not asked.form.faults, version=how.get("lock_version") or found.clinic.lock_version)


def _levels(found: RulesPage) -> list[tuple[str, str]]:
    """All protocols together, and each with how much is its own."""
    return [("", "All protocols"), *(
        (each.code, f"{each.name} ({plural(each.own, 'rule')} of its own)" if each.own else each.name)
        for each in found.protocols)]
