"""The pages of treatments, and the table in which their parts are written."""
from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.access import Role
from clinic.app import Kit
from clinic.care.parts import read_parts
from clinic.queries.treatments import treatment_cards
from clinic.services import protocols
from clinic.services.work import Actor
from clinic.store.protocols import Treatment
from tests.queries.statements import counted
from tests.web import seed
from tests.web.checksums import checksum
from tests.web.conftest import SignedIn, post

FORM = {
    "name": "Long consultation", "kind": "consultation", "active": "yes",
    "part-0-name": "talk", "part-0-minutes": "40", "part-0-practitioner": "any", "part-0-room": "any",
    "part-2-name": "photographs", "part-2-minutes": "10", "part-2-room": "laser-safe", "part-2-device": "ipl",
    "part-3-name": "Turnover", "part-3-minutes": "5", "part-3-offset": "50", "part-3-room": "any",
}


@pytest.fixture
def library(kit: Kit) -> None:
    """The product's protocols and other visits."""
    with kit.work(Actor("demo")) as work:
        protocols.load_catalogue(work)


def test_a_treatment_is_kept_as_typed_and_what_is_empty_follows(
    signed_in: SignedIn, rows: Callable[[], Session]
) -> None:
    answer = post(signed_in(Role.MANAGER), "/setup/treatments", FORM)

    assert answer.status_code == 303
    with rows() as db:
        row = db.scalars(sa.select(Treatment)).one()
    parts = read_parts(row.parts)
    assert [(part.name, part.offset, part.minutes) for part in parts] == [
        ("talk", 0, 40), ("photographs", 40, 10), ("turnover", 50, 5)]
    assert [[(hold.kind.value, hold.skills) for hold in part.holds] for part in parts] == [
        [("practitioner", ()), ("room", ())], [("room", ("laser-safe",)), ("device", ("ipl",))], [("room", ())]]
    assert {part.evidence.our_default for part in parts} == {True}


@pytest.mark.parametrize(("change", "field", "words"), [
    ({"name": ""}, "name", "Enter the name."),
    ({"kind": "session"}, "kind", "Choose what kind of visit it is."),
    ({"part-0-minutes": "42"}, "part-0-minutes", "Count in whole 5 minutes."),
    ({"part-0-minutes": ""}, "part-0-minutes", "Enter the minutes of part 1."),
    ({"part-2-offset": "41"}, "part-2-offset", "Count in whole 5 minutes."),
    ({"part-2-name": ""}, "part-2-name", "Enter the name of part 3."),
    ({"part-2-room": "moon"}, "part-2-room", "Choose it again from the list."),
    ({"part-2-device": "ipl|ipl"}, "part-2-device", "A part holds each practitioner, room and device once."),
    ({"part-0-offset": "5"}, "part-0-name", "The first part begins when the patient arrives"),
    ({"part-3-offset": "20"}, "part-0-name", "Turnover begins when the patient has left"),
])
def test_a_fault_is_said_at_its_field_and_nothing_is_lost(
    change: dict[str, str], field: str, words: str, signed_in: SignedIn, kit: Kit
) -> None:
    browser = signed_in(Role.MANAGER)
    before = checksum(kit.engine)

    answer = post(browser, "/setup/treatments", {**FORM, **change})

    page = unescape(answer.get_data(as_text=True))
    assert answer.status_code == 422
    assert words in page
    assert f'id="{field}-error"' in page or f'id="{field}-group-error"' in page
    assert 'value="photographs"' in page or field == "part-2-name"
    assert checksum(kit.engine) == before


def test_a_treatment_is_changed_and_the_second_editor_sees_both(
    signed_in: SignedIn, library: None, rows: Callable[[], Session]
) -> None:
    browser = signed_in(Role.MANAGER)
    with rows() as db:
        row = db.scalars(sa.select(Treatment).where(Treatment.code == "review")).one()
    url = f"/setup/treatments/{row.id}"
    page = browser.get(url).get_data(as_text=True)
    assert re.search(r'name="part-0-minutes" value="20"', page)
    form = {"name": "Review", "lock_version": "1", "part-0-name": "review", "part-0-minutes": "25",
            "part-0-practitioner": "laser", "part-0-room": "any"}

    first, second = post(browser, url, form), post(browser, url, {**form, "name": "Look again"})

    assert (first.status_code, second.status_code) == (303, 409)
    assert "Look again" in second.get_data(as_text=True)
    with rows() as db:
        kept = db.get_one(Treatment, row.id)
    assert (kept.active, read_parts(kept.parts)[0].minutes) == (False, 25)


def test_a_session_shows_its_parts_and_leads_to_its_protocols(
    signed_in: SignedIn, library: None, rows: Callable[[], Session]
) -> None:
    browser = signed_in(Role.MANAGER)
    with rows() as db:
        row = db.scalars(sa.select(Treatment).where(Treatment.code == "skin-needling")).one()

    page = browser.get(f"/setup/treatments/{row.id}").get_data(as_text=True)
    answer = post(browser, f"/setup/treatments/{row.id}", {**FORM, "name": "Mine", "lock_version": "1"})

    assert 'href="/protocols/mn_rejuvenation"' in page
    assert 'name="part-0-name"' not in page
    assert answer.status_code == 409


@pytest.mark.parametrize("number", [1, 30, 300])
def test_the_list_asks_the_same_whatever_its_length(
    number: int, kit: Kit, rows: Callable[[], Session], library: None
) -> None:
    with rows() as db:
        for place in range(number):
            seed.add_treatment(db, f"code-{place}", f"Treatment {place}")
        db.commit()

    with rows() as db, counted(kit.engine) as statements:
        found = treatment_cards(db)

    assert len(statements) == 2
    assert [card.code for card in found[:4]] == ["consultation", "other", "patch-test", "review"]
