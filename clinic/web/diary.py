"""The diary: a day by practitioner, room or device, with everybody who comes and all that can still be booked."""
from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.parts import ResourceKind
from clinic.planning.local import local_of
from clinic.queries.diary import Diary, DiaryColumn, diary_of
from clinic.web import diary_words as words
from clinic.web.days import WEEK_STEPS, asked_day
from clinic.web.diary_choices import Choices, Colour, Show, remembered
from clinic.web.diary_grid import grid_of
from clinic.web.entry import allowed, here, today
from clinic.web.kit import kit, now
from clinic.web.pages import page
from clinic.web.words import clock

diary = Blueprint("diary", __name__)

_KEPT_FOR = timedelta(days=400)


@diary.get("/diary")
@allowed(Right.SEE_DIARY)
def show() -> Response:
    """A day of the current clinic as this account likes to see it."""
    on, chosen = asked_day(), _choices()
    found = _read(on, 1, chosen.by)
    chosen = _narrowed(chosen, found)
    response = page("diary/day.html", **_frame(on, chosen, found), **_day(found, chosen))
    return _remember(response, chosen)


def _read(first_on: date, days: int, by: ResourceKind) -> Diary:
    with kit().read() as db:
        return diary_of(db, here().clinic_id, first_on, days, by=by, where=here().clinic.zone, now=now())


def _day(found: Diary, chosen: Choices) -> dict[str, Any]:
    shown = [each for each in _in(found, chosen) if each.is_here]
    grid = grid_of(found, shown, now=now())
    may_book = here().may(Right.BOOK)
    return {
        "grid": grid, "now_words": clock(local_of(now(), found.where)), "day": found.days[0],
        "columns": [words.column(each, chosen, found.where, may_book=may_book) for each in grid.columns],
        "absent": [each.resource.name for each in _in(found, chosen) if not each.is_here],
    }


def _frame(on: date, chosen: Choices, found: Diary) -> dict[str, Any]:
    """What is around the days: where else to look, and how."""
    def to(day: date = on, **other: Any) -> str:
        named: dict[str, Any] = {} if day == today() else {"day": day.isoformat()}
        return url_for("diary.show", **named, **other)

    left_out = [each for each in found.columns if each.resource.id in chosen.left_out and each.is_here]
    return {
        "on": on, "chosen": chosen, "kinds": words.KINDS, "to": to,
        "before": to(on - timedelta(days=1)), "after": to(on + timedelta(days=1)),
        "weeks": [(label, days, to(on + timedelta(days=days))) for days, label in WEEK_STEPS],
        "offered": sorted({each.resource for each in found.columns}, key=lambda each: each.name.casefold()),
        "left_out": left_out, "others": [words.card(each, chosen) for each in words.in_no_column(found, chosen.by)],
        "by": [(several, to(by=kind), kind is chosen.by, None) for kind, (several, _) in words.KINDS.items()],
        "Show": Show, "Colour": Colour,
    }


def _in(found: Diary, chosen: Choices) -> list[DiaryColumn]:
    return [each for each in found.columns if each.resource.id not in chosen.left_out]


def _choices() -> Choices:
    return remembered(request.cookies.get(_cookie(), "")).asked(request.args)


def _narrowed(chosen: Choices, found: Diary) -> Choices:
    """With the columns that the form of the filter asks for."""
    if "only" not in request.args:
        return chosen
    wanted = request.args.getlist("only", type=int)
    return chosen.showing(wanted, {each.resource.id for each in found.columns})


def _remember(response: Response, chosen: Choices) -> Response:
    """Keeps the choices in this browser, for this account; whatever asks by itself chooses nothing."""
    if "X-Fragment" not in request.headers and request.cookies.get(_cookie()) != chosen.kept():
        response.set_cookie(_cookie(), chosen.kept(), max_age=_KEPT_FOR, secure=kit().settings.secure, httponly=True,
                            samesite="Lax", path=url_for("diary.show"))
    return response


def _cookie() -> str:
    return f"diary-{here().account_id}"
