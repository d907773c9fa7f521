"""Which messages go out, and when: what we propose, what a clinic makes of it, and what it says for one protocol."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from clinic.care.message_kinds import MessageKind
from clinic.planning.local import DAY, instant, local_of

MORNING = 9 * 60
"""The wall-clock minute at which messages of a date go out, unless a rule says otherwise."""
EVERY_DAY = frozenset(range(7))


class Shift(StrEnum):
    """Where a message goes whose weekday is not allowed: to the next allowed one, or to the one before."""

    LATER = "later"
    EARLIER = "earlier"


class GivesWay(StrEnum):
    """What makes a reminder needless: the patient heard of the time less than a day ago, or said that they come."""

    NEWS = "news"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class Elapsed:
    """So many minutes before or after an instant, whatever the clock does in between."""

    minutes: int


@dataclass(frozen=True, slots=True)
class WallClock:
    """So many days before or after a date, when the clock on the wall reads `minute` minutes after midnight."""

    days: int
    minute: int = MORNING


When = Elapsed | WallClock


@dataclass(frozen=True, slots=True)
class Rule:
    """How one kind of message goes out. Without `when` its time follows from what happened, and is not chosen."""

    is_on: bool = True
    when: When | None = None
    weekdays: frozenset[int] = EVERY_DAY
    shift: Shift = Shift.LATER
    gives_way: frozenset[GivesWay] = frozenset()

    def before(self, starts_at: datetime, on: date, where: ZoneInfo) -> datetime:
        """Its time before an appointment that starts at that instant, on that local date."""
        if isinstance(self.when, Elapsed):
            return self._on_weekday(starts_at - timedelta(minutes=self.when.minutes), where)
        return self._on_weekday(instant(on - self.days * DAY, self._minute, where), where)

    def after(self, at: datetime, where: ZoneInfo) -> datetime:
        """Its time after an instant."""
        if isinstance(self.when, Elapsed):
            return self._on_weekday(at + timedelta(minutes=self.when.minutes), where)
        return self._on_weekday(instant(local_of(at, where).date() + self.days * DAY, self._minute, where), where)

    def on(self, day: date, where: ZoneInfo) -> datetime:
        """Its time on that very date; the days of the rule are counted already."""
        return self._on_weekday(instant(day, self._minute, where), where)

    @property
    def days(self) -> int:
        """Its days before or after a date; none where it is counted in minutes."""
        return self.when.days if isinstance(self.when, WallClock) else 0

    @property
    def _minute(self) -> int:
        return self.when.minute if isinstance(self.when, WallClock) else MORNING

    def _on_weekday(self, at: datetime, where: ZoneInfo) -> datetime:
        if self.weekdays == EVERY_DAY:
            return at
        local, step = local_of(at, where), DAY if self.shift is Shift.LATER else -DAY
        day = local.date()
        while day.weekday() not in self.weekdays:
            day += step
        return at if day == local.date() else instant(day, local.hour * 60 + local.minute, where)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a clinic may choose of one kind. `counted` says from what, such as "before the visit"."""

    may_be_off: bool = False
    counted: str = ""
    most_days: int = 0
    least_minutes: int = 0
    most_minutes: int = 0
    gives_way: tuple[GivesWay, ...] = ()

    @property
    def has_days(self) -> bool:
        """Whether it can be put on a day at a time of the clock."""
        return bool(self.counted) and self.most_days > 0

    @property
    def has_weekdays(self) -> bool:
        """Whether it can be kept to some days of the week: never what tells dates, or keeps a patient safe."""
        return bool(self.counted) and self.may_be_off

    @property
    def has_minutes(self) -> bool:
        """Whether it can be counted in hours."""
        return self.most_minutes > 0


_HOUR = 60
_EITHER = (GivesWay.NEWS, GivesWay.CONFIRMED)

CHOICES: Mapping[MessageKind, Choice] = MappingProxyType({
    MessageKind.CONFIRMATION: Choice(),
    MessageKind.PRECARE: Choice(True, "before the first thing to do", 30),
    MessageKind.REMINDER_7D: Choice(True, "before the visit", 30, 2 * _HOUR, 30 * 24 * _HOUR, _EITHER),
    MessageKind.REMINDER_2D: Choice(True, "before the visit", 14, 2 * _HOUR, 14 * 24 * _HOUR, _EITHER),
    MessageKind.CHANGE: Choice(),
    MessageKind.CLINIC_CHANGE: Choice(),
    MessageKind.CANCELLATION: Choice(),
    MessageKind.AFTERCARE: Choice(),
    MessageKind.CHECK_IN_24H: Choice(False, "after the treatment", 0, 12 * _HOUR, 48 * _HOUR),
    MessageKind.CHECK_IN_72H: Choice(False, "after the treatment", 0, 49 * _HOUR, 7 * 24 * _HOUR),
    MessageKind.COURSE_COMPLETE: Choice(True, "after the last treatment was recorded", 30, _HOUR, 30 * 24 * _HOUR),
    MessageKind.RECALL: Choice(True, "after the day on which the recall is due", 30),
    MessageKind.NUDGE_14D: Choice(True, "before the window opens", 60),
    MessageKind.NUDGE_IDEAL: Choice(True, "after the ideal date", 30),
    MessageKind.OUT_OF_WINDOW: Choice(True, "after the last day of the window", 14),
    MessageKind.MISSED: Choice(True, "after the next day on which the clinic is open", 3),
    MessageKind.DATES_HELD: Choice(),
    MessageKind.DATES_RELEASED: Choice(),
    MessageKind.REVIEW_VISIT: Choice(True, "before the day on which the result is judged", 60),
    MessageKind.REVIEW_REQUEST: Choice(True, "after the last treatment was recorded", 60),
})
"""What may be chosen of each kind; what tells dates and what keeps a patient safe cannot be switched off."""

