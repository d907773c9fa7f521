"""Offered courses as cards: each session with its gap, and what speaks for and against the plan in plain words."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clinic.care.windows import Window
from clinic.planning import Costs
from clinic.queries.offers import CourseOffer, UndatedOffer, VisitOffer
from clinic.web.words import WEEKDAYS, clock, plural, short_day

_TITLES = {
    "best": "Best plan", "soonest": "Finished soonest", "same-practitioner": "Same practitioner throughout",
}
_COSTS = Costs()


@dataclass(frozen=True, slots=True)
class VisitCard:
    """One session of a card."""

    number: int
    weekday: str
    day: str
    time: str
    practitioner: str
    place: str
    gap_days: int | None
    gap_words: str


@dataclass(frozen=True, slots=True)
class PlanCard:
    """One offered course; `key` is what the form sends back for it."""

    key: str
    title: str
    summary: str
    reasons: tuple[str, ...]
    owed: str
    visits: tuple[VisitCard, ...]


def plan_cards(offers: Sequence[CourseOffer]) -> tuple[PlanCard, ...]:
    """A card for each offer, in order."""
    return tuple(_card(offer) for offer in offers)


def _card(offer: CourseOffer) -> PlanCard:
    return PlanCard(
        key=" ".join(visit.choice for visit in offer.visits),
        title=" · ".join(_TITLES[label] for label in offer.labels), summary=_summary(offer),
        reasons=_reasons(offer.parts, len(offer.visits)), owed=_owed(offer.undated),
        visits=tuple(_visit(visit, offer.visits[0].local_start.year) for visit in offer.visits),
    )


def _summary(offer: CourseOffer) -> str:
    first, last = offer.visits[0].local_start.date(), offer.visits[-1].local_start.date()
    if first == last:
        return f"1 session, {short_day(first)} {first.year}"
    begins = short_day(first) if first.year == last.year else f"{short_day(first)} {first.year}"
    return f"{len(offer.visits)} sessions, {begins} – {short_day(last)} {last.year}"


def _visit(visit: VisitOffer, year: int) -> VisitCard:
    on = visit.local_start.date()
    return VisitCard(
        number=visit.number, weekday=WEEKDAYS[on.weekday()][:3],
        day=short_day(on) if on.year == year else f"{short_day(on)} {on.year}",
        time=f"{clock(visit.local_start)} – {clock(visit.local_end)}", practitioner=visit.practitioner or "",
        place=" · ".join(name for name in (visit.room, visit.device) if name), gap_days=visit.gap_days,
        gap_words=_window_words(visit.window, visit.gap_days),
    )


def _window_words(window: Window | None, gap_days: int | None) -> str:
    """The window in days after the session before, as the gap itself is told."""
    if window is None or gap_days is None:
        return ""
    return f"window {short_day(window.earliest_on)} – {short_day(window.latest_on)}, ideal {short_day(window.ideal_on)}"


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


def _reasons(parts: Mapping[str, int], visits: int) -> tuple[str, ...]:
    """What the plan costs, in days, changes and sessions."""
    off, waits = parts["gap"] // _COSTS.gap_day, parts["wait"] // _COSTS.wait_day
    changes = parts["practitioner_change"] // _COSTS.practitioner_change
    others = parts["other_practitioner"] // _COSTS.other_practitioner
    outside = parts["outside_windows"] // _COSTS.outside_windows
    told = [f"Begins {plural(waits, 'day')} after the first date asked for" if waits
            else "Begins on the first date asked for"]
    if visits > 1:
        told.append(f"{plural(off, 'day')} off the ideal spacing, over all gaps" if off else "Every gap is ideal")
        told.append(f"Changes practitioner {_times(changes)}" if changes else "One practitioner throughout")
    if others:
        told.append(f"{plural(others, 'session')} not with the practitioner asked for")
    if outside:
        told.append(f"{plural(outside, 'session')} outside the times that the patient would rather have")
    return tuple(told)


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")
