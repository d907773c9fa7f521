"""A course that runs goes on under a newer version of its protocol."""
from __future__ import annotations

from clinic.planning import Finding, Weight
from clinic.queries.series import course_series
from clinic.queries.take_over import take_over_of
from clinic.services.course_changes import outside
from clinic.services.overrides import may_decide
from clinic.services.resting import settle
from clinic.services.work import Done, Refused, UnitOfWork, check_version
from clinic.store.locks import lock_course


def take_over(work: UnitOfWork, course_id: int, version_id: int, *, lock_version: int) -> Done[int] | Refused:
    """Lets a course follow the approved version from now on, as a practitioner decides; nothing that is booked moves.

    Windows and messages follow it. The findings of what was done name the appointments that now lie outside.
    """
    course = lock_course(work.db, course_id)
    check_version("course", course, lock_version)
    newer = take_over_of(work.db, course_id, now=work.now)
    if newer is None or newer.version_id != version_id:
        return _refused("not-newer", "There is another version now, or the course has ended. Look at it again.")
    if not may_decide(work, course.clinic_id):
        return _refused("practitioner-needed", "Only a practitioner changes what a running course follows.")
    if newer.findings:
        return Refused(newer.findings)
    course.protocol_version_id = version_id
    work.db.flush()
    series = course_series(work.db, course_id, now=work.now)
    after = settle(work, series, "version-taken-over", before=str(newer.before), now=str(newer.number))
    return Done(course_id, outside(after))


def _refused(code: str, text: str) -> Refused:
    return Refused((Finding(code, Weight.BLOCKS, text),))
