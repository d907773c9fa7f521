"""What is known of the outbox, the workers and what came back, for the page that says whether all is well."""
from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.mail_health import MailFacts, WorkerFacts
from clinic.care.priority import Priority
from clinic.care.states import MessageState
from clinic.store.clinics import Business
from clinic.store.outbox import TROUBLE, Bounce, Message, WorkerRow, state_is

_MONTH = timedelta(days=30)
_DAY = timedelta(days=1)


def mail_facts(db: Session, *, now: datetime) -> MailFacts:
    """How the messages of the whole business stand, in three statements."""
    # States are written out, every priority is named, and a patient is not looked for by index: so the indexes of what
    # waits and of what is in trouble serve, and nothing that was sent is looked at.
    is_due = sa.and_(state_is(MessageState.PENDING), Message.priority.in_(Priority), Message.due_at <= now)
    in_trouble = sa.and_(state_is(*TROUBLE), Message.decision.is_(None))
    waits = sa.and_(in_trouble, sa.func.coalesce(Message.patient_id, 0) != 0, Message.useless_after > now)
    failed = sa.and_(state_is(MessageState.FAILED), waits)
    recent = Bounce.at > now - _MONTH
    row = db.execute(sa.select(
        sa.select(Business.mail_on_since).scalar_subquery().label("mail_on_since"),
        sa.select(Business.held_since).scalar_subquery().label("held_since"),
        _messages(is_due).label("due"),
        sa.select(sa.func.min(Message.due_at)).where(is_due).scalar_subquery().label("oldest_due_at"),
        _messages(failed).label("failed"),
        _messages(sa.and_(failed, Message.settled_at > now - _DAY)).label("failed_today"),
        _messages(sa.and_(state_is(MessageState.UNCERTAIN), waits)).label("uncertain"),
        _bounces(sa.and_(recent, Bounce.is_hard)).label("hard"),
        _bounces(sa.and_(recent, Bounce.is_final, ~Bounce.is_hard)).label("soft"),
        _bounces(sa.and_(Bounce.at > now - _DAY, Bounce.is_hard)).label("bounced_today"),
        sa.select(sa.func.count(sa.distinct(Bounce.email))).where(Bounce.is_hard, Bounce.lifted_at.is_(None))
        .scalar_subquery().label("blocked"))).one()
    held = db.execute(
        sa.select(sa.func.coalesce(Message.reason, "by hand"), sa.func.count())
        .where(in_trouble, state_is(MessageState.HELD))
        .group_by(Message.reason).order_by(sa.func.count().desc()).limit(5))
    return MailFacts(
        mail_is_on=row.mail_on_since is not None, held_back_since=row.held_since, due=row.due,
        oldest_due_at=row.oldest_due_at, failed=row.failed, failed_today=row.failed_today, uncertain=row.uncertain,
        held=tuple((reason, number) for reason, number in held), workers=_workers(db), hard_bounces=row.hard,
        soft_bounces=row.soft, bounced_today=row.bounced_today, blocked_addresses=row.blocked)


def _messages(which: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    return sa.select(sa.func.count()).select_from(Message).where(which).scalar_subquery()


def _bounces(which: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    return sa.select(sa.func.count()).select_from(Bounce).where(which).scalar_subquery()


def _workers(db: Session) -> tuple[WorkerFacts, ...]:
    rows = db.execute(
        sa.select(WorkerRow.id, WorkerRow.host, WorkerRow.started_at, WorkerRow.heartbeat_at, WorkerRow.swept_at,
                  WorkerRow.trouble, WorkerRow.trouble_since, WorkerRow.folder_trouble)
        .order_by(WorkerRow.heartbeat_at.desc(), WorkerRow.id).limit(20))
    return tuple(WorkerFacts(*row) for row in rows)
