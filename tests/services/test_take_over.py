"""A course that runs takes over a newer version of its protocol."""
from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.catalogue import load_catalogue
from clinic.care.course_changes import Heard
from clinic.care.guidance import ContraindicationKind
from clinic.care.new_version import as_it_is, document_with
from clinic.care.protocols import Protocol
from clinic.care.take_over import judge_take_over
from clinic.queries.take_over import TakeOver, take_over_of
from clinic.services.contraindications import note_contraindication
from clinic.services.protocol_versions import draft_version
from clinic.services.protocols import approve_version
from clinic.services.take_over import take_over
from clinic.services.work import Done, Refused, Stale
from clinic.store.courses import Course
from clinic.store.protocols import Protocol as ProtocolRow
from clinic.store.protocols import ProtocolVersion
from tests.booking import booked, cancel, codes, done, perform, standing
from tests.prove.audit import audit
from tests.services.changing import spans, version
from tests.small_clinic import SmallClinic, small_clinic

CODE = "mn_rejuvenation"
CONTENT = next(each for each in load_catalogue() if each.code == CODE)
LONGER = {"cycle[0].interval.ideal": 56, "cycle[0].interval.longest": 70}
MUCH_LONGER = {"cycle[0].interval.shortest": 60, "cycle[0].interval.ideal": 63, "cycle[0].interval.longest": 70}


def approved(made: SmallClinic, **change: Any) -> int:
    """A newer version that says this differently, approved."""
    wanted = as_it_is(CONTENT)
    figures = {**wanted.figures, **change.pop("figures", {})}
    document = document_with(CONTENT, replace(wanted, figures=figures, **change))
    with made.work("manager") as work:
        number = done(draft_version(work, CODE, document, base=1))
    with Session(made.engine) as db:
        version_id = db.scalars(sa.select(ProtocolVersion.id).join(ProtocolRow).where(
            ProtocolRow.code == CODE, ProtocolVersion.number == number)).one()
    with made.work("practitioner") as work:
        done(approve_version(work, version_id))
    return version_id


def offered(made: SmallClinic, course_id: int) -> TakeOver | None:
    """What the course could take over."""
    with Session(made.engine) as db:
        return take_over_of(db, course_id, now=made.now)


def taken_over(
    made: SmallClinic, course_id: int, version_id: int, *, role: str = "practitioner", lock_version: int | None = None
) -> Done[int] | Refused:
    """Takes it over."""
    with made.work(role) as work:
        return take_over(work, course_id, version_id, lock_version=lock_version or version(made, course_id))


