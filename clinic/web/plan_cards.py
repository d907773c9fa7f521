"""Offered courses as cards: each session with its gap, and what speaks for and against the plan in plain words."""
from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from clinic.care.windows import Fit, Window
from clinic.planning import Costs
from clinic.planning.words import listed
from clinic.queries.finishing import Deadline
from clinic.queries.offers import CourseOffer, UndatedOffer, VisitOffer
from clinic.web.words import WEEKDAYS, clock, plural, short_day

_TITLES = {
    "best": "Best plan", "soonest": "Finished soonest", "same-practitioner": "Same practitioner throughout",
}
_COSTS = Costs()
_COUNTED = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}


@dataclass(frozen=True, slots=True)
class VisitCard:
    """One session of a card; `is_kept` where its date is agreed on."""

    number: int
    weekday: str
    day: str
    time: str
    practitioner: str
    place: str
    gap: str
    fit: Fit | None
    fit_words: str
    window_words: str
    is_kept: bool


@dataclass(frozen=True, slots=True)
class PlanCard:
    """One offered course; `key` is what the form sends back for it."""

    key: str
    title: str
    summary: str
    reasons: tuple[str, ...]
    owed: str
    visits: tuple[VisitCard, ...]

    @property
    def spoken(self) -> str:
        """Its dates in one sentence, for who does not see the drawing."""
        return "; ".join(f"session {each.number} {each.weekday} {each.day}" for each in self.visits)


def plan_cards(
    offers: Sequence[CourseOffer], kept: Container[int] = (), deadline: Deadline | None = None, *, today: date
) -> tuple[PlanCard, ...]:
    """A card for each offer, in order; sessions whose numbers are in `kept` have a date that is agreed on."""
    return tuple(_card(offer, kept, deadline, today) for offer in offers)


def _card(offer: CourseOffer, kept: Container[int], deadline: Deadline | None, today: date) -> PlanCard:
    return PlanCard(
        key=" ".join(visit.choice for visit in offer.visits),
        title=" · ".join(_TITLES[label] for label in offer.labels), summary=_summary(offer),
        reasons=(*_reasons(offer, today), *_finish(offer, deadline)), owed=_owed(offer.undated),
        visits=tuple(_visit(visit, offer.visits[0].local_start.year, kept) for visit in offer.visits),
    )


def _summary(offer: CourseOffer) -> str:
    first, last = offer.visits[0].local_start.date(), offer.visits[-1].local_start.date()
    if first == last:
        return f"1 session, {short_day(first)} {first.year}"
    begins = short_day(first) if first.year == last.year else f"{short_day(first)} {first.year}"
    return f"{len(offer.visits)} sessions, {begins} – {short_day(last)} {last.year}"


def _visit(visit: VisitOffer, year: int, kept: Container[int]) -> VisitCard:
    on = visit.local_start.date()
    window = visit.window if visit.gap_days is not None else None
    return VisitCard(
        number=visit.number, weekday=WEEKDAYS[on.weekday()][:3],
        day=short_day(on) if on.year == year else f"{short_day(on)} {on.year}",
        time=f"{clock(visit.local_start)} – {clock(visit.local_end)}", practitioner=visit.practitioner or "",
        place=" · ".join(name for name in (visit.room, visit.device) if name),
        gap=f"{_distance(visit.gap_days)} later" if visit.gap_days is not None else "",
        fit=window.fit(on) if window else None, fit_words=_fit_words(window, on) if window else "",
        window_words=f"{short_day(window.earliest_on)} – {short_day(window.latest_on)}, "
                     f"ideal {short_day(window.ideal_on)}" if window else "",
        is_kept=visit.number in kept,
    )


