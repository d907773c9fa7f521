"""The time line of a patient and of a course: everything in one list, narrowed, and gone on with."""
from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import sqlalchemy as sa
from flask.testing import FlaskClient

from clinic.app import Kit
from clinic.care.states import ContactOutcome, MessageState
from clinic.services.absences import add_absence
from clinic.services.decisions import note_contact, take_over
from clinic.services.handover import leave_note, mark_read
from clinic.services.tasks import finish_task
from clinic.store.accounts import Task
from clinic.store.courses import CourseOverride
from clinic.store.diary import Appointment
from clinic.store.outbox import Message
from clinic.store.resources import ClinicalNote, Patient
from tests.web import seed
from tests.web.conftest import FixedClock, post
from tests.web.counting import own_statements
from tests.web.desk import Desk, enter, open_desk, texts

THEMES = ("visits", "messages", "findings", "course", "notes", "record")


def rows_of(browser: FlaskClient, url: str) -> list[str]:
    """The rows of the time line at that address, with the day, which only the first of a day shows, left out."""
    page = browser.get(url)
    assert page.status_code == 200
    return [re.sub(r"^\w{3} \d+ \w{3} \d{4} ", "", each) for each in texts(page, "tl-row")]


def eventful(kit: Kit, clock: FixedClock) -> tuple[Desk, int]:
    """A course with something of everything: one session moved and one cancelled, a call, a note, a task, a consent."""
    desk = open_desk(kit, "practitioner")
    course = desk.course({"anticoagulant": "INR 2.1"}, none_apply="", applies="anticoagulant")
    with desk.rows() as db:
        first, second, _ = db.scalars(sa.select(Appointment).order_by(Appointment.starts_at)).all()
        person = db.get_one(Patient, desk.patient)
        person.marketing_consent_at = seed.NOW - timedelta(days=400)
        db.add(ClinicalNote(patient_id=desk.patient, written_at=seed.NOW, text="CANARY-NOTE"))
        db.add(Task(clinic_id=desk.clinic.clinic_id, patient_id=desk.patient, kind="move", appointment_id=first.id,
                    text="Asks to move session 1", due_on=seed.NOW.date(), created_at=seed.NOW))
        db.commit()
        task = db.scalars(sa.select(Task.id)).one()
    answer = post(desk.browser, f"/appointments/{second.id}/cancel", {
        "reason": "The patient is ill", "details": "on a journey", "lock_version": second.lock_version})
    assert answer.status_code == 303
    clock.move(timedelta(minutes=10))
    desk.clinic.now = clock.now
    with desk.rows() as db:
        message = db.scalars(sa.select(Message.id).where(Message.state == MessageState.PENDING)
                             .order_by(Message.due_at).limit(1)).one()
    with desk.clinic.work("receptionist") as work:
        note = leave_note(work, desk.patient, text="Ask about the left cheek", course_id=course)
    with desk.clinic.work("practitioner") as work:
        mark_read(work, note.value)
    with desk.clinic.work("receptionist") as work:
        finish_task(work, task)
    with desk.clinic.work("receptionist") as work:
        take_over(work, message)
    with desk.clinic.work("receptionist") as work:
        note_contact(work, [message], ContactOutcome.NO_ANSWER, note="Try after six")
    return desk, course


def test_everything_is_in_one_list_with_what_is_to_come_above_today(kit: Kit, clock: FixedClock) -> None:
    desk, course = eventful(kit, clock)

    page = desk.browser.get(f"/patients/{desk.patient}")
    text = page.get_data(as_text=True)
    told = rows_of(desk.browser, f"/patients/{desk.patient}")

    assert texts(page, "tl-today") == ["Today, Mon 1 Mar 2027"]
    ahead, behind = (part.count('class="tl-row') for part in text.split('class="tl-today"'))
    assert (ahead, behind) == (len(told) - behind, behind) and ahead and behind
    for words in (
        "Session 3", "In person: no answer Try after six Receptionist",
        "Note for the next visit · read Mon 1 Mar 2027, 09:10 by Practitioner Ask about the left cheek Receptionist",
        "Asked for another time · done Mon 1 Mar 2027, 09:10 by Receptionist Asks to move session 1 The patient",
        "Session 2 cancelled", "on a journey", "Clinical note CANARY-NOTE", "INR 2.1", "Agreed to offers",
        "Course booked", "tells it",
    ):
        assert [each for each in told if words in each], (words, told)


def test_a_visit_to_come_says_who_of_it_is_away_without_a_statement_more(kit: Kit, clock: FixedClock) -> None:
    desk, course = eventful(kit, clock)
    pages = (f"/patients/{desk.patient}", f"/courses/{course}")
    before = [own_statements(kit, desk.browser, url)[0] for url in pages]
    with desk.rows() as db:
        visit = db.scalars(sa.select(Appointment).where(Appointment.state == "booked")
                           .order_by(Appointment.starts_at.desc())).first()
    assert visit is not None and visit.practitioner_id is not None
    with desk.clinic.work("manager") as work:
        add_absence(work, visit.practitioner_id, starts_at=visit.starts_at, ends_at=visit.ends_at, reason="Leave")

    after = [own_statements(kit, desk.browser, url)[0] for url in pages]
    marked = [[each for each in rows_of(desk.browser, url) if " away" in each] for url in pages]

    assert after == before
    assert [len(each) for each in marked] == [1, 1]
    assert all(re.search("Session 3.*Dr Amari away", each[0]) for each in marked), marked


def test_each_theme_shows_its_own_and_together_they_show_all(kit: Kit, clock: FixedClock) -> None:
    desk, course = eventful(kit, clock)

    for url in (f"/patients/{desk.patient}", f"/courses/{course}"):
        every = rows_of(desk.browser, url)
        parts = [each for theme in THEMES for each in rows_of(desk.browser, f"{url}?show={theme}")]
        assert sorted(each for each in parts if "replaced" not in each) == sorted(every)
        assert rows_of(desk.browser, f"{url}?show=nonsense&older=nonsense") == every


def test_clinical_notes_are_read_by_those_alone_who_may(kit: Kit, clock: FixedClock) -> None:
    desk, _ = eventful(kit, clock)
    url = f"/patients/{desk.patient}?show=notes"

    seen = {role: "CANARY-NOTE" in "".join(rows_of(enter(kit, role), url))
            for role in ("receptionist", "practitioner", "manager", "auditor")}

    assert seen == {"receptionist": False, "practitioner": True, "manager": False, "auditor": False}


def test_a_long_life_is_turned_through_and_asks_as_much_of_the_database_as_a_short_one(
    kit: Kit, clock: FixedClock
) -> None:
    desk, course = eventful(kit, clock)
    short = [own_statements(kit, desk.browser, url)[0] for url in (f"/patients/{desk.patient}", f"/courses/{course}")]
    with desk.rows() as db:
        db.add_all(CourseOverride(course_id=course, code="interval", value={"finding": f"Passed {number}"},
                                  reason="Because", made_at=seed.NOW - timedelta(days=number // 2), made_by=None)
                   for number in range(120))
        db.commit()

    met, page = list[str](), f"/courses/{course}?show=findings"
    while page:
        rows, shown = rows_of(desk.browser, page), desk.browser.get(page).get_data(as_text=True)
        met += [each for each in rows if "Passed" in each]
        onward = re.search(r'rel="next" href="([^"#]+)', shown)
        page = unescape(onward[1]) if onward else ""

    assert len(met) == len(set(met)) == 120
    assert [own_statements(kit, desk.browser, url)[0] for url in (
        f"/patients/{desk.patient}", f"/courses/{course}", f"/courses/{course}?show=findings")][:2] == short
