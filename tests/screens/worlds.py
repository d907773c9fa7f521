"""Three clinics to look at: the first day of one, one that lives, and one that is full to the brim."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NoReturn

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.app import Kit
from clinic.care.owner_facts import Owner
from clinic.demo.build import build
from clinic.demo.large import build_large
from clinic.demo.people import PORTO
from clinic.messages.mailbox import MailboxTransport
from clinic.services.clinics import ClinicDetails, Hours
from clinic.services.delivery import Courier
from clinic.services.first_run import FirstRun, begin, setup_code
from clinic.services.mail import let_go
from clinic.services.passwords import hash_password
from clinic.services.work import Actor, Done
from clinic.services.workers import enlist
from clinic.settings import Settings
from clinic.store.accounts import Account, AccountRole
from clinic.store.clinics import Clinic
from clinic.store.engine import for_writing, open_engine
from clinic.store.migrate import upgrade
from clinic.store.resources import Patient
from clinic.web import create_app
from clinic.web.entry import public
from tests.benchmarks.years import fill_years
from tests.my_links import new_secret
from tests.screens.fullness import fill_to_the_brim, publish
from tests.screens.names import names_of
from tests.screens.rare import add_what_is_rare
from tests.serving import serving

KEY, PASSWORD = "k" * 64, "seven quiet herons"
NOW = datetime(2027, 3, 3, 10, 40, tzinfo=UTC)
"""A Wednesday in the middle of the morning."""
BORN = date(1985, 3, 7)
STATES = ("empty", "normal", "full")
_ROLES = ("receptionist", "practitioner", "manager", "administrator")


@dataclass
class World:
    """Where it answers, the app, what addresses are completed with, and who opens what."""

    state: str
    url: str
    app: Flask
    kit: Kit
    names: dict[str, object]
    accounts: dict[str, str]

    def account(self, role: str) -> str:
        """The address of who has that role; where nobody has, of the one person who does everything."""
        return self.accounts.get(role, self.accounts.get("owner", ""))


@contextmanager
def served(state: str, folder: Path) -> Iterator[World]:
    """The clinic in that state, answering until the block ends; `new` is one that nobody has set up."""
    engine = open_engine(f"sqlite:///{folder / state}.db", durable=False)
    upgrade(engine)
    kit = Kit(Settings(folder, str(engine.url), KEY, "http://127.0.0.1"), engine, lambda: NOW, MailboxTransport)
    clinic_id, accounts = _BUILT[state](kit)
    names = _names(kit, clinic_id) if clinic_id else {"code": setup_code(KEY)}
    app = create_app(kit)
    app.add_url_rule("/broken", "broken", public(_break))
    if clinic_id:
        with kit.work(Actor("screens")) as work:
            enlist(work, "screens", "this-machine")
    try:
        with serving(app) as url:
            yield World(state, url, app, kit, names, accounts)
    finally:
        engine.dispose()


def _break() -> NoReturn:
    raise RuntimeError("a page that is broken on purpose")


def _names(kit: Kit, clinic_id: int) -> dict[str, object]:
    with Session(kit.engine) as db:
        names = names_of(db, clinic_id, NOW)
    if "course" in names:
        with Session(for_writing(kit.engine)) as db:
            db.get_one(Patient, names["patient"]).birth_on = BORN
            clinic = db.get_one(Clinic, clinic_id)
            clinic.patients_move = clinic.patients_cancel = "at-once"
            clinic.out_of_hours_phone, clinic.emergency_phone = "+351 22 010 0199", "112"
            db.execute(sa.update(Account).where(Account.email.like("practitioner@%"))
                       .values(practitioner_id=names["practitioner"]))
            db.commit()
        with kit.work(Actor("screens")) as work:
            names["secret"] = new_secret(work, Owner("course", int(str(names["course"]))))
    return {"reader": "x" * 43, **names}


def _new(kit: Kit) -> tuple[int, dict[str, str]]:
    return 0, {}


def _empty(kit: Kit) -> tuple[int, dict[str, str]]:
    """What the page of the first run makes, and nothing else."""
    details = ClinicDetails(
        name="Harbour Street", zone="Europe/Lisbon", address="1 Harbour Street", phone="+351 22 010 0140",
        sender_name="Harbour Skin", sender_email="desk@harbour.example", hours=(Hours((0, 1, 2, 3, 4), 540, 1080),))
    first = FirstRun("Harbour Skin", details, "Anna Bell", "owner@harbour.example", PASSWORD, treats=True)
    with kit.work(Actor("visitor")) as work:
        outcome = begin(work, first)
    assert isinstance(outcome, Done)
    return outcome.value.clinic_id, {"owner": first.email}


def _normal(kit: Kit) -> tuple[int, dict[str, str]]:
    """The clinic of `clinic demo`, on the morning of NOW, with a newsletter."""
    demo = build(kit.engine, now=NOW)
    clinic_id = demo.sites[PORTO]
    accounts = _let_in(kit.engine, clinic_id, "atlantic-skin.example")
    publish(kit, clinic_id, "Spring at Atlantic Skin", readers=8)
    with Session(kit.engine) as db:
        shown = int(str(names_of(db, clinic_id, NOW)["course"]))
    add_what_is_rare(kit, clinic_id, shown, NOW)
    return clinic_id, accounts


def _large(kit: Kit) -> tuple[int, dict[str, str]]:
    """The clinic of `clinic demo --large`: the busiest of its sites."""
    demo = build_large(kit.engine, now=NOW)
    clinic_id = min(demo.sites.values())
    with kit.work(Actor("screens")) as work:
        let_go(work)
    courier = Courier(lambda: kit.work(Actor("screens")), MailboxTransport(), "screens")
    courier.deliver_due(1000)
    return clinic_id, _let_in(kit.engine, clinic_id, "atlantic-skin.example")


def _full(kit: Kit) -> tuple[int, dict[str, str]]:
    """Half a year of twelve practitioners and 300 patients, and words that are hard to place everywhere."""
    years = fill_years(kit.engine, 0.8, practitioners=12, patients=300)
    clinic_id = years.made.clinic_id
    accounts = _let_in(kit.engine, clinic_id, "harbour.example")
    with Session(kit.engine) as db:
        names = names_of(db, clinic_id, NOW)
    fill_to_the_brim(kit, clinic_id, names, NOW)
    return clinic_id, accounts


def _let_in(engine: Engine, clinic_id: int, domain: str) -> dict[str, str]:
    """Everybody has the same password; who has no account yet gets one, and the owner manages every clinic."""
    accounts = {role: f"{role}@{domain}" for role in (*_ROLES, "owner")}
    if domain.startswith("atlantic"):
        accounts["receptionist"] = f"reception@{domain}"
    with Session(for_writing(engine)) as db:
        known = set(db.scalars(sa.select(Account.email)))
        clinics = db.scalars(sa.select(Clinic.id)).all()
        for role, email in accounts.items():
            if email not in known:
                account = Account(email=email, name=role.title(), password_hash="-", created_at=NOW)
                db.add(account)
                db.flush()
                db.add_all(AccountRole(account_id=account.id, clinic_id=each,
                                       role="manager" if role == "owner" else role) for each in clinics)
        db.execute(sa.update(Account).values(password_hash=hash_password(PASSWORD)))
        db.commit()
    return accounts


_BUILT: dict[str, Callable[[Kit], tuple[int, dict[str, str]]]] = {
    "new": _new, "empty": _empty, "normal": _normal, "full": _full, "large": _large}
