"""Takes the reports of mail systems about messages that did not arrive, each once, and frees an address again.

A report counts only if it proves that it is about a message of ours: it came to that message's own return path, or,
for one that had none, it names its Message-ID and the address that it really went to. Anything else changes nothing.
A server that refuses a patient's address to our face needs no proof.
What was not delivered for good becomes a failed message, which a person tells. Where the fault lies in the address,
nothing goes there any more, whoever has it, until it is changed or somebody says that it is right.
"""
from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

import sqlalchemy as sa

from clinic.care.mail_address import check_address
from clinic.care.states import FINAL_DECISIONS, MessageState
from clinic.interchange.bounce_fates import Fate, code_in, one_line
from clinic.interchange.bounce_reports import BounceReport, NoReport, read_report
from clinic.interchange.bounce_words import in_words, is_dead
from clinic.interchange.mime_parts import MOST_BYTES
from clinic.messages.return_path import number_in
from clinic.planning.local import day_of, zone
from clinic.queries.bounces import CAME_BACK, bounces_of, patients_at
from clinic.services.links import without_links
from clinic.services.message_rows import in_hand
from clinic.services.reconcile import owners_of, reconcile, reconcile_patient
from clinic.services.settling import settle
from clinic.services.subscribing import ask_again, stop_address
from clinic.services.work import Done, UnitOfWork, record
from clinic.store.accounts import Account, Task
from clinic.store.claims import lock_owners
from clinic.store.clinics import Clinic
from clinic.store.locks import lock_patients
from clinic.store.outbox import Bounce, Message, MessageAttempt
from clinic.store.resources import Patient
from clinic.store.types import Instant

MOST_OF_A_MESSAGE = 20
"""So many reports about one message are kept: whoever knows its return path could send them for ever."""
MOST_AT_ONCE = 20
"""Patients of one address whose messages follow at once; the sweep comes to the others within a minute or two."""
_OUT = (MessageState.SENT, MessageState.UNCERTAIN, MessageState.FAILED)
_MAY_BE_OUT = (MessageState.SENT, MessageState.UNCERTAIN, MessageState.SENDING, MessageState.PENDING)
_log = logging.getLogger(__name__)


class Taken(StrEnum):
    """What became of something that arrived among the reports."""

    KEPT = "kept"
    KNOWN = "known"
    NOT_OURS = "not-ours"
    NO_REPORT = "no-report"


@dataclass(frozen=True, slots=True)
class _About:
    """Which message a report is proved to be about, and what it says of it."""

    message_id: int
    fate: Fate


def take_report(work: UnitOfWork, data: bytes, *, arrived_at: Sequence[str] = ()) -> Taken:
    """Keeps what a message tells of one that we sent, once however often it comes; and what follows from it.

    `arrived_at` are addresses that its mail server says it was for, besides those in its header.
    """
    report = read_report(data)
    if isinstance(report, NoReport):
        return _said(Taken.NO_REPORT, what=report.what)
    about = _by_return_path(work, report, arrived_at) or _by_message_id(work, report)
    return _said(Taken.NOT_OURS) if about is None else _keep(work, about, report.digest, is_out=True)


def take_refusal(work: UnitOfWork, message_id: int, said: str) -> Taken | None:
    """The same of a patient's address that a mail server refused to our face, in these words; none where the fault may
    lie elsewhere, as when it wants none of our mail."""
    status = code_in(said)
    if not is_dead(status, said):
        return None
    digest = hashlib.sha256(f"refused {message_id} {work.now.isoformat()}".encode()).hexdigest()[:32]
    return _keep(work, _About(message_id, Fate((), is_over=True, status=status, said=one_line(said))), digest,
                 is_out=False)


def read_report_from(stream: BinaryIO) -> bytes:
    """The beginning of what a mail server hands over. It is read to its end: whoever cannot hand over all of it thinks
    that nothing was taken."""
    data = stream.read(MOST_BYTES)
    while stream.read(65_536):
        pass
    return data


