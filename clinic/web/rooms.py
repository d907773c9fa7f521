"""Rooms in the set-up: listed, added, changed, put out of use."""
from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.parts import ROOM_FEATURES
from clinic.queries.absences import absences_of
from clinic.queries.effects import Effect, visits_met, visits_named
from clinic.queries.qualified import asking_for
from clinic.queries.rooms import RoomLine, room_line, rooms_page
from clinic.services import rooms as service
from clinic.services.work import Done, Refused, Stale, UnitOfWork
from clinic.web.effects import agreement, is_agreed
from clinic.web.entry import allowed, check_clinic, here
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.numbers import page_number
from clinic.web.once import done_once
from clinic.web.pages import page, stale_page

rooms = Blueprint("rooms", __name__)


@rooms.get("/setup/rooms")
@allowed(Right.SET_UP)
def index() -> Response:
    """The rooms of the current clinic."""
    with kit().read() as db:
        found = rooms_page(db, here().clinic_id, number=page_number())
        absences = absences_of(db, [each.id for each in found.rows], since=now())
    return page("rooms/index.html", found=found, absences=absences)


@rooms.get("/setup/rooms/new")
@allowed(Right.SET_UP)
def new() -> Response:
    """The form of a new room."""
    return _form_page(None, Form())


@rooms.post("/setup/rooms")
@allowed(Right.SET_UP)
def add() -> Response:
    """Adds a room to the current clinic, or shows what to correct."""
    form, clinic_id = Form(request.form), here().clinic_id
    name, features = _read(form, None)
    if form.faults:
        return _form_page(None, form)

    def act(work: UnitOfWork) -> Done[int] | Refused:
        return service.add_room(work, clinic_id, name=name, features=features)

    outcome = done_once(act, to=lambda ident: url_for("rooms.index"), otherwise=url_for("rooms.index"),
                        told="The room was added.")
    if isinstance(outcome, Refused):
        form.add(outcome.findings)
        return _form_page(None, form)
    return outcome


@rooms.get("/setup/rooms/<int:room_id>")
@allowed(Right.SET_UP)
def edit(room_id: int) -> Response:
    """The form of a room, with what the guide found that it does not offer ticked."""
    room = _found(room_id)
    missing = [code for code in request.args.getlist("offers") if code in ROOM_FEATURES and code not in room.features]
    return _form_page(room, missing=missing, form=Form(initial={
        "name": room.name, "features": [*room.features, *missing], "in_use": "yes" if room.active else "",
        "lock_version": room.lock_version}))


@rooms.post("/setup/rooms/<int:room_id>")
@allowed(Right.SET_UP)
def save(room_id: int) -> Response:
    """Keeps the changes; putting a room out of use first shows whom it meets."""
    room, form = _found(room_id), Form(request.form)
    name, features = _read(form, room)
    version, in_use = form.version(), form.ticked("in_use")
    if form.faults:
        return _form_page(room, form)
    effect = _effect(room, set(features), in_use)
    if not is_agreed(effect):
        return _form_page(room, form, effect)
    try:
        outcome = _saved(room, name, features, in_use, version)
    except Stale as error:
        return stale_page(error, title=room.name, rows=_compared(_found(room_id), name, features, in_use),
                          again=url_for("rooms.edit", room_id=room_id))
    if isinstance(outcome, Refused):
        form.add(outcome.findings)
        return _form_page(room, form)
    flash("The changes were saved.", "ok")
    return redirect(url_for("rooms.index"), 303)


def _saved(
    room: RoomLine, name: str, features: tuple[str, ...], in_use: bool, version: int
) -> Done[int] | Refused:
    with kit().work(here().actor) as work:
        return service.edit_room(
            work, room.id, name=name, features=features, is_in_use=in_use, lock_version=version)


def _read(form: Form, room: RoomLine | None) -> tuple[str, tuple[str, ...]]:
    return (form.text("name", "The name", most=service.LONGEST_NAME),
            form.some_of("features", "What the room offers", _features(room)))


def _features(room: RoomLine | None) -> dict[str, str]:
    """What a room can offer; what this one has besides stays to be unticked."""
    return {**dict.fromkeys(room.features if room else (), ""), **ROOM_FEATURES}


def _effect(room: RoomLine, features: set[str], in_use: bool) -> Effect:
    """Whom it meets that the room is no longer in use, or offers less than what was counted on."""
    lost = frozenset(room.features) - features
    if not room.active or (in_use and not lost):
        return Effect()
    with kit().read() as db:
        if in_use:
            return visits_named(db, asking_for(db, room.id, lost, now=now()))
        return visits_met(db, resource_ids=[room.id], clinic_id=None, from_at=now(), to_at=None)


def _compared(
    room: RoomLine, name: str, features: tuple[str, ...], in_use: bool
) -> list[tuple[str, str, str]]:
    words = [", ".join(ROOM_FEATURES.get(code, code) for code in each) for each in (room.features, features)]
    return [("Name", room.name, name), ("Offers", words[0], words[1]),
            ("In use", "Yes" if room.active else "No", "Yes" if in_use else "No")]


def _found(room_id: int) -> RoomLine:
    with kit().read() as db:
        room = room_line(db, room_id)
    if room is None:
        abort(404)
    check_clinic(room.clinic_id)
    return room


def _form_page(
    room: RoomLine | None, form: Form, effect: Effect | None = None, missing: Sequence[str] = ()
) -> Response:
    return page("rooms/form.html", 409 if effect else form.status, form=form, room=room, effect=effect,
                agreement=agreement(effect) if effect else "",
                missing=[ROOM_FEATURES[code] for code in missing],
                features=[(code, words or code) for code, words in _features(room).items()])
