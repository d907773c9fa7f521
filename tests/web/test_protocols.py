"""The pages of the protocol library."""
from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.access import Role
from clinic.app import Kit
from clinic.services import protocols
from clinic.services.work import Actor
from clinic.store.protocols import Protocol, ProtocolVersion
from tests.web.conftest import SignedIn, World, post


@pytest.fixture
def library(world: World, kit: Kit, rows: Callable[[], Session]) -> dict[str, int]:
    """The product's protocols as drafts: code to version."""
    with kit.work(Actor("demo")) as work:
        protocols.load_catalogue(work)
    with rows() as db:
        rows_found = db.execute(sa.select(Protocol.code, ProtocolVersion.id).join(ProtocolVersion)).all()
    return {row.code: row.id for row in rows_found}


def test_the_library_lists_every_protocol_with_its_state(signed_in: SignedIn, library: dict[str, int]) -> None:
    page = signed_in().get("/protocols").get_data(as_text=True)

    assert page.count('class="cell-lead"') == 21
    assert "21 protocols wait for a clinician" in page


def test_every_protocol_can_be_read_with_its_figures_and_sources(
    signed_in: SignedIn, library: dict[str, int]
) -> None:
    browser = signed_in()
    for code in library:
        answer = browser.get(f"/protocols/{code}")

        page = answer.get_data(as_text=True)
        assert answer.status_code == 200, code
        assert "A draft: not to be used yet" in page
        cited = {part.partition('"')[0] for part in page.split('href="#source-')[1:]}
        listed = {part.partition('"')[0] for part in page.split('id="source-')[1:]}
        assert cited <= listed, code


def test_a_practitioner_approves_and_a_receptionist_cannot(
    signed_in: SignedIn, library: dict[str, int], rows: Callable[[], Session]
) -> None:
    url = f"/protocols/versions/{library['mn_rejuvenation']}/approve"

    refused = post(signed_in(), url)
    approved = post(signed_in(Role.PRACTITIONER), url)
    again = post(signed_in(Role.PRACTITIONER), url)

    assert (refused.status_code, approved.status_code, again.status_code) == (403, 303, 303)
    with rows() as db:
        states = db.scalars(sa.select(ProtocolVersion.state)).all()
    assert Counter(states) == {"draft": 20, "approved": 1}


def test_the_button_is_shown_only_to_who_may_press_it(signed_in: SignedIn, library: dict[str, int]) -> None:
    pages = {role: signed_in(role).get("/protocols/mn_rejuvenation").get_data(as_text=True)
             for role in (Role.RECEPTIONIST, Role.PRACTITIONER)}

    assert {role for role, page in pages.items() if "/approve" in page} == {Role.PRACTITIONER}


@pytest.mark.parametrize("url", ["/protocols/none", "/protocols/mn_rejuvenation?version=9", "/protocols/'--"])
def test_a_protocol_that_is_not_there_is_not_found(url: str, signed_in: SignedIn, library: dict[str, int]) -> None:
    assert signed_in().get(url).status_code == 404
