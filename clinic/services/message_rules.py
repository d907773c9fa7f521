"""Which messages a clinic sends, and when: what it sets for all its protocols, or for one."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from clinic.care.message_kinds import MessageKind
from clinic.care.message_rules import OUR_RULES, Rule, departure_of
from clinic.care.rule_faults import judge_rule
from clinic.planning.findings import Finding, Weight
from clinic.queries.message_rules import read_rules_anew, rules_of
from clinic.services.work import Done, NotFound, Refused, UnitOfWork, check_version, record
from clinic.store.clinics import Clinic, MessageRule
from clinic.store.protocols import Protocol

MOST_A_DAY = 20


def save_rules(
    work: UnitOfWork, clinic_id: int, rules: Mapping[MessageKind, Rule], *, protocol_id: int | None = None,
    most_a_day: int | None = None, lock_version: int
) -> Done[int] | Refused:
    """Keeps these rules of a clinic for all its protocols or for one, a new version of each that differs from what
    holds now, and answers how many those are.

    Only what departs is kept: from ours, or for a protocol from what the clinic has for all. What was sent stays sent;
    what waits follows at the worker's next sweep, within a minute, and is asked by the new rules before it leaves.
    """
    clinic = work.db.get(Clinic, clinic_id, with_for_update=True)
    if clinic is None or (protocol_id is not None and work.db.get(Protocol, protocol_id) is None):
        raise NotFound(f"clinic {clinic_id} with protocol {protocol_id}")
    if findings := judge_rules(rules, most_a_day):
        return Refused(findings)
    read_rules_anew(work.db)
    kept = rules_of(work.db, clinic_id, protocol_id)
    changed = {kind: rule for kind, rule in rules.items() if rule != kept.of(kind)}
    most = clinic.most_messages_a_day if most_a_day is None else most_a_day
    if not changed and most == clinic.most_messages_a_day:
        return Done(0)
    check_version("clinic", clinic, lock_version)
    base = OUR_RULES if protocol_id is None else rules_of(work.db, clinic_id, None)
    _keep(work, clinic_id, protocol_id, {kind: departure_of(rule, base.of(kind)) for kind, rule in changed.items()})
    clinic.most_messages_a_day = most
    record(work, "message-rules-changed", "clinic", clinic_id, clinic_id=clinic_id, protocol=protocol_id,
           kinds=sorted(changed), most_a_day=most)
    work.commit()
    return Done(len(changed))


def judge_rules(rules: Mapping[MessageKind, Rule], most_a_day: int | None = None) -> tuple[Finding, ...]:
    """What speaks against these rules, each at its field, such as `reminder-7d-when`."""
    return tuple(_faults(rules, most_a_day))


def _faults(rules: Mapping[MessageKind, Rule], most_a_day: int | None) -> Iterator[Finding]:
    for kind, rule in rules.items():
        for finding in judge_rule(kind, rule):
            yield Finding(finding.code, finding.weight, finding.text, f"{kind}-{finding.field}")
    if most_a_day is not None and not 1 <= most_a_day <= MOST_A_DAY:
        yield Finding("most-a-day", Weight.BLOCKS, f"A patient gets from 1 to {MOST_A_DAY} messages on one day.",
                      "most_a_day")


def _keep(
    work: UnitOfWork, clinic_id: int, protocol_id: int | None, documents: Mapping[MessageKind, dict[str, Any]]
) -> None:
    level = MessageRule.protocol_id == protocol_id if protocol_id is not None else MessageRule.protocol_id.is_(None)
    versions = {row.kind: row.newest for row in work.db.execute(
        sa.select(MessageRule.kind, sa.func.max(MessageRule.version).label("newest"))
        .where(MessageRule.clinic_id == clinic_id, level).group_by(MessageRule.kind))}
    work.db.add_all(
        MessageRule(clinic_id=clinic_id, protocol_id=protocol_id, kind=kind.value, rule=document,
                    version=versions.get(kind.value, 0) + 1, made_at=work.now, made_by=work.actor.account_id)
        for kind, document in documents.items())
    read_rules_anew(work.db)
