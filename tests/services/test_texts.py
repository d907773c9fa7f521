"""A clinic's own words: kept per clinic, bounded, and placed into the messages that they belong to."""
from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.messages.letters import Kind
from clinic.queries.texts import ClinicWords, clinic_words
from clinic.services import texts
from clinic.services.work import Actor, Done, NotFound, Refused, Stale, UnitOfWork
from clinic.store.accounts import AuditEntry
from clinic.store.engine import for_writing
from tests.queries.statements import counted
from tests.web import seed

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
TODAY = date(2027, 3, 1)
WORDS = {"directions": "Ring at the blue door.\n\nLift to floor 2.", "cancellation": "Tell us two days before.",
         "closing": "See you by the water!"}
TELL_THE_WAY = ("confirmation", "change", "clinic-change", "reminder-7d", "reminder-2d")


def work(engine: Engine) -> UnitOfWork:
    """A unit of work."""
    return UnitOfWork(engine, lambda: NOW, Actor("cli"))


@pytest.fixture
def clinics(engine: Engine) -> tuple[int, int]:
    """Two clinics."""
    with Session(for_writing(engine)) as db:
        found = seed.add_clinic(db), seed.add_clinic(db, "Hill", "Europe/Lisbon")
        db.commit()
    return found


def kept(engine: Engine, clinic_id: int) -> ClinicWords:
    """The clinic with its words."""
    with Session(engine) as db:
        return clinic_words(db, clinic_id)


def save(engine: Engine, clinic_id: int, words: dict[str, str], version: int = 1) -> Done[int] | Refused:
    """Saves words."""
    with work(engine) as unit:
        return texts.save_texts(unit, clinic_id, words, lock_version=version)


def test_words_are_kept_for_one_clinic_until_they_are_taken_back(engine: Engine, clinics: tuple[int, int]) -> None:
    harbour, hill = clinics
    save(engine, harbour, WORDS)
    assert (kept(engine, harbour).words, set(kept(engine, hill).words.values())) == (WORDS, {""})

    save(engine, harbour, {**WORDS, "closing": "  ", "directions": " At the pier. "}, version=2)

    assert kept(engine, harbour).words == {
        "directions": "At the pier.", "cancellation": "Tell us two days before.", "closing": ""}
    with Session(engine) as db:
        facts = db.scalars(sa.select(AuditEntry.facts).where(AuditEntry.action == "texts-changed")
                           .order_by(AuditEntry.id)).all()
    assert facts == [{"kept": ["cancellation", "closing", "directions"]}, {"kept": ["cancellation", "directions"]}]


@pytest.mark.parametrize(("words", "field"), [
    ({"directions": "x" * 601}, "directions"), ({"cancellation": "x" * 601}, "cancellation"),
    ({"closing": "x" * 301}, "closing"), ({"closing": "\n".join("x" * 13)}, "closing"),
    ({"closing": "bell \a"}, "closing"), ({"closing": "line \u2028 break"}, "closing"),
    ({"greeting": "Hi"}, "greeting"),
])
def test_what_cannot_be_kept_is_refused_at_its_field(
    words: dict[str, str], field: str, engine: Engine, clinics: tuple[int, int]
) -> None:
    outcome = save(engine, clinics[0], words)

    assert isinstance(outcome, Refused)
    assert [finding.field for finding in outcome.findings] == [field]
    assert set(kept(engine, clinics[0]).words.values()) == {""}


def test_words_of_the_longest_that_is_allowed_are_kept(engine: Engine, clinics: tuple[int, int]) -> None:
    words = {"directions": "x" * 600, "cancellation": "\n".join("x" * 12), "closing": "x" * 300}

    assert isinstance(save(engine, clinics[0], words), Done)
    assert kept(engine, clinics[0]).words == words


def test_the_second_of_two_writers_is_told(engine: Engine, clinics: tuple[int, int]) -> None:
    save(engine, clinics[0], WORDS)

    with pytest.raises(Stale):
        save(engine, clinics[0], {"closing": "Mine"})

    assert kept(engine, clinics[0]).words == WORDS


def test_a_clinic_that_is_not_there_is_not_found(engine: Engine) -> None:
    with pytest.raises(NotFound):
        save(engine, 99, WORDS)


@pytest.mark.parametrize("kind", texts.MESSAGE_KINDS)
def test_both_twins_of_every_message_say_the_words_that_belong_there(
    kind: str, engine: Engine, clinics: tuple[int, int]
) -> None:
    bare = texts.sample(kept(engine, clinics[0]), kind, today=TODAY)
    save(engine, clinics[0], WORDS)

    found = texts.sample(kept(engine, clinics[0]), kind, today=TODAY)

    for twin in (found.text, found.html):
        assert ("Ring at the blue door." in twin, "Lift to floor 2." in twin, "Tell us two days before." in twin) == (
            (kind in TELL_THE_WAY,) * 3)
        assert twin.count("See you by the water!") == 1
    assert found.subject == bare.subject
    assert "How to find us" not in bare.text + bare.html


def test_words_are_text_and_nothing_else(engine: Engine, clinics: tuple[int, int]) -> None:
    words = {"directions": "<script>alert(1)</script> {{ 7*7 }}", "cancellation": "{phone}", "closing": "<b>&"}
    save(engine, clinics[0], words)

    found = texts.sample(kept(engine, clinics[0]), Kind.CONFIRMATION.value, today=TODAY)

    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7*7 }}" in found.html
    assert "<script>" not in found.html
    assert "<script>alert(1)</script> {{ 7*7 }}" in found.text
    assert "{phone}" in found.text


def test_a_sample_says_what_is_typed_before_it_is_saved_and_leaves_out_what_could_not_be(
    engine: Engine, clinics: tuple[int, int]
) -> None:
    save(engine, clinics[0], WORDS)

    found = texts.sample(kept(engine, clinics[0]), "reminder-2d", today=TODAY,
                         words={"closing": "Until then!", "directions": "x" * 601})

    assert "Until then!" in found.text
    assert "See you by the water!" not in found.text
    assert "How to find us" not in found.text
    assert "Tell us two days before." in found.text


def test_the_words_come_in_one_statement(engine: Engine, clinics: tuple[int, int]) -> None:
    with Session(engine) as db, counted(engine) as statements:
        clinic_words(db, clinics[0])

    assert len([each for each in statements if each.startswith("SELECT")]) == 1


@pytest.mark.parametrize("today", [date(2027, 3, 19), date(2027, 10, 22)])
def test_samples_are_written_across_both_changes_of_the_clock(
    today: date, engine: Engine, clinics: tuple[int, int]
) -> None:
    for kind in texts.MESSAGE_KINDS:
        found = texts.sample(kept(engine, clinics[1]), kind, today=today)
        assert "10:00 to 11:00" in found.text or kind not in TELL_THE_WAY
