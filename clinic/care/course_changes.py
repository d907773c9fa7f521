"""What a running course changes for itself: its interval, and what is heard of a reason not to treat."""
from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from clinic.care.guidance import Contraindication, ContraindicationKind
from clinic.care.protocols import Interval, Protocol, Step
from clinic.care.screening import Screening, ScreeningAnswers, screen
from clinic.planning.findings import Finding, Weight

MOST_DAYS = 3650
"""The longest interval that a course may be given, and how far ahead the end of a wait may lie. Our default: ten years,
only to refuse slips of the keyboard."""
SHORTER = "shorter-than-protocol"
"""The code of the warning that an interval is shorter than the protocol allows."""


@dataclass(frozen=True, slots=True)
class IntervalChange:
    """The interval that counts before session `from_number` and before every later one."""

    from_number: int
    interval: Interval

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> IntervalChange:
        """The change that a kept document describes."""
        return cls(document["from_number"], Interval(document["shortest"], document["ideal"], document["longest"]))

    def document(self) -> dict[str, Any]:
        """The change as it is kept; `of` reads it back."""
        interval = self.interval
        return {"from_number": self.from_number, "shortest": interval.shortest, "ideal": interval.ideal,
                "longest": interval.longest}

    @property
    def words(self) -> str:
        """The change as staff read it."""
        return f"From session {self.from_number} on {interval_words(self.interval)} apart"


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard of one contraindication: it applies, `on` its date where it has one; or, where `over` says why,
    it does not stand in the way any more."""

    code: str
    on: date | None = None
    over: str = ""


def interval_words(interval: Interval) -> str:
    """Such as "21 to 35 days, ideally 28"."""
    return f"{interval.shortest} to {interval.longest} days, ideally {interval.ideal}"


def interval_before(step: Step, changes: Sequence[IntervalChange]) -> Interval | None:
    """The interval before that session: of the newest change that reaches it, else the protocol's.

    `changes` come oldest first. The first session has none.
    """
    reaching = (each.interval for each in reversed(changes) if each.from_number <= step.number)
    return None if step.interval is None else next(reaching, step.interval)


def judge_interval(
    protocol: Protocol, steps: Iterable[Step], open_numbers: Collection[int], change: IntervalChange
) -> tuple[Finding, ...]:
    """What speaks against that change of a course with those steps, of which the sessions in `open_numbers` are open.

    Shorter than the protocol's shortest warns. Shorter than the protocol's spacing of two treatments blocks: no date
    would ever keep both.
    """
    if change.from_number < 2 or change.from_number not in open_numbers:
        return (Finding("from-number", Weight.BLOCKS, "Choose a session after the first that is not done yet.",
                        "from_number"),)
    if change.interval.longest > MOST_DAYS:
        return (Finding("too-long", Weight.BLOCKS, f"An interval has at most {MOST_DAYS} days.", "longest"),)
    found: list[Finding] = []
    shortest = change.interval.shortest
    before: Step | None = None
    for step in steps:
        if before is not None and step.number >= change.from_number and step.number in open_numbers:
            found += _judge_spacing(protocol, before, step, shortest)
            if step.interval is not None and shortest < step.interval.shortest:
                found.append(Finding(
                    SHORTER, Weight.WARNS, f"The protocol asks for at least {step.interval.shortest} days; "
                    f"{shortest} are fewer."))
        before = step
    return tuple(dict.fromkeys(found))


def heard(protocol: Protocol, answers: ScreeningAnswers, what: Heard) -> ScreeningAnswers:
    """The answers with what was heard since.

    An event that staff may call over stays on record with its reason; what screening never lets go of (absolute,
    relative, days that are not to be waived) is taken out of what applies, its reason kept.
    """
    applies, cleared = dict(answers.applies), dict(answers.cleared)
    cleared.pop(what.code, None)
    if not what.over:
        applies[what.code] = what.on
        return replace(answers, none_apply=False, applies=applies, cleared=cleared)
    cleared[what.code] = what.over
    if not clears_in_screening(contraindication(protocol, what.code)):
        applies.pop(what.code, None)
    return replace(answers, none_apply=not applies, applies=applies, cleared=cleared)


def contraindication(protocol: Protocol, code: str) -> Contraindication:
    """The protocol's contraindication of that code; KeyError where it has none."""
    return {each.code: each for each in protocol.contraindications}[code]


def clears_in_screening(reason: Contraindication) -> bool:
    """Whether screening takes a reason for its being over, as it does when a course is booked."""
    return reason.kind is ContraindicationKind.TEMPORARY and (reason.waivable or reason.defer_days is None)


def desk_may_clear(reason: Contraindication) -> bool:
    """Whether anybody at the desk may say that it is over: an event that has passed. All else is a practitioner's."""
    return reason.kind is ContraindicationKind.TEMPORARY and reason.defer_days is None


def about(protocol: Protocol, screened: Screening) -> tuple[Finding, ...]:
    """What screening says of contraindications alone; the rest was settled when the course was booked."""
    codes = {each.code for each in protocol.contraindications}
    return tuple(each for each in screened.findings if each.field in codes)


def open_ended(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those that forbid treatment with no date on which they end: the course has to rest."""
    return tuple(each for each in findings if each.weight is Weight.BLOCKS and each.until is None)


def first_day(protocol: Protocol, answers: ScreeningAnswers, answered_on: date) -> date | None:
    """The first date on which those answers, given on that day, let a session be; none: they name no date."""
    return screen(protocol, answers, today=answered_on).earliest_on


def _judge_spacing(protocol: Protocol, before: Step, step: Step, shortest: int) -> list[Finding]:
    return [
        Finding("spacing", Weight.BLOCKS, f"The protocol keeps {each.days} days between {before.name} and {step.name}, "
                "whatever the interval: choose no fewer.", "shortest")
        for each in protocol.spacing
        if (each.first, each.then) == (before.treatment, step.treatment) and shortest < each.days]
