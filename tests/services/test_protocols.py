"""The protocol library: brought in, approved, never changed."""
from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.access import Role
from clinic.care.catalogue import load_catalogue as read_catalogue
from clinic.care.outcomes import ALWAYS_KEEP, MissedRule
from clinic.care.parts import patient_minutes, read_parts
from clinic.care.protocols import Protocol as Content
from clinic.services.protocols import approve_version, load_catalogue
from clinic.services.work import Actor, Done, NotFound, Refused, UnitOfWork
from clinic.store.engine import for_writing
from clinic.store.protocols import Protocol, ProtocolVersion, Treatment
from tests.web import seed

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def ada(engine: Engine) -> int:
    """A practitioner's account."""
    with Session(for_writing(engine)) as db:
        account_id = seed.add_account(db, "ada@example.org", {seed.add_clinic(db): Role.PRACTITIONER})
        db.commit()
    return account_id


def work(engine: Engine, account_id: int | None = None) -> UnitOfWork:
    """A unit of work."""
    return UnitOfWork(engine, lambda: NOW, Actor("account" if account_id else "cli", account_id))


def brought_in(engine: Engine, *contents: Content) -> int:
    """How many versions were new."""
    with work(engine) as unit:
        return load_catalogue(unit, contents or None).value


def names(engine: Engine) -> list[str]:
    """What each protocol is called in lists."""
    with Session(engine) as db:
        return list(db.scalars(sa.select(Protocol.name)))


def versions(engine: Engine) -> list[tuple[str, int, str]]:
    """Code, number and state of every version."""
    with Session(engine) as db:
        rows = db.execute(sa.select(Protocol.code, ProtocolVersion.number, ProtocolVersion.state)
                          .join(ProtocolVersion).order_by(Protocol.code, ProtocolVersion.number)).all()
    return [(row[0], row[1], row[2]) for row in rows]


def test_the_catalogue_comes_in_as_drafts_once(engine: Engine) -> None:
    first, second = brought_in(engine), brought_in(engine)

    assert (first, second) == (21, 0)
    assert {(number, state) for _, number, state in versions(engine)} == {(1, "draft")}
    with Session(engine) as db:
        kept = {row.code: row.name for row in db.scalars(sa.select(Treatment))}
        rows = db.execute(sa.select(Protocol.code, ProtocolVersion.document).join(ProtocolVersion)).all()
    assert kept["skin-needling"] == "Microneedling"
    assert {row.code: Content.from_document(row.document) for row in rows} == {
        content.code: content for content in read_catalogue()}


def test_a_protocol_that_says_something_else_gets_a_further_draft(engine: Engine, ada: int) -> None:
    content = read_catalogue()[0]
    brought_in(engine, content)
    with work(engine, ada) as unit:
        approve_version(unit, 1)

    added = brought_in(engine, replace(content, name="Another name"))

    assert added == 1
    assert versions(engine) == [(content.code, 1, "approved"), (content.code, 2, "draft")]
    assert names(engine) == [content.name]


def test_a_draft_that_comes_to_say_what_it_meant_before_is_no_news(engine: Engine) -> None:
    content = next(each for each in read_catalogue() if each.missed.evidence.our_default)
    brought_in(engine, replace(content, missed=ALWAYS_KEEP))

    added = brought_in(engine, content)

    assert content.missed != ALWAYS_KEEP
    assert added == 0


def test_a_default_that_is_written_out_is_no_news(engine: Engine) -> None:
    content = read_catalogue()[0]
    brought_in(engine, content)
    with Session(engine) as db:
        document = db.scalars(sa.select(ProtocolVersion.document)).one()
    written = document | {"indications": [{"lifts": False, "sessions": None} | each
                                          for each in document["indications"]]}

    added = brought_in(engine, Content.from_document(written))

    assert written != document
    assert added == 0


def test_another_rule_for_missed_sessions_is_news(engine: Engine) -> None:
    content = replace(read_catalogue()[0], missed=ALWAYS_KEEP)
    brought_in(engine, content)

    added = brought_in(engine, replace(content, missed=replace(ALWAYS_KEEP, forgot=MissedRule.EXTEND)))

    assert added == 1


def test_the_other_visits_come_in_once_and_stay_as_the_clinic_made_them(engine: Engine) -> None:
    brought_in(engine)
    with Session(for_writing(engine)) as db:
        db.scalars(sa.select(Treatment).where(Treatment.code == "review")).one().name = "Look at it together"
        db.commit()

    brought_in(engine)

    with Session(engine) as db:
        rows = db.scalars(sa.select(Treatment).where(Treatment.kind != "session").order_by(Treatment.id)).all()
    assert [(row.code, row.kind, row.name, patient_minutes(read_parts(row.parts)), row.active) for row in rows] == [
        ("consultation", "consultation", "Consultation", 30, True),
        ("patch-test", "patch-test", "Patch test", 15, True),
        ("review", "review", "Look at it together", 20, True),
        ("other", "other", "Other visit", 20, True),
    ]


def test_an_approval_retires_the_version_before(engine: Engine, ada: int) -> None:
    content = read_catalogue()[0]
    brought_in(engine, content)
    brought_in(engine, replace(content, name="Another name"))

    with work(engine, ada) as unit:
        first = approve_version(unit, 1)
    with work(engine, ada) as unit:
        second = approve_version(unit, 2)

    assert (first, second) == (Done(1), Done(2))
    assert versions(engine) == [(content.code, 1, "retired"), (content.code, 2, "approved")]
    with Session(engine) as db:
        row = db.get_one(ProtocolVersion, 2)
    assert (row.approved_by, row.approved_at) == (ada, NOW)
    assert names(engine) == ["Another name"]


def test_a_draft_that_nobody_approved_names_its_protocol_while_no_other_version_does(engine: Engine) -> None:
    content = read_catalogue()[0]
    brought_in(engine, content)

    brought_in(engine, replace(content, name="Another name"))

    assert names(engine) == ["Another name"]


def test_only_a_draft_is_approved_and_only_by_a_person(engine: Engine, ada: int) -> None:
    brought_in(engine, read_catalogue()[0])
    with work(engine) as unit:
        by_nobody = approve_version(unit, 1)
    with work(engine, ada) as unit:
        approve_version(unit, 1)

    with work(engine, ada) as unit:
        again = approve_version(unit, 1)

    assert isinstance(by_nobody, Refused) and isinstance(again, Refused)
    assert (by_nobody.findings[0].code, again.findings[0].code) == ("nobody", "not-a-draft")


def test_a_version_that_is_not_there_is_not_found(engine: Engine, ada: int) -> None:
    with pytest.raises(NotFound), work(engine, ada) as unit:
        approve_version(unit, 99)
