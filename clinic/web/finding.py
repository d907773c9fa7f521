"""Find anything: a person, a day, a place of this program, somebody's diary, a treatment, a word of the help."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.queries.named import Named, fits, named
from clinic.queries.patients import PatientMatch, likely_patients
from clinic.web.day_words import day_meant
from clinic.web.entry import Here, here, signed_in, today
from clinic.web.help_topics import topics
from clinic.web.kit import kit
from clinic.web.pages import ACCOUNT_PLACES, PLACES, page
from clinic.web.setup import setup_places
from clinic.web.words import date_only, long_day

finding = Blueprint("finding", __name__)

MOST_PATIENTS = 8
MOST_OTHERS = 6
LONGEST_SEARCH = 100


@dataclass(frozen=True, slots=True)
class Hit:
    """Something found: what it is called, what tells it from others, where it is."""

    name: str
    more: str
    href: str


@dataclass(frozen=True, slots=True)
class Hits:
    """What was found of one kind."""

    title: str
    icon: str
    rows: tuple[Hit, ...]

    @property
    def count(self) -> int:
        """How many."""
        return len(self.rows)


@finding.get("/find")
@signed_in
def show() -> Response:
    """All that the words fit; where it is one thing alone, that thing itself."""
    search = request.args.get("q", "").strip()[:LONGEST_SEARCH]
    found = tuple(each for each in _found(search, here()) if each.rows) if search else ()
    if sum(each.count for each in found) == 1 and "X-Fragment" not in request.headers:
        return redirect(found[0].rows[0].href, 303)
    return page("find/index.html", found=found, search=search)


def _found(search: str, who: Here) -> Iterator[Hits]:
    """What the words fit, of what this account may see: in three statements at most."""
    with kit().read() as db:
        patients = likely_patients(db, search, limit=MOST_PATIENTS) if who.may(Right.SEE_PATIENTS) else ()
        names = named(db, who.clinic_id, search)
    yield Hits("Days", "calendar", tuple(_days(search) if who.may(Right.SEE_DIARY) else ()))
    yield Hits("Patients", "people", tuple(map(_of_patient, patients)))
    yield Hits("Places", "arrow-right", tuple(_places(search, who)))
    yield Hits("Diaries and treatments", "columns", tuple(_named(names, who)))
    yield Hits("Help", "book", tuple(
        Hit(topic.title, "", url_for("help.index", _anchor=topic.id)) for topic in topics()
        if fits(search, topic.title, topic.words))[:MOST_OTHERS])


def _days(search: str) -> Iterator[Hit]:
    on = day_meant(search, today=today())
    if on is not None:
        yield Hit(long_day(on), "Diary", url_for("diary.show", day=on.isoformat(), show="day"))


def _of_patient(each: PatientMatch) -> Hit:
    facts = (date_only(each.birth_on) if each.birth_on else None, each.phone or each.email)
    return Hit(each.name, " · ".join(filter(None, facts)), url_for("patients.show", patient_id=each.id))


def _places(search: str, who: Here) -> list[Hit]:
    found: list[tuple[str, str, str]] = [
        *((place.label, "", url_for(place.endpoint)) for place in PLACES if who.may(place.right)),
        *((place.label, place.words, href) for place, href in setup_places(who)),
        *((label, "", url_for(endpoint)) for label, endpoint, right in ACCOUNT_PLACES
          if right is None or who.may(right)),
    ]
    unlike = {href: Hit(label, words, href) for label, words, href in found if fits(search, label, words)}
    by_name_first = sorted(unlike.values(), key=lambda hit: not fits(search, hit.name))
    return by_name_first[:MOST_OTHERS]


def _named(found: tuple[Named, ...], who: Here) -> list[Hit]:
    return [hit for each in found if (hit := _of_name(each, who))][:MOST_OTHERS]


def _of_name(each: Named, who: Here) -> Hit | None:
    if each.kind == "protocol":
        return Hit(each.name, "Protocol", url_for("protocols.show", code=each.key)) if who.may(
            Right.SEE_PROTOCOLS) else None
    if not who.may(Right.SEE_DIARY):
        return None
    return Hit(each.name, "Week", url_for("diary.show", show="week", by=each.kind, of=each.key))