def write_again(work: UnitOfWork, patient_id: int) -> Done[int]:
    """Lets messages go to a patient's address again, because somebody says that it is right; how many waited.

    Patients of that address who wished for the newsletter are asked once more whether they want it there.
    """
    email = work.db.scalars(sa.select(Patient.__table__.c.email).where(Patient.__table__.c.id == patient_id)).one()
    address = (email or "").lower()
    ids = patients_at(work.db, address, most=MOST_AT_ONCE)
    lock_patients(work.db, {patient_id, *ids})
    open_ones = work.db.scalars(
        sa.select(Bounce).where(Bounce.email == address, Bounce.is_hard, Bounce.lifted_at.is_(None))
        .order_by(Bounce.id).with_for_update()).all()
    if not open_ones:
        return Done(0)
    for bounce in open_ones:
        bounce.lifted_at, bounce.lifted_by = work.now, work.actor.account_id
    record(work, "address-freed", "patient", patient_id)
    work.db.flush()
    for ident in ids:
        finish_asking(work, ident)
        ask_again(work, ident)
        reconcile_patient(work, ident)
    work.commit()
    return Done(len(open_ones))


def finish_asking(work: UnitOfWork, patient_id: int) -> None:
    """Nobody need ask the patient for their address any more: part of a unit of work that goes on."""
    if work.actor.account_id is None:
        return  # whoever did it has no name that the task could keep
    work.db.execute(
        sa.update(Task).where(Task.patient_id == patient_id, Task.kind == "bounce", Task.done_at.is_(None))
        .values(done_at=work.now, done_by=work.actor.account_id))


def _keep(work: UnitOfWork, about: _About, digest: str, *, is_out: bool) -> Taken:
    """Keeps it, once. What was not out, for it was refused to our face, is settled already."""
    fate = about.fate
    is_hard = fate.is_over and is_dead(fate.status, fate.said)
    address = _address_of(work, about.message_id)
    freed = _freed_since(work, about.message_id, address) if is_hard else None
    blocks = is_hard and freed is None
    patient_ids = patients_at(work.db, address, most=MOST_AT_ONCE) if blocks else ()
    lock_owners(work.db, [owner for ident in patient_ids for owner in owners_of(work, ident)])
    if blocks:
        stop_address(work, address)
    [held] = in_hand(work, (about.message_id,))
    known = bounces_of(work.db, about.message_id)
    if len(known) >= MOST_OF_A_MESSAGE or digest in {bounce.digest for bounce in known}:
        return _said(Taken.KNOWN, message_id=about.message_id)  # and nothing of this unit of work is committed
    row = Bounce(
        message_id=about.message_id, email=address, at=work.now, is_final=fate.is_over, is_hard=is_hard,
        status=fate.status, text=without_links(fate.said), digest=digest,
        lifted_at=freed.lifted_at if freed else None, lifted_by=freed.lifted_by if freed else None)
    work.db.add(row)
    work.db.flush()
    if fate.is_over and is_out:
        _settle_undelivered(work, held.message, fate)
    if blocks:
        _block(work, held.message, row, fate, patient_ids)
    for owner in held.owners:
        reconcile(work, owner)
    for ident in patient_ids:
        reconcile_patient(work, ident)
    work.commit()
    return _said(Taken.KEPT, message_id=about.message_id, status=fate.status, is_final=fate.is_over, is_hard=is_hard)


def _by_return_path(work: UnitOfWork, report: BounceReport, arrived_at: Sequence[str]) -> _About | None:
    """The message whose return path it came to. Whom the report names may be another: mail is sent on."""
    for address in (*(each.lower() for each in arrived_at), *report.arrived_at):
        number = number_in(address)
        row = None if number is None else work.db.execute(
            sa.select(Message.id, Message.sender, Message.recipient).where(Message.id == number)).one_or_none()
        if row is not None and row.recipient and hmac.compare_digest((row.sender or "").encode(), address.encode()):
            named = [fate for fate in report.fates if row.recipient.lower() in fate.addresses]
            if named or row.recipient.lower() not in report.well:
                return _About(row.id, _worst(named or report.fates))
    return None


