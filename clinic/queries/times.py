"""Other times for one session: what a move or a booking may choose from."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from clinic.care.windows import Fit, Window
from clinic.planning import UNWILLING, Kind, Pin, PlannedSession, Problem, judge_patient, placed_at, starts, why_none
from clinic.planning.local import DAY, day_of, local_of, zone
from clinic.queries.offers import names_of
from clinic.queries.rest_of_course import Rest, rest_of_course
from clinic.queries.series import series_of
from clinic.queries.visit_choice import VisitChoice
from clinic.store.clinics import Clinic
from clinic.store.courses import TreatmentSession

MOST_DAYS = 42


@dataclass(frozen=True, slots=True)
class TimeOffer:
    """One time that fits, with whom and where, and how its date lies in the window.

    With `moves_others`, later sessions of the course cannot all stay inside their windows where they are. `unwilling`
    says what the patient keeps to otherwise, where it fits only if they agree.
    """

    number: int
    starts_at: datetime
    ends_at: datetime
    local_start: datetime
    local_end: datetime
    resource_ids: tuple[int, ...]
    practitioner: str | None
    room: str | None
    device: str | None
    fit: Fit | None
    gap_days: int | None
    moves_others: bool = False
    unwilling: str = ""

    @property
    def choice(self) -> str:
        """What a form sends back for this time."""
        return str(VisitChoice(self.number, self.starts_at, self.resource_ids))


@dataclass(frozen=True, slots=True)
class Beyond:
    """What lies beyond days that have nothing: the first time after them, and the last one before them where that is
    too late or there is none. Without a first one `why` says what stands in the way until the last day that is booked.
    """

    first: TimeOffer | None
    before: TimeOffer | None
    until_on: date
    why: str = ""


@dataclass(frozen=True, slots=True)
class TimesPage:
    """The times of some days that keep the rest of the course possible, in order; none: why. `keeps` says at which
    times alone the patient comes, where they asked for that."""

    times: tuple[TimeOffer, ...]
    from_on: date
    to_on: date
    window: Window | None
    reason: str | None
    keeps: str = ""
    beyond: Beyond | None = None


def offer_times(
    db: Session, treatment_session_id: int, *, now: datetime, from_on: date | None = None, days: int = 14,
    practitioner_id: int | None = None, asking: bool = False, look_on: bool = False,
) -> TimesPage:
    """Every start of the session in those days for which the whole course remains possible, in order. `asking`: also
    those outside the only times of the patient. `look_on`: where there is none, what lies beyond those days.

    Those that later sessions have to follow are marked. Too late is shown as such; too early never is offered. Without
    `from_on` the days begin with the window; none lies past the clinic's booking horizon.
    """
    row = db.get_one(TreatmentSession, treatment_session_id)
    series = series_of(db, row, now=now)
    target = series.place(row.id)
    clinic = db.get_one(Clinic, series.course.clinic_id)
    where = zone(clinic.zone)
    window = dict(zip((place.row.id for place in series.places), series.windows(), strict=True))[row.id]
    today = day_of(now, where)
    bookable_to = today + timedelta(days=clinic.booking_horizon_days - 1)
    wanted_on = max(today, from_on or (window.earliest_on if window else today))
    first_on = min(wanted_on, bookable_to)
    last_on = min(first_on + timedelta(days=min(max(days, 1), MOST_DAYS) - 1), bookable_to)
    too_soon = series.not_before_on is not None and series.not_before_on > last_on
    reason = _too_soon(series.not_before_on) if too_soon and series.not_before_on else (
        books_until(clinic, bookable_to) if wanted_on > bookable_to else None)
    if too_soon and not look_on:
        return TimesPage((), first_on, last_on, window, reason)
    rest = rest_of_course(db, series, now=now)
    sought = Sought(tuple(ways_to_ask(rest, row.number)), row.number, window, practitioner_id, asking)
    times = sought.times(first_on, last_on)
    own_at = target.appointment.starts_at if target.appointment else None
    beyond = sought.beyond((first_on, last_on), (today, bookable_to), own_at) if (
        look_on and no_other(times, own_at)) else None
    return TimesPage(times, first_on, last_on, window, None if times else reason, keeps_to(rest.problem), beyond)


def no_other(times: Sequence[TimeOffer], own_at: datetime | None) -> bool:
    """Whether there is no time besides the one that the visit has."""
    return all(each.starts_at == own_at for each in times)


def books_until(clinic: Clinic, bookable_to: date) -> str:
    """Why there is nothing after the last day that the clinic books."""
    return f"{clinic.name} books until {bookable_to:%d %B %Y}"


@dataclass(frozen=True, slots=True)
class WayToAsk:
    """One session among the others as a problem, in which it is this step; with `moves_others` later ones follow it."""

    problem: Problem
    step: int
    moves_others: bool = False

    @property
    def asking(self) -> WayToAsk:
        """The same if the patient agrees to times at which they do not come otherwise."""
        return replace(self, problem=self.problem.asking)


@dataclass(frozen=True, slots=True)
class Sought:
    """A session or a visit whose time is sought, with that practitioner alone where one is named; each start is offered
    as the first of its ways has it. `asking`: also outside the only times of the patient."""

    ways: tuple[WayToAsk, ...]
    number: int
    window: Window | None
    practitioner_id: int | None
    asking: bool

    def times(self, first_on: date, last_on: date) -> tuple[TimeOffer, ...]:
        """Every start of those days, in order."""
        offers = dict[datetime, TimeOffer]()
        for way in self._every_way:
            more = [at for at in self._starts(way, first_on, last_on) if at not in offers]
            offers |= zip(more, time_offers(
                self._on(way, first_on, last_on), way.step, more, number=self.number, window=self.window,
                moves_others=way.moves_others, keeps=self.ways[0].problem), strict=True)
        return tuple(offers[at] for at in sorted(offers))

    def beyond(self, shown: tuple[date, date], bookable: tuple[date, date], own_at: datetime | None) -> Beyond:
        """What lies beyond those days, within the days that the clinic books; the visit's own time is no other one."""
        before, (today, until_on) = None, bookable
        first = self._nearest(shown[1] + DAY, until_on, own_at)
        if first is None or first.fit is Fit.TOO_LATE:
            before = self._nearest(today, shown[0] - DAY, own_at, last=True)
        return Beyond(first, before, until_on, "" if first else self._why(shown[0], until_on))

    def _nearest(
        self, first_on: date, last_on: date, own_at: datetime | None, *, last: bool = False
    ) -> TimeOffer | None:
        """The first start of those days, or the last."""
        for span in stretches(first_on, last_on, back=last):
            found = {at for way in self._every_way for at in self._starts(way, *span)} - {own_at}
            if found:
                at = max(found) if last else min(found)
                on = day_of(at, self.ways[0].problem.ruler.zone)
                return next(each for each in self.times(on, on) if each.starts_at == at)
        return None

    def _why(self, first_on: date, last_on: date) -> str:
        way = self._every_way[-1]
        if self._starts(way, first_on, last_on):
            return "The time that it has is the only one."
        return why_none(self._on(way, first_on, last_on))

    def _starts(self, way: WayToAsk, first_on: date, last_on: date) -> tuple[datetime, ...]:
        return starts(self._on(way, first_on, last_on), way.step).starts or ()

    @property
    def _every_way(self) -> tuple[WayToAsk, ...]:
        return (*self.ways, *([self.ways[0].asking] if self.asking else []))

    def _on(self, way: WayToAsk, first_on: date, last_on: date) -> Problem:
        return narrowed(way.problem, way.step, first_on, last_on, self.practitioner_id)


