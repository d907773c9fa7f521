"""A clinic's own words: in versions, judged, taken back, and placed into the messages that they belong to."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.message_kinds import MessageKind
from clinic.care.own_text import Part, code_of, parts_of
from clinic.care.text_changes import Fate
from clinic.planning.findings import Finding, Weight
from clinic.queries.texts import Writer, clinic_words, newest_texts, text_history, writer_of
from clinic.services import texts
from clinic.services.previews import Preview, sample, typed_texts, what_we_say
from clinic.services.text_faults import judge_text
from clinic.services.work import Actor, Done, NotFound, Refused, Stale, UnitOfWork
from clinic.store.accounts import AuditEntry
from clinic.store.clinics import ClinicText
from clinic.store.engine import for_writing
from tests.queries.statements import counted
from tests.web import seed

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
TODAY = date(2027, 3, 1)
WORDS = {"directions": "Ring at the blue door.\n\nLift to floor 2.", "cancellation": "Tell us two days before.",
         "closing": "See you by the water!"}
TELL_THE_WAY = ("confirmation", "change", "clinic-change", "reminder-7d", "reminder-2d")
REMINDER = MessageKind.REMINDER_2D
SUBJECT, OPENING = code_of(REMINDER, Part.SUBJECT), code_of(REMINDER, Part.OPENING)
WRITER = Writer("Harbour Clinic", "+44 20 7946 0000", ("Morpheus8 face", "Glow", "Full session"))


def work(engine: Engine, actor: Actor | None = None) -> UnitOfWork:
    """A unit of work."""
    return UnitOfWork(engine, lambda: NOW, actor or Actor("cli"))


@pytest.fixture
def clinics(engine: Engine) -> tuple[int, int]:
    """Two clinics."""
    with Session(for_writing(engine)) as db:
        found = seed.add_clinic(db), seed.add_clinic(db, "Hill", "Europe/Lisbon")
        db.commit()
    return found


def kept(engine: Engine, clinic_id: int, language: str = "en") -> dict[str, str]:
    """The clinic's words in a language, as its messages say them."""
    with Session(engine) as db:
        found = clinic_words(db, clinic_id).facts.texts
    return {code: each.text for (each_language, code), each in found.items() if each_language == language}


def seen(engine: Engine, clinic_id: int, words: Mapping[str, str], language: str = "en") -> int:
    """The newest version of these texts."""
    with Session(engine) as db:
        return texts.newest_id(texts.newest_of(newest_texts(db, clinic_id), language, words).values())


def save(
    engine: Engine, clinic_id: int, words: dict[str, str], sheet: MessageKind | None = None, *, language: str = "en",
    before: int | None = None,
) -> Done[int] | Refused:
    """Saves words, as somebody who has seen what there is."""
    at = seen(engine, clinic_id, words, language) if before is None else before
    with work(engine) as unit:
        return texts.save_texts(unit, clinic_id, sheet, language, words, seen=at)


def read(engine: Engine, clinic_id: int, kind: MessageKind, language: str = "en") -> Preview:
    """A message of that kind as the clinic would send it."""
    with Session(engine) as db:
        return sample(clinic_words(db, clinic_id), kind, language=language, today=TODAY)


def test_words_are_kept_for_one_clinic_until_they_are_taken_back(engine: Engine, clinics: tuple[int, int]) -> None:
    harbour, hill = clinics
    save(engine, harbour, WORDS)
    assert (kept(engine, harbour), kept(engine, hill)) == (WORDS, {})

    outcome = save(engine, harbour, {**WORDS, "closing": "  ", "directions": " At the pier. "})

    assert outcome == Done(2)
    assert kept(engine, harbour) == {"directions": "At the pier.", "cancellation": "Tell us two days before."}
    with Session(engine) as db:
        facts = db.scalars(sa.select(AuditEntry.facts).where(AuditEntry.action == "texts-changed")
                           .order_by(AuditEntry.id)).all()
    assert facts[1] == {"changed": ["closing", "directions"], "taken_back": ["closing"], "language": "en"}


def test_saving_what_is_kept_already_makes_no_version(engine: Engine, clinics: tuple[int, int]) -> None:
    save(engine, clinics[0], WORDS)

    assert save(engine, clinics[0], WORDS) == Done(0)

    with Session(engine) as db:
        assert set(db.scalars(sa.select(ClinicText.version))) == {1}


