"""What the desk prints: the day's lists, and the card of a course."""
from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from clinic.app import Kit
from clinic.store.courses import HandoverNote
from clinic.store.resources import Patient
from tests.queries.statements import counted
from tests.web import seed
from tests.web.desk import Desk, open_desk


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def desk(kit: Kit) -> Desk:
    """A course begins today; its patient has a number, an alert and a note; somebody else comes to another room."""
    found = open_desk(kit)
    with found.rows() as db:
        db.execute(sa.update(Patient).where(Patient.id == found.patient).values(
            alerts="Latex allergy", phone="+44 7700 900123", language="de"))
        db.add(HandoverNote(patient_id=found.patient, text="Ask about the left cheek", written_at=seed.NOW))
        seed.add_appointment(db, found.clinic.patients[1], found.clinic.clinic_id, seed.NOW + timedelta(hours=5),
                             resources=(found.clinic.practitioners[2], found.clinic.rooms[1]))
        db.commit()
    found.course()
    return found


def sheets(html: str) -> list[str]:
    """The lists of the page."""
    return html.split('<section class="sheet"')[1:]


def test_the_day_is_printed_for_the_clinic_each_practitioner_or_each_room(desk: Desk) -> None:
    found = {by: sheets(desk.browser.get(f"/day-lists?by={by}").get_data(as_text=True))
             for by in ("clinic", "practitioner", "room", "junk")}

    assert [len(each) for each in found.values()] == [1, 2, 2, 1]
    [whole] = found["clinic"]
    assert whole.index("Ana Novák") < whole.index("Ben Okafor")
    for words in ("+44 7700 900123", "Latex allergy", "Ask about the left cheek", "1 of 3"):
        assert words in whole
    assert [("Ana" in each, "Ben" in each) for each in found["room"]] == [(True, False), (False, True)]


def test_a_list_without_names_holds_nothing_that_a_patient_is_known_by(desk: Desk) -> None:
    html = desk.browser.get("/day-lists?by=practitioner&names=hidden").get_data(as_text=True)

    for words in ("Novák", "Okafor", "7700", "Latex", "cheek"):
        assert words not in html
    assert html.count("Booked</span>") == 2


def test_the_lists_take_as_many_statements_whoever_comes(desk: Desk, kit: Kit) -> None:
    desk.browser.get("/day-lists")
    told = []
    for day in ("2027-03-01", "2027-03-06"):
        with counted(kit.engine) as said:
            desk.browser.get(f"/day-lists?day={day}&by=room")
        told.append(len(said))

    assert told[0] == told[1]


def test_the_card_of_a_course_speaks_the_patients_language(desk: Desk) -> None:
    course = re.search(r'href="(/courses/\d+)"', desk.browser.get(f"/patients/{desk.patient}").get_data(as_text=True))
    assert course is not None

    html = desk.browser.get(f"{course[1]}/card").get_data(as_text=True)
    large = desk.browser.get(f"{course[1]}/card?size=large").get_data(as_text=True)

    assert 'lang="de"' in html
    for words in ("Sitzung 1 von 3", "Montag, 1. März 2027", "+44 20 7946 0000", "1 Harbour Street"):
        assert words in html, words
    assert ("letter-large" in html, "letter-large" in large) == (False, True)
