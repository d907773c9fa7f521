"""What each figure means, in the words that stand beside it on the page and above it in the file."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from clinic.care.figures.counted import Column
from clinic.care.figures.happened import DATED_WITHIN, QUIET_AFTER
from clinic.care.figures.small import FEWEST


class Topic(StrEnum):
    """What is defined besides the columns of the tables."""

    DROP_OUT = "drop-out"
    CAUSES = "causes"
    NOTICE = "notice"
    USE = "use"
    COMING = "coming"
    MESSAGES = "messages"
    MONTHS = "months"
    SMALL = "small"


@dataclass(frozen=True, slots=True)
class Definition:
    """The name of a figure, what it counts, and what it does not."""

    name: str
    counts: str
    leaves_out: str = ""

    @property
    def text(self) -> str:
        """Both in one line."""
        return f"{self.counts} {self.leaves_out}".strip()


_DATED = int(DATED_WITHIN.total_seconds()) // 3600
_WEEKS = QUIET_AFTER.days // 7

COLUMNS: Mapping[Column, Definition] = {
    Column.GIVEN: Definition(
        "Sessions given", "Sessions of courses and of upkeep, on the date on which they were given.",
        "A session treated in part counts; a visit at which nobody was treated does not."),
    Column.IN_WINDOW: Definition(
        "In their window",
        "Of the sessions given that had a window: those given from its first to its last day. The window is the one "
        "that held when the session was given: that of the course's own version of the protocol, with what was changed "
        "for this patient, counted from the session before.",
        "First sessions have no window and are not counted."),
    Column.DRIFT: Definition(
        "Days from ideal",
        "The median of the days between the ideal date of a session and the date on which it was given: + is later, "
        "− is earlier. Half of the sessions lie above it and half below, so a few very late ones do not move it.",
        "First sessions have no ideal date and are not counted."),
    Column.NO_SHOW: Definition(
        "Did not come",
        "Of the visits whose time was kept to the last: those to which the patient did not come. Kept to the last are "
        "sessions given, other visits kept, patients who came and were not treated, those who did not come, and those "
        "who cancelled late.",
        "Where the clinic was the cause it is neither missed nor kept. Visits that nobody has closed are not counted."),
    Column.LATE: Definition(
        "Cancelled late",
        "Of the same visits: those that the patient cancelled with less notice than the clinic asks for, which is "
        "also where the patient's own page lets nobody cancel without asking.",
        "Who asks there gives notice when they ask, whenever the desk cancels. All months are counted by the notice "
        "that is asked for today, also those before it was changed, so that they can be compared. What the clinic "
        "cancelled, dates taken away to be planned anew, and visits moved in time are not counted; nor are those that "
        "ended because their course was stopped or put on hold."),
    Column.NEXT_DATED: Definition(
        "Left with the next date",
        "Of the sessions of courses that were given and were not the last of their course: those whose next session "
        f"had a date by {_DATED} hours after the session was given, whenever it had been booked.",
        "What happened to that date later does not matter. Upkeep, courses that were stopped by that day, and sessions "
        "moved in from another system as given are not counted."),
    Column.COMPLETED: Definition(
        "Courses completed",
        "Of the courses that ended in these months after at least one session: those of which every session was "
        "given, or which were stopped because the result was reached. The others were stopped for another reason, or "
        f"have gone quiet: no date, and the window of the next session over for {_WEEKS} weeks.",
        "Courses that still run, that never began, or that were booked by mistake are not counted. A course taken up "
        "again is not quiet any more."),
    Column.TO_COMPLETION: Definition(
        "Days to completion",
        "The median of the days from the first to the last session of the courses that were wholly given and ended in "
        "these months.", "Courses of one session are not counted."),
}


def columns_at(notice: Mapping[str, int]) -> Mapping[Column, Definition]:
    """The same for some clinics, given the hours of notice that each asks for."""
    late = COLUMNS[Column.LATE]
    return {**COLUMNS, Column.LATE: replace(late, counts=f"{late.counts} {_asked(notice)}")}


def _asked(notice: Mapping[str, int]) -> str:
    hours = sorted(set(notice.values()))
    if len(hours) == 1:
        return f"That is {_hours(hours[0])}." if hours[0] else "It asks for none: only what had begun is late."
    where = ((each, [name for name, asked in notice.items() if asked == each]) for each in hours)
    return f"That is {'; '.join(f'{_hours(each)} at {_and(names)}' for each, names in where)}."


def _hours(hours: int) -> str:
    return f"{hours} {'hour' if hours == 1 else 'hours'}" if hours else "none"


def _and(names: list[str]) -> str:
    return " and ".join(each for each in (", ".join(names[:-1]), names[-1]) if each)


TOPICS: Mapping[Topic, Definition] = {
    Topic.DROP_OUT: Definition(
        "Where people drop out",
        "After each session: of the patients who in these months either had the next session or ended their course "
        "without it, how many ended it. Drawn is what would be left of 100 courses if these months lasted.",
        "It follows these months, not courses that began together: those of the last months cannot have ended yet. "
        f"It stops before the first step with fewer than {FEWEST} patients."),
    Topic.CAUSES: Definition(
        "Why", "The cause that was chosen at the desk when the visit or the course was closed.",
        f"Causes with fewer than {FEWEST} patients are not named, nor another from which they could be worked out."),
    Topic.NOTICE: Definition(
        "How much notice", "How long before the visit the patient cancelled it.",
        "Visits moved to another time are not counted."),
    Topic.USE: Definition(
        "Hours used",
        "Practitioners: the time that visits hold them, of the hours of their rota within opening hours, less breaks, "
        "absences and closures. Rooms and devices: the time that visits hold them, turnover included, of the opening "
        "hours, less closures and downtime. Over 100 % means work outside those hours. Counted in steps of five "
        "minutes, to the real length of days on which the clocks change.",
        "Visits that were missed or cancelled give their time back and are not counted; nor is the way between "
        "clinics. A break that may be moved and found no place counts as hours."),
    Topic.COMING: Definition(
        "Free hours and hours owed",
        "Free: the hours of people, rooms or devices, less everything booked or held, in stretches long enough for one "
        "of the sessions owed. Owed: what the sessions without a date need, in the week of their ideal day; those that "
        "are overdue in the first. What found no place moves on to the next week. Full: not all of it finds a place.",
        "Hours are not yet appointments: that person, room and device are free together is for the planner to find. "
        "Sessions of courses on hold or gone quiet are not counted."),
    Topic.MESSAGES: Definition(
        "Messages",
        "Messages to patients that came to rest in these months. Reached the mail server: of those that were to be "
        "told, the ones that the mail server took and that did not come back. Nobody can know who has read one.",
        "Messages that were overtaken by what happened since or skipped by a person, and those that may not or cannot "
        "go by e-mail (the patient's wish, no address), are shown but not counted. The newsletter has figures of its "
        "own."),
    Topic.MONTHS: Definition(
        "Months",
        "Whole months by the calendar of each clinic, from midnight to midnight of its own zone. A visit counts on its "
        "local date; a session on the date on which it was given, also where that was not the date planned."),
    Topic.SMALL: Definition(
        "Left out",
        f"A figure about fewer than {FEWEST} patients is not shown, here or in the file. Where the total would give it "
        "away, the next smallest is left out too. A dash stands where there was nothing to count. Pages with other "
        "filters can still be subtracted from each other: take care what you pass on."),
}
