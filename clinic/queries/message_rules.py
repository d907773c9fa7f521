"""The rules of messages as they stand, read once in a unit of work: a sweep asks for them owner by owner."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.message_rules import MessageRules, rules_from
from clinic.store.clinics import MessageRule

_DOCUMENTS = "message-rule-documents"
_RULES = "message-rules"

Documents = Mapping[str, Mapping[str, Any]]


def rules_of(db: Session, clinic_id: int, protocol_id: int | None) -> MessageRules:
    """The rules of a clinic for a protocol; those for all its messages where none is given."""
    read: dict[tuple[int, int | None], MessageRules] = db.info.setdefault(_RULES, {})
    if (clinic_id, protocol_id) not in read:
        own = rule_documents(db, clinic_id, protocol_id) if protocol_id is not None else {}
        read[clinic_id, protocol_id] = rules_from(rule_documents(db, clinic_id, None), own)
    return read[clinic_id, protocol_id]


def rule_documents(db: Session, clinic_id: int, protocol_id: int | None) -> Documents:
    """What a clinic set for all its messages, or for one protocol, by kind; the newest of each."""
    return _documents(db).get((clinic_id, protocol_id), {})


def own_rules(db: Session, clinic_id: int) -> Mapping[int, int]:
    """For how many kinds a clinic has rules for one protocol alone, by the protocol's id."""
    return {protocol_id: sum(map(bool, documents.values()))
            for (ident, protocol_id), documents in _documents(db).items()
            if ident == clinic_id and protocol_id is not None}


def read_rules_anew(db: Session) -> None:
    """Forgets what was read, where a rule has just been written."""
    db.info.pop(_DOCUMENTS, None)
    db.info.pop(_RULES, None)


def _documents(db: Session) -> Mapping[tuple[int, int | None], Documents]:
    if _DOCUMENTS not in db.info:
        db.info[_DOCUMENTS] = _read(db)
    found: Mapping[tuple[int, int | None], Documents] = db.info[_DOCUMENTS]
    return found


def _read(db: Session) -> Mapping[tuple[int, int | None], Documents]:
    rows = db.execute(_every_rule())
    found: defaultdict[tuple[int, int | None], dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for row in rows:
        found[row.clinic_id, row.protocol_id][row.kind] = row.rule
    return found


@cache
def _every_rule() -> sa.Select[Any]:
    return sa.select(MessageRule.clinic_id, MessageRule.protocol_id, MessageRule.kind, MessageRule.rule).order_by(
        MessageRule.version)
