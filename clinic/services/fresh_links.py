"""A fresh link for a patient whose old one has ended: it goes to the address that we know, and nowhere else.

Whoever asks gets the same answer, whatever becomes of it.
"""
from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.mail_address import check_address
from clinic.care.owed_items import ADDRESS_DEAD
from clinic.care.owner_facts import Owner, owner_named
from clinic.care.states import MessageState
from clinic.messages.envelope import EnvelopeHeader, build_mime, message_id
from clinic.messages.letters import Letter, RequestKind, Section
from clinic.messages.rendering import render
from clinic.queries.letters import letter_facts
from clinic.queries.links import MY_COURSE, clinic_of_owner
from clinic.queries.owner_facts import owner_head
from clinic.services.accounts import hash_of
from clinic.services.clinic_cards import card_for, language_of
from clinic.services.correspondence import Answer, Goes, Stays
from clinic.services.letters import Written
from clinic.services.links import link_for
from clinic.services.work import Done, UnitOfWork, record
from clinic.store.links import Link
from clinic.store.locks import lock_resources
from clinic.store.outbox import Message, MessageItem
from clinic.store.resources import Patient

KIND = RequestKind.FRESH_LINK.value
OWNER_KIND = "patient"
MOST_AN_HOUR = 3
_HOUR = timedelta(hours=1)
_OF_USE_FOR = timedelta(hours=12)


def ask_for_fresh_link(work: UnitOfWork, secret: str) -> Done[None]:
    """Owes the patient of that link a new one to the same course or visit, at most a few in an hour.

    Nothing happens for a link that we never gave, or where there is no address.
    """
    link = work.db.scalar(sa.select(Link).where(Link.secret_hash == hash_of(secret), Link.purpose == MY_COURSE))
    if link is not None and link.owner_kind is not None and link.owner_id is not None and link.patient_id is not None:
        _owe(work, link.patient_id, owner_named(link.owner_kind, link.owner_id))
    return Done(None)


class PatientPost:
    """Answers for what patients asked for: the newest address counts, until the very moment that it leaves."""

    def lock(self, db: Session, owner_id: int) -> bool:
        """Locks the patient; False where the record is gone."""
        lock_resources(db, [owner_id])
        return db.scalar(sa.select(Patient.id).where(Patient.__table__.c.id == owner_id)) is not None

    def answer(self, work: UnitOfWork, message: Message, items: Sequence[MessageItem]) -> Answer:
        """It goes to the patient's address, while they have one and the course or visit is still theirs."""
        head = owner_head(work.db, owner_named(items[0].subject_kind, items[0].subject_id))
        if head is None or head.patient_id != items[0].owner_id:
            return Stays(MessageState.SUPERSEDED, "no longer true")
        if not head.patient.email:
            return Stays(MessageState.WITHHELD, "no e-mail address")
        if head.patient.comes_back:
            return Stays(MessageState.WITHHELD, ADDRESS_DEAD)
        return Goes(head.patient.email)

    def write(
        self, work: UnitOfWork, message: Message, items: Sequence[MessageItem], *, identity: str, base_url: str | None
    ) -> Written:
        """A short letter with the new link."""
        if base_url is None:
            raise ValueError("the address of our pages is not known, so a link to them cannot be written")
        head = owner_head(work.db, owner_named(items[0].subject_kind, items[0].subject_id))
        assert head is not None  # it was there when this was answered for
        facts = letter_facts(work.db, head)
        link = link_for(work, message.id, facts, base_url=base_url)
        rendered = render(Letter(language_of(facts), facts.given_name, card_for(facts), (
            Section(RequestKind.FRESH_LINK, link=link),)))
        sender = check_address(facts.clinic.sender_email)
        header = EnvelopeHeader(
            sender_name=facts.clinic.sender_name, sender_email=sender, to=check_address(head.patient.email or ""),
            message_id=message_id(identity, sender.rpartition("@")[2]), sent_at=work.now, language=language_of(facts))
        return Written(header.message_id, sender, header.to, rendered.subject, build_mime(rendered, header))


def _owe(work: UnitOfWork, patient_id: int, owner: Owner) -> None:
    lock_resources(work.db, [patient_id])
    # A course or visit may have gone over to another record of the same person.
    head = owner_head(work.db, owner)
    clinic_id = clinic_of_owner(work.db, owner)
    if head is None or clinic_id is None or not head.patient.email or _asked_lately(work, head.patient_id):
        return
    given = work.db.scalar(sa.select(sa.func.max(MessageItem.generation)).where(
        MessageItem.kind == KIND, MessageItem.subject_kind == owner.kind, MessageItem.subject_id == owner.id))
    message = Message(
        patient_id=head.patient_id, clinic_id=clinic_id, state=MessageState.PENDING, due_at=work.now,
        useless_after=work.now + _OF_USE_FOR, created_at=work.now)
    work.db.add(message)
    work.db.flush()
    work.db.add(MessageItem(
        message_id=message.id, kind=KIND, owner_kind=OWNER_KIND, owner_id=head.patient_id, subject_kind=owner.kind,
        subject_id=owner.id, generation=0 if given is None else given + 1))
    record(work, "fresh-link-asked", "patient", head.patient_id, clinic_id=clinic_id)
    work.commit()


def _asked_lately(work: UnitOfWork, patient_id: int) -> bool:
    lately = work.db.scalar(
        sa.select(sa.func.count()).select_from(Message).join(MessageItem, MessageItem.message_id == Message.id)
        .where(MessageItem.kind == KIND, Message.patient_id == patient_id, Message.created_at > work.now - _HOUR))
    return (lately or 0) >= MOST_AN_HOUR
