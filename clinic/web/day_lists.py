"""The day on paper: a list for the clinic, or one page for each practitioner or room, with or without names."""
from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.planning.local import DAY
from clinic.queries.day_lists import DayLists, ListedBy, day_lists
from clinic.queries.diary import DiaryVisit
from clinic.web.days import asked_day
from clinic.web.diary_choices import Choices
from clinic.web.diary_words import card
from clinic.web.entry import allowed, here
from clinic.web.kit import kit, now
from clinic.web.pages import page

day_list_pages = Blueprint("day_lists", __name__)

_WORDS = {ListedBy.CLINIC: "The clinic", ListedBy.PRACTITIONER: "Practitioners", ListedBy.ROOM: "Rooms"}


@day_list_pages.get("/day-lists")
@allowed(Right.SEE_DIARY)
def show() -> Response:
    """The lists of the day that is asked for, as they come out of the printer."""
    on, asked = asked_day(), request.args.get("by", "")
    by = ListedBy(asked) if asked in set(ListedBy) else ListedBy.CLINIC
    names = request.args.get("names") != "hidden"
    with kit().read() as db:
        found = day_lists(db, here().clinic_id, on, by=by, where=here().clinic.zone, now=now())
    sheets = [(sheet.title, [_line(visit, found, names) for visit in sheet.visits]) for sheet in found.sheets]
    return page(
        "day_lists/show.html", on=on, by=by, names=names, sheets=sheets, before=_to(on - DAY, by, names),
        after=_to(on + DAY, by, names), other_names=_to(on, by, not names),
        kinds=[(words, _to(on, each, names), each is by, None) for each, words in _WORDS.items()])


def _to(on: date, by: ListedBy, names: bool) -> str:
    return url_for("day_lists.show", day=on.isoformat(), by=by.value, names=None if names else "hidden")


def _line(visit: DiaryVisit, found: DayLists, names: bool) -> dict[str, Any]:
    """A visit in words; without a name also without what only its patient may be known by."""
    return {
        "card": card(visit, Choices(names=names)), "phone": found.phones.get(visit.patient_id, "") if names else "",
        "notes": [note.text for note in found.notes.get(visit.patient_id, ())] if names else [],
    }
