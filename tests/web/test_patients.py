"""The pages of patients."""
from __future__ import annotations

from collections.abc import Callable
from datetime import date
from html import unescape

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.access import Role
from clinic.app import Kit
from clinic.care.translations import LANGUAGES
from clinic.messages.rendering import languages
from clinic.store.resources import ClinicalNote, Patient
from tests.web import seed
from tests.web.checksums import checksum, statements
from tests.web.conftest import SignedIn, World, post

ANNA = {
    "given_name": "Anna", "family_name": "Nováková", "birth_on": "1984-03-12", "email": "anna@example.org",
    "phone": "+420 601 123 456", "channel": "email", "language": "en", "service": "yes", "alerts": "Latex allergy",
    "only-0-days": ["0", "2"], "only-0-from": "09:00", "only-0-to": "12:00",
}


def test_a_new_patient_is_kept_as_typed(signed_in: SignedIn, rows: Callable[[], Session]) -> None:
    answer = post(signed_in(), "/patients", ANNA)

    with rows() as db:
        row = db.scalars(sa.select(Patient)).one()
    assert (answer.status_code, answer.location) == (303, f"/patients/{row.id}")
    assert (row.given_name, row.family_name, row.birth_on, row.email, row.phone, row.alerts) == (
        "Anna", "Nováková", date(1984, 3, 12), "anna@example.org", "+420 601 123 456", "Latex allergy")
    assert row.only_times == [{"weekdays": [0, 2], "begins": 540, "ends": 720}]
    assert (row.marketing_consent_at, row.wants_service_messages) == (None, True)


def test_a_patient_added_for_a_course_is_typed_once_and_leads_on_to_it(signed_in: SignedIn) -> None:
    browser = signed_in()
    page = browser.get("/courses/new?q=Anna+Nov%C3%A1kov%C3%A1&first_on=2027-03-08").get_data(as_text=True)
    address = unescape(page.partition('href="/patients/new')[2].partition('"')[0])

    form = browser.get(f"/patients/new{address}").get_data(as_text=True)
    going = unescape(form.partition('name="next" value="')[2].partition('"')[0])
    added = post(browser, "/patients", {**ANNA, "next": going})
    astray = post(browser, "/patients", {**ANNA, "given_name": "Bo", "next": "/courses/new@evil.example"})

    assert ('value="Anna"' in form, 'value="Nováková"' in form) == (True, True)
    assert added.location == "/courses/new?first_on=2027-03-08&patient=1"
    assert astray.location == "/patients/2"


def test_the_form_offers_the_languages_that_have_messages() -> None:
    assert sorted(LANGUAGES) == list(languages())


@pytest.mark.parametrize(("change", "words"), [
    ({"given_name": ""}, "Enter the first name."),
    ({"family_name": "x" * 101}, "The family name may have at most 100 characters; this has 101."),
    ({"birth_on": "2027-03-02"}, "The birth date cannot be after 1 March 2027."),
    ({"birth_on": "12.3.1984"}, "The birth date must be a date, such as 2027-03-01."),
    ({"email": ""}, "Enter the e-mail address, or choose another way to reach the patient."),
    ({"email": "anna@@example"}, "anna@@example"),
    ({"email": "a@example.org, b@example.org"}, "a@example.org, b@example.org"),
    ({"email": "a@example.org\nBcc: b@example.org"}, "The e-mail address contains characters that cannot be kept."),
    ({"phone": "call me"}, "Enter the phone number with digits and spaces, such as +44 7700 900123."),
    ({"channel": "phone", "phone": ""}, "Enter the phone number, or choose another way to reach the patient."),
    ({"channel": "pigeon"}, "Choose how the patient is reached."),
    ({"language": "xx"}, "Choose a language."),
    ({"only-0-to": "08:00"}, "The end must be after the beginning."),
    ({"only-0-days": []}, "Choose the weekdays that these times are about."),
    ({"only-0-from": "soon"}, "The beginning must be a time, such as 09:30."),
    ({"alerts": "x" * 501}, "The alerts may have at most 500 characters; this has 501."),
])
def test_bad_input_names_the_field_keeps_what_was_typed_and_writes_nothing(
    change: dict[str, object], words: str, signed_in: SignedIn, kit: Kit
) -> None:
    browser = signed_in()
    before = checksum(kit.engine)

    answer = post(browser, "/patients", {**ANNA, **change})

    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert words in page
    assert 'class="error-summary"' in page
    assert 'value="Nováková"' in page or "family_name" in change
    assert checksum(kit.engine) == before


