"""The page on which a running course takes over a newer version of its protocol."""
from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from clinic.app import Kit
from clinic.care.catalogue import load_catalogue
from clinic.care.new_version import as_it_is, document_with
from clinic.services.protocol_versions import draft_version
from clinic.services.protocols import approve_version
from clinic.services.work import Actor, Done
from clinic.store.courses import Course
from clinic.store.protocols import Protocol, ProtocolVersion
from tests.web.conftest import post
from tests.web.desk import PROTOCOL, Desk, enter, open_desk

CONTENT = next(each for each in load_catalogue() if each.code == PROTOCOL)


@pytest.fixture
def desk(kit: Kit) -> Desk:
    """A practitioner at the desk."""
    return open_desk(kit, "practitioner")


def newer(desk: Desk) -> int:
    """A newer version with another ideal interval, approved; its id."""
    wanted = as_it_is(CONTENT)
    document = document_with(CONTENT, replace(wanted, figures={
        **wanted.figures, "cycle[0].interval.ideal": CONTENT.interval.longest}))
    with desk.kit.work(Actor("demo")) as work:
        assert isinstance(draft_version(work, PROTOCOL, document, base=1), Done)
    with desk.rows() as db:
        version_id = db.scalars(sa.select(ProtocolVersion.id).join(Protocol).where(
            Protocol.code == PROTOCOL, ProtocolVersion.number == 2)).one()
    with desk.kit.work(Actor("account", desk.clinic.accounts["practitioner"])) as work:
        assert isinstance(approve_version(work, version_id), Done)
    return version_id


def test_a_course_leads_to_the_newer_version_and_takes_it_over(desk: Desk) -> None:
    course_id = desk.course()
    url = f"/courses/{course_id}/version"
    assert desk.browser.get(url).status_code == 404
    version_id = newer(desk)
    assert f'href="{url}"' in desk.browser.get(f"/courses/{course_id}").get_data(as_text=True)
    page = desk.browser.get(url).get_data(as_text=True)
    assert "Take over version 2" in page
    assert "Changes" in page
    with desk.rows() as db:
        lock_version = db.get_one(Course, course_id).lock_version
    form = {"lock_version": str(lock_version), "version_id": str(version_id), "form_key": "k" * 20}

    answers = [post(desk.browser, url, form) for _ in range(2)]
    stale = post(desk.browser, url, {**form, "form_key": "l" * 20})

    assert [(each.status_code, each.location) for each in answers] == [(303, f"/courses/{course_id}")] * 2
    assert stale.status_code == 409
    with desk.rows() as db:
        assert db.get_one(Course, course_id).protocol_version_id == version_id
    assert "Newer version of the protocol taken over" in desk.browser.get(
        f"/courses/{course_id}").get_data(as_text=True)


def test_the_desk_may_not_decide_it_and_is_not_led_there(desk: Desk) -> None:
    course_id = desk.course()
    version_id = newer(desk)
    browser = enter(desk.kit, "receptionist")

    page = browser.get(f"/courses/{course_id}").get_data(as_text=True)

    assert "a newer one is approved" in page
    assert f"/courses/{course_id}/version" not in page
    assert browser.get(f"/courses/{course_id}/version").status_code == 403
    answer = post(browser, f"/courses/{course_id}/version", {"version_id": str(version_id), "lock_version": "1"})
    assert answer.status_code == 403


def test_what_was_approved_since_is_said(desk: Desk) -> None:
    course_id = desk.course()
    version_id = newer(desk)
    with desk.rows() as db:
        lock_version = db.get_one(Course, course_id).lock_version

    answer = post(desk.browser, f"/courses/{course_id}/version", {
        "lock_version": str(lock_version), "version_id": str(version_id - 1), "form_key": "k" * 20})

    assert answer.status_code == 409
    assert "There is another version now" in answer.get_data(as_text=True)
