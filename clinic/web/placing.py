"""A visit that is picked up in the diary: what its card says, and the places where it can be put down."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from flask import abort, request, url_for

from clinic.access import Right
from clinic.care.parts import ResourceKind
from clinic.planning import Finding, Kind
from clinic.planning.local import MINUTE, local_of, zone
from clinic.queries.appointments import AppointmentPage, VisitSubject, appointment_page
from clinic.queries.diary import DiaryResource
from clinic.queries.places import Fitting, Places, offer_at, places
from clinic.queries.times import TimeOffer
from clinic.web.course_words import FITS, place_words
from clinic.web.diary_grid import ROW, GridColumn
from clinic.web.diary_words import MOVABLE
from clinic.web.entry import here
from clinic.web.kit import kit, now
from clinic.web.numbers import number_of
from clinic.web.words import clock, day, long_day, plural, short_day

TO_DIARY = "diary"
"""What `back` says in an address that was reached from the diary, and leads there again."""
LEAST_ROWS = 3
"""A place is a quarter of an hour high, to be pressed: of starts that lie closer, those between are left out."""
_AT = "%Y-%m-%dT%H:%MZ"


@dataclass(frozen=True, slots=True)
class PlaceWords:
    """A place in a column: where it lies, how far the visit would reach from there, and what it says.

    `before` and `after` are said around the time to who does not see where it lies.
    """

    ident: str
    top: int
    rows: int
    reach: int
    time: str
    before: str
    after: str
    tone: str
    moves_others: bool
    href: str


@dataclass(frozen=True, slots=True)
class ColumnPlaces:
    """The places of a column, which begins at that instant; `there` and a time lead to what speaks against it."""

    begins_at: str
    there: str
    places: tuple[PlaceWords, ...]


@dataclass(frozen=True, slots=True)
class PickedUp:
    """The card of a visit that is picked up. `ways` lead to days with places; `here` says what the shown ones have."""

    id: int
    name: str
    what: str
    time: str
    now: str
    held: str
    minutes: int
    window: str
    here: str
    ways: tuple[tuple[str, str, str, bool], ...]
    times_href: str
    put_back_href: str


@dataclass(frozen=True, slots=True)
class Placing:
    """A visit in hand, and its places on the days that are shown."""

    picked: AppointmentPage
    lies: Places

    def in_column(self, drawn: GridColumn) -> ColumnPlaces:
        """The places of one column, in order of time."""
        on, resource = drawn.column.day.on, drawn.column.resource
        found: list[PlaceWords] = []
        for each in self.lies.by_column.get((on, resource.id), ()):
            top = (each.starts_at - drawn.begins_at) // ROW
            if not found or top >= found[-1].top + LEAST_ROWS:
                found.append(self._words(each, top, resource))
        there = place_href(self.picked.appointment.id, None, resource.id)
        return ColumnPlaces(f"{drawn.begins_at:{_AT}}", there, tuple(found))

    def below(self, on: date, resource_id: int) -> str:
        """How many places a column has, and how its date lies in the window."""
        found = self.count(on, resource_id)
        fit = self._fit(on) if found else None
        return " · ".join([plural(found, "place") if found else "no place", *([fit.lower()] if fit else [])])

    def count(self, on: date, resource_id: int) -> int:
        """How many places there are on a day with that resource."""
        return len(self.lies.by_column.get((on, resource_id), ()))

    def _words(self, fitting: Fitting, top: int, resource: DiaryResource) -> PlaceWords:
        old, lies = self.picked.appointment, self.lies
        starts = local_of(fitting.starts_at, zone(old.zone))
        fit = lies.window.fit(starts.date()) if lies.window else None
        said = [resource.name, *([FITS[fit][0].lower()] if fit else [])]
        said += ["later sessions follow"] if fitting.moves_others else []
        return PlaceWords(
            ident=f"place-{resource.id}-{fitting.starts_at:%m%d%H%M}", top=top, rows=LEAST_ROWS,
            reach=max((old.local_end - old.local_start) // ROW, 1), time=clock(starts),
            before=f"{long_day(starts.date())}, ", after=f", {', '.join(said)}",
            tone="warn" if fitting.moves_others else FITS[fit][1] if fit else "ok", moves_others=fitting.moves_others,
            href=place_href(old.id, fitting.starts_at, resource.id))

    def _fit(self, on: date) -> str | None:
        return FITS[self.lies.window.fit(on)][0] if self.lies.window else None


def picked_up() -> AppointmentPage | None:
    """The visit that the address says is in hand, as far as it is one of this clinic and may be moved."""
    ident = number_of(request.args, "moving")
    if ident is None or not here().may(Right.BOOK):
        return None
    with kit().read() as db:
        found = appointment_page(db, ident)
    if found is None or found.subject.clinic_id != here().clinic_id or found.appointment.state not in MOVABLE:
        return None
    return found


def placing_of(
    db: Any, picked: AppointmentPage | None, first_on: date, days: int, by: ResourceKind
) -> Placing | None:
    """The visit in hand, if there is one, with its places on those days."""
    if picked is None:
        return None
    return Placing(picked, places(db, picked.appointment.id, first_on, days, kind=Kind(by), now=now()))


def card_of(placing: Placing, on: date, days: tuple[date, date], to: Callable[..., str], *, name: str) -> PickedUp:
    """What is said of the visit in hand on those days, from the first to the last, of which one was asked for."""
    picked, lies, old = placing.picked, placing.lies, placing.picked.appointment
    asked = (("Earlier", lies.before_on), ("Ideal", lies.window.ideal_on if lies.window else None),
             ("Later", lies.after_on))
    ways = [(words, day(its)[:-5], to(its), days[0] <= its <= days[1]) for words, its in asked if its]
    return PickedUp(
        id=old.id, name=name, what=_what(picked), time=clock(old.local_start),
        now=f"{day(old.local_start.date())[:-5]}, {clock(old.local_start)} – {clock(old.local_end)}",
        held=place_words(old), minutes=(old.local_end - old.local_start) // MINUTE, window=_window(lies),
        here=_here(lies), ways=tuple(ways),
        times_href=url_for("appointments.move", appointment_id=old.id, back=TO_DIARY),
        put_back_href=to(on, moving=None))


def _what(picked: AppointmentPage) -> str:
    subject = picked.subject
    if isinstance(subject, VisitSubject):
        return subject.what
    number = f"maintenance {subject.line.number}" if subject.of_maintenance else (
        f"{subject.line.number} of {len(subject.others)}")
    return f"{subject.line.treatment}, {number}"


def _window(lies: Places) -> str:
    if lies.window is None:
        return ""
    return f"{short_day(lies.window.earliest_on)} – {short_day(lies.window.latest_on)}"


def _here(lies: Places) -> str:
    if not lies.is_served:
        return "It needs nothing of this kind"
    found = sum(map(len, lies.by_column.values()))
    return f"{plural(found, 'place')} here" if found else "No place here"


def place_href(appointment_id: int, starts_at: datetime | None, resource_id: int) -> str:
    """Where a place leads: the old and the new time side by side; a script adds a time to one without."""
    asked: dict[str, Any] = {"with": resource_id, "at": f"{starts_at.astimezone(UTC):{_AT}}" if starts_at else None}
    return url_for("appointments.move", appointment_id=appointment_id, back=TO_DIARY, **asked)


def offer_there(appointment_id: int) -> TimeOffer | tuple[date, tuple[Finding, ...]] | None:
    """The time and resource that the address asks for, or their date and what speaks against them.

    None where it asks for none; 404 for what no page of ours asks.
    """
    given, resource_id = request.values.get("at", ""), number_of(request.values, "with")
    if not given:
        return None
    try:
        starts_at = datetime.strptime(given, _AT).replace(tzinfo=UTC)
    except ValueError:
        abort(404)
    if resource_id is None or not 2000 < starts_at.year < 2200:
        abort(404)
    found = _offer_at(appointment_id, starts_at, resource_id)
    return found if isinstance(found, TimeOffer) else (local_of(starts_at, here().clinic.zone).date(), found)


def offer_of(appointment_id: int, starts_at: datetime, resource_id: int) -> TimeOffer | None:
    """The visit at that time with that resource, where it fits there."""
    found = _offer_at(appointment_id, starts_at, resource_id)
    return found if isinstance(found, TimeOffer) else None


def _offer_at(appointment_id: int, starts_at: datetime, resource_id: int) -> TimeOffer | tuple[Finding, ...]:
    with kit().read() as db:
        return offer_at(db, appointment_id, starts_at, resource_id, now=now())


def is_from_diary() -> bool:
    """Whether the page was reached from the diary, and leads there again."""
    return request.values.get("back") == TO_DIARY


def moved_href(appointment_id: int, on: date) -> str:
    """The diary on the day of a visit that was just moved, from where it can be taken back."""
    return url_for("diary.show", day=on.isoformat(), moved=appointment_id)


def in_hand_href(appointment_id: int, on: date) -> str:
    """The diary on a day with that visit in hand."""
    return url_for("diary.show", day=on.isoformat(), moving=appointment_id)
