"""What became of the messages to patients that came to rest in some months."""
from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.figures.months import Months
from clinic.care.figures.post import Settled
from clinic.care.states import MessageDecision, MessageState
from clinic.queries.figures_rows import Asked
from clinic.store.outbox import Message


def settled(db: Session, asked: Asked) -> tuple[Settled, ...]:
    """By month, state and decision, in one statement that reads nothing but its index."""
    at = Message.settled_at
    in_months, names = [], list(asked.months)
    places: list[tuple[sa.ColumnElement[bool], int]] = []
    for ids, begins, ends in asked.spans():
        here = Message.clinic_id.in_(ids)
        in_months.append(sa.and_(here, at >= begins, at < ends))
        where = asked.clinics[ids[0]]
        places += [(sa.and_(here, at < Months(month, month).instants(where)[1]), place)
                   for place, month in enumerate(names)]
    month = sa.case(*places)
    rows = db.execute(
        sa.select(month.label("month"), Message.state, Message.decision, sa.func.count(),
                  sa.func.count(sa.distinct(Message.patient_id)))
        .where(sa.or_(*in_months), Message.patient_id.is_not(None))
        .group_by("month", Message.state, Message.decision))
    return tuple(
        Settled(names[place], MessageState(state), MessageDecision(decision) if decision else None, number, patients)
        for place, state, decision, number, patients in rows)
