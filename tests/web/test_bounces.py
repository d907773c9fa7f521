"""What people see of an address that is dead, and how they free it."""
from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from clinic.access import Role
from clinic.app import Kit
from clinic.services.bounces import take_report
from clinic.services.work import Actor
from tests.interchange.bounce_samples import report
from tests.web import seed
from tests.web.conftest import SignedIn, World, post
from tests.web.desk import texts


def test_a_dead_address_is_said_where_people_look_and_freed_by_one_click_and_a_question(
    signed_in: SignedIn, world: World, kit: Kit, rows: Callable[[], Session]
) -> None:
    with rows() as db:
        patient = seed.add_patient(db)
        message = seed.add_message(
            db, patient, world.harbour, state="sent", settled_at=seed.NOW, dot_at=seed.NOW, sender="desk@example.org",
            recipient="anna@example.org", message_id="<m@example.org>")
        db.commit()
    with kit.work(Actor("cli")) as work:
        take_report(work, report(to="anna@example.org", message_id="<m@example.org>"))
    desk, auditor = signed_in(), signed_in(Role.AUDITOR)

    shown = texts(desk.get(f"/patients/{patient}"), "notice")
    task = desk.get("/tasks").get_data(as_text=True)
    story = texts(signed_in(Role.MANAGER).get(f"/messages/{message}"), "story-line")
    answer = post(desk, f"/patients/{patient}/write-again", {})
    after = texts(desk.get(f"/patients/{patient}"), "notice")

    assert any(all(words in each for words in (
        "E-mails to this address come back", "there is no such mailbox", "It is right")) for each in shown)
    assert "E-mails to anna@example.org come back: there is no such mailbox. Ask for the right address." in task
    assert f"/patients/{patient}/edit" in task
    assert any(each.startswith("The e-mail came back, and nothing goes to this address any more: there is no such "
                               "mailbox smtp; 550 5.1.1") for each in story)
    assert (answer.status_code, any("come back" in each for each in after)) == (303, False)
    assert post(auditor, f"/patients/{patient}/write-again", {}).status_code == 403
