"""The rules of messages in plain words: in which order a patient meets them, when each goes, what it gives way to."""
from __future__ import annotations

from dataclasses import dataclass

from clinic.care.foreseen import Moved
from clinic.care.made_up_course import Story
from clinic.care.message_kinds import MessageKind
from clinic.care.message_rules import CHOICES, EVERY_DAY, Elapsed, GivesWay, Rule, Shift
from clinic.web.words import WEEKDAYS, clock, plural

_K = MessageKind


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a patient's way, with the messages of it."""

    title: str
    icon: str
    kinds: tuple[MessageKind, ...]


STRETCHES = (
    Stretch("When dates are booked or change", "calendar", (
        _K.CONFIRMATION, _K.CHANGE, _K.CLINIC_CHANGE, _K.CANCELLATION, _K.DATES_HELD, _K.DATES_RELEASED)),
    Stretch("Before a visit", "clock", (_K.PRECARE, _K.REMINDER_7D, _K.REMINDER_2D)),
    Stretch("After a treatment", "shield", (_K.AFTERCARE, _K.CHECK_IN_24H, _K.CHECK_IN_72H)),
    Stretch("Between sessions", "repeat", (_K.MISSED, _K.NUDGE_14D, _K.NUDGE_IDEAL, _K.OUT_OF_WINDOW)),
    Stretch("After the course", "flag", (_K.COURSE_COMPLETE, _K.REVIEW_VISIT, _K.REVIEW_REQUEST, _K.RECALL)),
)
"""Every kind once, in the order of a patient's way."""

_FIXED = {
    _K.CONFIRMATION: "Three minutes after dates were booked",
    _K.CHANGE: "Three minutes after a date was changed",
    _K.CLINIC_CHANGE: "The same with an apology, where the clinic was the cause",
    _K.CANCELLATION: "Three minutes after a date was cancelled",
    _K.AFTERCARE: "As soon as the treatment is recorded, at any hour",
    _K.DATES_HELD: "Three minutes after dates were held until a consultation",
    _K.DATES_RELEASED: "Three minutes after held dates were let go",
}
_ON_THE_DAY = {
    _K.PRECARE: "On the day of the first thing to do",
    _K.REMINDER_7D: "On the day of the visit",
    _K.REMINDER_2D: "On the day of the visit",
    _K.COURSE_COMPLETE: "On the day on which the last treatment was recorded",
    _K.RECALL: "On the day on which the recall is due",
    _K.NUDGE_14D: "On the day on which the window opens",
    _K.NUDGE_IDEAL: "On the ideal date",
    _K.OUT_OF_WINDOW: "On the day after the last one of the window",
    _K.MISSED: "On the next day on which the clinic is open",
    _K.REVIEW_VISIT: "On the day on which the result is judged",
    _K.REVIEW_REQUEST: "On the day on which the last treatment was recorded",
}
_GIVES_WAY = {
    GivesWay.NEWS: "not within a day after the patient heard of the time",
    GivesWay.CONFIRMED: "not when the patient has said that they come",
}
WAYS = {
    GivesWay.NEWS: "Within a day after the patient heard of the time",
    GivesWay.CONFIRMED: "When the patient has said that they come",
}
"""What a reminder may give way to, as a choice."""
SHIFTS = {Shift.LATER: "the next chosen day", Shift.EARLIER: "the chosen day before"}
ONLY_WHERE = {
    _K.REVIEW_REQUEST: "Only where the clinic names a page for opinions, and only to patients who agreed.",
    _K.RECALL: "A recall is due three weeks before the ideal date of upkeep.",
    _K.MISSED: "Only while no new date was found.",
}
MOVED = {
    Moved.WEEKDAY: "moved to a chosen day of the week",
    Moved.QUIET: "waits for the end of the quiet hours",
    Moved.ENOUGH: "the day before was full",
}
STORIES = {
    Story.AHEAD: "All dates are booked four weeks ahead",
    Story.LATE: "Booked the day before the first visit",
    Story.CONFIRMS: "The patient says after each first reminder that they come",
    Story.UNDATED: "The last session gets no date",
    Story.MISSED: "The patient does not come to the last session",
}


def rule_sentence(kind: MessageKind, rule: Rule) -> str:
    """All that a rule says, in one line."""
    if not rule.is_on:
        return "Not sent"
    said = [when_words(kind, rule)]
    if rule.weekdays != EVERY_DAY:
        said.append(weekday_words(rule.weekdays, rule.shift))
    said += [_GIVES_WAY[each] for each in GivesWay if each in rule.gives_way]
    return "; ".join(said)


def when_words(kind: MessageKind, rule: Rule) -> str:
    """When it goes, such as "7 days before the visit, at 09:00"."""
    counted = CHOICES[kind].counted
    if rule.when is None or not counted:
        return _FIXED[kind]
    if isinstance(rule.when, Elapsed):
        return f"{plural(rule.when.minutes // 60, 'hour')} {counted}"
    if rule.when.days == 0:
        return f"{_ON_THE_DAY[kind]}, at {clock(rule.when.minute)}"
    return f"{plural(rule.when.days, 'day')} {counted}, at {clock(rule.when.minute)}"


def weekday_words(weekdays: frozenset[int], shift: Shift) -> str:
    """Such as "Mon – Fri only, else on the next chosen day", or "not on Sun, but on the chosen day before"."""
    days, others = sorted(weekdays), sorted(EVERY_DAY - weekdays)
    if len(days) > 5:
        return f"not on {_names(others)}, but on {SHIFTS[shift]}"
    in_a_row = len(days) > 2 and days == list(range(days[0], days[-1] + 1))
    return f"{_names(days[::len(days) - 1], ' – ') if in_a_row else _names(days)} only, else on {SHIFTS[shift]}"


def _names(days: list[int], between: str = ", ") -> str:
    return between.join(WEEKDAYS[day][:3] for day in days)
