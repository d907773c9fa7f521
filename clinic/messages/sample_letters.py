"""A letter of each kind with made-up dates and a made-up patient, so that a clinic can read what its patients get."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from clinic.messages.letters import (
    AftercarePhase,
    ClinicCard,
    Instruction,
    Kind,
    Letter,
    Offer,
    RedFlag,
    Section,
    Urgency,
    VisitLine,
    VisitState,
)

_SESSIONS = 3
_APART = timedelta(days=28)
_NEW_DATES = frozenset({Kind.CONFIRMATION, Kind.DATES_HELD})
_NO_DATES = frozenset({
    Kind.AFTERCARE, Kind.CHECK_IN_24H, Kind.CHECK_IN_72H, Kind.COURSE_COMPLETE, Kind.RECALL, Kind.NUDGE_14D,
    Kind.NUDGE_IDEAL, Kind.OUT_OF_WINDOW, Kind.REVIEW_VISIT, Kind.REVIEW_REQUEST,
})
_CHANGES = frozenset({Kind.CHANGE, Kind.CLINIC_CHANGE})
_SOMEWHERE = "https://reviews.example/clinic"


@dataclass(frozen=True, slots=True)
class _Advice:
    """What a sample says of before and after a visit, in one language."""

    instructions: tuple[tuple[str, int], ...]
    phase: AftercarePhase
    flags: tuple[RedFlag, ...]


_ADVICE = {
    "en": _Advice(
        (("Leave out retinoids, acids and scrubs.", 5), ("Come with clean skin and no make-up.", 0)),
        AftercarePhase(0, 24, ("redness and warmth, like a sunburn",), ("use only a mild cleanser",),
                       ("exercise, sauna, swimming",)),
        (RedFlag("Trouble breathing, swelling of lips or tongue, collapse", Urgency.EMERGENCY),
         RedFlag("Redness, warmth, pain or swelling that grows instead of fading", Urgency.SAME_DAY))),
    "de": _Advice(
        (("Retinoide, Säuren und Peelings weglassen.", 5), ("Mit sauberer Haut und ohne Make-up kommen.", 0)),
        AftercarePhase(0, 24, ("Rötung und Wärme, wie bei einem Sonnenbrand",), ("nur milde Reinigung verwenden",),
                       ("Sport, Sauna, Schwimmen",)),
        (RedFlag("Atemnot, Schwellung von Lippen oder Zunge, Zusammenbruch", Urgency.EMERGENCY),
         RedFlag("Rötung, Wärme, Schmerz oder Schwellung, die zunimmt statt nachzulassen", Urgency.SAME_DAY))),
}


def sample_letter(
    kind: Kind, clinic: ClinicCard, *, language: str, first_name: str, today: date, visits_told: int | None = None
) -> Letter:
    """The letter of that kind as this clinic would write it, about visits in the weeks after today; of a kind that
    tells any, it tells so many."""
    first = today + timedelta(days=9)
    visits = () if kind in _NO_DATES else tuple(
        _visit(kind, number, first, clinic.zone) for number in range(1, (visits_told or _visits_of(kind)) + 1))
    advice = _ADVICE[language]
    instructions = tuple(Instruction(text, first - timedelta(days=days)) for text, days in advice.instructions)
    offer = Offer(today + timedelta(days=14), today + timedelta(days=42))
    return Letter(language, first_name, clinic, (Section(
        kind, visits=visits, instructions=instructions, phases=(advice.phase,), red_flags=advice.flags,
        treated_at=_at(today, 10, clinic.zone), offer=offer, held_until=today + timedelta(days=7),
        link=_SOMEWHERE if kind is Kind.REVIEW_REQUEST else None),))


def _visits_of(kind: Kind) -> int:
    return _SESSIONS if kind in _NEW_DATES | _CHANGES else 1


def _visit(kind: Kind, number: int, first: date, zone: str) -> VisitLine:
    starts_at = _at(first + (number - 1) * _APART, 10, zone)
    changed = VisitState.MOVED if number == 1 else VisitState.KEPT
    states = {**dict.fromkeys(_CHANGES, changed), Kind.CANCELLATION: VisitState.CANCELLED,
              Kind.DATES_RELEASED: VisitState.CANCELLED}
    state = states.get(kind, VisitState.NEW)
    old = starts_at - timedelta(days=1) if state is VisitState.MOVED else None
    return VisitLine(starts_at, starts_at + timedelta(minutes=60), zone, state, number, _SESSIONS, old_starts_at=old)


def _at(day: date, hour: int, zone: str) -> datetime:
    return datetime.combine(day, time(hour), ZoneInfo(zone))
