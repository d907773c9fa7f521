"""An event to be ready for, in sentences: until when the course may begin, or by how much it fails and what helps."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from clinic.care.protocols import Downtime
from clinic.queries.finishing import Deadline
from clinic.web.words import day, plural


@dataclass(frozen=True, slots=True)
class DeadlineWords:
    """What is said of the event: a title, what it is reckoned from, and what would make it possible."""

    is_met: bool
    title: str
    text: str
    helps: tuple[str, ...] = ()


def deadline_words(deadline: Deadline, downtime: Downtime, today: date) -> DeadlineWords:
    """The answer to whether the course can be done before the event."""
    finish = deadline.finish
    reckoned = (f"With {plural(finish.recovery_days, 'day')} of recovery the last session is on {day(finish.last_on)} "
                "at the latest.")
    if deadline.is_met:
        begins = f" It has to begin by {day(deadline.begin_by)}." if deadline.begin_by else ""
        rest = "" if deadline.is_whole else ", as far as dates can be booked now"
        return DeadlineWords(True, f"It can be done before {day(finish.event_on)}{rest}", reckoned + begins)
    late = plural(deadline.days_late, "day")
    ends = f" The soonest end is {day(deadline.ends_on)}." if deadline.ends_on else ""
    return DeadlineWords(
        False, f"It cannot be done before {day(finish.event_on)}: {late} too late", reckoned + ends,
        tuple(_helps(deadline, downtime, today)))


def _helps(deadline: Deadline, downtime: Downtime, today: date) -> list[str]:
    told = [f"An event from {day(deadline.event_from)} on can be met."]
    if deadline.fewer:
        count, ends_on = deadline.fewer
        told.append(f"{plural(count, 'session')} can be done, by {day(ends_on)}.")
    if deadline.without_wishes_on:
        told.append("Without the dates away and the times that the patient asks for it can be done, by "
                    f"{day(deadline.without_wishes_on)}.")
    if deadline.recovery_enough is not None:
        told.append(f"It can be done if {plural(deadline.recovery_enough, 'day')} of recovery "
                    f"{'is' if deadline.recovery_enough == 1 else 'are'} enough: the protocol says "
                    f"{downtime.shortest} to {downtime.longest}.")
    if deadline.begin_by and deadline.begin_by < deadline.finish.last_on:
        sooner = deadline.begin_by >= today
        told.append(f"At the shortest distances it {'has' if sooner else 'would have had'} to begin by "
                    f"{day(deadline.begin_by)}.")
    return told
