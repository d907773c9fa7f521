"""Where people drop out: after each session, how many of those who were to have another one went on."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from clinic.care.figures.happened import DROPPED, Ended, Given
from clinic.care.figures.small import FEWEST


@dataclass(frozen=True, slots=True)
class Step:
    """After so many sessions: how many had the next, and how many had no more; and who is left of a hundred."""

    after: int
    went_on: int
    stopped: int
    left: float

    @property
    def percent(self) -> float:
        """How many in a hundred stopped here."""
        return 100 * self.stopped / (self.went_on + self.stopped)


def steps(given: Sequence[Given], ended: Sequence[Ended]) -> tuple[Step, ...]:
    """The steps from the first session on, until one is about fewer than five patients.

    They are counted over what happened in some months, as a life table of a year is: not over courses that began
    together, for those of the last months could not have ended yet. `left` is what would be left of a hundred courses,
    were these months to last.
    """
    went, stopped = defaultdict[int, list[int]](list), defaultdict[int, list[int]](list)
    for each in given:
        for number, patient_id in zip(each.numbers, each.patients, strict=True):
            if number is not None and number > 1:
                went[number - 1].append(patient_id)
    for course in ended:
        if course.end in DROPPED:
            stopped[course.given].append(course.patient_id)
    found, left, after = list[Step](), 100.0, 1
    while len({*went[after], *stopped[after]}) >= FEWEST:
        on, off = len(went[after]), len(stopped[after])
        left *= on / (on + off)
        found.append(Step(after, on, off, left))
        after += 1
    return tuple(found)


def steepest(found: Sequence[Step]) -> Step | None:
    """The step after which the most in a hundred stop; none where nobody does."""
    return max((step for step in found if step.stopped), key=lambda step: (step.percent, -step.after), default=None)
