"""The diary: a day or a week by practitioner, room or device, with everybody who comes and all that can be booked."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.planning.local import DAY, local_of
from clinic.queries.appointments import AppointmentPage
from clinic.queries.diary import Diary, DiaryColumn, diary_in, read_text
from clinic.queries.folding import by_name
from clinic.web import diary_words as words
from clinic.web.booking_done import offered_undo
from clinic.web.days import WEEK_STEPS, asked_day
from clinic.web.diary_choices import Choices, Colour, Show, remembered
from clinic.web.diary_filter import narrowed, stands_back, states_offered, treatments_offered
from clinic.web.diary_glance import glance, hours_lines
from clinic.web.diary_grid import grid_of
from clinic.web.entry import allowed, here, today
from clinic.web.kit import kit, now
from clinic.web.numbers import number_of
from clinic.web.pages import page
from clinic.web.placing import Placing, card_of, picked_up, placing_of
from clinic.web.words import clock, day, long_day, plural

diary = Blueprint("diary", __name__)

_KEPT_FOR = timedelta(days=400)
_WEEK = 7
_KEYS = (
    ("T", "Today in the diary"), ("← →", "A day, or in a week a week, back or on"),
    ("− +", "A week back or on, same weekday"), (", .", "Four weeks back or on, same weekday"), ("F", "The filter"),
    ("↑ ↓ ← →", "Within the grid: between visits and free times"),
    ("Enter", "Open the visit, or book the free time"), ("W", "Walk-in: somebody is here without a date"),
    ("M on a visit", "Pick it up: arrows to a place, Enter; Esc puts it back"),
)


@diary.get("/diary")
@allowed(Right.SEE_DIARY)
def show() -> Response:
    """Some days of the current clinic as this account likes to see them; nothing new to a page that asks whether."""
    on, chosen, picked = asked_day(), _choices(), picked_up()
    first_on, days = (on - on.weekday() * DAY, _WEEK) if chosen.show is Show.WEEK else (on, 1)
    site, where = here().clinic_id, here().clinic.zone
    with kit().read() as db:
        text = read_text(db, site, first_on, days, where=where, now=now())
        version = _version(text.version, first_on, days, chosen, picked)
        if _asks_by_itself() and request.if_none_match.contains(version):
            return Response(status=304)
        found = diary_in(db, text, site, first_on, days, by=chosen.by, where=where, now=now())
        placing = placing_of(db, picked, first_on, days, chosen.by)
    chosen = _narrowed(chosen, found)
    # There is nowhere to put a visit down in a list: its day is shown instead.
    how = Show.DAY if placing and chosen.show is Show.LIST else chosen.show
    shown = {Show.DAY: _day, Show.WEEK: _week, Show.LIST: _list}[how](found, chosen, placing)
    return _remember(page(f"diary/{how}.html", version=version, **_frame(on, chosen, found, placing), **shown), chosen)


def _version(of_rows: str, first_on: date, days: int, chosen: Choices, picked: AppointmentPage | None) -> str:
    """What the page shows, by a name: the rows, how they are shown, and in which five minutes, where now is among them.
    """
    is_now = first_on <= today() < first_on + days * DAY
    since = now().replace(minute=now().minute // 5 * 5, second=0, microsecond=0) if is_now else today()
    moving = f"{picked.appointment.id}.{picked.appointment.lock_version}" if picked else ""
    told = "|".join((of_rows, chosen.kept(), str(since), str(here().may(Right.BOOK)), moving))
    return sha256(told.encode()).hexdigest()[:16]


def _day(found: Diary, chosen: Choices, placing: Placing | None) -> dict[str, Any]:
    """Columns side by side."""
    columns = _in(found, chosen)
    return {**_grid(found, chosen, [each for each in columns if each.is_here], placing), "day": found.days[0],
            "absent": [each.resource.name for each in columns if not each.is_here]}


def _week(found: Diary, chosen: Choices, placing: Placing | None) -> dict[str, Any]:
    """The days of one column side by side; with none chosen, all columns at a glance."""
    whose = next((each.resource for each in found.columns if each.resource.id == chosen.of), None)
    if whose is None:
        return {"whose": None, "rows": glance(found, _in(found, chosen), _to), "placing": placing}
    its = [each for each in found.columns if each.resource == whose]
    last = max((each.day.on.weekday() for each in its if each.is_here), default=0)
    shown = [each for each in its if each.day.on.weekday() <= max(last, 4)]
    return {"whose": whose, **_grid(found, chosen, shown, placing)}


def _list(found: Diary, chosen: Choices, _placing: Placing | None) -> dict[str, Any]:
    """The same facts as tables."""
    kept = {visit.id for column in _in(found, chosen) for visit in column.visits}
    kept |= {visit.id for visit in words.in_no_column(found, chosen.by)}
    cards = [words.card(each, chosen, with_parts=True) for each in found.visits
             if each.id in kept and not stands_back(each, chosen)]
    return {"day": found.days[0], "cards": cards, "hours": hours_lines(_in(found, chosen), found.where)}


def _grid(
    found: Diary, chosen: Choices, columns: Iterable[DiaryColumn], placing: Placing | None
) -> dict[str, Any]:
    """Those columns drawn; in a week each goes by its day, which is where its head leads.

    While a visit is in hand, its places take the place of the free time.
    """
    grid, may_book = grid_of(found, tuple(columns), now=now()), here().may(Right.BOOK)
    drawn, fits, pick_up = [], {}, _to(asked_day(), moving="")
    for each in grid.columns:
        on = each.column.day.on
        head = words.Head(day(on)[:-5], _to(on, show="day"), on == today()) if chosen.show is Show.WEEK else None
        late = found.late.get(each.column.resource.id) if on == today() else None
        column = words.column(
            each, chosen, found.where, may_book=may_book and not placing, head=head,
            late=late.minutes if late else None, pick_up=pick_up if may_book and not placing else "")
        if placing:
            fits[column.ident] = placing.in_column(each)
            column = replace(column, below=placing.below(on, each.column.resource.id))
        drawn.append(column)
    return {"grid": grid, "columns": drawn, "fits": fits, "now_words": clock(local_of(now(), found.where))}


def _frame(on: date, chosen: Choices, found: Diary, placing: Placing | None) -> dict[str, Any]:
    """What is around the days: where else to look, and how."""
    of_week = chosen.show is Show.WEEK
    step = (_WEEK if of_week else 1) * DAY
    offered = {each.resource for each in found.columns}
    left_out = [each for each in found.columns if each.resource.id in chosen.left_out and each.is_here]
    return {
        "source": url_for("diary.show", day=on.isoformat(), **chosen.address(), **_in_hand()),
        "card": placing and card_of(
            placing, on, (found.days[0].on, found.days[-1].on), _to,
            name=placing.picked.patient.name if chosen.names else words.NAMELESS),
        "announce": plural(len(found.visits), "visit"),
        "on": on, "chosen": chosen, "kinds": words.KINDS, "to": lambda **other: _to(on, **other),
        "heading": f"Week of {day(found.days[0].on)}" if of_week else long_day(on),
        "before": _to(on - step), "after": _to(on + step), "now_href": _to(today()),
        "is_now": found.days[0].on <= today() <= found.days[-1].on, "unit": "week" if of_week else "day",
        "weeks": [(label, days, _to(on + timedelta(days=days))) for days, label in WEEK_STEPS],
        "shows": [(each.value.capitalize(), _to(on, show=each), each is chosen.show, None) for each in Show],
        "by": [(several, _to(on, by=kind, of=""), kind is chosen.by, None)
               for kind, (several, _) in words.KINDS.items()],
        "offered": sorted(offered, key=lambda each: (by_name(each.name), each.id)), "left_out": left_out,
        "others": [words.card(each, chosen) for each in words.in_no_column(found, chosen.by)
                   if not stands_back(each, chosen)],
        "states": states_offered(chosen), "treatments": treatments_offered(found.visits, chosen),
        "back": sum(stands_back(each, chosen) for each in found.visits),
        "Colour": Colour, "keys": _KEYS, "undo": offered_undo(),
    }


def _to(on: date, **other: Any) -> str:
    """The diary on a day, as it is remembered but for what is named."""
    named: dict[str, Any] = {} if on == today() else {"day": on.isoformat()}
    return url_for("diary.show", **named, **{**_in_hand(), **other})


def _in_hand() -> dict[str, Any]:
    """What an address says of a visit that is picked up, so that it stays in hand from page to page."""
    ident = number_of(request.args, "moving")
    return {} if ident is None else {"moving": ident}


def _in(found: Diary, chosen: Choices) -> list[DiaryColumn]:
    return [each for each in found.columns if each.resource.id not in chosen.left_out]


def _choices() -> Choices:
    return remembered(request.cookies.get(_cookie(), "")).asked(request.args)


def _narrowed(chosen: Choices, found: Diary) -> Choices:
    """With the columns and the visits that the form of the filter asks for."""
    chosen = narrowed(chosen, request.args, found.visits)
    if "only" not in request.args:
        return chosen
    wanted = request.args.getlist("only", type=int)
    return chosen.showing(wanted, {each.resource.id for each in found.columns})


def _remember(response: Response, chosen: Choices) -> Response:
    """Keeps the choices in this browser, for this account; whatever asks by itself chooses nothing."""
    if not _asks_by_itself() and request.cookies.get(_cookie()) != chosen.kept():
        response.set_cookie(_cookie(), chosen.kept(), max_age=_KEPT_FOR, secure=kit().settings.secure, httponly=True,
                            samesite="Lax", path=url_for("diary.show"))
    return response


def _asks_by_itself() -> bool:
    return "X-Fragment" in request.headers


def _cookie() -> str:
    return f"diary-{here().account_id}"
