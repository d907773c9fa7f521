"""Going past a warning: with a reason that is kept, by someone who may, and never past what blocks."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from clinic.access import Grant, Right, Role, may
from clinic.planning import Finding, Weight
from clinic.services.work import UnitOfWork
from clinic.store.accounts import AccountRole
from clinic.store.courses import CourseOverride

OPERATORS = ("cli", "demo")
"""Who acts without an account and may all the same go past what screening says."""


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


def gone_past(findings: Sequence[Finding]) -> dict[str, list[str]]:
    """The same of a visit that belongs to no course, for the audit: by codes, which its time line says in words."""
    return {"over": [each.code for each in findings]} if findings else {}


def not_entitled(work: UnitOfWork, clinic_id: int, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """A warning of the screening is for a practitioner to go past, or for whoever runs the installation itself."""
    if not findings or may_decide(work, clinic_id):
        return ()
    return tuple(
        Finding("practitioner-needed", Weight.BLOCKS, f"{finding.text} A practitioner has to give the reason.",
                finding.field)
        for finding in findings)


def may_decide(work: UnitOfWork, clinic_id: int) -> bool:
    """Whether who acts may go past what screening or a protocol says, at that clinic."""
    if work.actor.account_id is None:
        return work.actor.name in OPERATORS
    roles = work.db.execute(
        sa.select(AccountRole.clinic_id, AccountRole.role).where(AccountRole.account_id == work.actor.account_id))
    return may((Grant(each.clinic_id, Role(each.role)) for each in roles), Right.OVERRIDE_SCREENING, clinic_id)