def ways_to_ask(rest: Rest, number: int) -> Iterator[WayToAsk]:
    """How a session's starts are asked for: where all others stay as they are, then where later ones follow it."""
    others = {each: pin for each, pin in rest.before.items() if each != number}
    earlier = {each: pin for each, pin in others.items() if each < number}
    later = set(rest.standing) - set(earlier) - {number}
    following = min((each for each in others if each > number), default=None)
    yield _way(rest, number, (number,), others, (number,))
    if following is not None:
        # The next session would lie after its window, or it and those after it move as well.
        yield _way(rest, number, (number,), others, (number, following), moves_others=True)
        if later:
            yield _way(rest, number, (number, *later), earlier, (number,), moves_others=True)


def _way(
    rest: Rest, number: int, free: Iterable[int], stay: Mapping[int, Pin], late: Iterable[int], *,
    moves_others: bool = False,
) -> WayToAsk:
    problem, numbers = rest.asked(free, stay, late=late)
    return WayToAsk(problem, numbers.index(number) + 1, moves_others)


def stretches(first_on: date, last_on: date, *, back: bool = False) -> Iterator[tuple[date, date]]:
    """Those days so many at a time, for a search that ends at the first of them that have something; `back`: the last
    ones first."""
    for after in range(0, (last_on - first_on).days + 1, MOST_DAYS):
        if back:
            yield max(first_on, last_on - (after + MOST_DAYS - 1) * DAY), last_on - after * DAY
        else:
            yield first_on + after * DAY, min(last_on, first_on + (after + MOST_DAYS - 1) * DAY)


