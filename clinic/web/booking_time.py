"""The free time that somebody is booking: read from the address, and carried on by it."""
from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from flask import request, url_for

from clinic.planning.local import resolve
from clinic.queries.free_spot import next_start
from clinic.queries.times import TimeOffer
from clinic.web.days import FARTHEST
from clinic.web.entry import here, today
from clinic.web.kit import kit, now
from clinic.web.numbers import number_of


@dataclass(frozen=True, slots=True)
class AskedTime:
    """A reading of the clinic's clock, and with whom or what; `walk_in` says that the patient is here already.

    `first_id` is the patient beside whom somebody else is looked for.
    """

    at: datetime
    resource_id: int | None
    walk_in: bool
    first_id: int | None = None

    @property
    def starts_at(self) -> datetime:
        """The instant that is meant."""
        return resolve(self.at, here().clinic.zone)

    @property
    def day(self) -> date:
        """Its date at the clinic."""
        return self.at.date()

    def fields(self) -> dict[str, Any]:
        """What a form or an address says that carries it on."""
        found = {"at": f"{self.at:%Y-%m-%dT%H:%M}", "with": self.resource_id, "walk_in": "yes" if self.walk_in else "",
                 "first": self.first_id}
        return {name: value for name, value in found.items() if value}

    def beside(self, patient_id: int) -> AskedTime:
        """The same, with somebody looked for beside that patient."""
        return replace(self, first_id=patient_id)

    def alone(self) -> AskedTime:
        """The same, with nobody else looked for."""
        return replace(self, first_id=None)

    def chosen(self, patient_id: int) -> str:
        """Where a patient who was found leads: to what fits for them, or to both together."""
        if self.first_id is None:
            return self.address(patient=patient_id)
        return self.together(self.first_id, second=patient_id)

    def together(self, patient_id: int, **more: Any) -> str:
        """The panel of two visits together, for that patient and somebody else."""
        return url_for("diary.together", **{**self.fields(), "first": None, "patient": patient_id, **more})

    def address(self, **more: Any) -> str:
        """The panel at this time, with what else is known; what is empty is left out."""
        asked = {**self.fields(), **more}
        return url_for("diary.book", **{name: value for name, value in asked.items() if value not in ("", None)})

    def to(self, offer: TimeOffer) -> AskedTime:
        """Another time that fits, with whom the offer names where somebody was named."""
        taken = offer.resource_ids
        keeps = self.resource_id is None or self.resource_id in taken
        return replace(self, at=offer.local_start.replace(tzinfo=None, fold=0),
                       resource_id=self.resource_id if keeps else None)

    def diary(self, **more: Any) -> str:
        """The day in the diary."""
        return url_for("diary.show", day=self.day.isoformat(), **more)


def asked_time() -> AskedTime:
    """The time that the address or the form names; where none of sense is named, the next one from now on."""
    walk_in = bool(request.values.get("walk_in"))
    at = _at(request.values.get("at", "")) or _at(f"{request.values.get('day', '')}T{request.values.get('time', '')}")
    if at is None or abs(at.date() - today()) > FARTHEST:
        with kit().read() as db:
            at = next_start(db, here().clinic_id, here().clinic.zone, now())
    return AskedTime(at, number_of(request.values, "with"), walk_in, number_of(request.values, "first"))


def _at(text: str) -> datetime | None:
    try:
        return datetime.strptime(text[:16], "%Y-%m-%dT%H:%M")  # noqa: DTZ007  (a reading of the clock)
    except ValueError:
        return None
