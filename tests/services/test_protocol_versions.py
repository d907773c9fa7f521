"""Versions of protocols that a clinic writes itself, and the consultation that it asks for."""
from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.access import Role
from clinic.care.catalogue import load_catalogue as read_catalogue
from clinic.care.new_version import as_it_is, document_with
from clinic.care.parts import read_parts
from clinic.care.protocols import Protocol as Content
from clinic.queries.treatments import treatment_cards
from clinic.services.protocol_versions import choose_consultation, draft_version
from clinic.services.protocols import approve_version, load_catalogue
from clinic.services.work import Actor, Done, NotFound, Refused, UnitOfWork
from clinic.store.accounts import AuditEntry
from clinic.store.engine import for_writing
from clinic.store.protocols import Protocol, ProtocolVersion
from tests.web import seed

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
CONTENT = next(each for each in read_catalogue() if each.code == "mn_rejuvenation")
CODE = CONTENT.code


@pytest.fixture
def ada(engine: Engine) -> int:
    """A practitioner's account, beside a library of one protocol."""
    with Session(for_writing(engine)) as db:
        account_id = seed.add_account(db, "ada@example.org", {seed.add_clinic(db): Role.PRACTITIONER})
        db.commit()
    with work(engine) as unit:
        load_catalogue(unit, [CONTENT])
    return account_id


def work(engine: Engine, account_id: int | None = None) -> UnitOfWork:
    """A unit of work."""
    return UnitOfWork(engine, lambda: NOW, Actor("account" if account_id else "cli", account_id))


def longer(content: Content = CONTENT, ideal: int = 31) -> dict[str, Any]:
    """The document of a version with another ideal interval."""
    wanted = as_it_is(content)
    return document_with(content, replace(wanted, figures={**wanted.figures, "cycle[0].interval.ideal": ideal}))


def draft(engine: Engine, document: dict[str, Any], base: int = 1) -> Done[int] | Refused:
    """Keeps a draft."""
    with work(engine) as unit:
        return draft_version(unit, CODE, document, base=base)


def versions(engine: Engine) -> list[tuple[int, str, Content]]:
    """Number, state and content of each version."""
    with Session(engine) as db:
        rows = db.execute(sa.select(ProtocolVersion.number, ProtocolVersion.state, ProtocolVersion.document)
                          .order_by(ProtocolVersion.number)).all()
    return [(row.number, row.state, Content.from_document(row.document)) for row in rows]


def test_a_version_of_ones_own_is_a_further_draft(engine: Engine, ada: int) -> None:
    outcome = draft(engine, longer())

    assert outcome == Done(2)
    (first, second) = versions(engine)
    assert first == (1, "draft", CONTENT)
    assert (second[:2], second[2].cycle[0].interval.ideal) == ((2, "draft"), 31)
    with Session(engine) as db:
        entry = db.scalars(sa.select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
    assert (entry.action, entry.facts) == ("protocol-drafted", {"base": 1})


def test_the_library_adds_nothing_over_a_version_of_ones_own(engine: Engine, ada: int) -> None:
    draft(engine, longer())

    with work(engine) as unit:
        added = load_catalogue(unit, [CONTENT]).value

    assert (added, len(versions(engine))) == (0, 2)


def test_what_contradicts_itself_is_refused_by_its_place(engine: Engine, ada: int) -> None:
    outcome = draft(engine, longer(ideal=3000))

    assert isinstance(outcome, Refused)
    assert [finding.field for finding in outcome.findings] == ["cycle[0].interval"]
    assert len(versions(engine)) == 1


Change = Callable[[dict[str, Any]], None]


def _unknown_skill(document: dict[str, Any]) -> None:
    document["treatments"][0]["parts"][0]["holds"][0]["skills"] = ["magic"]


def _wide_spacing(document: dict[str, Any]) -> None:
    treatment, spacing = document["treatments"][0]["code"], document["cycle"][0]["evidence"]
    document["spacing"] = [{"first": treatment, "then": treatment, "days": 29, "evidence": spacing}]


def _late_beginning(document: dict[str, Any]) -> None:
    document["treatments"][0]["parts"] = document["treatments"][0]["parts"][1:]


def _other_code(document: dict[str, Any]) -> None:
    document["code"] = "another"


@pytest.mark.parametrize(("change", "code"), [
    (_unknown_skill, "skill"), (_wide_spacing, "document"), (_late_beginning, "parts"),
    (_other_code, "other-protocol")])
def test_what_no_clinic_could_use_is_refused(change: Change, code: str, engine: Engine, ada: int) -> None:
    document = longer()
    change(document)

    outcome = draft(engine, document)

    assert isinstance(outcome, Refused)
    assert [finding.code for finding in outcome.findings] == [code]


def test_the_same_again_is_refused_unless_that_version_is_retired(engine: Engine, ada: int) -> None:
    same = draft(engine, CONTENT.to_document())
    draft(engine, longer())
    for version_id in (1, 2):
        with work(engine, ada) as unit:
            approve_version(unit, version_id)

    back = draft(engine, CONTENT.to_document(), base=2)

    assert isinstance(same, Refused)
    assert same.findings[0].text == "Version 1 says the same already."
    assert back == Done(3)


def test_two_who_write_at_once_get_numbers_of_their_own(engine: Engine, ada: int) -> None:
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda ideal: draft(engine, longer(ideal=ideal)), (29, 31)))

    assert sorted(outcome.value for outcome in outcomes if isinstance(outcome, Done)) == [2, 3]


def test_an_approved_version_says_what_its_visits_hold_from_then_on(engine: Engine, ada: int) -> None:
    wanted = as_it_is(CONTENT)
    first, *rest = wanted.parts[0]
    parts = ((replace(first, name="welcome"), *rest),)
    draft(engine, document_with(CONTENT, replace(wanted, parts=parts)))

    def names() -> list[str]:
        with Session(engine) as db:
            card = next(each for each in treatment_cards(db) if each.code == "skin-needling")
        return [part.name for part in card.parts]

    before = names()
    with work(engine, ada) as unit:
        approve_version(unit, 2)

    assert (before[0], names()[0]) == ("check-in", "welcome")


def test_the_choice_of_a_consultation_is_kept_and_audited_once(engine: Engine, ada: int) -> None:
    for _ in range(2):
        with work(engine) as unit:
            assert choose_consultation(unit, CODE, "hold") == Done("hold")
    with work(engine) as unit:
        refused = choose_consultation(unit, CODE, "sometimes")

    assert isinstance(refused, Refused)
    with Session(engine) as db:
        assert db.scalars(sa.select(Protocol.consultation)).one() == "hold"
        facts = db.scalars(sa.select(AuditEntry.facts).where(AuditEntry.action == "consultation-chosen")).all()
    assert facts == [{"before": "none", "now": "hold"}]


def test_a_protocol_or_version_that_is_not_there_is_not_found(engine: Engine, ada: int) -> None:
    with pytest.raises(NotFound):
        draft(engine, longer(), base=9)
    with pytest.raises(NotFound), work(engine) as unit:
        draft_version(unit, "none", longer(), base=1)
    with pytest.raises(NotFound), work(engine) as unit:
        choose_consultation(unit, "none", "hold")


def test_the_parts_of_a_version_are_read_back(engine: Engine, ada: int) -> None:
    document = longer()

    assert read_parts(document["treatments"][0]["parts"]) == CONTENT.treatments[0].parts
