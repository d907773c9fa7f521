"""What is known of the outbox, the workers and what came back, for the page that says whether all is well."""
from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.mail_health import MailFacts, WorkerFacts
from clinic.care.states import MessageState
from clinic.store.clinics import Business
from clinic.store.outbox import Bounce, Message, WorkerRow

_MONTH = timedelta(days=30)
_DAY = timedelta(days=1)


def mail_facts(db: Session, *, now: datetime) -> MailFacts:
    """How the messages of the whole business stand, in three statements."""
    is_due = sa.and_(Message.state == MessageState.PENDING, Message.due_at <= now)
    waits = sa.and_(Message.patient_id.is_not(None), Message.decision.is_(None), Message.useless_after > now)
    failed = sa.and_(Message.state == MessageState.FAILED, waits)
    recent = Bounce.at > now - _MONTH
    row = db.execute(sa.select(
        sa.select(Business.mail_on_since).scalar_subquery().label("mail_on_since"),
        sa.select(Business.held_since).scalar_subquery().label("held_since"),
        _messages(is_due).label("due"),
        sa.select(sa.func.min(Message.due_at)).where(is_due).scalar_subquery().label("oldest_due_at"),
        _messages(failed).label("failed"),
        _messages(sa.and_(failed, Message.settled_at > now - _DAY)).label("failed_today"),
        _messages(sa.and_(Message.state == MessageState.UNCERTAIN, waits)).label("uncertain"),
        _bounces(sa.and_(recent, Bounce.is_hard)).label("hard"),
        _bounces(sa.and_(recent, Bounce.is_final, ~Bounce.is_hard)).label("soft"),
        _bounces(sa.and_(Bounce.at > now - _DAY, Bounce.is_hard)).label("bounced_today"),
        sa.select(sa.func.count(sa.distinct(Bounce.email))).where(Bounce.is_hard, Bounce.lifted_at.is_(None))
        .scalar_subquery().label("blocked"))).one()
    held = db.execute(
        sa.select(sa.func.coalesce(Message.reason, "by hand"), sa.func.count()).where(
            Message.state == MessageState.HELD).group_by(Message.reason).order_by(sa.func.count().desc()).limit(5))
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
