"""The page that says whether messages go out as they should, and the red line of the front page."""
from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy.orm import Session

from clinic.access import Role
from clinic.app import Kit
from clinic.store.clinics import Business
from clinic.store.outbox import Bounce, WorkerRow
from tests.web import seed
from tests.web.conftest import SignedIn, World
from tests.web.counting import own_statements
from tests.web.desk import texts

SHORTLY = timedelta(seconds=5)


def make_trouble(world: World, db: Session, number: int = 1) -> None:
    """A message that is long due, one that failed, one that came back, and a worker in trouble."""
    db.get_one(Business, 1).mail_on_since = seed.NOW
    for place in range(number):
        patient = seed.add_patient(db, f"P{place}")
        seed.add_message(db, patient, world.harbour, due_at=seed.NOW - timedelta(hours=3))
        failed = seed.add_message(db, patient, world.harbour, state="failed", settled_at=seed.NOW)
        seed.add_message(db, patient, world.harbour, state="held", reason=f"reason {place}")
        db.add(Bounce(message_id=failed, email=f"p{place}@example.org", at=seed.NOW, is_hard=True, status="5.1.1",
                      text="no", digest="d"))
        db.add(WorkerRow(id=f"w{place}", host="here", started_at=seed.NOW, heartbeat_at=seed.NOW - SHORTLY,
                         trouble="connection refused", trouble_since=seed.NOW - timedelta(hours=1)))
    db.commit()


def test_the_page_says_what_is_wrong_the_worst_first_and_what_to_do(
    signed_in: SignedIn, world: World, rows: Callable[[], Session]
) -> None:
    with rows() as db:
        make_trouble(world, db)

    page = signed_in(Role.MANAGER).get("/setup/health")

    words = texts(page, "check")
    assert words[0].startswith("Act 1 message is due, the oldest for 3 hours.")
    assert words[1].startswith("Act A worker cannot reach the mail server for 60 minutes: connection refused.")
    assert any(each.startswith("Look 1 message failed, 1 of them within a day.") for each in words)
    assert any(each.startswith("Look 1 message is held: reason 0.") for each in words)
    assert any("1 address is not written to any more" in each for each in words)
    assert "Something needs a person now" in page.get_data(as_text=True)


def test_the_front_page_has_a_red_line_only_where_a_person_is_needed(
    signed_in: SignedIn, world: World, rows: Callable[[], Session]
) -> None:
    desk = signed_in()
    quiet = texts(desk.get("/"), "tone-bad")
    with rows() as db:
        make_trouble(world, db)

    loud = texts(desk.get("/"), "tone-bad")

    assert quiet == []
    assert [each.split(":")[0] for each in loud] == [
        "1 message is due, the oldest for 3 hours. See on the page Health whether a worker lives, and what keeps it "
        "from the mail server.", "A worker cannot reach the mail server for 60 minutes"]


def test_a_place_that_is_well_says_so(signed_in: SignedIn, rows: Callable[[], Session]) -> None:
    with rows() as db:
        db.get_one(Business, 1).mail_on_since = seed.NOW
        db.add(WorkerRow(id="w", host="here", started_at=seed.NOW, heartbeat_at=seed.NOW, swept_at=seed.NOW))
        db.commit()

    page = signed_in(Role.AUDITOR).get("/setup/health")

    assert "Messages go out as they should" in page.get_data(as_text=True)
    assert {each.split()[0] for each in texts(page, "check")} == {"Well"}


def test_it_takes_as_many_statements_however_much_goes_wrong(
    signed_in: SignedIn, world: World, kit: Kit, rows: Callable[[], Session]
) -> None:
    browser = signed_in(Role.MANAGER)
    few, _ = own_statements(kit, browser, "/setup/health")
    with rows() as db:
        make_trouble(world, db, 30)

    many, page = own_statements(kit, browser, "/setup/health")

    assert (many, few) == (3, 3)
    assert page.count('class="check"') < 40