def test_text_of_a_stranger_stays_text(signed_in: SignedIn) -> None:
    browser = signed_in()
    nasty = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7*7 }}"

    made = post(browser, "/patients", {**ANNA, "family_name": nasty, "alerts": nasty})

    for url in (made.location, "/patients", f"/patients?q={nasty[:30]}", f"{made.location}/edit"):
        page = browser.get(url).get_data(as_text=True)
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "{{ 7*7 }}" in page or "?q=" in url


def test_someone_alike_is_asked_about_before_a_second_one_is_made(
    signed_in: SignedIn, rows: Callable[[], Session]
) -> None:
    browser = signed_in()
    post(browser, "/patients", ANNA)

    asked = post(browser, "/patients", {**ANNA, "given_name": "ANNA", "family_name": "Novakova"})
    sure = post(browser, "/patients", {**ANNA, "is_another": "yes"})

    assert (asked.status_code, sure.status_code) == (409, 303)
    assert "This is another person" in asked.get_data(as_text=True)
    with rows() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(Patient)) == 2


def test_the_second_of_two_editors_is_told_and_shown_both(
    signed_in: SignedIn, rows: Callable[[], Session]
) -> None:
    first, second = signed_in(), signed_in()
    url = post(first, "/patients", ANNA).location
    post(first, f"{url}/edit", {**ANNA, "phone": "+420 601 000 000", "lock_version": "1"})

    answer = post(second, f"{url}/edit", {**ANNA, "alerts": "Pacemaker", "lock_version": "1"})

    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    for words in ("Someone else was faster", "+420 601 000 000", "+420 601 123 456",
                  "Latex allergy", "Pacemaker", f'href="{url}/edit"'):
        assert words in page
    with rows() as db:
        row = db.scalars(sa.select(Patient)).one()
    assert (row.phone, row.alerts, row.lock_version) == ("+420 601 000 000", "Latex allergy", 2)


@pytest.mark.parametrize("version", ["", "x", "-", "1.0"])
def test_a_change_without_its_version_is_not_taken(version: str, signed_in: SignedIn, kit: Kit) -> None:
    browser = signed_in()
    url = post(browser, "/patients", ANNA).location
    before = checksum(kit.engine)

    answer = post(browser, f"{url}/edit", {**ANNA, "lock_version": version})

    assert answer.status_code == 422
    assert checksum(kit.engine) == before


def test_fields_that_the_form_does_not_have_change_nothing(
    signed_in: SignedIn, rows: Callable[[], Session]
) -> None:
    extra = {"id": "77", "search_text": "x", "created_at": "2000-01-01", "marketing_consent_at": "2000-01-01",
             "kind": "room"}

    post(signed_in(), "/patients", {**ANNA, **extra})

    with rows() as db:
        row = db.scalars(sa.select(Patient)).one()
    assert (row.kind, row.created_at, row.marketing_consent_at) == ("patient", seed.NOW, None)
    assert "novakova anna" in row.search_text


