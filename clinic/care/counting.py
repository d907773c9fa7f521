"""As which session of its course a visit counts: sessions are counted in the order in which they are given."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from clinic.care.states import SessionState


@dataclass(frozen=True, slots=True)
class Counted:
    """One session of a course by its number, what is given in it, and how it stands."""

    number: int
    treatment: str
    state: SessionState


def counts_as(sessions: Iterable[Counted], given: int) -> Mapping[int, int]:
    """What the visits for these sessions become, by number, once the one for session `given` has been treated.

    An earlier session of the same treatment that is owed without a date, because it was missed or cancelled, is the one
    that was given: the patient has had so many treatments, whatever they were planned as. Each booked visit after it
    moves up as far, and the last sessions are owed instead. Nothing moves up past a session that was given already or
    that has a date. Empty where every visit stays what it is.
    """
    known = {each.number: each for each in sessions}
    passed = max((each.number for each in known.values() if _stands(each, given)), default=0)
    alike = [each for each in known.values() if each.treatment == known[given].treatment and each.number > passed]
    owed = [each.number for each in alike if each.state is SessionState.OWED and each.number < given]
    if not owed:
        return {}
    visits = [given, *sorted(each.number for each in alike
                             if each.state is SessionState.BOOKED and each.number > given)]
    return dict(zip(visits, sorted([*owed, *visits]), strict=False))


def _stands(each: Counted, given: int) -> bool:
    """Whether the visit that is given comes after it, whatever becomes of that."""
    if each.number == given:
        return False
    return each.state is SessionState.COMPLETED or (each.state is SessionState.BOOKED and each.number < given)
