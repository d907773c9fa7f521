"""Links in messages: made when a message is frozen, opened by whoever holds one, ended by staff or by what changes.

A link is not a sign-in: it shows one course or visit of one patient, and what is about health only after the birth
date. Its secret is in the message alone; we keep a hash.
"""
from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from clinic.care.links import link_expires_at
from clinic.care.states import SessionState
from clinic.planning.findings import Finding, Weight
from clinic.planning.local import day_of, instant, zone
from clinic.queries.letters import LetterFacts
from clinic.queries.links import MY_COURSE, TRIES, LinkState, MyBrowser, link_seen, my_browser, wrong_dates
from clinic.services.accounts import hash_of
from clinic.services.work import Done, NotFound, Refused, UnitOfWork, record
from clinic.store.accounts import Task
from clinic.store.clinics import Clinic
from clinic.store.links import Link, PatientBrowser
from clinic.store.locks import lock_resources
from clinic.store.resources import Patient

IDLE_FOR = timedelta(minutes=20)
"""How long a patient's browser that is not used still sees the page."""
LONGEST = timedelta(hours=12)
STAND_IN = "https://link.invalid/made-when-it-is-sent"
"""What staff see in the place of a link: only the patient ever gets it."""
_SENT = re.compile(r"https?://[^\s/\"<>]+/l/[\w-]{43}", re.ASCII)
_FORGOTTEN_AFTER = timedelta(days=30)
_UNDONE = frozenset({SessionState.OWED, SessionState.BOOKED})


def without_links(text: str) -> str:
    """A text that was sent, as staff may read it: whoever knows a link could act as the patient."""
    return _SENT.sub(STAND_IN, text)


def link_address(base_url: str, secret: str) -> str:
    """The address that opens a link."""
    return f"{base_url}/l/{secret}"


def link_for(work: UnitOfWork, message_id: int, facts: LetterFacts, *, base_url: str) -> str:
    """The address of a new link to what that message is about, to be written into it. No commit."""
    secret, owner = secrets.token_urlsafe(32), facts.head.owner
    work.db.add(Link(
        secret_hash=hash_of(secret), purpose=MY_COURSE, patient_id=facts.head.patient_id, owner_kind=owner.kind,
        owner_id=owner.id, message_id=message_id, created_at=work.now,
        expires_at=link_expires_at(max(_dates(facts), default=None), now=work.now)))
    work.db.flush()
    return link_address(base_url, secret)


def open_link(work: UnitOfWork, secret: str) -> Done[str] | Refused:
    """Lets a browser in by a link: the browser's own secret, or why the link does not open."""
    seen = link_seen(work.db, hash_of(secret), now=work.now)
    if seen.state is not LinkState.OPENS:
        return Refused((Finding(f"link-{seen.state}", Weight.BLOCKS, f"This link is {seen.state}"),))
    link = work.db.scalars(sa.select(Link).where(Link.secret_hash == hash_of(secret))).one()
    known = secrets.token_urlsafe(32)
    work.db.add(PatientBrowser(
        id_hash=hash_of(known), link_id=link.id, created_at=work.now, expires_at=work.now + IDLE_FOR))
    link.used_at = link.used_at or work.now
    assert link.patient_id is not None  # as its purpose says
    record(work, "link-opened", "patient", link.patient_id, link=link.id)
    work.commit()
    return Done(known)


def opened(work: UnitOfWork, id_hash: str) -> MyBrowser:
    """The patient's browser that asks, while it is good; NotFound otherwise."""
    found = my_browser(work.db, id_hash, now=work.now)
    if found is None:
        raise NotFound("a patient's browser")
    return found


def note_used(work: UnitOfWork, id_hash: str) -> None:
    """The browser is being used: it stays in for a while longer, but never a whole day."""
    row = work.db.get(PatientBrowser, id_hash)
    if row is not None:
        row.expires_at = min(work.now + IDLE_FOR, row.created_at + LONGEST)
        work.commit()


