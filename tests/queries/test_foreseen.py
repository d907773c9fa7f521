"""The coming 30 days, counted beforehand, and then lived: the worker sends what was foreseen."""
from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.messages.mailbox import MailboxTransport
from clinic.planning.local import DAY, day_of, zone
from clinic.queries.clinic_owners import clinic_owners
from clinic.queries.foreseen import ComingDays, Numbers, OtherRules, coming_days
from clinic.queries.owner_facts import owner_facts, owner_head
from clinic.services import mail
from clinic.services.delivery import Courier
from clinic.services.reconcile import sweep
from clinic.store.clinics import MessageRule
from clinic.store.diary import Appointment
from clinic.store.engine import for_writing
from clinic.store.outbox import Message, MessageItem
from tests.booking import booked, cancel, perform, standing
from tests.everything import clinic_of_everything
from tests.queries.statements import counted
from tests.small_clinic import SmallClinic, small_clinic

WHERE = "Europe/London"


def foreseen(made: SmallClinic, other: OtherRules | None = None) -> ComingDays:
    with Session(made.engine) as db:
        return coming_days(db, made.clinic_id, other, most_a_day=3, where=WHERE, now=made.now)


def keep(made: SmallClinic, kind: str, rule: Mapping[str, object], protocol_id: int | None = None) -> None:
    with Session(for_writing(made.engine)) as db:
        db.add(MessageRule(clinic_id=made.clinic_id, protocol_id=protocol_id, kind=kind, rule=rule, made_at=made.now))
        db.commit()


def due_next(made: SmallClinic) -> tuple[datetime | None, Appointment | None]:
    with Session(made.engine, expire_on_commit=False) as db:
        due_at = db.scalar(sa.select(sa.func.min(Message.due_at)).where(Message.state == "pending"))
        visit = db.scalars(sa.select(Appointment).where(Appointment.state == "booked").order_by(
            Appointment.ends_at).limit(1)).first()
    return due_at, visit


def live(made: SmallClinic, until: datetime) -> None:
    """Time passes: what is due is sent, and every patient comes and is treated."""
    courier = Courier(made.work, MailboxTransport(), "month")
    while True:
        due_at, visit = due_next(made)
        turns = [at for at in (due_at, visit.ends_at if visit else None) if at is not None]
        if not turns or min(turns) >= until:
            return
        made.now = max(made.now, min(turns))
        if visit is not None and visit.ends_at <= made.now:
            perform(made, visit)
        after = None
        while True:
            with made.work() as work:
                after = sweep(work, after=after)
            if after is None:
                break
        courier.deliver_due(100)


def sent(made: SmallClinic) -> tuple[Counter[date], Counter[str]]:
    """E-mails that were sent by day, and what they say by kind."""
    with Session(made.engine) as db:
        rows = db.scalars(sa.select(Message.settled_at).where(Message.state == "sent")).all()
        kinds = db.scalars(sa.select(MessageItem.kind).join(Message, Message.id == MessageItem.message_id)
                           .where(Message.state == "sent", MessageItem.dropped.is_(None)))
        return Counter(day_of(at, zone(WHERE)) for at in rows if at), Counter(kinds)


def test_what_is_foreseen_for_a_month_is_what_the_worker_sends_in_it(engine: Engine) -> None:
    made = small_clinic(engine)
    keep(made, "reminder-7d", {"when": {"days": 5, "at": 630}, "weekdays": [0, 1, 2, 3, 4]})
    keep(made, "course-complete", {"when": {"minutes": 1440}}, protocol_id=1)
    with made.work() as work:
        mail.switch_mail_on(work)
    booked(made)
    booked(made, "peel_superficial", 2, not_before_on=date(2027, 3, 15))
    booked(made, "mn_rejuvenation", 1, patient_id=made.patients[1], not_before_on=date(2027, 3, 10))
    cancel(made, standing(made, 1)[2])

    live(made, made.now + 4 * DAY)
    days_before, kinds_before = sent(made)

    days = foreseen(made)
    live(made, made.now.replace(hour=0, minute=0) + 30 * DAY)

    by_day, by_kind = sent(made)
    by_day.subtract(days_before)
    by_kind.subtract(kinds_before)
    assert {on: each.kept for on, each in days.by_day if each.kept} == {on: n for on, n in by_day.items() if n}
    assert {str(kind): each.kept for kind, each in days.by_kind} == {kind: n for kind, n in by_kind.items() if n}
    assert sum(by_day.values()) >= 8


@pytest.fixture
def everything(engine: Engine) -> SmallClinic:
    made = clinic_of_everything(engine)
    with Session(for_writing(engine)) as db:
        db.execute(sa.update(MessageRule).values(rule={"on": False}))
        db.commit()
    return made


def test_read_at_once_the_owners_are_known_as_they_are_one_by_one(everything: SmallClinic) -> None:
    with Session(everything.engine) as db:
        known = clinic_owners(db, everything.clinic_id, now=everything.now, until=everything.now + 400 * DAY)

        found = {owner.head.owner: owner for patient in known.patients for owner in patient.owners}
        for owner, each in found.items():
            head = owner_head(db, owner)
            assert head == each.head
            assert replace(owner_facts(db, head), full_on=None) == each.facts

    assert {owner.kind for owner in found} == {"course", "maintenance-plan", "appointment"}
    assert known.is_all


def test_other_rules_are_counted_beside_those_that_are_kept_and_nothing_is_written(everything: SmallClinic) -> None:
    with Session(everything.engine) as db:
        before = db.scalar(sa.select(sa.func.count()).select_from(MessageItem))
    off = OtherRules({"reminder-7d": {"on": False}, "reminder-2d": {"on": False}}, None, 3)

    same, other = foreseen(everything), foreseen(everything, off)
    of_one = foreseen(everything, OtherRules({"reminder-2d": {"on": False}}, 10_000, 3))

    kinds = dict(other.by_kind)
    assert [each.difference for _, each in same.by_day] == [0] * 30
    assert kinds["reminder-2d"].other == 0 < kinds["reminder-2d"].kept  # type: ignore[index]
    assert other.changed > 0
    assert of_one.changed == 0
    assert other.total == Numbers(same.total.kept, same.total.kept - kinds["reminder-2d"].kept)  # type: ignore[index]
    with Session(everything.engine) as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(MessageItem)) == before


def test_a_month_takes_as_many_statements_for_many_patients_as_for_one(engine: Engine) -> None:
    made = small_clinic(engine, patients=6)
    booked(made)
    foreseen(made)
    with counted(engine) as few:
        foreseen(made)
    for patient in made.patients[1:]:
        booked(made, patient_id=patient)

    with counted(engine) as many:
        foreseen(made)

    assert len(many) == len(few) <= 15
