"""Single dates in the set-up: hours other than those of the rota, and days that practitioners swap."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.rotas import DaySpan, Timetable, WeekSpan
from clinic.queries.effects import Effect, visits_named
from clinic.queries.practitioners import PersonCard, clinic_choices, person_page, practitioner_choices
from clinic.queries.rota_effects import left_outside
from clinic.queries.timetables import timetables
from clinic.services import rotas as service
from clinic.services.work import Refused, Stale
from clinic.web.effects import agreement, is_agreed
from clinic.web.entry import allowed, here, today
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.pages import page
from clinic.web.people import found_card
from clinic.web.rota_grid import Grid, read_spans
from clinic.web.rota_words import hours_of
from clinic.web.rotas import rotas, stale

FARTHEST = timedelta(days=3660)


@rotas.get("/setup/people/<int:practitioner_id>/day")
@allowed(Right.SET_UP)
def day(practitioner_id: int) -> Response:
    """The hours of one date, as they are; without a date it is asked for first."""
    card, on = found_card(practitioner_id), _asked_date(request.args.get("on", ""))
    if on is None:
        return page("rotas/which_day.html", card=card, form=Form(initial={"on": today() + timedelta(days=1)}))
    with kit().read() as db:
        person = person_page(db, practitioner_id, today=min(today(), on))
    reason = next((each.reason for each in person.days if each.on_date == on), "") if person else ""
    grid = _grid(_timetables([practitioner_id])[practitioner_id].spans_on(on))
    return _day_page(card, on, grid, {"reason": reason, "lock_version": str(card.lock_version)})


@rotas.post("/setup/people/<int:practitioner_id>/day/<on>")
@allowed(Right.SET_UP)
def save_day(practitioner_id: int, on: str) -> Response:
    """Keeps the hours of one date; first shows whose appointments would lie outside them."""
    card, asked, grid = found_card(practitioner_id), _asked_date(on), Grid.typed(request.form)
    more = {name: request.form.get(name, "") for name in ("reason", "lock_version")}
    if asked is None:
        return redirect(url_for("rotas.day", practitioner_id=practitioner_id), 303)
    if request.form.get("do"):
        added = grid.do(request.form["do"], clinic_id=here().clinic_id, weeks=1)
        return _day_page(card, asked, grid, more, added=added)
    form = Form({**grid.fields(), **more})
    spans = tuple(each.span for each in read_spans(form, grid, _names()))
    reason, version = form.text("reason", "The reason", most=200, required=False), form.version()
    if form.faults:
        return _day_page(card, asked, grid, more, form=form)
    effect = _met({card.id: {asked: spans}})
    if not is_agreed(effect):
        return _day_page(card, asked, grid, more, effect=effect)
    outcome = _kept(card, asked, spans, reason, version)
    if isinstance(outcome, Refused):
        form.add(replace(each, field="") for each in outcome.findings)
        return _day_page(card, asked, grid, more, form=form)
    return outcome


@rotas.post("/setup/people/<int:practitioner_id>/day/<on>/remove")
@allowed(Right.SET_UP)
def remove_day(practitioner_id: int, on: str) -> Response:
    """Lets the rota hold again on a date; first shows whose appointments would then lie outside the hours."""
    card, asked = found_card(practitioner_id), _asked_date(on)
    back = url_for("people.show", practitioner_id=practitioner_id)
    if asked is None:
        return redirect(back, 303)
    known = _timetables([card.id])[card.id]
    usual = replace(known, days={day: spans for day, spans in known.days.items() if day != asked})
    effect = _met({card.id: {asked: usual.spans_on(asked)}})
    if not is_agreed(effect):
        return page("rotas/remove_day.html", 409, card=card, on=asked, effect=effect, agreement=agreement(effect),
                    usual=hours_of(usual.spans_on(asked), _names()))
    with kit().work(here().actor) as work:
        service.remove_day(work, card.id, asked)
    flash("The rota holds again on that date.", "ok")
    return redirect(back, 303)


@rotas.get("/setup/people/<int:practitioner_id>/swap")
@allowed(Right.SET_UP)
def swap(practitioner_id: int) -> Response:
    """Asks who takes which day over, and which one is given in return."""
    return _swap_page(found_card(practitioner_id), Form())


@rotas.post("/setup/people/<int:practitioner_id>/swap", endpoint="swapped")
@allowed(Right.SET_UP)
def swapped(practitioner_id: int) -> Response:
    """Swaps; first shows whose appointments then lie with somebody who is not there."""
    card, form = found_card(practitioner_id), Form(request.form)
    taker = form.one_of("taker", "Who takes the day over", [str(ident) for ident, _ in _others(card.id)])
    on = form.date("on_date", "The day", earliest=today(), latest=today() + FARTHEST)
    back = form.date("in_return_on", "The day in return", required=False, earliest=today(), latest=today() + FARTHEST)
    reason = form.text("reason", "The reason", most=200, required=False)
    if on is None or form.faults:
        return _swap_page(card, form)
    known = _timetables([card.id, int(taker)])
    days = service.swapped(known[card.id], known[int(taker)], on_date=on, in_return_on=back)
    effect = Effect() if isinstance(days, Refused) else _met({card.id: days[0], int(taker): days[1]})
    if not is_agreed(effect):
        return _swap_page(card, form, effect)
    with kit().work(here().actor) as work:
        outcome = service.swap(work, card.id, int(taker), on_date=on, in_return_on=back, reason=reason or "Swapped")
    if isinstance(outcome, Refused):
        form.add(outcome.findings)
        return _swap_page(card, form)
    flash("The days were swapped.", "ok")
    return redirect(url_for("people.show", practitioner_id=practitioner_id), 303)


def _kept(card: PersonCard, on: date, spans: tuple[DaySpan, ...], reason: str, version: int) -> Response | Refused:
    try:
        with kit().work(here().actor) as work:
            outcome = service.set_day(work, card.id, on, spans, reason=reason, lock_version=version)
    except Stale as error:
        return stale(error, card)
    if isinstance(outcome, Refused):
        return outcome
    flash("The hours of that date were saved.", "ok")
    return redirect(url_for("people.show", practitioner_id=card.id), 303)


def _met(changed: Mapping[int, Mapping[date, tuple[DaySpan, ...]]]) -> Effect:
    """Whose appointments would lie outside the hours, were these dates changed."""
    found: list[int] = []
    known = _timetables(list(changed))
    with kit().read() as db:
        for ident, days in changed.items():
            after = replace(known[ident], days={**known[ident].days, **days})
            found += left_outside(db, ident, before=known[ident], after=after, now=now())
        return visits_named(db, sorted(set(found)))


def _timetables(ids: list[int]) -> Mapping[int, Timetable]:
    with kit().read() as db:
        return timetables(db, ids)


def _names() -> dict[int, str]:
    with kit().read() as db:
        return {ident: name for ident, name, _ in clinic_choices(db)}


def _others(practitioner_id: int) -> list[tuple[int, str]]:
    with kit().read() as db:
        return [each for each in practitioner_choices(db) if each[0] != practitioner_id]


def _asked_date(given: str) -> date | None:
    try:
        asked = date.fromisoformat(given)
    except ValueError:
        return None
    return asked if abs(asked - today()) <= FARTHEST else None


def _grid(spans: tuple[DaySpan, ...]) -> Grid:
    return Grid.of(WeekSpan(0, 0, span) for span in spans)


def _day_page(
    card: PersonCard, on: date, grid: Grid, more: Mapping[str, str], *, form: Form | None = None,
    effect: Effect | None = None, added: str = "",
) -> Response:
    names, known = _names(), _timetables([card.id])[card.id]
    shown = form or Form({**grid.fields(), **more})
    usual = replace(known, days={}).spans_on(on)
    return page(
        "rotas/day.html", 409 if effect else shown.status, card=card, on=on, grid=grid, form=shown, effect=effect,
        agreement=agreement(effect) if effect else "", added=added, is_own=on in known.days,
        usual=hours_of(usual, names), whats=[*names.items(), ("break", "Break")])


def _swap_page(card: PersonCard, form: Form, effect: Effect | None = None) -> Response:
    return page("rotas/swap.html", 409 if effect else form.status, card=card, form=form, effect=effect,
                agreement=agreement(effect) if effect else "", others=_others(card.id))
