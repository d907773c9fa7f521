"""The rules of a clinic's messages as its page shows them, with all that a made-up course needs to follow them."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.business_days import BusinessDays
from clinic.care.message_kinds import MessageKind
from clinic.care.message_rules import MessageRules, Rule, departure_of, rules_from
from clinic.care.protocols import Protocol as ProtocolContent
from clinic.care.quiet import QuietHours
from clinic.planning.local import zone
from clinic.queries.message_rules import Documents, own_rules, rule_documents, rules_of
from clinic.queries.protocol_contents import protocol_of
from clinic.store.clinics import Clinic, Closure, OpeningHours
from clinic.store.protocols import Protocol, ProtocolVersion


@dataclass(frozen=True, slots=True)
class ProtocolLine:
    """A protocol with the version that is shown of it, and for how many kinds the clinic has rules of its own there."""

    id: int
    code: str
    name: str
    version_id: int
    own: int


@dataclass(frozen=True, slots=True)
class ClinicFrame:
    """What of a clinic decides on its messages besides the rules."""

    name: str
    quiet: QuietHours
    business: BusinessDays
    may_ask_opinion: bool
    most_a_day: int
    lock_version: int


@dataclass(frozen=True, slots=True)
class RulesPage:
    """Rules for all protocols, or for `level`; `base` is what they depart from, ours or the clinic's. `shown` is the
    protocol whose course is made up, and `shown_own` what the clinic has for that one alone; none where none is there.
    """

    clinic: ClinicFrame
    protocols: tuple[ProtocolLine, ...]
    level: ProtocolLine | None
    base: MessageRules
    kept: MessageRules
    shown: ProtocolLine | None
    content: ProtocolContent | None
    shown_own: Documents

    def documents(self, typed: Mapping[MessageKind, Rule]) -> Documents:
        """These rules as this level would keep them."""
        return {kind.value: departure for kind, rule in typed.items()
                if (departure := departure_of(rule, self.base.of(kind)))}

    def under(self, typed: Mapping[MessageKind, Rule]) -> MessageRules:
        """What would hold for the made-up course if these were the rules of this level."""
        if self.level is not None:
            return MessageRules(dict(typed))
        return rules_from(self.documents(typed), self.shown_own)


def rules_page(db: Session, clinic_id: int, *, level: str | None, shown: str | None) -> RulesPage | None:
    """The rules of one level, by the code of its protocol; none where there is no such protocol."""
    lines = _protocols(db, clinic_id)
    by_code = {each.code: each for each in lines}
    if any(code is not None and code not in by_code for code in (level, shown)):
        return None
    own_level = by_code[level] if level else None
    # Until another is chosen the course shown is of the level's own protocol, or of the first.
    chosen = own_level or (by_code[shown] if shown else next(iter(lines), None))
    return RulesPage(
        _frame(db, clinic_id), lines, own_level,
        rules_of(db, clinic_id, None) if own_level else rules_from(),
        rules_of(db, clinic_id, own_level.id if own_level else None), chosen,
        protocol_of(db, chosen.version_id) if chosen else None,
        rule_documents(db, clinic_id, chosen.id) if chosen else {})


def _frame(db: Session, clinic_id: int) -> ClinicFrame:
    row = db.execute(
        sa.select(Clinic.name, Clinic.zone, Clinic.quiet_from, Clinic.quiet_to, Clinic.review_url,
                  Clinic.most_messages_a_day, Clinic.lock_version).where(Clinic.id == clinic_id)).one()
    weekdays = db.scalars(sa.select(OpeningHours.weekday).where(OpeningHours.clinic_id == clinic_id))
    closures = db.execute(
        sa.select(Closure.from_on, Closure.to_on).where(Closure.clinic_id == clinic_id)
        .order_by(Closure.from_on, Closure.id))
    business = BusinessDays(frozenset(weekdays), tuple((each.from_on, each.to_on) for each in closures))
    return ClinicFrame(row.name, QuietHours(row.quiet_from, row.quiet_to, zone(row.zone)), business,
                       bool(row.review_url), row.most_messages_a_day, row.lock_version)


def _protocols(db: Session, clinic_id: int) -> tuple[ProtocolLine, ...]:
    """Every protocol by name: its approved version, else its newest draft."""
    rows = db.execute(
        sa.select(Protocol.id, Protocol.code, Protocol.name, ProtocolVersion.id.label("version_id"),
                  ProtocolVersion.state)
        .join(ProtocolVersion, ProtocolVersion.protocol_id == Protocol.id).where(ProtocolVersion.state != "retired")
        .order_by(Protocol.name, Protocol.code, ProtocolVersion.number)).all()
    own = own_rules(db, clinic_id)
    found: dict[int, ProtocolLine] = {}
    approved = {row.id for row in rows if row.state == "approved"}
    for row in rows:
        if row.state == "approved" or row.id not in approved:
            found[row.id] = ProtocolLine(row.id, row.code, row.name, row.version_id, own.get(row.id, 0))
    return tuple(found.values())
