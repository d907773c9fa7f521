"""Editions of the newsletter: written, tried on oneself, approved for so many readers, taken back, stopped."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from clinic.care.newsletter import Content, is_complete, judge_content, known_interests, to_document
from clinic.care.quiet import next_allowed
from clinic.care.states import MessageState
from clinic.messages.discretion import telling_words
from clinic.planning.findings import Finding, Weight
from clinic.queries.audience import count_audience
from clinic.services.newsletter_post import EDITION, quiet_hours
from clinic.services.publishing import audience_of
from clinic.services.work import Done, NotFound, Refused, UnitOfWork, check_version, record
from clinic.store.newsletter import Edition, EditionText
from clinic.store.outbox import Message, MessageItem

TEST = "edition-test"
MOST_TESTS_A_DAY = 20
USEFUL_FOR = timedelta(hours=4)
MOST_A_MONTH, MONTH = 2, timedelta(days=30)
"""What every reader has agreed to, in the words of the consent."""
AHEAD = timedelta(days=90)
"""How long before it goes out an edition may be approved."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An edition as it is written: its name for staff, whom it is for, and its words in each language."""

    title: str
    interests: tuple[str, ...]
    contents: tuple[Content, ...]
    in_archive: bool = True


def begin_edition(work: UnitOfWork, clinic_id: int, draft: Draft) -> Done[int] | Refused:
    """Keeps a new draft, or says what is wrong with it, field by field."""
    if findings := _judge(draft):
        return Refused(findings)
    row = Edition(clinic_id=clinic_id, title=draft.title, created_at=work.now, created_by=work.actor.account_id)
    work.db.add(row)
    work.db.flush()
    _write(work, row, draft)
    record(work, "edition-begun", "edition", row.id, clinic_id=clinic_id)
    work.commit()
    return Done(row.id, _worth_knowing(draft))


def save_edition(work: UnitOfWork, edition_id: int, draft: Draft, *, lock_version: int) -> Done[int] | Refused:
    """Keeps other words of a draft; what was approved stays as it was agreed to."""
    row = _locked(work, edition_id)
    if row.state != "draft":
        return Refused((_NO_DRAFT,))
    if findings := _judge(draft):
        return Refused(findings)
    check_version("edition", row, lock_version)
    _write(work, row, draft)
    record(work, "edition-changed", "edition", row.id, clinic_id=row.clinic_id)
    work.commit()
    return Done(row.id, _worth_knowing(draft))


def approve_edition(
    work: UnitOfWork, edition_id: int, *, send_at: datetime, count: int, lock_version: int
) -> Done[int] | Refused:
    """Lets an edition go out from then on to so many readers as whoever approves it has seen; how many that are."""
    row = _locked(work, edition_id)
    if row.state != "draft":
        return Refused((_NO_DRAFT,))
    check_version("edition", row, lock_version)
    readers = sum(count_audience(work.db, audience_of(work, row), consented_by=work.now).values())
    if findings := _judge_sending(work, row, send_at, readers=readers, agreed=count):
        return Refused(findings)
    row.state, row.agreed, row.approved_at, row.approved_by = "approved", readers, work.now, work.actor.account_id
    row.send_at, row.queued_to, row.queued_at = max(send_at, work.now), 0, None
    record(work, "edition-approved", "edition", row.id, clinic_id=row.clinic_id, readers=readers)
    work.commit()
    return Done(readers)


def withdraw_edition(work: UnitOfWork, edition_id: int) -> Done[int] | Refused:
    """Makes a draft again of an edition of which nothing has been written to anybody."""
    row = _locked(work, edition_id)
    begun = row.queued_to > 0 or row.queued_at is not None
    if row.state != "approved" or begun:
        return Refused((Finding("edition-begun", Weight.BLOCKS, "This edition is on its way already. It can only be "
                                "stopped now."),))
    row.state, row.agreed, row.approved_at, row.approved_by, row.send_at = "draft", None, None, None, None
    row.lock_version += 1
    record(work, "edition-withdrawn", "edition", row.id, clinic_id=row.clinic_id)
    work.commit()
    return Done(row.id)


