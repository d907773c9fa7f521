"""The pages on which a clinic writes its own version of a protocol, and compares two."""
from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from clinic.access import Role
from clinic.app import Kit
from clinic.care.catalogue import load_catalogue
from clinic.care.protocols import Protocol as Content
from clinic.services import protocols
from clinic.services.work import Actor
from clinic.store.protocols import Protocol, ProtocolVersion
from clinic.web.version_form import initial_of
from tests.web.checksums import checksum
from tests.web.conftest import SignedIn, World, post

CATALOGUE = load_catalogue()
NEEDLING = next(each for each in CATALOGUE if each.code == "mn_rejuvenation")
URL = "/protocols/mn_rejuvenation/new-version"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Forms are the same on either kind of database: how versions are kept has tests on both."""
    return sqlite_url


@pytest.fixture
def library(world: World, kit: Kit) -> None:
    """The product's protocols as drafts."""
    with kit.work(Actor("demo")) as work:
        protocols.load_catalogue(work)


def typed(content: Content = NEEDLING, **change: str) -> dict[str, object]:
    """The form as it comes, changed as given."""
    return {"version": "1", "form_key": "a" * 20, **initial_of(content),
            **{name.replace("__", "-"): value for name, value in change.items()}}


def newest(rows: Callable[[], Session], code: str = "mn_rejuvenation") -> tuple[int, Content]:
    """Number and content of the newest version."""
    with rows() as db:
        row = db.execute(sa.select(ProtocolVersion.number, ProtocolVersion.document).join(Protocol)
                         .where(Protocol.code == code).order_by(ProtocolVersion.number.desc()).limit(1)).one()
    return row.number, Content.from_document(row.document)


