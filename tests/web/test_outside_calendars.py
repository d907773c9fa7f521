"""The pages of a practitioner's outside calendars: the effect is shown before anything is kept."""
from __future__ import annotations

import io

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from clinic.app import Kit
from clinic.store.resources import Absence
from tests.interchange.calendars.dialects import DIALECTS
from tests.interchange.calendars.scenarios import SCENARIOS
from tests.interchange.calendars.written import event, file
from tests.small_clinic import MONDAY
from tests.web.conftest import post
from tests.web.desk import Desk, field, open_desk
from tests.web.seed import add_appointment

NOON = file(event("DTSTART:20270301T120000Z", "DURATION:PT1H", "SUMMARY:Dentist"))


@pytest.fixture
def desk(kit: Kit) -> Desk:
    """A manager."""
    return open_desk(kit, "manager")


def page_of(desk: Desk) -> str:
    """The page of the first practitioner's calendars."""
    return f"/setup/people/{desk.clinic.practitioners[0]}/calendars"


def sent(desk: Desk, data: bytes, source: str = "Private") -> TestResponse:
    """Chooses a file."""
    return post(desk.browser, page_of(desk) + "/read", {"source": source, "file": (io.BytesIO(data), "private.ics")},
                content_type="multipart/form-data")


def kept(desk: Desk) -> int:
    """How many busy times are kept."""
    with desk.rows() as db:
        return db.scalar(sa.select(sa.func.count()).select_from(Absence)) or 0


def test_a_file_is_kept_after_its_effect_was_shown(desk: Desk) -> None:
    with desk.rows() as db:
        add_appointment(db, desk.patient, desk.clinic.clinic_id, MONDAY.replace(hour=12),
                        resources=(desk.clinic.practitioners[0],))
        db.commit()

    shown = sent(desk, NOON)
    html = shown.get_data(as_text=True)
    before = kept(desk)
    answer = post(desk.browser, page_of(desk), {
        name: field(shown, name) for name in ("source", "spans", "form_key")})

    assert "This calendar meets 1 appointment of 1 patient" in html
    assert "Dentist" not in html
    assert (before, kept(desk), answer.status_code) == (0, 1, 303)
    assert "Private" in desk.browser.get(page_of(desk)).get_data(as_text=True)


def test_a_form_sent_twice_keeps_once_and_a_calendar_goes_as_a_whole(desk: Desk) -> None:
    shown = sent(desk, DIALECTS["exchange"](SCENARIOS["school_runs"]()))
    typed = {name: field(shown, name) for name in ("source", "spans", "form_key")}
    for _ in range(2):
        post(desk.browser, page_of(desk), typed)
    before = kept(desk)

    answer = post(desk.browser, page_of(desk) + "/remove", {"source": "Private"})

    assert (before > 250, kept(desk), answer.status_code) == (True, 0, 303)


@pytest.mark.parametrize(("data", "source", "words"), [
    (b"<html></html>", "Private", "Line 1: This is a web page"), (NOON, "", "Enter the name."),
    (NOON.replace(b"0301", b"0231"), "Private", "which is no date or time"), (b"", "Private", "The file is empty"),
])
def test_what_cannot_be_read_is_said_at_its_field(data: bytes, source: str, words: str, desk: Desk) -> None:
    answer = sent(desk, data, source)

    assert (answer.status_code, words in answer.get_data(as_text=True)) == (422, True)


def test_without_a_file_the_name_stays(desk: Desk) -> None:
    answer = post(desk.browser, page_of(desk) + "/read", {"source": "University"})

    html = answer.get_data(as_text=True)
    assert (answer.status_code, "Choose the .ics file" in html, 'value="University"' in html) == (422, True, True)


def test_a_file_larger_than_a_form_is_taken_here_and_nowhere_else(desk: Desk) -> None:
    big = NOON.replace(b"SUMMARY:Dentist", b"ATTACH:" + b"QUJD" * 100_000)

    here = sent(desk, big)
    elsewhere = post(desk.browser, page_of(desk), {"source": "x", "file": (io.BytesIO(big), "x.ics")},
                     content_type="multipart/form-data")

    assert (here.status_code, elsewhere.status_code) == (200, 413)


@pytest.mark.parametrize("spans", ["1-2-3", "x", "9999999999999999-99999999999999999", "1-2 " * 6000])
def test_times_that_were_spoiled_on_the_way_are_refused(spans: str, desk: Desk) -> None:
    answer = post(desk.browser, page_of(desk), {"source": "Private", "spans": spans})

    assert (answer.status_code, kept(desk)) == (422, 0)


def test_only_who_may_set_up_reads_calendars(kit: Kit) -> None:
    desk = open_desk(kit, "receptionist")

    assert [desk.browser.get(page_of(desk)).status_code, sent(desk, NOON).status_code] == [403, 403]


def test_nobody_s_calendars_are_not_found(desk: Desk) -> None:
    assert desk.browser.get("/setup/people/999/calendars").status_code == 404
