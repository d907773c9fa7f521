"""What speaks against a rule about messages, in sentences for whoever sets it."""
from __future__ import annotations

from collections.abc import Iterator

from clinic.care.message_kinds import MessageKind
from clinic.care.message_rules import CHOICES, EVERY_DAY, Choice, Elapsed, Rule, WallClock
from clinic.planning.findings import Finding, Weight


def judge_rule(kind: MessageKind, rule: Rule) -> tuple[Finding, ...]:
    """Everything that is wrong with the rule; nothing where it can be kept."""
    return tuple(_faults(CHOICES[kind], rule))


def _faults(choice: Choice, rule: Rule) -> Iterator[Finding]:
    if not rule.is_on and not choice.may_be_off:
        yield _fault("must-be-on", "on", "This message cannot be switched off: without it a patient comes in vain, "
                                         "or does not know what to watch for.")
    if rule.when is not None and not choice.counted:
        yield _fault("no-time", "when", "The time of this message follows from what happened, and is not chosen.")
    elif isinstance(rule.when, Elapsed):
        yield from _elapsed_faults(choice, rule.when)
    elif rule.when is not None:
        yield from _wall_clock_faults(choice, rule.when)
    if not rule.weekdays or not rule.weekdays <= EVERY_DAY:
        yield _fault("no-weekday", "weekdays", "Choose at least one weekday on which it may go out.")
    elif rule.weekdays != EVERY_DAY and not choice.has_weekdays:
        yield _fault("any-day", "weekdays", "This message goes out on any day: it must not come too late.")
    if not rule.gives_way <= frozenset(choice.gives_way):
        yield _fault("gives-way", "gives_way", "This message gives way to nothing of that kind.")


def _elapsed_faults(choice: Choice, when: Elapsed) -> Iterator[Finding]:
    if not choice.has_minutes:
        yield _fault("only-days", "when", "This message is put on a day at a time of the clock, not counted in hours.")
    elif not choice.least_minutes <= when.minutes <= choice.most_minutes:
        yield _fault("minutes", "when", f"Choose between {_hours(choice.least_minutes)} and "
                                        f"{_hours(choice.most_minutes)} {choice.counted}.")


def _wall_clock_faults(choice: Choice, when: WallClock) -> Iterator[Finding]:
    if not choice.has_days:
        yield _fault("only-hours", "when", "This message is counted in hours, so that it comes when it is needed.")
    elif not 0 <= when.days <= choice.most_days:
        yield _fault("days", "when", f"Choose between 0 and {choice.most_days} days {choice.counted}.")
    if not 0 <= when.minute < 1440:
        yield _fault("minute", "when", "Choose a time of the day.")


def _hours(minutes: int) -> str:
    return f"{minutes // 60} hours"


def _fault(code: str, field: str, text: str) -> Finding:
    return Finding(code, Weight.BLOCKS, text, field)