def stop_edition(work: UnitOfWork, edition_id: int) -> Done[int]:
    """Sends no more of an edition: nobody else is written to, and what waits is taken back. How many were."""
    row = _locked(work, edition_id)
    taken_back = _stop(work, row) if row.state == "approved" else 0
    work.commit()
    return Done(taken_back)


def stop_unfinished(work: UnitOfWork) -> None:
    """Stops what was on its way when the data were moved: who has had it since then cannot be known. Part of a unit of
    work that goes on."""
    for row in work.db.scalars(
        sa.select(Edition).where(Edition.state == "approved", Edition.send_at <= work.now)
        .order_by(Edition.id).with_for_update()).all():
        if row.queued_at is None or _waiting(work, row.id):
            _stop(work, row)


def show_in_archive(work: UnitOfWork, edition_id: int, *, shown: bool) -> None:
    """Puts an edition on the public page of editions, or takes it off."""
    row = _locked(work, edition_id)
    row.in_archive = shown
    record(work, "edition-in-archive", "edition", row.id, clinic_id=row.clinic_id, shown=shown)
    work.commit()


def send_test(work: UnitOfWork, edition_id: int, language: str) -> Done[int] | Refused:
    """Sends an edition in one language to the address of whoever asks, and to nobody else."""
    row, account_id = _locked(work, edition_id), work.actor.account_id
    if account_id is None or work.db.get(EditionText, (edition_id, language)) is None:
        raise NotFound(f"edition {edition_id} in {language}")
    earlier = work.db.scalar(
        sa.select(sa.func.count()).select_from(MessageItem).where(
            MessageItem.kind == TEST, MessageItem.subject_kind == EDITION, MessageItem.subject_id == edition_id,
            MessageItem.revision == account_id)) or 0
    if earlier >= MOST_TESTS_A_DAY:
        return Refused((Finding("edition-tests", Weight.BLOCKS, "You have sent yourself many tests of this edition "
                                "already. Read it here instead."),))
    message = Message(account_id=account_id, clinic_id=row.clinic_id, state=MessageState.PENDING, due_at=work.now,
                      useless_after=work.now + USEFUL_FOR, created_at=work.now)
    work.db.add(message)
    work.db.flush()
    work.db.add(MessageItem(
        message_id=message.id, kind=TEST, owner_kind="account", owner_id=account_id, subject_kind=EDITION,
        subject_id=edition_id, revision=account_id, generation=earlier, facts={"language": language}))
    record(work, "edition-tested", "edition", edition_id, clinic_id=row.clinic_id, language=language)
    work.commit()
    return Done(message.id)


_NO_DRAFT = Finding("edition-approved", Weight.BLOCKS, "This edition was approved meanwhile. Take it back first, as "
                    "long as nobody was written to.")


def _worth_knowing(draft: Draft) -> tuple[Finding, ...]:
    """A subject is read by whoever looks at a phone, and says that its owner is interested."""
    return tuple(
        Finding("telling", Weight.WARNS, f"Whoever sees a reader's phone reads “{words[0]}” in the subject.",
                f"{content.language}-subject")
        for content in draft.contents if (words := telling_words(content.subject)))


def _judge(draft: Draft) -> tuple[Finding, ...]:
    found = [finding for content in draft.contents for finding in judge_content(content)]
    if not draft.contents:
        found.append(Finding("edition-words", Weight.BLOCKS, "Write it in one language at least: a subject, and "
                             "something to read.", "en-subject"))
    for content in draft.contents:
        if not content.subject:
            found.append(Finding("edition-subject", Weight.BLOCKS, "Enter the subject.", f"{content.language}-subject"))
        elif not is_complete(content):
            found.append(Finding("edition-empty", Weight.BLOCKS, "Write something to read under this subject.",
                                 f"{content.language}-0-text"))
    return tuple(found)