def words(answer: TestResponse) -> str:
    """The page as people read it."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))))


def test_a_version_is_written_compared_and_approved(
    signed_in: SignedIn, library: None, rows: Callable[[], Session]
) -> None:
    manager = signed_in(Role.MANAGER)

    answer = post(manager, URL, typed(cycle__0__interval__ideal="31", precare__0__text=""))

    assert (answer.status_code, answer.location) == (
        303, "/protocols/mn_rejuvenation/difference?before=1&after=2")
    number, content = newest(rows)
    assert (number, content.cycle[0].interval.ideal) == (2, 31)
    assert len(content.precare) == len(NEEDLING.precare) - 1
    page = words(manager.get(answer.location))
    assert "Days between sessions › 1 › interval" in page
    assert "31 (" in page
    assert "Approve" not in page
    practitioner = signed_in(Role.PRACTITIONER)
    assert "Approve version 2" in words(practitioner.get(answer.location))
    assert "the clinic's own" in words(practitioner.get("/protocols/mn_rejuvenation?version=2"))


@pytest.mark.parametrize("content", CATALOGUE, ids=lambda content: content.code)
def test_every_protocol_comes_through_its_form_as_it_was(
    content: Content, signed_in: SignedIn, library: None, rows: Callable[[], Session]
) -> None:
    browser = signed_in(Role.MANAGER)

    same = post(browser, f"/protocols/{content.code}/new-version", typed(content))
    renamed = post(browser, f"/protocols/{content.code}/new-version", typed(content, name="Ours"))

    assert same.status_code == 409
    assert "Version 1 says the same already." in words(same)
    assert renamed.status_code == 303
    assert newest(rows, content.code) == (2, Content.from_document({**content.to_document(), "name": "Ours"}))


@pytest.mark.parametrize(("change", "field", "text"), [
    ({"name": ""}, "name", "Enter the name."),
    ({"cycle__0__interval__ideal": "3000"}, "cycle-0-interval-shortest", "These go from small to large."),
    ({"sessions__least": "9"}, "sessions-least", "These go from small to large."),
    ({"sessions__least": "0"}, "sessions-least", "must be a whole number from 1 to 60"),
    ({"downtime__longest": "181"}, "downtime-longest", "must be a whole number from 0 to 180"),
    ({"downtime__longest": "x"}, "downtime-longest", "must be a whole number from 0"),
    ({"missed__forgot": "perhaps"}, "missed-forgot", "Choose"),
    ({"precare__0__days": ""}, "precare-0-days", "Enter the days before of line 1."),
    ({"aftercare__0__to_hours": "0"}, "aftercare-0-to_hours", "must be a whole number from 1"),
    ({"aftercare__1__to_hours": "1"}, "aftercare-1-to_hours", "The last hour comes after the first."),
    ({"aftercare__1__from_hours": "0"}, "aftercare-1-from_hours", "repeats an earlier one"),
    ({"flag__0__urgency": "soon"}, "flag-0-urgency", "Choose how soon."),
    ({"parts__0__0__minutes": "7"}, "parts-0-0-minutes", "Count in whole 5 minutes."),
])
def test_a_fault_is_said_at_its_field_and_nothing_is_lost(
    change: dict[str, str], field: str, text: str, signed_in: SignedIn, library: None, kit: Kit
) -> None:
    browser = signed_in(Role.MANAGER)
    before = checksum(kit.engine)

    answer = post(browser, URL, typed(**{"precare__1__text": "Drink water", **change}))

    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in page
    assert text in words(answer)
    assert "Drink water" in page
    assert checksum(kit.engine) == before


def test_a_distance_longer_than_the_interval_is_said_at_its_field(signed_in: SignedIn, library: None) -> None:
    both = next(each for each in CATALOGUE if each.code == "combo_mn_peel")

    answer = post(signed_in(Role.MANAGER), "/protocols/combo_mn_peel/new-version", typed(both, spacing__1__days="30"))

    assert answer.status_code == 422
    assert 'id="spacing-1-days-error"' in answer.get_data(as_text=True)
    assert "This is more than the 21 days that the shortest intervals leave between the two" in words(answer)


def test_a_form_sent_twice_makes_one_version(signed_in: SignedIn, library: None, rows: Callable[[], Session]) -> None:
    browser = signed_in(Role.MANAGER)

    answers = [post(browser, URL, typed(name="Ours")) for _ in range(2)]

    assert [(each.status_code, each.location) for each in answers] == [
        (303, "/protocols/mn_rejuvenation/difference?before=1&after=2")] * 2
    assert newest(rows)[0] == 2


def test_a_version_begins_with_the_one_that_is_asked_for(
    signed_in: SignedIn, library: None, rows: Callable[[], Session]
) -> None:
    browser = signed_in(Role.MANAGER)
    post(browser, URL, typed(name="Ours"))

    first, second = (browser.get(f"{URL}?version={number}").get_data(as_text=True) for number in (1, 2))

    assert 'value="Ours"' in second
    assert 'value="Ours"' not in first


@pytest.mark.parametrize("url", [
    "/protocols/none/new-version", f"{URL}?version=9", "/protocols/mn_rejuvenation/difference?before=1&after=9"])
def test_a_version_that_is_not_there_is_not_found(url: str, signed_in: SignedIn, library: None) -> None:
    assert signed_in(Role.MANAGER).get(url).status_code == 404


def test_the_consultation_is_chosen_on_the_page_of_the_protocol(
    signed_in: SignedIn, library: None, rows: Callable[[], Session]
) -> None:
    browser = signed_in(Role.MANAGER)

    answer = post(browser, "/protocols/mn_rejuvenation/consultation", {"consultation": "before"})
    wrong = post(browser, "/protocols/mn_rejuvenation/consultation", {"consultation": "never"})

    assert (answer.status_code, wrong.status_code) == (303, 303)
    page = browser.get("/protocols/mn_rejuvenation").get_data(as_text=True)
    assert re.search(r'name="consultation" value="before" checked', page)
    assert "A consultation before any booking." in words(signed_in().get("/protocols/mn_rejuvenation"))
    with rows() as db:
        assert db.scalar(sa.select(Protocol.consultation).where(Protocol.code == "mn_rejuvenation")) == "before"


def test_the_desk_reads_versions_and_writes_none(signed_in: SignedIn, library: None) -> None:
    browser = signed_in()

    assert browser.get(URL).status_code == 403
    assert "Make a new version" not in words(browser.get("/protocols/mn_rejuvenation"))
    assert browser.get("/protocols/mn_rejuvenation/difference?before=1&after=1").status_code == 200
