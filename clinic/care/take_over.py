"""Whether a course that runs may go on under a newer version of its protocol."""
from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from clinic.care.evidence import OUR_DEFAULT
from clinic.care.parts import Part
from clinic.care.protocols import Protocol, steps_for
from clinic.planning.findings import Finding, Weight


def judge_take_over(
    old: Protocol, new: Protocol, *, indication: str, open_numbers: Collection[int], booked_numbers: Collection[int]
) -> tuple[Finding, ...]:
    """What speaks against it: intervals and words may be others, but not what is done, held, or had to be asked."""
    found = []
    last = max(open_numbers, default=1)
    pairs = dict(enumerate(zip(steps_for(old, last), steps_for(new, last), strict=True), start=1))
    for number in sorted(open_numbers):
        was, will = pairs[number]
        if was.treatment != will.treatment:
            found.append(_blocks("other-treatment", f"Session {number} would be {will.name} in place of {was.name}. "
                                 "Stop the course early and plan a new one."))
        elif number in booked_numbers and _held(was.parts) != _held(will.parts):
            found.append(_blocks("other-visit", f"Session {number} is booked, and its visit would take or hold "
                                 "something else. Cancel its date first."))
    if indication not in {each.code for each in new.indications}:
        found.append(_blocks("other-indication", "The newer version is not for what this course is for."))
    known = {each.code for each in old.contraindications}
    asked = [each.title for each in new.contraindications if each.code not in known]
    if asked:
        found.append(_blocks("other-questions", f"The patient was not asked about this: {'; '.join(asked)}. "
                             "Stop the course early and plan a new one."))
    return tuple(found)


def _held(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    return tuple(replace(part, evidence=OUR_DEFAULT) for part in parts)


def _blocks(code: str, text: str) -> Finding:
    return Finding(code, Weight.BLOCKS, text)
