"""A running course takes over a newer version of its protocol, in a clinic of this file's own."""
from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from clinic.care.new_version import as_it_is, document_with
from clinic.care.protocols import Protocol as Content
from clinic.services.protocol_versions import draft_version
from clinic.services.protocols import approve_version
from clinic.store.courses import Course
from clinic.store.protocols import Protocol, ProtocolVersion
from tests.booking import done
from tests.browser.conftest import Enter
from tests.browser.site import Site
from tests.browser.soundness import is_sound

pytestmark = pytest.mark.browser


def approve_newer(site: Site) -> None:
    """A newer version of the course's protocol, with a longer ideal interval, is approved."""
    with site.rows() as db:
        row = db.execute(
            sa.select(ProtocolVersion.document, ProtocolVersion.number, Protocol.code)
            .join(Protocol).join(Course, Course.protocol_version_id == ProtocolVersion.id)
            .where(Course.id == site.course)).one()
    content = Content.from_document(row.document)
    wanted = as_it_is(content)
    document = document_with(content, replace(wanted, figures={
        **wanted.figures, "cycle[0].interval.ideal": content.interval.longest}))
    with site.clinic.work("manager") as work:
        number = done(draft_version(work, row.code, document, base=row.number))
    with site.rows() as db:
        version_id = db.scalars(sa.select(ProtocolVersion.id).join(Protocol).where(
            Protocol.code == row.code, ProtocolVersion.number == number)).one()
    with site.clinic.work("practitioner") as work:
        done(approve_version(work, version_id))


def test_a_practitioner_sees_what_would_change_and_takes_it_over(enter: Enter, site: Site) -> None:
    approve_newer(site)
    walker = enter("practitioner")
    page = walker.page
    page.goto(f"/courses/{site.course}")

    page.get_by_role("link", name="a newer one is approved").click()
    expect(page.locator("h1")).to_have_text("Take over the newer version")
    is_sound(walker, "take-over")
    page.get_by_role("button", name="Take over version 2").click()

    expect(page.get_by_text("The course follows the newer version now.")).to_be_visible()
    expect(page.get_by_text("a newer one is approved")).to_have_count(0)
