"""Going past a warning: with a reason that is kept, and never past what blocks."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

from clinic.planning import Finding, Weight
from clinic.services.work import UnitOfWork
from clinic.store.courses import CourseOverride


def unsettled(findings: Sequence[Finding], overrides: Mapping[str, str]) -> tuple[Finding, ...]:
    """The findings that still stand in the way: those that block, and warnings without a reason to go on."""
    return tuple(
        finding for finding in findings
        if finding.weight is Weight.BLOCKS or not overrides.get(finding.code, "").strip())


def keep_reasons(
    work: UnitOfWork, course_id: int, findings: Sequence[Finding], overrides: Mapping[str, str],
    number: int | None = None,
) -> None:
    """Puts on record why each of these warnings was gone past, by whom, and for which session if for one."""
    about = {} if number is None else {"number": number}
    for finding in findings:
        work.db.add(CourseOverride(
            course_id=course_id, code=finding.code, value={"finding": finding.text, **about},
            reason=overrides[finding.code].strip(), made_at=work.now, made_by=work.actor.account_id))
