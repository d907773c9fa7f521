"""A small real clinic behind the app, with somebody at its desk."""
from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser

import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from clinic.app import Kit
from clinic.store.accounts import Account
from clinic.store.engine import for_writing
from tests.small_clinic import SmallClinic, small_clinic
from tests.web import seed
from tests.web.apps import kept_app
from tests.web.conftest import FixedClock, post, sign_in

PROTOCOL = "rfmn_laxity"
HEALTHY = {"indication": "mild_laxity", "laxity": "none", "none_apply": "yes", "sessions": "3", "practitioner": "",
           "not_before": "2027-03-01"}


@dataclass
class Desk:
    """The clinic, and a browser of the role that was asked for."""

    clinic: SmallClinic
    kit: Kit
    role: str
    browser: FlaskClient

    @property
    def patient(self) -> int:
        """The patient that courses are booked for."""
        return self.clinic.patients[0]

    def asked(self, **changed: str) -> dict[str, str]:
        """What the form of a new course sends."""
        return {"patient": str(self.patient), "protocol": PROTOCOL, "version": str(self.clinic.versions[PROTOCOL]),
                **HEALTHY, **changed}

    def plans(self, **changed: str) -> TestResponse:
        """Asks for plans."""
        return post(self.browser, "/courses/new/plans", self.asked(**changed))

    def course(self, reasons: Mapping[str, str] | None = None, /, **changed: str) -> int:
        """A course booked with the best plan; `reasons` go past warnings."""
        told = {f"override-{code}": reason for code, reason in (reasons or {}).items()}
        plan = offered_plans(self.plans(**changed))[0]
        answer = post(self.browser, "/courses", {**self.asked(**changed), **told, "plan": plan})
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return int(answer.headers["Location"].rpartition("/")[2])

    def later(self, clock: FixedClock, by: timedelta) -> None:
        """Time passes, and whoever stands at the desk signs in again."""
        clock.move(by)
        self.browser = enter(self.kit, self.role)

    def rows(self) -> Session:
        """A database session for what a test looks up or prepares."""
        return Session(for_writing(self.kit.engine), expire_on_commit=False)


def open_desk(kit: Kit, role: str = "receptionist") -> Desk:
    """Builds the clinic in the kit's database, and signs in with that role."""
    made = small_clinic(kit.engine)
    with Session(for_writing(kit.engine)) as db:
        db.execute(sa.update(Account).values(password_hash=seed.PASSWORD_HASH))
        db.commit()
    return Desk(made, kit, role, enter(kit, role))


def enter(kit: Kit, role: str) -> FlaskClient:
    """Another browser, signed in with that role."""
    browser = kept_app(kit).test_client()
    assert sign_in(browser, f"{role}@harbour.example").status_code == 303
    return browser


def offered_plans(answer: TestResponse) -> list[str]:
    """What the form sends for each plan of the page, in order."""
    return [unescape(found) for found in re.findall(r'name="plan" value="([^"]+)"', answer.get_data(as_text=True))]


def field(answer: TestResponse, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', answer.get_data(as_text=True))
    assert found is not None, name
    return unescape(found[1])


def texts(answer: TestResponse, css: str) -> list[str]:
    """The text of each element of that class, with its white space folded."""
    reader = _Texts(css)
    reader.feed(answer.get_data(as_text=True))
    return reader.found


_VOID = frozenset({"input", "meta", "link", "br", "hr", "img"})


class _Texts(HTMLParser):
    def __init__(self, css: str) -> None:
        super().__init__()
        self.css, self.depth, self.found, self.parts = css, 0, list[str](), list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            return
        if self.depth:
            self.depth += 1
        elif self.css in (dict(attrs).get("class") or "").split():
            self.depth, self.parts = 1, []

    def handle_endtag(self, tag: str) -> None:
        if not self.depth or tag in _VOID:
            return
        self.depth -= 1
        if not self.depth:
            self.found.append(" ".join(" ".join(self.parts).split()))

    def handle_data(self, data: str) -> None:
        if self.depth:
            self.parts.append(data)