def _judge_sending(
    work: UnitOfWork, row: Edition, send_at: datetime, *, readers: int, agreed: int
) -> tuple[Finding, ...]:
    if readers == 0:
        return (Finding("edition-nobody", Weight.BLOCKS, "Nobody reads it: there is no reader of its languages and "
                        "interests."),)
    if readers != agreed:
        return (Finding("edition-count", Weight.BLOCKS, f"The readers have changed while this page was open: they are "
                        f"{readers} now. Look at the numbers and approve it again."),)
    if send_at > work.now + AHEAD:
        return (Finding("edition-far", Weight.BLOCKS, f"At most {AHEAD.days} days ahead.", "on"),)
    starts_at = max(send_at, work.now)
    if _near(work, row.id, starts_at) >= MOST_A_MONTH:
        return (Finding("edition-often", Weight.BLOCKS, f"Readers agreed to at most {MOST_A_MONTH} editions in "
                        f"{MONTH.days} days, and that many are sent or approved around this day. Choose a later one.",
                        "on"),)
    if next_allowed(starts_at, quiet_hours(work.db, row.clinic_id)) != starts_at and send_at > work.now:
        return (Finding("edition-quiet", Weight.BLOCKS, "That time lies in the quiet hours of the clinic.", "at"),)
    return ()


def _near(work: UnitOfWork, edition_id: int, send_at: datetime) -> int:
    """How many other editions of the business go out, or went out at least to some, within a month of that time."""
    return work.db.scalar(
        sa.select(sa.func.count()).select_from(Edition)
        .where(Edition.id != edition_id, Edition.send_at > send_at - MONTH, Edition.send_at < send_at + MONTH,
               sa.or_(Edition.state == "approved", Edition.queued_to > 0))) or 0


def _write(work: UnitOfWork, row: Edition, draft: Draft) -> None:
    row.title, row.interests, row.in_archive = draft.title, known_interests(draft.interests), draft.in_archive
    kept = {content.language: content for content in draft.contents}
    for language in _languages(work, row.id) - kept.keys():
        work.db.delete(work.db.get_one(EditionText, (row.id, language)))
    for language, content in kept.items():
        text = work.db.get(EditionText, (row.id, language)) or EditionText(edition_id=row.id, language=language)
        text.subject, text.blocks = content.subject, to_document(content.blocks)
        work.db.add(text)


def _languages(work: UnitOfWork, edition_id: int) -> set[str]:
    return set(work.db.scalars(sa.select(EditionText.language).where(EditionText.edition_id == edition_id)))


def _stop(work: UnitOfWork, row: Edition) -> int:
    row.state, row.stopped_at, row.stopped_by = "stopped", work.now, work.actor.account_id
    waiting = _waiting(work, row.id)
    work.db.execute(
        sa.update(Message).where(Message.id.in_(waiting))
        .values(state=MessageState.SUPERSEDED.value, reason="the edition was stopped", settled_at=work.now)
        .execution_options(synchronize_session=False))
    record(work, "edition-stopped", "edition", row.id, clinic_id=row.clinic_id, taken_back=len(waiting))
    return len(waiting)


def _waiting(work: UnitOfWork, edition_id: int) -> Sequence[int]:
    """The messages of an edition that nobody has in hand, locked."""
    return work.db.scalars(
        sa.select(Message.id).join(MessageItem, MessageItem.message_id == Message.id)
        .where(MessageItem.kind == EDITION, MessageItem.subject_kind == EDITION, MessageItem.subject_id == edition_id,
               Message.state.in_((MessageState.PENDING, MessageState.HELD)), Message.dot_at.is_(None))
        .order_by(Message.id).with_for_update(of=Message)).all()


def _locked(work: UnitOfWork, edition_id: int) -> Edition:
    row = work.db.get(Edition, edition_id, with_for_update=True)
    if row is None:
        raise NotFound(f"edition {edition_id}")
    return row
