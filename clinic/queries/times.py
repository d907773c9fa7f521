"""Other times for one session: what a move or a booking may choose from."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from clinic.care.windows import Fit, Window
from clinic.planning import UNWILLING, Kind, Pin, PlannedSession, Problem, judge_patient, placed_at, starts
from clinic.planning.local import day_of, local_of, zone
from clinic.queries.offers import names_of
from clinic.queries.rest_of_course import Rest, rest_of_course
from clinic.queries.series import Place, series_of
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
class TimesPage:
    """The times of some days that keep the rest of the course possible, in order; none: why. `keeps` says at which
    times alone the patient comes, where they asked for that."""

    times: tuple[TimeOffer, ...]
    from_on: date
    to_on: date
    window: Window | None
    reason: str | None
    keeps: str = ""


def offer_times(
    db: Session, treatment_session_id: int, *, now: datetime, from_on: date | None = None, days: int = 14,
    practitioner_id: int | None = None, asking: bool = False,
) -> TimesPage:
    """Every start of the session in those days for which the whole course remains possible, in order. `asking`: also
    those outside the only times of the patient.

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
    if series.not_before_on is not None and series.not_before_on > last_on:
        return TimesPage((), first_on, last_on, window, _too_soon(series.not_before_on))
    rest = rest_of_course(db, series, now=now)
    found = _Found(rest, target, window, lambda problem, step: narrowed(
        problem, step, first_on, last_on, practitioner_id))
    times, reason = found.times(asking=asking)
    if wanted_on > bookable_to:
        reason = f"{clinic.name} books until {bookable_to:%d %B %Y}"
    return TimesPage(times, first_on, last_on, window, None if times else reason, keeps_to(rest.problem))


class _Found:
    """The starts of one session: those that leave all others where they are, and those that others must follow."""

    def __init__(
        self, rest: Rest, target: Place, window: Window | None, narrowed: Callable[[Problem, int], Problem]
    ) -> None:
        self._rest, self._target, self._window, self._narrowed = rest, target, window, narrowed

    def times(self, *, asking: bool) -> tuple[tuple[TimeOffer, ...], str | None]:
        """Every start in order, and why there is none."""
        number, offers, reason = self._target.row.number, dict[datetime, TimeOffer](), None
        ways = tuple(ways_to_ask(self._rest, number))
        for way in (*ways, *([ways[0].asking] if asking else [])):
            problem = self._narrowed(way.problem, way.step)
            found = starts(problem, way.step)
            others = [at for at in found.starts or () if at not in offers]
            offers |= zip(others, time_offers(problem, way.step, others, number=number, window=self._window,
                                              moves_others=way.moves_others, keeps=ways[0].problem), strict=True)
            reason = found.reason if way is ways[0] else reason
        return tuple(offers[at] for at in sorted(offers)), reason


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