@pytest.mark.parametrize(("search", "found"), [
    ("nov", ["Anna Nováková"]), ("novak ann", ["Anna Nováková"]), ("ANNA Nováková", ["Anna Nováková"]),
    ("zolc", ["Łukasz Żółć"]), ("lukasz", ["Łukasz Żółć"]), ("zażółć", []),
    ("0601 123", ["Anna Nováková"]), ("+420 601", ["Anna Nováková"]), ("lukasz@ex", ["Łukasz Żółć"]),
    ("1984-03-12", ["Anna Nováková"]), ("12.3.1984", ["Anna Nováková"]), ("12/03/1984", ["Anna Nováková"]),
    ("99.99.1984", []), ("%", []), ("_nna", []), ("' OR 1=1 --", []), ("الزهراني", ["عائشة الزهراني"]),
    ("an", ["Anna Nováková", "Johanna Berg"]),
    ("", ["Johanna Berg", "Anna Nováková", "Łukasz Żółć", "عائشة الزهراني"]),
])
def test_a_search_finds_parts_of_names_numbers_and_dates(search: str, found: list[str], signed_in: SignedIn) -> None:
    browser = signed_in()
    post(browser, "/patients", ANNA)
    for given, family, email in (("Łukasz", "Żółć", "lukasz@example.org"), ("عائشة", "الزهراني", ""),
                                 ("Johanna", "Berg", "j@example.org")):
        post(browser, "/patients", {"given_name": given, "family_name": family, "email": email, "language": "en",
                                    "channel": "email" if email else "none"})

    page = browser.get("/patients", query_string={"q": search}).get_data(as_text=True)

    names = [part.partition("</a>")[0].rpartition(">")[2] for part in page.split('class="cell-lead">')[1:]]
    assert names == found


def test_clinical_notes_are_for_practitioners_alone(
    signed_in: SignedIn, rows: Callable[[], Session], world: World
) -> None:
    with rows() as db:
        patient = seed.add_patient(db, alerts="Latex allergy")
        db.add(ClinicalNote(patient_id=patient, written_at=seed.NOW, text="CANARY-NOTE"))
        db.commit()

    seen = {role: signed_in(role).get(f"/patients/{patient}").get_data(as_text=True)
            for role in (Role.RECEPTIONIST, Role.PRACTITIONER, Role.MANAGER, Role.AUDITOR)}

    assert {role for role, page in seen.items() if "CANARY-NOTE" in page} == {Role.PRACTITIONER}
    assert {role for role, page in seen.items() if "Latex allergy" in page} == set(seen)


def test_a_list_asks_the_database_as_often_for_1_as_for_300_patients(
    signed_in: SignedIn, rows: Callable[[], Session], world: World, kit: Kit
) -> None:
    browser = signed_in()
    asked, made = [], 0
    for wanted in (1, 30, 300):
        with rows() as db:
            while made < wanted:
                made += 1
                patient = seed.add_patient(db, f"Anna {made}")
                seed.add_message(db, patient, world.harbour)
                seed.add_task(db, patient, world.harbour)
                seed.add_appointment(db, patient, world.harbour, seed.NOW)
            db.commit()
        browser.get("/patients")
        seen = statements(kit.engine)
        for url in ("/patients", "/?day=2027-03-01", "/messages", "/tasks", "/protocols"):
            page = browser.get(url)
            assert page.status_code == 200
        asked.append(len(seen))

    assert len(set(asked)) == 1, asked
    assert browser.get("/patients").get_data(as_text=True).count('class="cell-lead"') == 50


def test_the_next_page_begins_where_the_first_ended(
    signed_in: SignedIn, rows: Callable[[], Session], world: World
) -> None:
    with rows() as db:
        for number in range(60):
            seed.add_patient(db, f"Anna {number:02}")
        db.commit()
    browser = signed_in()

    pages = [browser.get(f"/patients?page={number}").get_data(as_text=True) for number in ("1", "2", "99", "-4", "x")]

    assert ["1–50 of 60" in page for page in pages] == [True, False, False, True, True]
    assert ["51–60 of 60" in page for page in pages] == [False, True, True, False, False]