def time_offer(
    problem: Problem, step: int, at: datetime, *, number: int, window: Window | None = None, moves_others: bool = False
) -> TimeOffer:
    """The step of the problem at that start, with the first-listed resources that are free."""
    return time_offers(problem, step, (at,), number=number, window=window, moves_others=moves_others)[0]


def time_offers(
    problem: Problem, step: int, at: Sequence[datetime], *, number: int, window: Window | None = None,
    moves_others: bool = False, keeps: Problem | None = None,
) -> tuple[TimeOffer, ...]:
    """The step of the problem at each of those starts, with the first-listed resources that are free then; `keeps` is
    the problem with all that the patient keeps to."""
    found = tuple(_offered(problem, each, number, window, moves_others) for each in placed_at(problem, step, at))
    return found if keeps is None else tuple(told_of(keeps, each) for each in found)


def told_of(keeps: Problem, offer: TimeOffer) -> TimeOffer:
    """The offer, with what the patient keeps to otherwise."""
    found = judge_patient(keeps, offer.starts_at, offer.ends_at)
    return replace(offer, unwilling=" ".join(each.text for each in found if each.code == UNWILLING))


def keeps_to(problem: Problem) -> str:
    """At which times alone the patient comes unless they agree to another; empty where they never said."""
    return ", ".join(each.words for each in problem.unwilling if each.asks)


def _offered(
    problem: Problem, placed: PlannedSession, number: int, window: Window | None, moves_others: bool
) -> TimeOffer:
    where = problem.ruler.zone
    names = names_of(problem, placed.resources)
    return TimeOffer(
        number=number, starts_at=placed.start_at, ends_at=placed.end_at,
        local_start=local_of(placed.start_at, where),
        local_end=local_of(placed.end_at, where), resource_ids=tuple(map(int, placed.resources)),
        practitioner=names.get(Kind.PRACTITIONER), room=names.get(Kind.ROOM), device=names.get(Kind.DEVICE),
        fit=window.fit(day_of(placed.start_at, where)) if window else None, gap_days=placed.gap_days,
        moves_others=moves_others)


def _too_soon(not_before_on: date) -> str:
    return f"What was heard of the patient speaks against a session before {not_before_on:%d %B %Y}"


def narrowed(problem: Problem, step: int, first_on: date, last_on: date, practitioner_id: int | None) -> Problem:
    """The problem with that step only on those dates, and with that practitioner alone where one is named."""
    steps = list(problem.steps)
    own = steps[step - 1]
    steps[step - 1] = replace(own, from_on=max(first_on, own.from_on or first_on), to_on=last_on)
    preferred = problem.preferences.practitioner
    # The others stay known, never free: another session of the course may be with one of them.
    resources = sorted(
        (each if practitioner_id is None or each.kind is not Kind.PRACTITIONER or each.id == str(practitioner_id)
         else replace(each, open=0) for each in problem.resources),
        key=lambda each: each.id != preferred)
    return replace(problem, steps=tuple(steps), resources=tuple(resources))