def test_windows_follow_the_newer_version_and_appointments_stay(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    done(perform(made, standing(made, course_id)[0]))
    before, starts = spans(made, course_id), [each.starts_at for each in standing(made, course_id)]
    version_id = approved(made, figures=LONGER)
    newer = offered(made, course_id)

    outcome = taken_over(made, course_id, version_id)

    assert newer is not None
    assert [(row.number, row.is_outside, row.before != row.after) for row in newer.rows] == [
        (2, False, True), (3, False, True)]
    assert outcome == Done(course_id)
    assert [each.starts_at for each in standing(made, course_id)] == starts
    after = spans(made, course_id)
    assert (after[0], after[1] != before[1]) == (before[0], True)
    assert [(row.after.earliest_on, row.after.ideal_on, row.after.latest_on) for row in newer.rows if row.after] == (
        after[1:])
    with Session(engine) as db:
        assert db.scalars(sa.select(Course.protocol_version_id)).one() == version_id
    assert offered(made, course_id) is None
    assert audit(engine, untold_at=made.now) == []


def test_a_date_that_would_come_too_soon_is_moved_first(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    version_id = approved(made, figures=MUCH_LONGER)

    refused = taken_over(made, course_id, version_id)
    for each in standing(made, course_id)[1:]:
        done(cancel(made, each))

    assert codes(refused) == ["too-soon", "too-soon"]
    assert isinstance(refused, Refused) and "Session 2" in refused.findings[0].text
    assert isinstance(taken_over(made, course_id, version_id), Done)
    assert audit(engine, untold_at=made.now) == []


def test_a_date_that_comes_to_lie_late_is_named(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    last = standing(made, course_id)[-1]
    second = standing(made, course_id)[1].local_start.date()
    gap = (last.local_start.date() - second).days
    version_id = approved(made, figures={"cycle[0].interval.shortest": gap - 3, "cycle[0].interval.ideal": gap - 2,
                                         "cycle[0].interval.longest": gap - 1})

    outcome = taken_over(made, course_id, version_id)

    assert isinstance(outcome, Done)
    assert "outside" in [each.code for each in outcome.findings]


def test_a_course_on_the_approved_version_or_over_has_nothing_to_take_over(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=1)
    assert offered(made, course_id) is None

    approved(made, figures=LONGER)
    done(perform(made, standing(made, course_id)[0]))

    assert offered(made, course_id) is None


def test_only_a_practitioner_decides(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    version_id = approved(made, name="Ours")

    assert codes(taken_over(made, course_id, version_id, role="manager")) == ["practitioner-needed"]
    assert isinstance(taken_over(made, course_id, version_id), Done)


def test_a_version_that_is_not_the_approved_one_is_not_taken_over(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    first = approved(made, name="Ours")
    approved(made, name="Ours again")

    assert codes(taken_over(made, course_id, first)) == ["not-newer"]


def test_a_visit_that_is_booked_keeps_what_it_holds_until_its_date_is_cancelled(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=1)
    first, *rest = CONTENT.treatments[0].parts
    version_id = approved(made, parts=((replace(first, name="welcome"), *rest),))

    refused = taken_over(made, course_id, version_id)
    done(cancel(made, standing(made, course_id)[0]))

    assert codes(refused) == ["other-visit"]
    assert isinstance(taken_over(made, course_id, version_id), Done)


def test_whoever_saw_the_course_as_it_was_is_told(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    version_id = approved(made, name="Ours")
    seen = version(made, course_id)
    taken_over(made, course_id, version_id)

    with pytest.raises(Stale):
        taken_over(made, course_id, version_id, lock_version=seen)


def judged(new: Protocol, **change: Any) -> list[str]:
    """The codes of what speaks against going on under it."""
    given: dict[str, Any] = {"indication": "fine_lines", "open_numbers": [2, 3], "booked_numbers": [2], **change}
    return [finding.code for finding in judge_take_over(CONTENT, new, **given)]


def test_what_is_done_asked_or_treated_must_stay_the_same() -> None:
    other_treatment = replace(CONTENT.treatments[0], code="other")
    other_cycle = replace(CONTENT, treatments=(CONTENT.treatments[0], other_treatment),
                          cycle=(replace(CONTENT.cycle[0], treatment="other"),))
    question = replace(CONTENT.contraindications[0], code="new")

    assert judged(CONTENT) == []
    assert judged(other_cycle) == ["other-treatment", "other-treatment"]
    assert judged(CONTENT, indication="tattoos") == ["other-indication"]
    assert judged(replace(CONTENT, contraindications=(*CONTENT.contraindications, question))) == ["other-questions"]
    assert judged(replace(CONTENT, contraindications=CONTENT.contraindications[1:])) == []
    assert judged(other_cycle, open_numbers=[], booked_numbers=[]) == []


def test_the_time_that_passes_changes_nothing_of_what_is_offered(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    approved(made, figures=LONGER)
    now = offered(made, course_id)

    made.now += timedelta(days=1)

    assert offered(made, course_id) == now


def test_what_the_newer_version_forbids_of_what_is_known_of_the_patient_speaks_against_it(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    weighed = next(each for each in CONTENT.contraindications if each.kind is ContraindicationKind.RELATIVE)
    with made.work("practitioner") as work:
        done(note_contraindication(work, course_id, Heard(weighed.code), reason="Seen, and mild.",
                                   lock_version=version(made, course_id)))
    strict = replace(weighed, kind=ContraindicationKind.ABSOLUTE, waivable=False, defer_days=None, defer_until="")
    content = replace(CONTENT, contraindications=tuple(
        strict if each is weighed else each for each in CONTENT.contraindications))
    with made.work("manager") as work:
        number = done(draft_version(work, CODE, content.to_document(), base=1))
    with Session(made.engine) as db:
        version_id = db.scalars(sa.select(ProtocolVersion.id).join(ProtocolRow).where(
            ProtocolRow.code == CODE, ProtocolVersion.number == number)).one()
    with made.work("practitioner") as work:
        done(approve_version(work, version_id))

    outcome = taken_over(made, course_id, version_id)

    assert codes(outcome) == [weighed.code]