def test_every_version_stays_with_what_it_changed_and_may_stand_again(engine: Engine, clinics: tuple[int, int]) -> None:
    harbour, hill = clinics
    for text in ("See you on {date}", "See you soon, on {date}", ""):
        save(engine, harbour, {SUBJECT: text}, REMINDER)
    with Session(engine) as db:
        newest, second, first = text_history(db, harbour, "en", [SUBJECT])

    assert [(each.version, each.is_newest) for each in (newest, second, first)] == [(3, True), (2, False), (1, False)]
    assert [(each.text, each.fate) for each in second.changes] == [
        ("See you ", Fate.SAME), ("soon, ", Fate.NEW), ("on {date}", Fate.SAME)]
    with work(engine) as unit, pytest.raises(NotFound):
        texts.take_back(unit, hill, first.id, seen=newest.id)
    with work(engine) as unit, pytest.raises(Stale):
        texts.take_back(unit, harbour, first.id, seen=second.id)
    with work(engine) as unit:
        assert isinstance(texts.take_back(unit, harbour, first.id, seen=newest.id), Done)
    assert kept(engine, harbour) == {SUBJECT: "See you on {date}"}
    assert read(engine, harbour, REMINDER).subject == "See you on Wednesday 10 March"
    with Session(engine) as db:
        assert text_history(db, harbour, "en", [SUBJECT])[0].version == 4


def test_the_second_of_two_writers_is_told_and_writers_of_other_texts_are_not(
    engine: Engine, clinics: tuple[int, int]
) -> None:
    save(engine, clinics[0], WORDS)

    with pytest.raises(Stale):
        save(engine, clinics[0], {"closing": "Mine"}, before=0)
    assert isinstance(save(engine, clinics[0], {SUBJECT: "Mine"}, REMINDER, before=0), Done)

    assert kept(engine, clinics[0]) == {**WORDS, SUBJECT: "Mine"}


def test_what_is_not_there_is_not_found(engine: Engine, clinics: tuple[int, int]) -> None:
    for clinic_id, language in ((99, "en"), (clinics[0], "xx")):
        with pytest.raises(NotFound):
            save(engine, clinic_id, WORDS, language=language)


def test_what_blocks_is_refused_at_its_field_and_keeps_nothing(engine: Engine, clinics: tuple[int, int]) -> None:
    outcome = save(engine, clinics[0], {SUBJECT: "Your laser", OPENING: "Good {day}"}, REMINDER)
    strange = save(engine, clinics[0], {"greeting": "Hi"})

    assert isinstance(outcome, Refused)
    assert [(each.code, each.field) for each in outcome.findings] == [
        ("text-telling", "subject"), ("text-placeholder", "opening")]
    assert isinstance(strange, Refused)
    assert kept(engine, clinics[0]) == {}


def judged(kind: MessageKind | None, name: str, text: str, writer: Writer = WRITER) -> tuple[Finding, ...]:
    """What speaks against a text."""
    [place] = [each for each in texts.places_of(kind) if each.part.value == name]
    return judge_text(place, text, writer)


@pytest.mark.parametrize(("name", "text", "code", "words"), [
    ("subject", "x" * 101, "text-unfit", "At most 100 characters; this has 101."),
    ("subject", "one\ntwo", "text-unfit", "At most one line; this has 2."),
    ("opening", "\n".join("x" * 13), "text-unfit", "At most 12 lines; this has 13."),
    ("opening", "bell \a", "text-unfit", "This contains characters that cannot be kept. Type it again."),
    ("opening", "\u202eevil", "text-unfit", "signs that nobody sees"),
    ("subject", "On {dat}", "text-placeholder", "There is no {dat} here (“On {dat}”). Did you mean {date}?"),
    ("opening", "One\nOn {{date}}", "text-placeholder", "(line 2, “On {{date}}”). Did you mean {date}?"),
    ("opening", "Until {held_until}", "text-placeholder", "{clinic}, {phone}, {date} and {time}. For a brace"),
    ("subject", "About your la\u200bser", "text-telling", "“laser” tells"),
    ("subject", "Ihre Behandlung", "text-telling", "“Behandlung” tells"),
    ("preheader", "Your MORPHEUS8 on {date}", "text-telling", "“Morpheus8” tells"),
    ("subject", "Time to glow", "text-telling", "“glow” tells"),
])
def test_what_blocks_a_text_is_said_with_its_place(name: str, text: str, code: str, words: str) -> None:
    [found] = judged(REMINDER, name, text)

    assert (found.code, found.weight, found.field) == (code, Weight.BLOCKS, name)
    assert words in found.text


@pytest.mark.parametrize(("name", "text"), [
    ("opening", "Your laser, Morpheus8"), ("subject", "Your full hour, {first_name}"), ("subject", "{first_name}"),
    ("subject", ""), ("opening", "Ring at the blue door."), ("opening", "On 01/03/2027, 10:00."),
    ("opening", "Call {phone}."),
])
def test_what_harms_nobody_is_let_be(name: str, text: str) -> None:
    assert judged(REMINDER, name, text) == ()


