"""Whether the messages of a clinic go out as they should: each thing that can go wrong, how bad it is, what to do."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

ALIVE = timedelta(seconds=60)
"""A worker that was not heard of for longer counts as dead."""
_LATE = timedelta(minutes=5)
_VERY_LATE = timedelta(minutes=30)
_TROUBLED = timedelta(minutes=10)
_UNSWEPT = timedelta(minutes=15)
_MANY = 10


class Tone(StrEnum):
    """Well, worth a look, or in need of a person now."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class WorkerFacts:
    """A worker as it last showed itself."""

    id: str
    host: str
    started_at: datetime
    heartbeat_at: datetime
    swept_at: datetime | None = None
    trouble: str | None = None
    trouble_since: datetime | None = None
    folder_trouble: str | None = None


@dataclass(frozen=True, slots=True)
class MailFacts:
    """What is known of the outbox, the workers and what came back. Counts are of what nobody has decided about yet, and
    those of what failed or may have arrived of what is to patients."""

    mail_is_on: bool = True
    held_back_since: datetime | None = None
    due: int = 0
    oldest_due_at: datetime | None = None
    failed: int = 0
    failed_today: int = 0
    uncertain: int = 0
    held: tuple[tuple[str, int], ...] = ()
    workers: tuple[WorkerFacts, ...] = ()
    hard_bounces: int = 0
    soft_bounces: int = 0
    bounced_today: int = 0
    blocked_addresses: int = 0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: how it stands in a sentence, and what a person can do where it is not well."""

    code: str
    tone: Tone
    text: str
    to_do: str = ""


def mail_health(facts: MailFacts, *, now: datetime) -> tuple[Check, ...]:
    """Every check, the worst first, and among equals in the order in which a message goes its way."""
    found = [_mail(facts), _due(facts, now), *_workers(facts, now), _failed(facts), _uncertain(facts), *_held(facts),
             _bounces(facts), *_folder(facts, now)]
    return tuple(sorted(found, key=lambda check: list(Tone)[::-1].index(check.tone)))


def needs_a_person(checks: tuple[Check, ...]) -> tuple[Check, ...]:
    """The checks that cannot wait."""
    return tuple(check for check in checks if check.tone is Tone.BAD)


def lives(worker: WorkerFacts, now: datetime) -> bool:
    """Whether a worker was heard of just now."""
    return now - worker.heartbeat_at <= ALIVE


def _mail(facts: MailFacts) -> Check:
    if not facts.mail_is_on:
        return Check("mail", Tone.WARN, "E-mail is switched off: no message leaves.",
                     "Give this installation a mail server (CLINIC_SMTP_HOST) and start it again.")
    if facts.held_back_since is not None:
        return Check("mail", Tone.WARN, "All messages wait since the move-in.",
                     "Look at what would leave, and release it.")
    return Check("mail", Tone.OK, "E-mail is switched on.")


def _due(facts: MailFacts, now: datetime) -> Check:
    oldest = facts.oldest_due_at
    if oldest is None:
        return Check("due", Tone.OK, "No message is due.")
    late = now - oldest
    text = f"{_count(facts.due, 'message is', 'messages are')} due, the oldest for {_span(late)}."
    if not facts.mail_is_on or facts.held_back_since is not None or late <= _LATE:
        return Check("due", Tone.OK, text)
    return Check("due", Tone.BAD if late > _VERY_LATE else Tone.WARN, text,
                 "See on the page Health whether a worker lives, and what keeps it from the mail server.")


def _workers(facts: MailFacts, now: datetime) -> Iterator[Check]:
    living = [worker for worker in facts.workers if lives(worker, now)]
    if not living:
        is_late = facts.oldest_due_at is not None and now - facts.oldest_due_at > _LATE
        yield Check("workers", Tone.BAD if is_late else Tone.WARN, "No worker lives: nothing is sent or kept in step.",
                    "Start one with “clinic worker”; on SQLite “clinic serve” brings its own.")
        return
    troubled = [worker for worker in living if worker.trouble_since is not None]
    for worker in troubled:
        assert worker.trouble_since is not None
        for_long = now - worker.trouble_since
        yield Check("trouble", Tone.BAD if for_long > _TROUBLED else Tone.WARN,
                    f"A worker cannot reach the mail server for {_span(for_long)}: {worker.trouble}.",
                    "Check the mail server and the CLINIC_SMTP settings. Nothing is lost: it is tried again.")
    if not troubled:
        yield Check("workers", Tone.OK, f"{_count(len(living), 'worker lives', 'workers live')}.")
    swept_at = max((worker.swept_at for worker in living if worker.swept_at is not None), default=None)
    began = min(worker.started_at for worker in living)
    if now - (swept_at or began) > _UNSWEPT:
        yield Check("sweep", Tone.WARN, "The last sweep over all courses is long ago.", "Start the worker again.")
    elif swept_at is not None:
        yield Check("sweep", Tone.OK, f"All courses were looked at {_span(now - swept_at)} ago.")


def _failed(facts: MailFacts) -> Check:
    if not facts.failed:
        return Check("failed", Tone.OK, "No message failed that still has to be told.")
    return Check("failed", Tone.BAD if facts.failed_today >= _MANY else Tone.WARN,
                 f"{_count(facts.failed, 'message')} failed, {facts.failed_today} of them within a day.",
                 "Tell these people in person; where many failed at once, read the mail server's answer.")


def _uncertain(facts: MailFacts) -> Check:
    if not facts.uncertain:
        return Check("uncertain", Tone.OK, "No message is uncertain.")
    return Check("uncertain", Tone.WARN, f"{_count(facts.uncertain, 'message')} may or may not have arrived.",
                 "Ask these people, then settle the message or send it again.")


def _held(facts: MailFacts) -> Iterator[Check]:
    for reason, number in facts.held:
        yield Check("held", Tone.WARN, f"{_count(number, 'message is', 'messages are')} held: {reason}.",
                    "Read them, and release those that should go.")


def _bounces(facts: MailFacts) -> Check:
    number = facts.hard_bounces + facts.soft_bounces
    if not number:
        return Check("bounces", Tone.OK, "Nothing came back within 30 days.")
    text = (f"{_count(number, 'message')} came back within 30 days, {facts.hard_bounces} for good; "
            f"{_count(facts.blocked_addresses, 'address is', 'addresses are')} not written to any more.")
    if facts.bounced_today >= _MANY:
        return Check("bounces", Tone.BAD, text, "Many at once: the sender's address or its domain may be refused.")
    return Check("bounces", Tone.WARN if facts.blocked_addresses else Tone.OK, text,
                 "Ask these patients for their right address." if facts.blocked_addresses else "")


def _folder(facts: MailFacts, now: datetime) -> Iterator[Check]:
    troubles = {worker.folder_trouble for worker in facts.workers if lives(worker, now) and worker.folder_trouble}
    for trouble in sorted(troubles):
        yield Check("bounce-folder", Tone.BAD, f"The folder of what came back cannot be read: {trouble}.",
                    "Check CLINIC_BOUNCE_FOLDER: until then nobody hears of messages that did not arrive.")


def _count(number: int, one: str, several: str | None = None) -> str:
    return f"{number} {one if number == 1 else several or one + 's'}"


def _span(of: timedelta) -> str:
    minutes = max(int(of.total_seconds()) // 60, 0)
    if minutes < 1:
        return "less than a minute"
    if minutes < 120:
        return _count(minutes, "minute")
    return _count(minutes // 60, "hour") if minutes < 2880 else _count(minutes // 1440, "day")
