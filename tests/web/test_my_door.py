"""The door to the patient's page: fetching it does nothing, one button opens it, and what does not open says so."""
from __future__ import annotations

import json
import logging
import random
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask

from clinic.app import Kit
from clinic.logs import JsonLines
from clinic.services.accounts import hash_of
from clinic.services.links import revoke_links
from clinic.services.work import Actor
from clinic.store.accounts import AuditEntry
from clinic.store.clinics import Clinic
from clinic.store.links import Link, PatientBrowser
from clinic.store.outbox import MessageItem
from clinic.store.resources import Patient
from tests.web.checksums import checksum
from tests.web.conftest import FixedClock, token
from tests.web.my_patients import MyClinic, my_clinic, text


@pytest.fixture
def clinic(app: Flask, kit: Kit) -> MyClinic:
    return my_clinic(app, kit)


def addresses(clinic: MyClinic) -> dict[str, str]:
    """A link of every fate: one that opens, one that was used, one that ended, one taken back, and one made up."""
    found = {name: clinic.secret() for name in ("open", "used", "expired", "revoked")}
    browser = clinic.app.test_client()
    page = text(browser.get(f"/l/{found['used']}"))
    browser.post(f"/l/{found['used']}", data={"csrf_token": token(browser, page)})
    with clinic.rows() as db:
        for name, field in (("expired", "expires_at"), ("revoked", "revoked_at")):
            db.execute(sa.update(Link).where(Link.secret_hash == hash_of(found[name])).values({field: clinic.made.now}))
        db.commit()
    return {**{name: f"/l/{secret}" for name, secret in found.items()}, "made-up": f"/l/{'x' * 43}"}


def test_a_link_that_machines_fetch_a_hundred_times_changes_nothing_whatever_its_fate(clinic: MyClinic) -> None:
    fates = addresses(clinic)
    browser = clinic.app.test_client()
    before = checksum(clinic.kit.engine)

    for address in fates.values():
        for _ in range(100):
            browser.get(address)
            browser.head(address)
            browser.get(f"{address}?asked=1&_method=POST")

    assert checksum(clinic.kit.engine) == before
    with clinic.rows() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(PatientBrowser)) == 1


def test_each_fate_of_a_link_is_said_kindly_and_lets_nobody_in_that_it_should_not(clinic: MyClinic) -> None:
    said = {
        "open": (200, "This opens your private page"), "used": (200, "This link was first opened on "),
        "expired": (410, "This link has ended"), "revoked": (410, "This link does not open any more"),
        "made-up": (404, "This link does not work"),
    }
    for name, address in addresses(clinic).items():
        browser = clinic.app.test_client()

        answer = browser.get(address)
        posted = browser.post(address, data={"csrf_token": token(browser) if "csrf_token" not in text(answer)
                                             else token(browser, text(answer))})

        assert (answer.status_code, said[name][1] in text(answer)) == (said[name][0], True), name
        assert urlsplit(posted.location).path == ("/my" if said[name][0] == 200 else address), name
        assert browser.get("/my").status_code == (200 if said[name][0] == 200 else 401), name


def test_the_neutral_page_names_no_patient_no_time_and_no_treatment(clinic: MyClinic) -> None:
    with clinic.rows() as db:
        patient = db.get_one(Patient, clinic.made.patients[0])
    page = text(clinic.app.test_client().get(f"/l/{clinic.secret()}"))

    told = [patient.given_name, patient.family_name, patient.email or "-", "2027", "March", ":00", "Session", "Dr ",
            "needling", "treatment", "appointment"]
    assert [word for word in told if word in page] == []


def test_who_holds_a_link_that_does_not_open_or_comes_late_reads_a_number_to_call(
    clinic: MyClinic, clock: FixedClock
) -> None:
    late, fates = clinic.entered(), addresses(clinic)
    nobody = clinic.app.test_client()
    clock.move(timedelta(minutes=21))

    pages = {name: text(nobody.get(fates[name])) for name in ("expired", "revoked", "made-up")}
    pages |= {"late": text(late.get("/my")), "without": text(nobody.get("/my"))}
    with clinic.rows() as db:
        second = Clinic(name="Old Town", zone="Europe/London", address="2 Old Street", phone="+44 20 7946 0555",
                        sender_name="Old Town", sender_email="desk@old.example", booking_horizon_days=90)
        db.add(second)
        db.commit()
    of_two = {name: text(nobody.get(fates[name])) for name in ("expired", "revoked", "made-up")}
    of_two |= {"late": text(late.get("/my")), "without": text(nobody.get("/my"))}

    line, told = 'href="tel:+442079460000"', "+44\u00a020\u00a07946\u00a00000"
    assert {name: (line in page, told in page) for name, page in pages.items()} == dict.fromkeys(pages, (True, True))
    # Where there are several clinics, only the link that was ours says which.
    assert {name: "tel:" in page for name, page in of_two.items()} == {
        "expired": True, "revoked": True, "late": True, "made-up": False, "without": False}
    assert not any("0555" in page or "Ana" in page for page in (*pages.values(), *of_two.values()))


