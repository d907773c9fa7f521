"""A clinic's own words in its messages: kept in versions, taken back, and trusted in a language by who wrote them."""
from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from itertools import chain

from clinic.care.message_kinds import MessageKind
from clinic.care.translations import ENGLISH, LANGUAGES
from clinic.planning.findings import Finding, Weight, blocks
from clinic.queries.texts import Newest, Writer, newest_texts, writer_of
from clinic.services.text_faults import Place, judge_text, places_of
from clinic.services.translations import let_go, trust
from clinic.services.work import Done, NotFound, Refused, Stale, UnitOfWork, record
from clinic.store.clinics import Clinic, ClinicText

Sheet = MessageKind | None
"""What is written at one time: the texts of a kind of message, or of none: those that stand in every message."""


def save_texts(
    work: UnitOfWork, clinic_id: int, sheet: Sheet, language: str, words: Mapping[str, str], *, seen: int
) -> Done[int] | Refused:
    """Keeps a clinic's own words, as new versions where they differ, for all messages that are written from now on.

    An empty text takes them back: ours stand again. `seen` is the newest version that the writer had before them. Who
    saves a text in another language than English has read it: it goes out as it is. Without a person behind it, it
    waits for one.
    """
    if language not in LANGUAGES or work.db.get(Clinic, clinic_id, with_for_update=True) is None:
        raise NotFound(f"texts of clinic {clinic_id} in {language}")
    findings = judge_texts(sheet, words, writer_of(work.db, clinic_id))
    if blocks(findings):
        return Refused(findings)
    known = newest_of(newest_texts(work.db, clinic_id), language, words)
    if newest_id(known.values()) != seen:
        raise Stale("clinic-text", clinic_id, newest_id(known.values()))
    changed = {code: text.strip() for code, text in words.items()
               if text.strip() != (known[code].text if code in known else "")}
    work.db.add_all(
        ClinicText(clinic_id=clinic_id, code=code, language=language, text=text, made_at=work.now,
                   version=known[code].version + 1 if code in known else 1, made_by=work.actor.account_id)
        for code, text in changed.items())
    if changed:
        record(work, "texts-changed", "clinic", clinic_id, clinic_id=clinic_id, language=language,
               changed=sorted(changed), taken_back=sorted(code for code, text in changed.items() if not text))
    _trust(work, clinic_id, language, changed)
    work.commit()
    return Done(len(changed), findings)


def take_back(work: UnitOfWork, clinic_id: int, text_id: int, *, seen: int) -> Done[int] | Refused:
    """Makes an older version the newest again, as a version of its own; `seen` is the newest that the person saw."""
    row = work.db.get(ClinicText, text_id)
    if row is None or row.clinic_id != clinic_id:
        raise NotFound(f"text {text_id} of clinic {clinic_id}")
    return save_texts(work, clinic_id, sheet_of(row.code), row.language, {row.code: row.text}, seen=seen)


def approve_texts(
    work: UnitOfWork, clinic_id: int, sheet: Sheet, language: str, *, shown: str
) -> Done[int] | Refused:
    """Lets a clinic's own words in another language than English go out as they were shown; how many are new."""
    if work.db.get(Clinic, clinic_id, with_for_update=True) is None:
        raise NotFound(f"clinic {clinic_id}")
    codes = [place.code for place in places_of(sheet)]
    found = newest_of(newest_texts(work.db, clinic_id), language, codes)
    if work.actor.account_id is None:
        return Refused((Finding("nobody", Weight.BLOCKS, "Only a person who is signed in can approve a text."),))
    if shown != shown_texts(found.values()):
        return Refused((Finding("changed", Weight.BLOCKS, "These texts have changed since you opened them. Read them "
                                                          "again."),))
    waiting = {code: each.text for code, each in found.items() if not each.is_approved}
    record(work, "texts-approved", "clinic", clinic_id, clinic_id=clinic_id, language=language, texts=sorted(waiting))
    _trust(work, clinic_id, language, waiting)
    work.commit()
    return Done(len(waiting))


def judge_texts(sheet: Sheet, words: Mapping[str, str], writer: Writer) -> tuple[Finding, ...]:
    """What speaks against these words, each at its field; what has no place among them is refused too."""
    places = {place.code: place for place in places_of(sheet)}
    strange = (Finding("text", Weight.BLOCKS, "There is no such text.", code) for code in words if code not in places)
    judged = (judge_text(places[code], text, writer) for code, text in words.items() if code in places)
    return (*strange, *chain.from_iterable(judged))


def newest_of(texts: Iterable[Newest], language: str, codes: Iterable[str]) -> dict[str, Newest]:
    """Those of the texts that have these codes, in that language, by their code."""
    wanted = set(codes)
    return {each.code: each for each in texts if each.language == language and each.code in wanted}


def newest_id(texts: Iterable[Newest]) -> int:
    """What a page shows of texts that may change meanwhile: their newest version."""
    return max((each.id for each in texts), default=0)


def shown_texts(texts: Iterable[Newest]) -> str:
    """What an approval agrees to: exactly the words that were shown."""
    said = sorted(f"{each.code}={each.id}" for each in texts)
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def sheet_of(code: str) -> Sheet:
    """What a text is written together with."""
    kind, is_of_kind, _ = code.partition("/")
    return MessageKind(kind) if is_of_kind else None


def place_of(code: str) -> Place:
    """Where a text stands."""
    return next(place for place in places_of(sheet_of(code)) if place.code == code)


def _trust(work: UnitOfWork, clinic_id: int, language: str, words: Mapping[str, str]) -> None:
    """Whoever saves words in another language answers for them; what waited for exactly that goes its way."""
    said = {code: text for code, text in words.items() if text}
    if language == ENGLISH or work.actor.account_id is None or not words:
        return
    trust(work, language, clinic_id, said)
    let_go(work, language)
