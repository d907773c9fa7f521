"""A letter that cannot be true cannot be built."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from clinic.messages.letters import (
    AftercarePhase,
    Instruction,
    Kind,
    Letter,
    Offer,
    Section,
    VisitLine,
    VisitState,
)
from tests.messages.samples import CANCELLED, CLINIC, FIRST, MOVED, NOW, kept

HOUR = timedelta(hours=1)
TOKYO = ZoneInfo("Asia/Tokyo")
CANCELLATION = Letter("en", "Ana", CLINIC, (Section(Kind.CANCELLATION, (CANCELLED,)),))

IMPOSSIBLE: dict[str, Callable[[], object]] = {
    "a clinic without a phone": lambda: replace(CLINIC, phone=" "),
    "a clinic without a name": lambda: replace(CLINIC, name=""),
    "a clinic in no zone": lambda: replace(CLINIC, zone="Europe/Nowhere"),
    "a clinic with a line break in its name": lambda: replace(CLINIC, name="Harbour\nBcc: all"),
    "a visit without its zone": lambda: VisitLine(datetime(2027, 3, 2, 9), NOW + HOUR, "Europe/Lisbon"),  # noqa: DTZ001 - that is the point
    "a visit that ends before it starts": lambda: VisitLine(NOW, NOW - HOUR, "Europe/Lisbon"),
    "a moved visit without its old time": lambda: replace(FIRST, state=VisitState.MOVED),
    "an old time of a visit that did not move": lambda: replace(FIRST, old_starts_at=NOW),
    "session 5 of 4": lambda: replace(FIRST, number=5),
    "an empty instruction": lambda: Instruction("  "),
    "a phase that ends before it begins": lambda: AftercarePhase(24, 24),
    "an offer that ends before it begins": lambda: Offer(date(2027, 3, 2), date(2027, 3, 1)),
    "a confirmation of nothing": lambda: Section(Kind.CONFIRMATION),
    "precare without instructions": lambda: Section(Kind.PRECARE, (FIRST,)),
    "a change in which nothing changed": lambda: Section(Kind.CHANGE, (kept(FIRST),)),
    "a change that only takes away": lambda: Section(Kind.CHANGE, (kept(FIRST), CANCELLED)),
    "a cancellation of nothing": lambda: Section(Kind.CANCELLATION, (MOVED,)),
    "aftercare of no treatment": lambda: Section(Kind.AFTERCARE),
    "a recall without its dates": lambda: Section(Kind.RECALL),
    "a link that is no web address": lambda: Section(Kind.CONFIRMATION, (FIRST,), link="javascript:alert(1)"),
    "a note with control characters": lambda: Section(Kind.CONFIRMATION, (FIRST,), note="a\x00b"),
    "fewer than no sessions": lambda: Section(Kind.CONFIRMATION, (FIRST,), undated=-1),
    "a letter that says nothing": lambda: Letter("en", "Ana", CLINIC, ()),
    "a first name with a line break": lambda: replace(CANCELLATION, first_name="Ana\r\n"),
}


@pytest.mark.parametrize("what", IMPOSSIBLE)
def test_what_cannot_be_is_refused(what: str) -> None:
    with pytest.raises(ValueError):
        IMPOSSIBLE[what]()


def test_a_visit_may_be_given_in_any_zone() -> None:
    in_utc = VisitLine(NOW, NOW + HOUR, "Europe/Lisbon")

    in_tokyo = VisitLine(NOW.astimezone(TOKYO), (NOW + HOUR).astimezone(TOKYO), "Europe/Lisbon")

    assert in_tokyo == in_utc
