"""Find anything, and the help that is at hand."""
from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from clinic.access import Role
from clinic.app import Kit
from clinic.services import protocols
from clinic.services.work import Actor
from clinic.web.entry import entry_of
from clinic.web.help_topics import topic_of, topics
from tests.web import seed
from tests.web.conftest import SignedIn, World
from tests.web.counting import own_statements

NO_PAGES = {"messages.html", "messages.calendar", "newsletter.html", "moving_in.faults", "moving_out.fetch",
            "telling.letter", "signin.landed"}
"""Answers that are no page of ours: nobody asks for help on them."""


@pytest.fixture
def found(signed_in: SignedIn, world: World, kit: Kit, rows: Callable[[], Session]) -> Callable[..., dict[str, str]]:
    """What a role finds: names with their addresses."""
    with kit.work(Actor("demo")) as work:
        protocols.load_catalogue(work)
    with rows() as db:
        seed.add_patient(db)
        seed.add_room(db, world.harbour)
        seed.add_practitioner(db)
        db.commit()

    def ask(search: str, role: Role = Role.MANAGER) -> dict[str, str]:
        answer = signed_in(role).get("/find", query_string={"q": search}, headers={"X-Fragment": "1"})
        assert answer.status_code == 200
        return hits(answer.get_data(as_text=True))

    return ask


def hits(page: str) -> dict[str, str]:
    listed = re.findall(r'found-item" href="([^"]+)"><span dir="auto">([^<]+)<', page)
    return {unescape(name): unescape(href) for href, name in listed}


def test_people_days_pages_diaries_and_treatments_are_found(
    found: Callable[..., dict[str, str]], rows: Callable[[], Session]
) -> None:
    with rows() as db:
        patient = seed.add_patient(db, given_name="Ingeborg", family_name="Rahmani")
        db.commit()

    assert found("rahm inge") == {"Ingeborg Rahmani": f"/patients/{patient}"}
    assert found("12 june 2028") == {"Monday 12 Jun 2028": "/diary?day=2028-06-12&show=day"}
    assert found("holidays")["Clinics"] == "/setup/clinics"
    assert found("laxity face")["RF microneedling: laxity of face and neck"] == "/protocols/rfmn_laxity"
    assert found("merge")["One patient with two records"] == "/help#doubles"


def test_each_role_finds_only_what_it_may_see(found: Callable[..., dict[str, str]]) -> None:
    assert not [href for href in found("a", Role.ADMINISTRATOR).values() if href.startswith(("/patients", "/diary"))]
    assert "/setup/rooms" not in found("rooms", Role.RECEPTIONIST).values()
    assert "/setup/rooms" in found("rooms", Role.MANAGER).values()


def test_one_thing_found_is_gone_to(signed_in: SignedIn) -> None:
    answer = signed_in(Role.MANAGER).get("/find?q=2028-06-12")

    assert (answer.status_code, answer.location) == (303, "/diary?day=2028-06-12&show=day")


def test_finding_takes_three_statements(signed_in: SignedIn, kit: Kit) -> None:
    count, _ = own_statements(kit, signed_in(Role.MANAGER), "/find?q=a")

    assert count == 3  # patients, what has a name, and the clinics for what only they may see who may everywhere


def test_every_page_of_staff_has_its_help_and_keeps_it_when_it_comes_back_with_faults(app: Flask) -> None:
    asked, sent = ({
        rule.rule: rule.endpoint for rule in app.url_map.iter_rules() if method in (rule.methods or ())
        and (entry := entry_of(app.view_functions[rule.endpoint])) and not entry.is_public and not entry.for_patients}
        for method in ("GET", "POST"))

    assert {each for each in set(asked.values()) - NO_PAGES if topic_of(each) is None} == set()
    assert {each for rule, each in sent.items() if rule in asked and topic_of(each) != topic_of(asked[rule])} == set()
    unused = {begin for topic in topics() for begin in topic.on
              if not any(each.startswith(begin) for each in (*asked.values(), *sent.values()))}
    assert unused == set()


def test_the_help_is_one_page_that_every_page_leads_to(signed_in: SignedIn) -> None:
    browser: FlaskClient = signed_in(Role.AUDITOR)

    page = browser.get("/patients").get_data(as_text=True)
    assert "Help with this page" in page and "Finding and adding patients" in page
    assert all(f'id="{topic.id}"' in browser.get("/help").get_data(as_text=True) for topic in topics())
