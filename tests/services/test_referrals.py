"""Severe laxity on a lifting course: a consultation is asked for, once."""
from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.screening import LaxityGrade, ScreeningAnswers
from clinic.queries.course_asks import CourseRequest
from clinic.services.referrals import refer_to_consultation
from clinic.store.accounts import Task
from tests.small_clinic import SmallClinic, small_clinic


def _request(made: SmallClinic, grade: LaxityGrade, protocol: str = "rfmn_laxity") -> CourseRequest:
    return CourseRequest(
        patient_id=made.patients[0], clinic_id=made.clinic_id, protocol_version_id=made.versions[protocol], sessions=3,
        not_before_on=date(2027, 3, 1), answers=ScreeningAnswers("mild_laxity", grade, none_apply=True))


def _tasks(engine: Engine) -> list[tuple[str, date]]:
    with Session(engine) as db:
        return [(kind, due_on) for kind, due_on in db.execute(sa.select(Task.kind, Task.due_on))]


def test_severe_laxity_opens_one_task_however_often_it_is_asked(engine: Engine) -> None:
    made = small_clinic(engine)
    told = []

    for _ in range(2):
        with made.work("receptionist") as work:
            told.append(refer_to_consultation(work, _request(made, LaxityGrade.SEVERE)))

    assert told == ["Arrange a surgical consultation: the laxity is severe."] * 2
    assert _tasks(engine) == [("consultation", date(2027, 3, 15))]


@pytest.mark.parametrize(("grade", "protocol"), [
    (LaxityGrade.MILD, "rfmn_laxity"), (LaxityGrade.SEVERE, "lhr_face"),
])
def test_other_answers_open_none(engine: Engine, grade: LaxityGrade, protocol: str) -> None:
    made = small_clinic(engine)

    with made.work("receptionist") as work:
        told = refer_to_consultation(work, _request(made, grade, protocol))

    assert (told, _tasks(engine)) == ("", [])
