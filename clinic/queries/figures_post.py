"""What became of the messages to patients that came to rest in some months."""
from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.figures.months import Month, Months
from clinic.care.figures.post import Settled
from clinic.care.states import MessageDecision, MessageState
from clinic.queries.figures_rows import Asked
from clinic.store.outbox import Message


def settled(db: Session, asked: Asked) -> tuple[Settled, ...]:
    """By month, state and decision, in one statement that reads nothing but its index, each month a part of it."""
    names = list(asked.months)
    rows = db.execute(sa.union_all(*(
        sa.select(sa.literal(place), Message.state, Message.decision, sa.func.count(),
                  sa.func.count(sa.distinct(Message.patient_id)))
        .where(_settled_in(asked, month), Message.patient_id.is_not(None)).group_by(Message.state, Message.decision)
        for place, month in enumerate(names))))
    return tuple(
        Settled(names[place], MessageState(state), MessageDecision(decision) if decision else None, number, patients)
        for place, state, decision, number, patients in rows)


def _settled_in(asked: Asked, month: Month) -> sa.ColumnElement[bool]:
    spans = replace(asked, months=Months(month, month)).spans()
    return sa.or_(*(sa.and_(Message.clinic_id.in_(ids), Message.settled_at >= begins, Message.settled_at < ends)
                    for ids, begins, ends in spans))