def test_a_clinic_whose_name_tells_leaves_it_out_of_what_others_see() -> None:
    laser = Writer("Skin Laser Centre", "1", ())

    [found] = judged(REMINDER, "subject", "{clinic} on {date}", laser)

    assert "The name of the clinic says “Skin”" in found.text
    assert judged(REMINDER, "opening", "Yours, {clinic}", laser) == ()


def test_who_is_asked_to_call_is_told_the_number() -> None:
    bare = judged(REMINDER, "opening", "Please call us.")
    typed = judged(REMINDER, "opening", "Rufen Sie uns bitte an: 020 7946 0001")
    nobody = judged(None, "closing", "Ring us!", Writer("Harbour", " ", ()))

    assert [(each.weight, "{phone}" in each.text) for each in (*bare, *typed)] == [(Weight.WARNS, True)] * 2
    assert [(each.weight, each.field) for each in nobody] == [(Weight.BLOCKS, "closing")]


def test_what_we_say_ourselves_would_be_taken_from_a_clinic() -> None:
    for kind in MessageKind:
        for language in ("en", "de"):
            for part in parts_of(kind):
                assert judged(kind, part.value, what_we_say(kind, language)[part]) == (), (kind, language, part)


def test_both_twins_of_every_message_say_the_words_that_belong_there(engine: Engine, clinics: tuple[int, int]) -> None:
    save(engine, clinics[0], WORDS)

    for kind in MessageKind:
        found = read(engine, clinics[0], kind)

        for twin in (found.text, found.html):
            assert ("Ring at the blue door." in twin, "Lift to floor 2." in twin, "Tell us two days before." in twin
                    ) == (kind in TELL_THE_WAY,) * 3
            assert twin.count("See you by the water!") == 1


def test_what_is_added_to_every_message_names_the_clinic_and_speaks_the_language_that_it_has(
    engine: Engine, clinics: tuple[int, int]
) -> None:
    save(engine, clinics[0], {**WORDS, "closing": "{clinic}, {phone}, {{ 7*7 }}"})
    save(engine, clinics[0], {"directions": "Die blaue Tür."}, language="de")

    english, german = (read(engine, clinics[0], REMINDER, language) for language in ("en", "de"))

    assert "Ring at the blue door." in english.text
    assert "Die blaue Tür." in german.text and "Ring at the blue door." not in german.text
    for each in (english, german):
        assert "Harbour Clinic, +44 20 7946 0000, {{ 7*7 }}" in each.text
        assert "Tell us two days before." in each.text


def test_own_words_stand_in_their_language_alone(engine: Engine, clinics: tuple[int, int]) -> None:
    save(engine, clinics[0], {SUBJECT: "Soon: {date}", OPENING: "We are ready."}, REMINDER)

    english, german = (read(engine, clinics[0], REMINDER, language) for language in ("en", "de"))

    assert (english.subject, "We are ready.\n" in english.text) == ("Soon: Wednesday 10 March", True)
    assert (german.subject[:10], "We are ready." in german.text) == ("Erinnerung", False)


def test_what_is_typed_is_read_before_it_is_saved_without_what_could_not_be(
    engine: Engine, clinics: tuple[int, int]
) -> None:
    save(engine, clinics[0], {SUBJECT: "Soon: {date}", OPENING: "We are ready."}, REMINDER)
    with Session(engine) as db:
        clinic = clinic_words(db, clinics[0])
    typed = typed_texts(clinic.facts.texts, clinics[0], "en", {SUBJECT: "On {dat}", OPENING: "Come!"}, WRITER)

    found = sample(clinic.with_texts(typed), REMINDER, language="en", today=TODAY)

    assert (found.subject[:9], "Come!\n" in found.text) == ("Reminder:", True)


def test_a_page_of_texts_takes_as_many_statements_however_many_there_are(
    engine: Engine, clinics: tuple[int, int]
) -> None:
    save(engine, clinics[0], WORDS)
    save(engine, clinics[0], {SUBJECT: "Soon: {date}", OPENING: "We are ready."}, REMINDER)

    with Session(engine) as db, counted(engine) as statements:
        clinic_words(db, clinics[0])
        newest_texts(db, clinics[0])
        writer_of(db, clinics[0])

    assert len([each for each in statements if each.startswith("SELECT")]) == 6


@pytest.mark.parametrize("today", [date(2027, 3, 19), date(2027, 10, 22)])
def test_samples_are_written_across_both_changes_of_the_clock(
    today: date, engine: Engine, clinics: tuple[int, int]
) -> None:
    with Session(engine) as db:
        clinic = clinic_words(db, clinics[1])

    for kind in TELL_THE_WAY:
        assert "10:00 to 11:00" in sample(clinic, MessageKind(kind), language="en", today=today).text