_NEWS = frozenset({GivesWay.NEWS})
DEFAULTS: Mapping[MessageKind, Rule] = MappingProxyType({
    **{kind: Rule() for kind in MessageKind},
    MessageKind.PRECARE: Rule(when=WallClock(2), shift=Shift.EARLIER),
    MessageKind.REMINDER_7D: Rule(when=WallClock(7), shift=Shift.EARLIER, gives_way=_NEWS),
    MessageKind.REMINDER_2D: Rule(when=WallClock(2), shift=Shift.EARLIER, gives_way=frozenset(_EITHER)),
    MessageKind.CHECK_IN_24H: Rule(when=Elapsed(24 * _HOUR)),
    MessageKind.CHECK_IN_72H: Rule(when=Elapsed(72 * _HOUR)),
    MessageKind.COURSE_COMPLETE: Rule(when=Elapsed(_HOUR)),
    MessageKind.RECALL: Rule(when=WallClock(0)),
    MessageKind.NUDGE_14D: Rule(when=WallClock(14)),
    MessageKind.NUDGE_IDEAL: Rule(when=WallClock(0)),
    MessageKind.OUT_OF_WINDOW: Rule(when=WallClock(1)),
    MessageKind.MISSED: Rule(when=WallClock(0)),
    MessageKind.REVIEW_VISIT: Rule(when=WallClock(14)),
    MessageKind.REVIEW_REQUEST: Rule(is_on=False, when=WallClock(14)),
})
"""Our defaults. The figures are ours unless a protocol's source gives one; a clinic may set others."""


@dataclass(frozen=True, slots=True)
class MessageRules:
    """The rule of every kind for one clinic and protocol: what departs from our defaults."""

    departures: Mapping[MessageKind, Rule] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, kind: MessageKind) -> Rule:
        """How that kind goes out."""
        return self.departures.get(kind) or DEFAULTS[kind]


OUR_RULES = MessageRules()


def rules_from(*levels: Mapping[str, Mapping[str, Any]]) -> MessageRules:
    """The rules that follow from documents by kind: a clinic's own, then its own for a protocol. The last that says
    something of a figure counts; an empty document says nothing."""
    found: dict[MessageKind, Rule] = {}
    for documents in levels:
        for code, document in documents.items():
            kind = MessageKind(code)
            found[kind] = _read(found.get(kind) or DEFAULTS[kind], document)
    return MessageRules(MappingProxyType({kind: rule for kind, rule in found.items() if rule != DEFAULTS[kind]}))


def departure_of(rule: Rule, base: Rule) -> dict[str, Any]:
    """What a rule says that its base does not, as it is kept; empty where they are the same."""
    ours = document_of(base)
    return {name: figure for name, figure in document_of(rule).items() if figure != ours[name]}


def document_of(rule: Rule) -> dict[str, Any]:
    """A rule as it is kept."""
    when: dict[str, int] | None = None
    if isinstance(rule.when, Elapsed):
        when = {"minutes": rule.when.minutes}
    elif rule.when is not None:
        when = {"days": rule.when.days, "at": rule.when.minute}
    return {"on": rule.is_on, "when": when, "weekdays": sorted(rule.weekdays), "shift": rule.shift.value,
            "gives_way": sorted(rule.gives_way)}


def _read(base: Rule, document: Mapping[str, Any]) -> Rule:
    when = document.get("when")
    return replace(
        base, is_on=document.get("on", base.is_on),
        when=base.when if not when else
        Elapsed(when["minutes"]) if "minutes" in when else WallClock(when["days"], when["at"]),
        weekdays=_known(document, "weekdays", base.weekdays), shift=Shift(document.get("shift", base.shift)),
        gives_way=frozenset(map(GivesWay, _known(document, "gives_way", base.gives_way))),
    )


def _known(document: Mapping[str, Any], name: str, otherwise: Iterable[Any]) -> frozenset[Any]:
    return frozenset(document.get(name, otherwise))