def close_browser(work: UnitOfWork, id_hash: str) -> None:
    """The patient has finished: the browser sees nothing any more. What it got wrong still counts."""
    row = work.db.get(PatientBrowser, id_hash)
    if row is not None:
        row.expires_at = work.now
        work.commit()


def give_birth_date(work: UnitOfWork, id_hash: str, birth_on: date) -> Done[None] | Refused:
    """Opens what is about health to this browser, if that is the patient's birth date; after a few wrong ones only
    staff can help, and are asked to."""
    browser = opened(work, id_hash)
    lock_resources(work.db, [browser.patient_id])
    known = work.db.scalar(sa.select(Patient.birth_on).where(Patient.__table__.c.id == browser.patient_id))
    wrong = wrong_dates(work.db, browser.patient_id)
    if known is None or wrong >= TRIES:
        return Refused((Finding("no-tries", Weight.BLOCKS, "Call the clinic"),))
    row = work.db.get_one(PatientBrowser, id_hash)
    if birth_on == known:
        row.born_at = work.now
        ours = sa.select(Link.id).where(Link.patient_id == browser.patient_id).scalar_subquery()
        work.db.execute(sa.update(PatientBrowser).where(PatientBrowser.link_id.in_(ours)).values(wrong_dates=0))
        record(work, "birth-date-right", "patient", browser.patient_id, link=browser.link_id)
        work.commit()
        return Done(None)
    row.wrong_dates += 1
    record(work, "birth-date-wrong", "patient", browser.patient_id, link=browser.link_id)
    if wrong + 1 == TRIES:
        _ask_staff(work, browser)
    work.commit()
    return Refused((Finding("wrong-date", Weight.BLOCKS, "This is not the date that we have", "birth_on"),))


def revoke_links(work: UnitOfWork, patient_id: int) -> Done[int]:
    """Ends every link of a patient at once, and whoever is looking at their page; how many."""
    ended = end_links(work, patient_id)
    record(work, "links-revoked", "patient", patient_id, links=ended)
    work.commit()
    return Done(ended)


def end_links(work: UnitOfWork, patient_id: int) -> int:
    """The same, as part of a unit of work that goes on."""
    ids = work.db.scalars(
        sa.select(Link.id).where(Link.patient_id == patient_id, Link.revoked_at.is_(None)).order_by(Link.id)
        .with_for_update()).all()
    work.db.execute(sa.update(Link).where(Link.id.in_(ids)).values(revoked_at=work.now)
                    .execution_options(synchronize_session=False))
    return len(ids)


def forget_browsers(work: UnitOfWork) -> None:
    """Deletes patients' browsers whose time is over; those that got a date wrong a while later. No commit."""
    over = PatientBrowser.expires_at < work.now
    long_over = PatientBrowser.expires_at < work.now - _FORGOTTEN_AFTER
    work.db.execute(sa.delete(PatientBrowser).where(sa.or_(
        sa.and_(over, PatientBrowser.wrong_dates == 0), long_over)))


def _dates(facts: LetterFacts) -> Iterator[datetime]:
    """The ends of all that is to come: dates that are booked, and windows in which one is to be found."""
    for visit in facts.visits.values():
        if visit.is_standing or visit.held_until_at:
            yield visit.ends_at
    for part in facts.parts.values():
        if part.state in _UNDONE and part.latest_on is not None:
            yield instant(part.latest_on, 1440, zone(facts.clinic.zone))


def _ask_staff(work: UnitOfWork, browser: MyBrowser) -> None:
    clinic = work.db.get_one(Clinic, browser.clinic_id)
    work.db.add(Task(
        clinic_id=clinic.id, patient_id=browser.patient_id, kind="call", created_at=work.now,
        due_on=day_of(work.now, zone(clinic.zone)),
        text=f"A wrong birth date was given {TRIES} times on the patient's page. Call the patient and check the date "
             "that is kept; then revoke the links, so that the next message brings a new one."))