def _distance(days: int) -> str:
    """Whole weeks as weeks, from two on: that is how courses are spoken of."""
    return plural(days // 7, "week") if days >= 14 and days % 7 == 0 else plural(days, "day")


def _fit_words(window: Window, on: date) -> str:
    """In the words of the course's own page, so that they agree with the mark beside them."""
    fit, off = window.fit(on), (on - window.ideal_on).days
    if fit is Fit.IDEAL:
        return "in its ideal days" if off else "on its ideal day"
    if fit in (Fit.EARLY, Fit.LATE):
        return f"{plural(abs(off), 'day')} {'after' if off > 0 else 'before'} ideal"
    if fit is Fit.TOO_EARLY:
        return f"{plural((window.earliest_on - on).days, 'day')} before its window"
    return f"{plural((on - window.latest_on).days, 'day')} after its window"


def _owed(undated: Sequence[UndatedOffer]) -> str:
    if not undated:
        return ""
    told = [
        f"session {each.number} {short_day(each.window.earliest_on)} – {short_day(each.window.latest_on)} "
        f"{each.window.latest_on.year}" if each.window else f"session {each.number}"
        for each in undated
    ]
    begins = "Owed, past the booking horizon, and dated later: "
    return begins + "; ".join(told) + "."


def _reasons(offer: CourseOffer, today: date) -> tuple[str, ...]:
    """What the plan costs, in days, weekdays, changes and sessions."""
    parts, visits = offer.parts, len(offer.visits)
    waits = parts["wait"] // _COSTS.wait_day
    others = parts["other_practitioner"] // _COSTS.other_practitioner
    outside = parts["outside_windows"] // _COSTS.outside_windows
    told = [_begins(waits, offer.visits[0].local_start.date(), today)]
    if visits > 1:
        told += [_gaps(parts), _weekdays(offer.visits), _people(parts, offer.visits)]
    if others:
        told.append(f"{plural(others, 'session')} not with the practitioner asked for")
    if outside:
        told.append(f"{plural(outside, 'session')} outside the times that the patient would rather have")
    return tuple(each for each in told if each)


def _begins(waits: int, begins_on: date, today: date) -> str:
    """How long the plan waits: from today, or from a later first date, whether it was asked for or follows from rules.
    """
    if begins_on - timedelta(days=waits) == today:
        return "Begins today" if not waits else "Begins tomorrow" if waits == 1 else f"Begins in {plural(waits, 'day')}"
    after = f"{plural(waits, 'day')} after" if waits else "on"
    return f"Begins {after} the first possible date"


def _gaps(parts: Mapping[str, int]) -> str:
    off = parts["gap"] // _COSTS.gap_day
    return f"{plural(off, 'day')} off the ideal spacing, over all gaps" if off else "Every gap is ideal"


def _weekdays(visits: Sequence[VisitOffer]) -> str:
    """Such as "All on Mondays", or the weekdays with how often, the commonest first."""
    met = Counter(visit.local_start.weekday() for visit in visits)
    if len(met) == 1:
        return f"All on {WEEKDAYS[next(iter(met))]}s"
    ordered = sorted(met.items(), key=lambda each: (-each[1], each[0]))
    told = listed([f"{_COUNTED.get(times, times)} {WEEKDAYS[weekday]}{'s' if times > 1 else ''}"
                   for weekday, times in ordered])
    return told[:1].upper() + told[1:]


def _people(parts: Mapping[str, int], visits: Sequence[VisitOffer]) -> str:
    changes = parts["practitioner_change"] // _COSTS.practitioner_change
    if not changes:
        return "One practitioner throughout"
    people = len({visit.practitioner for visit in visits if visit.practitioner})
    if changes != people - 1:
        return f"Changes practitioner {_times(changes)}"
    counted = str(_COUNTED.get(people, people))
    return f"{counted[:1].upper()}{counted[1:]} practitioners, one after the other"


def _finish(offer: CourseOffer, deadline: Deadline | None) -> tuple[str, ...]:
    if deadline is None or offer.undated:
        return ()
    ends_on = offer.visits[-1].local_start.date()
    late = deadline.finish.days_late(ends_on)
    healed = ends_on + timedelta(days=deadline.finish.recovery_days)
    if late > 0:
        return (f"Recovered on {short_day(healed)}, {plural(late, 'day')} too late for the event",)
    return (f"Recovered on {short_day(healed)}, with {plural(-late, 'day')} to spare before the event"
            if late else "Recovered the day before the event",)


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")