def test_a_link_with_any_sign_of_it_changed_opens_nothing(clinic: MyClinic) -> None:
    secret = clinic.secret()
    chance = random.Random(5)
    signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    altered = {secret[:at] + chance.choice(signs.replace(secret[at], "")) + secret[at + 1:] for at in range(43)}
    altered |= {secret[:-1], secret + "A", secret.swapcase(), secret[::-1], f" {secret}", secret + "%00"}
    browser = clinic.app.test_client()
    before = checksum(clinic.kit.engine)

    answers = {browser.get(f"/l/{each}").status_code for each in altered}
    csrf = token(browser)
    led = {urlsplit(browser.post(f"/l/{each}", data={"csrf_token": csrf}).location).path for each in altered}

    assert (answers, "/my" in led, checksum(clinic.kit.engine) == before) == ({404}, False, True)


def test_the_secret_is_in_no_log_line_no_audit_entry_and_no_address_that_follows(
    clinic: MyClinic, caplog: pytest.LogCaptureFixture
) -> None:
    secret = clinic.secret()
    browser = clinic.app.test_client()
    with caplog.at_level(logging.DEBUG):
        door = browser.get(f"/l/{secret}")
        browser.head(f"/l/{secret}")
        entered = browser.post(f"/l/{secret}", data={"csrf_token": token(browser, text(door))})
        pages = [browser.get("/my"), browser.get("/my/settings"), browser.get(f"/l/{secret}/more")]

    lines = [JsonLines().format(record) for record in caplog.records]
    assert secret not in "\n".join(lines)
    assert json.loads(lines[0])["ids"] == {"secret": "masked"}
    assert entered.location == "/my"
    assert {page.headers["Referrer-Policy"] for page in (door, entered, *pages[:2])} == {"no-referrer"}
    assert {(page.headers["Cache-Control"], page.headers["X-Robots-Tag"]) for page in (door, entered, *pages)} == {
        ("no-store", "noindex, nofollow")}
    assert not [page for page in pages if secret in text(page)]
    with clinic.rows() as db:
        assert secret not in str(db.execute(sa.select(AuditEntry.__table__)).all())


def test_a_link_that_staff_take_back_shuts_out_who_is_in(clinic: MyClinic) -> None:
    browser, other = clinic.entered(), clinic.entered(1)

    with clinic.kit.work(Actor("test")) as work:
        assert revoke_links(work, clinic.made.patients[0]).value == 1

    assert (browser.get("/my").status_code, other.get("/my").status_code) == (401, 200)


def test_each_page_speaks_the_patients_language_or_that_of_the_browser(clinic: MyClinic) -> None:
    with clinic.rows() as db:
        db.get_one(Patient, clinic.made.patients[0]).language = "de"
        db.commit()
    browser = clinic.app.test_client()
    german = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}

    pages = [browser.get(f"/l/{clinic.secret()}"), browser.get(f"/l/{'x' * 43}", headers=german),
             browser.get("/my", headers=german), browser.get(f"/l/{'x' * 43}")]

    assert ["Weiter" in text(pages[0]), "führt nirgendwohin" in text(pages[1]), "geschlossen" in text(pages[2]),
            "does not work" in text(pages[3])] == [True] * 4
    assert ['<html lang="de">' in text(page) for page in pages] == [True, True, True, False]


def test_a_form_from_another_site_opens_nothing(clinic: MyClinic) -> None:
    browser = clinic.app.test_client()
    address = f"/l/{clinic.secret()}"
    csrf = token(browser, text(browser.get(address)))

    def sent(**headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return browser.post(address, data={"csrf_token": csrf}, headers=named).status_code

    assert sent(Sec_Fetch_Site="cross-site", Origin="null") == 400
    assert sent(Origin="https://evil.example") == 400
    assert browser.post(address, data={"csrf_token": "no"}).status_code == 400
    assert sent(Sec_Fetch_Site="same-origin", Origin="null") == 303


def test_an_idle_browser_is_out_after_twenty_minutes_and_a_used_one_stays(clinic: MyClinic, clock: FixedClock) -> None:
    browser = clinic.entered()
    clock.move(timedelta(minutes=19))
    first = browser.get("/my").status_code
    clock.move(timedelta(minutes=19))
    second = browser.get("/my").status_code
    clock.move(timedelta(minutes=20))

    ended = browser.get("/my")

    assert (first, second, ended.status_code) == (200, 200, 401)
    assert "Your page is closed" in text(ended)


def test_asking_for_a_fresh_link_says_the_same_whatever_becomes_of_it(clinic: MyClinic) -> None:
    fates = addresses(clinic)
    with clinic.rows() as db:
        db.get_one(Patient, clinic.made.patients[0]).email = "known@example.com"
        db.commit()
    answers = {}
    for name in ("expired", "revoked", "made-up"):
        browser = clinic.app.test_client()
        browser.get(fates[name])
        csrf = token(browser)
        for _ in range(4):
            answer = browser.post(f"{fates[name]}/fresh", data={"csrf_token": csrf, "email": "evil@example.com"})
        answers[name] = (answer.status_code, urlsplit(answer.location).query)
        said = text(browser.get(answer.location))
        assert ("If we can write to you" in said, "evil@" in said, "known@" in said) == (True, False, False), name

    assert set(answers.values()) == {(303, "asked=1")}
    with clinic.rows() as db:
        asked = db.scalars(sa.select(MessageItem.owner_id).where(MessageItem.kind == "fresh-link")).all()
    assert asked == [clinic.made.patients[0]] * 3