def _by_message_id(work: UnitOfWork, report: BounceReport) -> _About | None:
    """A message without a return path of its own that the report names, if it really went to whom the report names."""
    rows = work.db.execute(
        sa.select(Message.id, Message.sender, Message.recipient).where(
            Message.message_id.in_(report.message_ids),
            sa.or_(Message.dot_at.is_not(None), Message.state.in_(_OUT))).order_by(Message.id))
    for row in rows:
        named = [fate for fate in report.fates if (row.recipient or "").lower() in fate.addresses]
        if named and number_in(row.sender or "") is None:
            return _About(row.id, _worst(named))
    return None


def _worst(fates: Sequence[Fate]) -> Fate:
    return max(fates, key=lambda fate: (fate.is_over, is_dead(fate.status, fate.said)))


def _address_of(work: UnitOfWork, message_id: int) -> str:
    """The address that a message went to, in small letters, and as its patient's record spells it."""
    row = work.db.execute(
        sa.select(Message.recipient, Patient.__table__.c.email)
        .outerjoin(Patient.__table__, Patient.__table__.c.id == Message.patient_id)
        .where(Message.id == message_id)).one()
    recipient: str = row.recipient.lower()
    try:
        is_spelled_so = row.email is not None and check_address(row.email).lower() == recipient
    except ValueError:
        is_spelled_so = False
    return row.email.lower() if is_spelled_so else recipient


def _freed_since(work: UnitOfWork, message_id: int, address: str) -> Bounce | None:
    """How somebody freed the address after the message had left: then that it came back says nothing new of it."""
    left_at = sa.select(sa.func.coalesce(sa.func.max(MessageAttempt.at), sa.literal(work.now, Instant()))).where(
        MessageAttempt.message_id == message_id, MessageAttempt.phase == "begun").scalar_subquery()
    return work.db.scalars(
        sa.select(Bounce).where(Bounce.email == address, Bounce.lifted_at >= left_at)
        .order_by(Bounce.lifted_at.desc(), Bounce.id).limit(1)).first()


def _settle_undelivered(work: UnitOfWork, message: Message, fate: Fate) -> None:
    """A message that was out and is back has failed: it has not told anybody anything.

    Whoever is sending it once more at this moment comes late. What a person told stays told.
    """
    if message.state in _MAY_BE_OUT and message.decision not in FINAL_DECISIONS:
        settle(work, message, MessageState.FAILED, f"{CAME_BACK} ({in_words(fate.status, fate.said)})")
        message.dot_at = None
    work.db.flush()


def _block(work: UnitOfWork, message: Message, row: Bounce, fate: Fate, patient_ids: Sequence[int]) -> None:
    """What else follows when an address is dead: somebody asks for the right one, and no digest goes there."""
    record(work, "address-blocked", "bounce", row.id, clinic_id=message.clinic_id, status=fate.status)
    work.db.execute(
        sa.update(Account).where(Account.email == row.email, Account.wants_digest).values(wants_digest=False))
    patient_id = message.patient_id if message.patient_id in patient_ids else next(iter(patient_ids), None)
    is_asked = patient_id is None or work.db.scalar(
        sa.select(Task.id).where(Task.patient_id == patient_id, Task.kind == "bounce", Task.done_at.is_(None)).limit(1))
    if not is_asked:
        clinic = work.db.get_one(Clinic, message.clinic_id)
        work.db.add(Task(
            clinic_id=clinic.id, patient_id=patient_id, kind="bounce", due_on=day_of(work.now, zone(clinic.zone)),
            created_at=work.now, text=f"E-mails to {row.email} come back: {in_words(fate.status, fate.said)}. "
            "Ask for the right address."))
    work.db.flush()


def _said(taken: Taken, **facts: object) -> Taken:
    _log.info("bounce-taken", extra={"facts": {"outcome": taken.value, **facts}})
    return taken
