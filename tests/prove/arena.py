"""Two small clinics with little room, open where the clocks change; a new copy of one for each run of the machine."""
from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.store.clinics import Business, OpeningHours
from clinic.store.engine import for_writing
from clinic.store.resources import Patient, Practitioner, Room, RotaSpan
from tests.databases import Databases
from tests.engines import kept_engine, lent_engine
from tests.imprint import Imprint, press, taken
from tests.small_clinic import SmallClinic, small_clinic

HORIZON_DAYS = 95
"""So near that the later sessions of a longer course are left undated."""
PROTOCOLS = ("mn_rejuvenation", "ipl_photorejuvenation", "peel_superficial", "combo_mn_peel", "mn_prp", "rfmn_laxity")


@dataclass(frozen=True)
class Hours:
    """When a clinic is open: weekday, and minutes of its day; and the spans with half an hour's break somewhere."""

    zone: str
    opens: tuple[tuple[int, int, int], ...]
    breaks: tuple[tuple[int, int, int], ...] = ()


CLINICS = {
    # Open while the hour is skipped in March and repeated in October, on a Sunday at one.
    "london": Hours("Europe/London", ((1, 540, 840), (3, 720, 1080), (6, 0, 300)), ((1, 660, 780),)),
    # Half an hour's change, on a Sunday at two in April and October, inside a shift that began on Saturday.
    "lord-howe": Hours("Australia/Lord_Howe", ((2, 1200, 1560), (5, 1320, 1860)), ((2, 1320, 1440),)),
}


class Arena:
    """The clinics' databases of one kind, each built once and copied for every run; and what the runs came across."""

    def __init__(self, databases: Databases) -> None:
        self.databases = databases
        self.tally: Counter[str] = Counter()
        self._built: dict[str, tuple[SmallClinic, Imprint]] = {}

    def fresh(self, name: str) -> tuple[str, SmallClinic]:
        """The address of a new copy, and the clinic in it."""
        if name not in self._built:
            self._built[name] = self._build(CLINICS[name])
        made, imprint = self._built[name]
        url = self.databases.migrated()
        fresh = made.on(kept_engine(url))
        with for_writing(fresh.engine).begin() as connection:
            press(connection, imprint)
        return url, fresh

    def remove(self, url: str, made: SmallClinic) -> None:
        """Give up a copy."""
        made.engine.dispose()
        self.databases.remove(url)

    def _build(self, hours: Hours) -> tuple[SmallClinic, Imprint]:
        url = self.databases.migrated()
        with lent_engine(url) as engine:
            made = small_clinic(engine, zone=hours.zone, horizon=HORIZON_DAYS, patients=4)
            with Session(for_writing(engine)) as db:
                _tighten(db, made, hours)
                db.commit()
            with engine.connect() as connection:
                built = made, taken(connection)
        self.databases.remove(url)
        return built


def _tighten(db: Session, made: SmallClinic, hours: Hours) -> None:
    """Few hours, two practitioners, and one room for nearly everything; one patient has no e-mail address."""
    db.execute(sa.delete(OpeningHours))
    db.execute(sa.delete(RotaSpan).where(RotaSpan.clinic_id.is_(None)))
    rotas = db.scalars(sa.select(RotaSpan.rota_id).distinct()).all()
    db.execute(sa.delete(RotaSpan))
    for weekday, opens, closes in hours.opens:
        db.add(OpeningHours(clinic_id=made.clinic_id, weekday=weekday, opens=opens, closes=closes))
        db.add_all(RotaSpan(rota_id=each, weekday=weekday, opens=opens, closes=closes, clinic_id=made.clinic_id)
                   for each in rotas)
    for weekday, opens, closes in hours.breaks:
        db.add_all(RotaSpan(rota_id=each, weekday=weekday, opens=opens, closes=closes, break_minutes=30)
                   for each in rotas)
    db.get_one(Room, made.rooms[1]).features = []
    db.get_one(Practitioner, made.practitioners[2]).active = False
    db.get_one(Patient, made.patients[3]).email = None
    db.get_one(Business, 1).mail_on_since = made.now
