"""The guide from an empty clinic to its first course: what is done, what is missing and why, and what comes next."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from flask import request, url_for

from clinic.access import Right
from clinic.care.readiness import Lack, Place, works_here
from clinic.queries.readiness import ProtocolStanding, Readiness, has_course, readiness_of
from clinic.web.entry import Here
from clinic.web.kit import kit, now
from clinic.web.words import plural

MOST_NAMED = 6
_ARRANGING = ("/setup/", "/protocols")
"""Where the addresses begin of what a clinic is set up with."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the guide; `why` says what is missing, `label` and `href` are the button that does it."""

    title: str
    is_done: bool
    why: tuple[str, ...]
    label: str
    href: str
    more: tuple[str, str] | None = None


def guide(found: Readiness, who: Here) -> tuple[Step, ...]:
    """The steps in their order; the first that is not done comes next."""
    return (
        _hours(found, who), _people(found), _rooms(found), _devices(found), _protocols(found, who),
        _of_right(Step("First patient", found.has_patient, () if found.has_patient else ("There is no patient yet.",),
                       "Add a patient", url_for("patients.new")), who.may(Right.EDIT_PATIENTS)),
        _of_right(Step("First course", found.has_course, () if found.has_course else ("No course is booked here yet.",),
                       "Book a course", url_for("courses.new")), who.may(Right.BOOK)),
    )


def onward(who: Here) -> tuple[tuple[Step, ...], Step] | None:
    """What comes next once something was arranged, until the first course is booked; asks little where one is."""
    if not request.path.startswith(_ARRANGING):
        return None
    with kit().read() as db:
        return what_comes_next(db, who)


def what_comes_next(db: Any, who: Here) -> tuple[tuple[Step, ...], Step] | None:
    """All steps and the first that is not done, for who arranges the clinic; none once a course is booked."""
    if not who.may(Right.SET_UP) or has_course(db, who.clinic_id):
        return None
    steps = guide(readiness_of(db, who.clinic_id, now=now()), who)
    return steps, next(step for step in steps if not step.is_done)


def _of_right(step: Step, may_do: bool) -> Step:
    """The step without its button where it is somebody else's to do."""
    if may_do:
        return step
    why = (*step.why, "That is for reception, a practitioner or a manager to do.") if step.why else ()
    return replace(step, why=why, href="")


def lack_places(who: Here) -> dict[Place, str]:
    """Where each kind of lack is put right."""
    return {
        Place.HOURS: url_for("clinics.edit", clinic_id=who.clinic_id), Place.PEOPLE: url_for("people.index"),
        Place.ROOMS: url_for("rooms.index"), Place.DEVICES: url_for("devices.index")}


def _hours(found: Readiness, who: Here) -> Step:
    why = _blocking(found, Place.HOURS) if found.diary.site.opening else ("The clinic is open on no day.",)
    return Step("Clinic and opening hours", not why, why, "Enter the hours" if why else "See the clinic",
                url_for("clinics.edit", clinic_id=who.clinic_id))


def _people(found: Readiness) -> Step:
    title, people, add = "Practitioners", found.diary.site.people, ("Add a practitioner", url_for("people.new"))
    if not people:
        return Step(title, False, ("Nobody treats here yet.",), *add)
    able = [each for each in people if each.held]
    if not able:
        why = f"Nobody is qualified for anything yet. Say what {people[0].name} may treat."
        return Step(title, False, (why,), "Enter the qualifications",
                    url_for("people.edit", practitioner_id=people[0].id), add)
    if not any(works_here(found.diary, each) for each in people):
        return Step(title, False, (f"Nobody works here on any day. {able[0].name} needs a rota.",), "Enter the rota",
                    url_for("rotas.new", practitioner_id=able[0].id), add)
    lacks = _blocking(found, Place.PEOPLE)
    if len(people) == 1 and any(lack.code == "nobody-qualified" for lack in _lacks(found, Place.PEOPLE)):
        change = (f"Change {people[0].name}", url_for("people.edit", practitioner_id=people[0].id))
        return Step(title, False, lacks, *change, add)
    return Step(title, not lacks, lacks, "See the practitioners", url_for("people.index"), add)


def _rooms(found: Readiness) -> Step:
    title, rooms, add = "Rooms", found.diary.site.rooms, ("Add a room", url_for("rooms.new"))
    if not rooms:
        return Step(title, False, ("There is no room to treat in.",), *add)
    lacks = _blocking(found, Place.ROOMS)
    if lacks and len(rooms) == 1:
        change = url_for("rooms.edit", room_id=rooms[0].id, offers=_wanted(found, Place.ROOMS) or None)
        return Step(title, False, lacks, f"Change {rooms[0].name}", change, add)
    return Step(title, not lacks, lacks, "See the rooms", url_for("rooms.index"), add)


def _devices(found: Readiness) -> Step:
    title, add = "Devices", ("Add a device", url_for("devices.new"))
    if not found.diary.site.devices and not found.protocols:
        why = "There is no device. If your treatments need none, such as peels, go on to the protocols."
        return Step(title, False, (why,), *add, ("My treatments need none", url_for("protocols.index")))
    lacks = _blocking(found, Place.DEVICES)
    see = ("See the devices", url_for("devices.index"))
    add = (add[0], url_for("devices.new", type=next(iter(_wanted(found, Place.DEVICES)), None)))
    return Step(title, False, lacks, *add, see) if lacks else Step(title, True, (), *see)


def _protocols(found: Readiness, who: Here) -> Step:
    title, at = "Protocols", url_for("protocols.index")
    if found.bookable:
        return Step(title, True, (), "See the protocols", at)
    if found.protocols:
        return Step(title, False, ("Of no approved protocol can a course be planned yet: see below what each needs.",),
                    "See the protocols", at)
    waiting = f"{plural(found.drafts, 'protocol')} {'waits as a draft' if found.drafts == 1 else 'wait as drafts'}."
    if who.may(Right.APPROVE_PROTOCOLS):
        return Step(title, False, (f"{waiting} Read and approve those that you offer.",), "Choose a protocol", at)
    why = f"{waiting} Somebody with the role of a practitioner has to approve those that you offer."
    if who.may(Right.MANAGE_ACCOUNTS):
        return Step(title, False, (why,), "Make an account for a practitioner", url_for("accounts.new"),
                    ("See the protocols", at))
    return Step(title, False, (why,), "See the protocols", at)


def _blocking(found: Readiness, place: Place) -> tuple[str, ...]:
    """What keeps the protocol that lacks least from being planned, as far as it is put right there."""
    return _texts(_lacks(found, place))


def _wanted(found: Readiness, place: Place) -> list[str]:
    """The codes of what is missing there, so that a form can begin with them."""
    return list(dict.fromkeys(code for lack in _lacks(found, place) for code in lack.wanted))


def _lacks(found: Readiness, place: Place) -> list[Lack]:
    if found.bookable or not found.protocols:
        return []
    nearest = min(found.protocols, key=lambda each: len(each.lacks))
    return [lack for lack in nearest.lacks if lack.place is place]


def _texts(lacks: Iterable[Lack]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lack.text for lack in lacks))[:MOST_NAMED]


def waiting(found: Readiness) -> tuple[ProtocolStanding, ...]:
    """The approved protocols that lack something."""
    return tuple(each for each in found.protocols if each.lacks)
