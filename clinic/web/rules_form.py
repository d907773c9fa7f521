"""The rules of messages as fields of a form, and back."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from clinic.care.message_kinds import MessageKind
from clinic.care.message_rules import (
    CHOICES,
    EVERY_DAY,
    Choice,
    Elapsed,
    GivesWay,
    MessageRules,
    Rule,
    Shift,
    WallClock,
)
from clinic.web.forms import Form
from clinic.web.words import MESSAGE_KINDS, clock

UNITS = ("days", "hours")
CHOSEN = tuple(kind for kind in MessageKind if CHOICES[kind].counted)
"""The kinds of which something may be chosen."""
_MOST = 9999


def chosen_rules(rules: MessageRules) -> dict[MessageKind, Rule]:
    """The rule of every kind of which something may be chosen."""
    return {kind: rules.of(kind) for kind in CHOSEN}


def rule_values(rules: Mapping[MessageKind, Rule]) -> dict[str, Any]:
    """What the fields of these rules show."""
    return {name: value for kind, rule in rules.items() for name, value in _values(kind, rule).items()}


def read_rules(form: Form, kept: MessageRules) -> dict[MessageKind, Rule]:
    """What was typed; where that cannot be read, what is kept stands for it and the form says what is wrong."""
    return {kind: _read(form, kind, CHOICES[kind], kept.of(kind)) for kind in CHOSEN}


def with_rule(typed: MultiDict[str, str], kind: MessageKind, rule: Rule) -> MultiDict[str, str]:
    """The form as it was sent, with that rule in the place of what was typed for its kind."""
    found = MultiDict((name, value) for name, value in typed.items(multi=True) if not name.startswith(f"{kind}-"))
    for name, value in _values(kind, rule).items():
        found.setlist(name, list(value) if isinstance(value, tuple) else [str(value)] if value != "" else [])
    return found


def _values(kind: MessageKind, rule: Rule) -> dict[str, Any]:
    values: dict[str, Any] = {
        f"{kind}-on": "yes" if rule.is_on else "", f"{kind}-weekdays": tuple(map(str, sorted(rule.weekdays))),
        f"{kind}-shift": rule.shift.value, f"{kind}-gives_way": tuple(sorted(rule.gives_way))}
    if isinstance(rule.when, Elapsed):
        return values | {f"{kind}-when": rule.when.minutes // 60, f"{kind}-unit": "hours", f"{kind}-at": "09:00"}
    if rule.when is not None:
        values |= {f"{kind}-when": rule.when.days, f"{kind}-unit": "days", f"{kind}-at": clock(rule.when.minute)}
    return values


def _read(form: Form, kind: MessageKind, choice: Choice, kept: Rule) -> Rule:
    is_on = form.ticked(f"{kind}-on") if choice.may_be_off else True
    weekdays, shift = EVERY_DAY, kept.shift
    if choice.has_weekdays:
        weekdays = frozenset(map(int, form.some_of(f"{kind}-weekdays", "The weekdays", map(str, range(7)))))
        shift = Shift(form.one_of(f"{kind}-shift", "what happens on other days", list(Shift)) or kept.shift)
        if not weekdays:
            form.fault(f"{kind}-weekdays", f"Choose at least one weekday on which “{MESSAGE_KINDS[kind]}” may go.")
            weekdays = kept.weekdays
    gives_way = form.some_of(f"{kind}-gives_way", "What it gives way to", [str(each) for each in choice.gives_way])
    when = _read_when(form, kind, choice)
    return Rule(is_on, when or kept.when, weekdays, shift, frozenset(map(GivesWay, gives_way)))


def _read_when(form: Form, kind: MessageKind, choice: Choice) -> Elapsed | WallClock | None:
    unit = "days" if not choice.has_minutes else "hours"
    if choice.has_days and choice.has_minutes:
        unit = form.one_of(f"{kind}-unit", "days or hours", UNITS)
    label = f"The number of {unit or 'days'} of “{MESSAGE_KINDS[kind]}”"
    count = form.number(f"{kind}-when", label, least=0, most=_MOST)
    if count is None or not unit:
        return None
    if unit == "hours":
        return Elapsed(count * 60)
    minute = form.time(f"{kind}-at", f"The time of day of “{MESSAGE_KINDS[kind]}”")
    return None if minute is None else WallClock(count, minute)
