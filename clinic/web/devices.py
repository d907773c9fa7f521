"""Devices in the set-up: listed, added, changed, put out of use."""
from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.parts import DEVICE_TYPES
from clinic.queries.absences import absences_of
from clinic.queries.effects import Effect, visits_met, visits_named
from clinic.queries.qualified import asking_for
from clinic.queries.rooms import DeviceLine, device_line, devices_page
from clinic.services import rooms as service
from clinic.services.work import Done, Refused, Stale, UnitOfWork
from clinic.web.effects import agreement, is_agreed
from clinic.web.entry import allowed, check_clinic, here
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.numbers import page_number
from clinic.web.once import done_once
from clinic.web.pages import page, stale_page

devices = Blueprint("devices", __name__)


@devices.get("/setup/devices")
@allowed(Right.SET_UP)
def index() -> Response:
    """The devices of the current clinic."""
    with kit().read() as db:
        found = devices_page(db, here().clinic_id, number=page_number())
        absences = absences_of(db, [each.id for each in found.rows], since=now())
    return page("devices/index.html", found=found, absences=absences)


@devices.get("/setup/devices/new")
@allowed(Right.SET_UP)
def new() -> Response:
    """The form of a new device, of the type that the guide found missing."""
    return _form_page(None, Form(initial={"device_type": request.args.get("type", "")}))


@devices.post("/setup/devices")
@allowed(Right.SET_UP)
def add() -> Response:
    """Adds a device to the current clinic, or shows what to correct."""
    form, clinic_id = Form(request.form), here().clinic_id
    name, device_type = _read(form, None)
    if form.faults:
        return _form_page(None, form)

    def act(work: UnitOfWork) -> Done[int] | Refused:
        return service.add_device(work, clinic_id, name=name, device_type=device_type)

    outcome = done_once(act, to=lambda ident: url_for("devices.index"), otherwise=url_for("devices.index"),
                        told="The device was added.")
    if isinstance(outcome, Refused):
        form.add(outcome.findings)
        return _form_page(None, form)
    return outcome


@devices.get("/setup/devices/<int:device_id>")
@allowed(Right.SET_UP)
def edit(device_id: int) -> Response:
    """The form of a device."""
    device = _found(device_id)
    return _form_page(device, Form(initial={
        "name": device.name, "device_type": device.device_type, "in_use": "yes" if device.active else "",
        "lock_version": device.lock_version}))


@devices.post("/setup/devices/<int:device_id>")
@allowed(Right.SET_UP)
def save(device_id: int) -> Response:
    """Keeps the changes; putting a device out of use first shows whom it meets."""
    device, form = _found(device_id), Form(request.form)
    name, device_type = _read(form, device)
    version, in_use = form.version(), form.ticked("in_use")
    if form.faults:
        return _form_page(device, form)
    effect = _effect(device, device_type, in_use)
    if not is_agreed(effect):
        return _form_page(device, form, effect)
    try:
        outcome = _saved(device, name, device_type, in_use, version)
    except Stale as error:
        return stale_page(error, title=device.name, rows=_compared(_found(device_id), name, device_type, in_use),
                          again=url_for("devices.edit", device_id=device_id))
    if isinstance(outcome, Refused):
        form.add(outcome.findings)
        return _form_page(device, form)
    flash("The changes were saved.", "ok")
    return redirect(url_for("devices.index"), 303)


def _saved(
    device: DeviceLine, name: str, device_type: str, in_use: bool, version: int
) -> Done[int] | Refused:
    with kit().work(here().actor) as work:
        return service.edit_device(
            work, device.id, name=name, device_type=device_type, is_in_use=in_use, lock_version=version)


def _read(form: Form, device: DeviceLine | None) -> tuple[str, str]:
    return (form.text("name", "The name", most=service.LONGEST_NAME),
            form.one_of("device_type", "The type of the device", _types(device)))


def _types(device: DeviceLine | None) -> dict[str, str]:
    """The types that treatments ask for; one that this device has besides stays."""
    return {**({device.device_type: device.device_type} if device else {}), **DEVICE_TYPES}


def _effect(device: DeviceLine, device_type: str, in_use: bool) -> Effect:
    """Whom it meets that the device is no longer in use, or of another type than what was counted on."""
    if not device.active or (in_use and device_type == device.device_type):
        return Effect()
    with kit().read() as db:
        if in_use:
            return visits_named(db, asking_for(db, device.id, frozenset({device.device_type}), now=now()))
        return visits_met(db, resource_ids=[device.id], clinic_id=None, from_at=now(), to_at=None)


def _compared(
    device: DeviceLine, name: str, device_type: str, in_use: bool
) -> list[tuple[str, str, str]]:
    words = [DEVICE_TYPES.get(code, code) for code in (device.device_type, device_type)]
    return [("Name", device.name, name), ("Type", words[0], words[1]),
            ("In use", "Yes" if device.active else "No", "Yes" if in_use else "No")]


def _found(device_id: int) -> DeviceLine:
    with kit().read() as db:
        device = device_line(db, device_id)
    if device is None:
        abort(404)
    check_clinic(device.clinic_id)
    return device


def _form_page(device: DeviceLine | None, form: Form, effect: Effect | None = None) -> Response:
    return page("devices/form.html", 409 if effect else form.status, form=form, device=device, effect=effect,
                agreement=agreement(effect) if effect else "",
                types=list(_types(device).items()))
