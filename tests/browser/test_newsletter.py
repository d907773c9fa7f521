"""The newsletter and the digest in the browser: every screen sound in light, dark and narrow, and usable without a
script."""
from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from clinic.store.newsletter import Subscriber
from clinic.store.outbox import Message
from tests.browser.conftest import Enter
from tests.browser.desk import Walker
from tests.browser.site import Site
from tests.browser.soundness import is_sound
from tests.services.newsroom import secret_in

pytestmark = pytest.mark.browser


def newest_mail(site: Site, email: str) -> bytes:
    """The last message to that address, once the worker has handed it over."""
    for _ in range(600):
        with site.rows() as db:
            mime = db.scalar(sa.select(Message.mime).where(Message.recipient == email, Message.state == "sent")
                             .order_by(Message.id.desc()).limit(1))
        if mime is not None:
            return mime
        time.sleep(0.1)
    raise AssertionError(f"nothing was sent to {email}")


def test_a_visitor_signs_up_confirms_and_stops_without_a_script(
    window: Callable[..., Page], shots: object, site: Site
) -> None:
    page = window(scripts=False, width=390)
    page.goto("/newsletter?language=en")
    page.get_by_label("Your e-mail address").fill("lena@home.example")
    page.get_by_label("Everyday tips").check()
    page.get_by_role("button", name="Send me the newsletter").click()
    expect(page.locator("h1")).to_have_text("Look into your mailbox")

    page.goto(f"/newsletter/opt-in/{secret_in(newest_mail(site, 'lena@home.example'))}?language=en")
    page.get_by_role("button", name="Yes, please send it").click()

    expect(page.locator("h1")).to_have_text("Thank you")
    with site.rows() as db:
        reader = db.scalars(sa.select(Subscriber).where(Subscriber.email == "lena@home.example")).one()
    assert (reader.state, reader.interests) == ("subscribed", ["tips"])


def test_the_public_pages_are_sound_in_both_languages(window: Callable[..., Page], shots: object) -> None:
    walker = Walker(window(), shots)  # type: ignore[arg-type]
    page = walker.page

    for language in ("en", "de"):
        page.goto(f"/newsletter?language={language}")
        is_sound(walker, f"newsletter-sign-up-{language}")
        page.goto(f"/newsletter/stop/{'x' * 43}?language={language}")
        is_sound(walker, f"newsletter-stop-{language}")
        page.goto(f"/newsletter/archive?language={language}")
        is_sound(walker, f"newsletter-archive-{language}")
    page.goto("/newsletter?language=en")
    page.get_by_label("Your e-mail address").fill("nobody")
    page.get_by_role("button", name="Send me the newsletter").click()
    is_sound(walker, "newsletter-sign-up-faults")


def test_an_edition_goes_from_the_draft_to_its_readers(enter: Enter, site: Site) -> None:
    with site.rows() as db:
        db.add_all(Subscriber(
            email=f"reader{each}@home.example", language="de" if each % 4 == 0 else "en", state="subscribed",
            asked_at=site.clock.now, consented_at=site.clock.now, consent_source="page",
            consent_wording="2027-1 en: Yes, send me the newsletter of Harbour Skin by e-mail.") for each in range(8))
        db.commit()
    walker = enter("manager")
    page = walker.page
    page.goto("/setup/newsletter")
    is_sound(walker, "newsletter-empty")

    page.get_by_role("link", name="New edition").click()
    is_sound(walker, "newsletter-new")
    page.get_by_role("button", name="Save the draft").click()
    is_sound(walker, "newsletter-new-faults")
    page.get_by_label("Name", exact=True).fill("Spring")
    page.locator("#en-subject").fill("Saturdays, and a hat")
    page.locator("#en-0-heading").fill("We open on Saturdays")
    page.locator("#en-0-text").fill("From May we are here on Saturdays, too.\n\nFrom nine to one.")
    page.locator("#en-0-label").fill("See the hours")
    page.locator("#en-0-address").fill("https://harbour.example/hours")
    page.get_by_role("button", name="Save the draft").click()
    walker.arrives_at("Spring")
    is_sound(walker, "newsletter-draft")
    page.get_by_role("button", name="Send me a test").click()
    assert b"Saturdays, and a hat" in newest_mail(site, "manager@harbour.example")
    page.get_by_role("link", name="Approve and send").click()
    is_sound(walker, "newsletter-approve")
    button = page.get_by_role("button", name=re.compile(r"Send it to \d+ readers"))
    number = int("".join(filter(str.isdigit, button.inner_text())))
    button.click()

    expect(page.locator("main")).to_contain_text(f"Approved for {number} readers")
    is_sound(walker, "newsletter-going-out")
    page.goto("/setup/newsletter/readers")
    is_sound(walker, "newsletter-readers")
    page.goto("/setup/newsletter")
    is_sound(walker, "newsletter-editions")
    page.goto("/newsletter/archive/1?language=en")
    is_sound(walker, "newsletter-edition-public")


def test_the_page_of_the_digest_is_sound(enter: Enter) -> None:
    walker = enter()
    page = walker.page
    page.goto("/account/digest")
    is_sound(walker, "digest")

    wanted, save = page.get_by_label("Send me each morning what waits"), page.get_by_role("button", name="Save")
    wanted.check()
    with page.expect_navigation():
        save.click()
    expect(wanted).to_be_checked()
    wanted.uncheck()
    with page.expect_navigation():
        save.click()
    expect(wanted).not_to_be_checked()
