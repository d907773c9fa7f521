"""Who may enter: every route, every role, and nobody by mistake."""
from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from clinic.access import GRANTS, Role
from clinic.app import Kit
from clinic.care.states import MessageState
from clinic.services import protocols
from clinic.services.work import Actor
from clinic.store.accounts import AccountRole
from clinic.store.protocols import ProtocolVersion
from clinic.store.resources import Absence, Device
from clinic.web.entry import Entry, entry_of
from tests.web import seed
from tests.web.checksums import checksum
from tests.web.conftest import SignedIn, World, post, sign_in, token
from tests.web.routes import examples

PUBLIC = {
    "health.show", "pages.asset_file", "signin.form", "signin.enter", "signin.out", "welcome.form", "welcome.begin",
    "signup.form", "signup.ask", "signup.question", "signup.opt_in", "signup.leave", "signup.stop", "signup.archive",
    "signup.edition",
}
EVERYBODY = {
    "finding.show", "help.index",
    "own_account.change", "own_account.password", "own_account.digest", "own_account.choose_own_digest",
    "signin.landed", "signin.switch", "signin.theme",
}
AT_THE_DOOR = {"my.door", "my.enter", "my.fresh"}
ON_ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Who may enter is the same on either kind of database; every page is opened once on each all the same."""


@pytest.fixture
def full_world(world: World, kit: Kit, rows: Callable[[], Session]) -> World:
    """A world in which every example address leads to something."""
    with kit.work(Actor("demo")) as work:
        protocols.load_catalogue(work)
    with rows() as db:
        patient = seed.add_patient(db)
        version = db.query(ProtocolVersion.id).order_by(ProtocolVersion.id).limit(1).scalar()
        course, due = seed.add_course(db, patient, world.harbour, version)
        seed.add_appointment(db, patient, world.harbour, seed.NOW, treatment_session_id=due[0],
                             resources=(seed.add_practitioner(db), seed.add_room(db, world.harbour)))
        seed.add_message(db, patient, world.harbour, state=MessageState.HELD, course_id=course)
        seed.add_task(db, patient, world.harbour)
        world.patient, world.version, world.course, world.due = patient, version, course, due[0]
        db.commit()
    return world


def values(world: World) -> dict[str, object]:
    """What stands in the addresses of this world."""
    return {"patient_id": world.patient, "version_id": world.version, "course_id": world.course,
            "treatment_session_id": world.due}


@ON_ONE
def test_every_view_says_who_may_enter(app: Flask) -> None:
    unmarked = [name for name, view in app.view_functions.items() if entry_of(view) is None]

    assert unmarked == []


@ON_ONE
def test_only_these_views_need_no_right(app: Flask) -> None:
    entries = {name: entry_of(view) for name, view in app.view_functions.items()}

    assert {name for name, entry in entries.items() if entry == Entry(is_public=True)} == PUBLIC
    assert {name for name, entry in entries.items() if entry == Entry()} == EVERYBODY
    assert {name for name, entry in entries.items() if entry == Entry(is_public=True, for_patients=True)} == AT_THE_DOOR
    assert {name for name, entry in entries.items() if entry and entry.for_patients} == {
        name for name in entries if name.startswith("my.")}


@pytest.mark.parametrize("alone", [True])
def test_a_view_without_a_mark_lets_nobody_in(app: Flask, signed_in: SignedIn) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "a secret")

    answer = signed_in(Role.MANAGER).get("/forgotten")

    assert answer.status_code == 403
    assert "a secret" not in answer.get_data(as_text=True)


@ON_ONE
def test_a_stranger_is_led_to_the_sign_in_from_every_page(app: Flask, client: FlaskClient, full_world: World) -> None:
    csrf = token(client)
    for example in examples(app, **values(full_world)):
        if example.endpoint in PUBLIC | AT_THE_DOOR:
            continue

        answer = client.open(example.url, method=example.method, data={"csrf_token": csrf})

        if example.endpoint.startswith("my."):
            assert answer.status_code == 401, str(example)
            continue

        assert answer.status_code == (303 if example.method == "GET" else 401), str(example)
        if example.method == "GET":
            assert answer.location.startswith("/sign-in"), str(example)


@ON_ONE
@pytest.mark.parametrize("role", list(Role))
def test_a_role_enters_exactly_what_its_rights_open(
    role: Role, app: Flask, signed_in: SignedIn, full_world: World
) -> None:
    browser = signed_in(role)
    csrf = token(browser)
    for example in examples(app, **values(full_world)):
        entry = entry_of(app.view_functions[example.endpoint])
        if entry is None or entry.right is None:
            continue

        answer = browser.open(example.url, method=example.method, data={"csrf_token": csrf})

        if entry.right in GRANTS[role] and not entry.everywhere:
            assert answer.status_code not in (401, 403, 405, 500), str(example)
        else:
            assert answer.status_code == 403, str(example)


@ON_ONE
@pytest.mark.parametrize("role", [Role.PRACTITIONER, Role.MANAGER])
def test_the_things_of_another_clinic_are_not_there(
    role: Role, app: Flask, signed_in: SignedIn, full_world: World, rows: Callable[[], Session]
) -> None:
    browser = signed_in(role, clinics=(full_world.hill,))
    csrf = token(browser)
    with rows() as db:
        device = Device(clinic_id=full_world.harbour, name="Pen", device_type="needling-pen")
        room_id = seed.add_room(db, full_world.harbour)
        absence = Absence(resource_id=room_id, starts_at=seed.NOW, ends_at=seed.NOW + timedelta(hours=1), reason="Leak")
        db.add_all([device, absence])
        db.commit()
        ours = {"room_id": room_id, "device_id": device.id, "absence_id": absence.id, "clinic_id": full_world.harbour}
    about_a_clinic = {
        "course_id", "appointment_id", "treatment_session_id", "message_id", "task_id", "edition_id", *ours}
    for example in examples(app, **values(full_world), **ours):
        rule = next(rule for rule in app.url_map.iter_rules(example.endpoint))
        entry = entry_of(app.view_functions[example.endpoint])
        if not about_a_clinic & rule.arguments or entry is None or entry.right not in GRANTS[role]:
            continue

        answer = browser.open(example.url, method=example.method, data={"csrf_token": csrf})

        assert answer.status_code == 404, str(example)


def test_a_role_at_one_clinic_opens_nothing_at_another(
    app: Flask, world: World, rows: Callable[[], Session]
) -> None:
    with rows() as db:
        seed.add_account(db, "both@example.org", {world.harbour: Role.AUDITOR, world.hill: Role.RECEPTIONIST})
        db.commit()

    browser = app.test_client()
    sign_in(browser, "both@example.org")

    assert browser.get("/patients/new").status_code == 403
    post(browser, "/switch-clinic", {"clinic_id": world.hill})
    assert browser.get("/patients/new").status_code == 200


def test_reading_changes_nothing_in_the_database(app: Flask, signed_in: SignedIn, full_world: World, kit: Kit) -> None:
    browser = signed_in(Role.PRACTITIONER)
    before = checksum(kit.engine)

    for example in examples(app, **values(full_world)):
        for method in ("GET", "HEAD"):
            browser.open(example.url, method=method, query_string={
                "csrf_token": "x", "lock_version": "1", "_method": "POST", "clinic_id": full_world.hill})

    assert checksum(kit.engine) == before


@ON_ONE
def test_other_methods_are_refused_and_change_nothing(
    app: Flask, signed_in: SignedIn, full_world: World, kit: Kit
) -> None:
    browser = signed_in(Role.PRACTITIONER)
    csrf = token(browser)
    before = checksum(kit.engine)

    for example in examples(app, **values(full_world)):
        for method in ("PUT", "PATCH", "DELETE"):
            answer = browser.open(example.url, method=method, data={"csrf_token": csrf},
                                  headers={"X-HTTP-Method-Override": "POST"})
            assert answer.status_code in (400, 405), str(example)

    assert checksum(kit.engine) == before


def test_a_demoted_account_loses_its_rights_at_once(
    signed_in: SignedIn, world: World, rows: Callable[[], Session]
) -> None:
    browser = signed_in(Role.RECEPTIONIST)
    assert browser.get("/patients/new").status_code == 200

    with rows() as db:
        db.query(AccountRole).update({"role": Role.AUDITOR.value})
        db.commit()

    assert browser.get("/patients/new").status_code == 403
