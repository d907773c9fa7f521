"""Answers for the messages to accounts just before they leave: the morning digest, and a test of an edition."""
from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.states import MessageState
from clinic.messages.digest import LANGUAGE, Digest, render_digest
from clinic.services.correspondence import Answer, Goes, Stays
from clinic.services.digests import DIGEST, lines_of, morning_of, place_of, reader_of
from clinic.services.letters import Written
from clinic.services.newsletter_post import edition_letter, known, posted
from clinic.services.work import UnitOfWork
from clinic.store.accounts import Account
from clinic.store.clinics import Clinic
from clinic.store.newsletter import EditionText
from clinic.store.outbox import Message, MessageItem


class Accounts:
    """The correspondent of `account`."""

    def lock(self, db: Session, owner_id: int) -> bool:
        """Locks the account's row; False where it is not there any more."""
        return db.scalar(sa.select(Account.id).where(Account.id == owner_id).with_for_update()) is not None

    def answer(self, work: UnitOfWork, message: Message, items: Sequence[MessageItem]) -> Answer:
        """Whether the account is still in use and wants it, and whether there is anything to tell."""
        account = work.db.get_one(Account, message.account_id, populate_existing=True)
        if not account.active:
            return Stays(MessageState.SUPERSEDED, "the account is not in use any more")
        if items[0].kind != DIGEST:
            has_words = work.db.get(EditionText, (items[0].subject_id, str(items[0].facts["language"]))) is not None
            return Goes(account.email) if has_words else Stays(
                MessageState.SUPERSEDED, "the edition has no words in that language any more")
        if not account.wants_digest:
            return Stays(MessageState.SUPERSEDED, "the account wants no digest any more")
        clinic_id, day = place_of(items[0].revision)
        clinic = work.db.get_one(Clinic, clinic_id)
        if morning_of(work.db, reader_of(work.db, account, clinic_id), clinic, day, work.now).is_empty:
            return Stays(MessageState.SUPERSEDED, "there is nothing to tell")
        return Goes(account.email)

    def write(
        self, work: UnitOfWork, message: Message, items: Sequence[MessageItem], *, identity: str, base_url: str | None
    ) -> Written:
        """The bytes, from how things stand now."""
        account, item, where = work.db.get_one(Account, message.account_id), items[0], known(base_url)
        if item.kind == DIGEST:
            clinic_id, day = place_of(item.revision)
            clinic = work.db.get_one(Clinic, clinic_id)
            morning = morning_of(work.db, reader_of(work.db, account, clinic_id), clinic, day, work.now)
            rendered = render_digest(Digest(
                clinic.name, day, lines_of(morning, where), f"{where}/account/digest"))
            return posted(work, message, rendered, to=account.email, identity=identity, language=LANGUAGE)
        language = str(item.facts["language"])
        rendered = edition_letter(work.db, item.subject_id, language, stop=f"{where}/newsletter/stop/test",
                                  base_url=where)
        return posted(work, message, rendered, to=account.email, identity=identity, language=language)
