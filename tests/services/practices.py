"""What tests of the set-up share: two clinics, units of work, and what a peel is offered."""
from __future__ import annotations

from datetime import date

from sqlalchemy.engine import Engine

from clinic.services import clinics
from clinic.services.clinics import ClinicDetails, Hours
from clinic.services.work import Actor, UnitOfWork
from tests.booking import asked, done, offered
from tests.small_clinic import MONDAY, SmallClinic

WEEK = (0, 1, 2, 3, 4)
HILL = ClinicDetails(
    name="Hill", zone="Europe/London", address="Hill 1", phone="+44 1", sender_name="Harbour Skin",
    sender_email="desk@hill.example", hours=(Hours(WEEK, 540, 1080),))


def work(engine: Engine) -> UnitOfWork:
    """A unit of work on Monday."""
    return UnitOfWork(engine, lambda: MONDAY, Actor("test"))


def second_clinic(engine: Engine) -> int:
    """Another clinic of the same business."""
    with work(engine) as unit:
        return done(clinics.open_clinic(unit, HILL))


def peel_offers(made: SmallClinic) -> list[tuple[date, str, str]]:
    """The date, practitioner and room of each first peel that is offered."""
    offers = offered(made, asked(made, "peel_superficial", 1)).offers
    return [(visit.local_start.date(), visit.practitioner or "", visit.room or "")
            for offer in offers for visit in offer.visits]
