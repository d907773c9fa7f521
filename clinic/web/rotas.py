"""Rotas in the set-up: a grid of weeks and weekdays, changed row by row, with its effect before it is saved."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.rotas import MOST_WEEKS, DaySpan, RotaWeeks, Timetable, WeekSpan
from clinic.queries.effects import Effect, visits_named
from clinic.queries.practitioners import (
    PersonCard,
    RotaLine,
    clinic_choices,
    person_page,
    rota_for,
)
from clinic.queries.rota_effects import left_outside
from clinic.queries.timetables import timetables
from clinic.services import rotas as service
from clinic.services.work import Refused, Stale
from clinic.web.effects import agreement, is_agreed
from clinic.web.entry import allowed, here, today
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.pages import page, stale_page
from clinic.web.people import found_card
from clinic.web.rota_grid import Grid, place_findings, rota_of
from clinic.web.rota_words import week_words
from clinic.web.words import WEEKDAYS

rotas = Blueprint("rotas", __name__)


@rotas.get("/setup/people/<int:practitioner_id>/rota/new")
@allowed(Right.SET_UP)
def new(practitioner_id: int) -> Response:
    """A new rota from next Monday on, begun as the present one is."""
    card, known = found_card(practitioner_id), _known(practitioner_id)
    like = rota_for(known, today())
    grid = Grid.of(like.spans, like.weeks) if like else _usual(here().clinic_id)
    monday = today() - timedelta(days=today().weekday())
    starts_on = monday + timedelta(days=7) if like else monday
    return _rota_page(card, grid, {"starts_on": starts_on.isoformat(), "lock_version": str(card.lock_version)})


@rotas.get("/setup/people/<int:practitioner_id>/rota/<int:rota_id>")
@allowed(Right.SET_UP)
def edit(practitioner_id: int, rota_id: int) -> Response:
    """A rota as it is kept."""
    card, line = _found(practitioner_id, rota_id)
    return _rota_page(card, Grid.of(line.rota.spans, line.rota.weeks), {
        "starts_on": line.rota.starts_on.isoformat(), "lock_version": str(card.lock_version),
        "ends_on": line.rota.ends_on.isoformat() if line.rota.ends_on else ""}, line)


@rotas.post("/setup/people/<int:practitioner_id>/rota/new", endpoint="add")
@rotas.post("/setup/people/<int:practitioner_id>/rota/<int:rota_id>", endpoint="save")
@allowed(Right.SET_UP)
def save(practitioner_id: int, rota_id: int | None = None) -> Response:
    """Keeps a rota; a button of the grid only changes the grid, and an effect is shown first."""
    card, line = _found(practitioner_id, rota_id) if rota_id else (found_card(practitioner_id), None)
    grid, more = Grid.typed(request.form), _more("starts_on", "ends_on", "lock_version", "weeks")
    added = _done_to(grid)
    if added is not None:
        return _rota_page(card, grid, more, line, added=added)
    form = Form({**grid.fields(), **more})
    rota, version = rota_of(form, grid, _clinic_names()), form.version()
    if rota is None or form.faults:
        return _rota_page(card, grid, more, line, form=form)
    effect = _effect_of(practitioner_id, line.rota if line else None, rota)
    if not is_agreed(effect):
        return _rota_page(card, grid, more, line, effect=effect)
    outcome = _kept(card, line, rota, version)
    if isinstance(outcome, Refused):
        place_findings(form, outcome.findings)
        return _rota_page(card, grid, more, line, form=form)
    return outcome


@rotas.post("/setup/people/<int:practitioner_id>/rota/<int:rota_id>/remove")
@allowed(Right.SET_UP)
def remove(practitioner_id: int, rota_id: int) -> Response:
    """Takes a rota back."""
    card, line = _found(practitioner_id, rota_id)
    effect = _effect_of(practitioner_id, line.rota, None)
    form = Form(request.form)
    version = form.version()
    if form.faults or not is_agreed(effect):
        return page("rotas/remove.html", 409, card=card, line=line, effect=effect, agreement=agreement(effect),
                    words=week_words(line.rota, _clinic_names()))
    try:
        with kit().work(here().actor) as work:
            service.remove_rota(work, practitioner_id, rota_id, lock_version=version)
    except Stale as error:
        return stale(error, card)
    flash("The rota was removed.", "ok")
    return redirect(url_for("people.show", practitioner_id=practitioner_id), 303)


def _done_to(grid: Grid) -> str | None:
    """What a button of the grid did to it, or the choice of another number of weeks; none where it is to be saved."""
    deed, weeks = request.form.get("do", ""), request.form.get("weeks", type=int) or len(grid.weeks)
    weeks = min(max(weeks, 1), MOST_WEEKS)
    if not deed and weeks == len(grid.weeks):
        return None
    return grid.do(deed or "weeks", clinic_id=here().clinic_id, weeks=weeks)


def _kept(card: PersonCard, line: RotaLine | None, rota: RotaWeeks, version: int) -> Response | Refused:
    """Where it leads once the rota is kept, or why it was refused."""
    try:
        with kit().work(here().actor) as work:
            outcome = service.set_rota(
                work, card.id, rota, rota_id=line.id if line else None, lock_version=version)
    except Stale as error:
        return stale(error, card)
    if isinstance(outcome, Refused):
        return outcome
    flash("The rota was saved.", "ok")
    return redirect(url_for("people.show", practitioner_id=card.id), 303)


def stale(error: Stale, card: PersonCard) -> Response:
    """Somebody changed this practitioner meanwhile."""
    return stale_page(error, title=card.name, rows=[("Rota", "changed meanwhile", "your changes")],
                      again=url_for("people.show", practitioner_id=card.id))


def _usual(clinic_id: int) -> Grid:
    span = DaySpan(540, 1080, clinic_id)
    return Grid.of(WeekSpan(0, weekday, span) for weekday in range(5))


def _known(practitioner_id: int) -> Timetable:
    with kit().read() as db:
        return timetables(db, [practitioner_id])[practitioner_id]


def _found(practitioner_id: int, rota_id: int) -> tuple[PersonCard, RotaLine]:
    with kit().read() as db:
        person = person_page(db, practitioner_id, today=today())
    line = next((each for each in person.rotas if each.id == rota_id), None) if person else None
    if person is None or line is None:
        abort(404)
    return person.card, line


def _effect_of(practitioner_id: int, old: RotaWeeks | None, new: RotaWeeks | None) -> Effect:
    """Whom it meets that a rota takes the place of another, or is added, or taken away."""
    before = _known(practitioner_id)
    kept = tuple(each for each in before.rotas if old is None or each.starts_on != old.starts_on)
    after = replace(before, rotas=(*kept, new) if new else kept)
    with kit().read() as db:
        return visits_named(db, left_outside(db, practitioner_id, before=before, after=after, now=now()))


def _clinic_names() -> dict[int, str]:
    with kit().read() as db:
        return {ident: name for ident, name, _ in clinic_choices(db)}


def _more(*names: str) -> dict[str, str]:
    return {name: request.form.get(name, "") for name in names}


def _rota_page(
    card: PersonCard, grid: Grid, more: Mapping[str, str], line: RotaLine | None = None, *,
    form: Form | None = None, effect: Effect | None = None, added: str = "",
) -> Response:
    shown = form or Form({**grid.fields(), **more})
    return page(
        "rotas/form.html", 409 if effect else shown.status, card=card, grid=grid, form=shown, line=line, effect=effect,
        agreement=agreement(effect) if effect else "", added=added, weekdays=WEEKDAYS,
        week_choices=[(number, f"{number} week{'s' if number > 1 else ''}") for number in range(1, MOST_WEEKS + 1)],
        whats=[*_clinic_names().items(), ("break", "Break")])
