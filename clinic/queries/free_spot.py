"""With whom or what a time of the diary is, and when it is free on that day."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.parts import ResourceKind
from clinic.planning import Kind
from clinic.planning.local import MINUTE, day_of, local_of
from clinic.queries.diary import diary_of
from clinic.queries.spots import Spot
from clinic.store.clinics import Clinic
from clinic.store.resources import Device, Practitioner, Room


@dataclass(frozen=True, slots=True)
class FreeSpot:
    """A time as the planner takes it, what its resource is called, and when that is free on the day, in instants."""

    spot: Spot
    name: str = ""
    free: tuple[tuple[datetime, datetime], ...] = ()

    @property
    def until_at(self) -> datetime | None:
        """When the time that was pointed at ends; none where it is not free then."""
        return next((ends for begins, ends in self.free if begins <= self.spot.starts_at < ends), None)


def free_spot(
    db: Session, clinic_id: int, starts_at: datetime, resource_id: int | None, *, where: ZoneInfo, now: datetime
) -> FreeSpot:
    """That time; a resource that is not here is none, so that the time is with whoever is free."""
    known = _resource(db, clinic_id, resource_id) if resource_id is not None else None
    if known is None or resource_id is None:
        return FreeSpot(Spot(clinic_id, starts_at))
    kind, name = known
    found = diary_of(db, clinic_id, day_of(starts_at, where), 1, by=kind, where=where, now=now)
    free = next((each.free for each in found.columns if each.resource.id == resource_id), ())
    return FreeSpot(Spot(clinic_id, starts_at, resource_id, Kind(kind.value)), name, free)


def _resource(db: Session, clinic_id: int, resource_id: int) -> tuple[ResourceKind, str] | None:
    person, room, device = Practitioner.__table__, Room.__table__, Device.__table__
    rows = sa.union_all(
        sa.select(sa.literal(ResourceKind.PRACTITIONER.value), person.c.name)
        .where(person.c.id == resource_id, person.c.active),
        *(sa.select(sa.literal(kind.value), table.c.name)
          .where(table.c.id == resource_id, table.c.active, table.c.clinic_id == clinic_id)
          for kind, table in ((ResourceKind.ROOM, room), (ResourceKind.DEVICE, device))))
    found = db.execute(rows).first()
    return None if found is None else (ResourceKind(found[0]), found[1])


def next_start(db: Session, clinic_id: int, where: ZoneInfo, now: datetime) -> datetime:
    """The first reading of the clinic's clock from now on at which a visit may begin, without its zone."""
    step = db.scalars(sa.select(Clinic.start_step_minutes).where(Clinic.id == clinic_id)).one()
    here = local_of(now, where).replace(tzinfo=None, fold=0)
    begun = (here.hour * 60 + here.minute) % step
    wait = (step - begun) % step or (step if here.second or here.microsecond else 0)
    return here.replace(second=0, microsecond=0) + wait * MINUTE
