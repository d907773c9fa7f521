"""A chosen time beside the old one, with what follows from it, before anything is done; and where it leads after."""
from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import request, url_for
from werkzeug.wrappers import Response

from clinic.care.windows import Fit
from clinic.planning.local import zone
from clinic.queries.times import TimeOffer
from clinic.queries.visit_choice import VisitChoice
from clinic.web import course_words
from clinic.web.addresses import safe_next
from clinic.web.forms import Form
from clinic.web.numbers import number_of
from clinic.web.pages import page
from clinic.web.placing import TO_DIARY, in_hand_href, is_from_diary, moved_href
from clinic.web.repair import repair_href
from clinic.web.wishes import SessionWish, Wish
from clinic.web.words import clock, day, moment
from clinic.web.zones import zone_words


def confirm_page(wish: Wish, offer: TimeOffer, form: Form) -> Response:
    """Old and new side by side, what follows, and what the patient is told."""
    subject, rows = wish.subject, _compared(wish, offer)
    return page(
        "appointments/confirm.html", form.status, wish=wish, subject=subject, offer=offer, form=form,
        rows=rows, offered=[(label, new) for label, _, new in rows],
        knock_on=wish.knock_on(offer.local_start.date()), words=course_words,
        zone_words=zone_words(zone(subject.zone)), back=wish.back, asked=_asked(wish),
        along=_along(wish, offer), again=_again(wish, offer.local_start.date()))


def now_and_wanted(wish: Wish, choice: VisitChoice) -> list[tuple[str, str, str]]:
    """What the second of two people is shown: how it is now, and what was wanted."""
    wanted = moment(choice.starts_at.astimezone(zone(wish.subject.zone)))
    if wish.old is None:
        return [("When", "No date yet", wanted)]
    return [("When", moment(wish.old.local_start), wanted),
            ("State", course_words.APPOINTMENT_STATES[wish.old.state], "Booked")]


def told_after(wish: Wish, choice: VisitChoice, told: str) -> str:
    """What is said once it is done: of whom and when as well, where it leads back to a page of many."""
    if not safe_next(""):
        return told
    return f"{told} {wish.subject.patient.name}: {moment(choice.starts_at.astimezone(zone(wish.subject.zone)))}."


def is_unchanged(wish: Wish, offer: TimeOffer) -> bool:
    """Whether a visit has that time and all of this already, as after going back to a page whose move was made."""
    return all(old == new for _, old, new in _compared(wish, offer))


def home_after(wish: Wish, on: date) -> str:
    """Where a move that was begun in the diary ends: on the new day; any other on the page that it belongs to. From
    either it can be taken back."""
    if wish.old and is_from_diary():
        return moved_href(wish.old.id, on)
    if wish.old and isinstance(wish, SessionWish) and not wish.subject.of_maintenance:
        return safe_next(url_for("courses.show", course_id=wish.subject.course_id, moved=wish.old.id))
    return safe_next(wish.back)


def repair_address(wish: Wish, course_id: int, offer: TimeOffer) -> str:
    """Where a time leads that later sessions follow, and from there back to where it was chosen."""
    on = offer.local_start.date()
    after = url_for("diary.show", day=on.isoformat(), repaired=course_id) if is_from_diary() else safe_next("")
    return repair_href(course_id, offer.choice, after=after or None)


def address_of(wish: Wish, **query: Any) -> str:
    """The page of its times, which remembers where it was reached from."""
    query |= _reached_from()
    return wish.address(**{name: value for name, value in query.items() if value != ""})


def asked_practitioner(wish: Wish) -> int | None:
    """The practitioner who alone is asked for, if one is."""
    given = number_of(request.values, "practitioner")
    return given if given in {ident for ident, _ in wish.subject.practitioners} else None


def week_of(on: date) -> date:
    """The Monday before a date, or the date itself."""
    return on - timedelta(days=on.weekday())


def _along(wish: Wish, offer: TimeOffer) -> str:
    """Where later sessions that could stay are moved along as well; empty where there are none."""
    if wish.old is None or not isinstance(wish, SessionWish) or not wish.moves_a_course:
        return ""
    later = [line for line in wish.subject.others if line.number > wish.subject.line.number and line.appointment]
    return repair_address(wish, wish.subject.course_id, offer) if later else ""


def _again(wish: Wish, on: date) -> str:
    """Where another time is chosen: the diary with the visit in hand, or the list of times."""
    if wish.old and is_from_diary():
        return in_hand_href(wish.old.id, on)
    return address_of(wish, **{"from": week_of(on), "practitioner": asked_practitioner(wish) or ""})


def _asked(wish: Wish) -> dict[str, Any]:
    """What the form sends back of how the time was asked for."""
    reached_from = {name: value for name, value in _reached_from().items() if value}
    return {"practitioner": asked_practitioner(wish) or "", **reached_from}


def _reached_from() -> dict[str, str]:
    """What an address carries on, so that it leads back: to the diary, or to another page that asked for it."""
    return {"back": TO_DIARY if is_from_diary() else "", "next": safe_next("")}


def _compared(wish: Wish, offer: TimeOffer) -> list[tuple[str, str, str]]:
    old = wish.old
    spans = [f"{clock(offer.local_start)} – {clock(offer.local_end)}"]
    rows = [
        ("Day", day(old.local_start.date()) if old else "", day(offer.local_start.date())),
        ("Time", f"{clock(old.local_start)} – {clock(old.local_end)}" if old else "", spans[0]),
        ("Practitioner", (old.practitioner or "") if old else "", offer.practitioner or ""),
        ("Room", (old.room or "") if old else "", offer.room or ""),
        ("Device", (old.device or "") if old else "", offer.device or ""),
    ]
    if isinstance(wish, SessionWish):
        rows.append(("In its window", _fit_words(wish.subject.line.fit) if old else "", _fit_words(offer.fit)))
    return rows


def _fit_words(fit: Fit | None) -> str:
    return course_words.FITS[fit][0] if fit else "No window"
