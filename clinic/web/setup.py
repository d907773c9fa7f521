"""Set-up: the front page of everything that a manager arranges."""
from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.queries.readiness import readiness_of
from clinic.web.entry import Here, allowed, here, may_everywhere
from clinic.web.guide import guide, lack_places, waiting
from clinic.web.kit import kit, now
from clinic.web.pages import page

setup = Blueprint("setup", __name__)


@dataclass(frozen=True, slots=True)
class SetupPlace:
    """A page of the set-up, for those who hold its right."""

    label: str
    endpoint: str
    icon: str
    right: Right
    words: str
    everywhere: bool = False


PLACES: tuple[SetupPlace, ...] = (
    SetupPlace("Clinics", "clinics.index", "building", Right.SET_UP,
               "Address, zone, opening hours, quiet hours, closures and public holidays."),
    SetupPlace("Practitioners", "people.index", "people", Right.SET_UP,
               "Who treats what, with their rotas, certificates and swaps."),
    SetupPlace("Absences and downtime", "absences.index", "calendar", Right.NOTE_ABSENCES,
               "When somebody is away, or a room or device out of service."),
    SetupPlace("Rooms", "rooms.index", "room", Right.SET_UP, "The rooms of this clinic, and what they offer."),
    SetupPlace("Devices", "devices.index", "device", Right.SET_UP, "The devices of this clinic, by their type."),
    SetupPlace("Treatments", "treatments.index", "calendar", Right.SET_UP,
               "Consultations, patch tests, reviews: what each holds, and for how long."),
    SetupPlace("Rules of messages", "rules.index", "clock", Right.SET_UP,
               "What goes and when, for all protocols or for one; a made-up course, and the coming 30 days."),
    SetupPlace("Texts", "texts.index", "mail", Right.SET_UP,
               "How each message reads, and the clinic's own words in it."),
    SetupPlace("Newsletter", "newsletter.index", "send", Right.WRITE_NEWSLETTER,
               "News and tips for who asked for them: editions, readers, and how far each went."),
    SetupPlace("Health", "mail.show", "shield", Right.SEE_AUDIT,
               "Whether messages go out as they should: due, failed, held, come back, and the workers."),
    SetupPlace("Translations", "translations.index", "book", Right.SEE_PROTOCOLS,
               "What patients read in German, beside the English, and whether it is approved."),
    SetupPlace("Accounts and rights", "accounts.index", "lock", Right.MANAGE_ACCOUNTS,
               "Who signs in, what each may do, and new passwords."),
    SetupPlace("Move in", "moving_in.index", "inbox", Right.MOVE_DATA,
               "Bring people, diaries and half-done courses over from another system.", everywhere=True),
    SetupPlace("Export everything", "moving_out.index", "download", Right.MOVE_DATA,
               "All that this program knows, to keep, to leave with, or to bring back.", everywhere=True),
)


@setup.get("/setup")
@allowed(Right.SET_UP)
def index() -> Response:
    """What there is to arrange, and until the first course is booked what comes next."""
    with kit().read() as db:
        found = readiness_of(db, here().clinic_id, now=now())
    steps = guide(found, here())
    return page("setup/index.html", places=setup_places(here()), steps=steps, waiting=waiting(found),
                bookable=found.bookable, lack_places=lack_places(here()),
                next_step=next((step for step in steps if not step.is_done), None))


def setup_places(who: Here) -> list[tuple[SetupPlace, str]]:
    """The pages of the set-up that this account may enter, each with its address."""
    return [(place, url_for(place.endpoint)) for place in PLACES
            if who.may(place.right) and (not place.everywhere or may_everywhere(place.right))]
