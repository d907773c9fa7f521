"""What a clinic lacks before a course of a protocol can be booked there, and whom or what it is about.

Asked of the clinic as it is arranged, were nothing booked. "Ready" promises that the planner finds a plan in an empty
diary; every lack is one that keeps it from finding any.
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from clinic.care.empty_diary import EmptyDiary, Group, Person, Site, groups_of
from clinic.care.parts import DEVICE_TYPES, QUALIFICATIONS, ROOM_FEATURES, ResourceKind
from clinic.care.protocols import Protocol, Step

MOST_NAMED = 3


class Place(StrEnum):
    """Where a lack is put right."""

    HOURS = "hours"
    PEOPLE = "people"
    ROOMS = "rooms"
    DEVICES = "devices"


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that is missing, in a sentence for staff, and where it is put right; `wanted` has its codes, if any."""

    code: str
    text: str
    place: Place
    wanted: tuple[str, ...] = ()


def works_here(diary: EmptyDiary, person: Person) -> bool:
    """Whether somebody works at the clinic on any day that can be booked."""
    at, today = diary.site.people.index(person), diary.site.today
    return any(diary.work(at, today + timedelta(days=day)) for day in range(diary.site.days))


def lacks_of(diary: EmptyDiary, protocol: Protocol, steps: Sequence[Step]) -> tuple[Lack, ...]:
    """What keeps these sessions of a protocol from being planned; nothing: they can be."""
    if not diary.site.opening:
        return (Lack("no-hours", "The clinic has no opening hours.", Place.HOURS),)
    groups = {step.treatment: groups_of(step.parts) for step in steps}
    alone = {group for each in groups.values() for group in each}
    lacks = [lack for group in _in_order(alone) if (lack := _of_group(diary, group))]
    if lacks:
        return tuple(dict.fromkeys(lacks))
    dates = {treatment: diary.dates(needed) for treatment, needed in groups.items()}
    for step in steps:
        if not dates[step.treatment]:
            return (_of_visit(diary.site, step, groups[step.treatment]),)
    late = _first_late(protocol, steps, dates, diary.site.days)
    return () if late is None else (_of_interval(late),)


def _in_order(groups: set[Group]) -> list[Group]:
    kinds = list(ResourceKind)
    return sorted(groups, key=lambda each: (kinds.index(each.kind), sorted(each.skills), each.holds))


def _of_group(diary: EmptyDiary, group: Group) -> Lack | None:
    """What is missing for one person or thing by itself."""
    if diary.dates((group,)):
        return None
    site = diary.site
    if group.kind is ResourceKind.DEVICE:
        return _of_device(site, group)
    if group.kind is ResourceKind.ROOM:
        return _of_room(site, group)
    return _of_person(diary, group)


def _of_device(site: Site, group: Group) -> Lack:
    if any(group.skills <= each.skills for each in site.devices):
        return _too_short(group)
    wanted = _named(group.skills, DEVICE_TYPES, "device")
    return Lack("no-device", f"There is no device of the type “{wanted}”.", Place.DEVICES,
                tuple(sorted(group.skills)))


def _of_room(site: Site, group: Group) -> Lack:
    if any(group.skills <= each.skills for each in site.rooms):
        return _too_short(group)
    if not site.rooms:
        return Lack("no-room", "There is no room.", Place.ROOMS)
    codes = tuple(sorted(group.skills))
    wanted = " and ".join(f"“{ROOM_FEATURES.get(code, code)}”" for code in codes)
    if len(site.rooms) == 1:
        return Lack("no-room", f"{site.rooms[0].name} does not offer {wanted}.", Place.ROOMS, codes)
    return Lack("no-room", f"No room offers {wanted}.", Place.ROOMS, codes)


def _of_person(diary: EmptyDiary, group: Group) -> Lack:
    people = diary.site.people
    if not people:
        return Lack("nobody", "There is no practitioner.", Place.PEOPLE)
    wanted = _named(group.skills, QUALIFICATIONS, "treating")
    able = [each for each in people if group.skills <= {held.code for held in each.held}]
    if not able:
        return Lack("nobody-qualified", f"Nobody is qualified for {wanted}.", Place.PEOPLE)
    valid = [each for each in able if _is_valid(diary.site, each, group)]
    if not valid:
        return Lack("not-valid", f"The qualification for {wanted} of {_names(able)} is not valid on any day that can "
                    "be booked.", Place.PEOPLE)
    if not any(works_here(diary, person) for person in valid):
        works = "works" if len(valid) == 1 else "work"
        return Lack("never-here", f"{_names(valid)} may do {wanted}, but {works} on no day here while the clinic is "
                    "open.", Place.PEOPLE)
    has = "has" if len(valid) == 1 else "have"
    return Lack("too-short", f"{_names(valid)} may do {wanted}, but never {has} {_minutes(group)} minutes in a row "
                "here while the clinic is open.", Place.PEOPLE)


def _of_visit(site: Site, step: Step, groups: Sequence[Group]) -> Lack:
    for kind, there, place in ((ResourceKind.PRACTITIONER, site.people, Place.PEOPLE),
                               (ResourceKind.ROOM, site.rooms, Place.ROOMS),
                               (ResourceKind.DEVICE, site.devices, Place.DEVICES)):
        wanted = sum(group.kind is kind for group in groups)
        if wanted > len(there):
            return Lack(
                "too-few", f"{step.name} needs {wanted} {kind}s at once, and there is only {len(there)}.", place)
    return Lack("never-together", f"Everybody and everything for {step.name} is there, but never at the same time: "
                "compare the rotas, their breaks and the opening hours.", Place.PEOPLE)


def _of_interval(step: Step) -> Lack:
    interval = step.interval
    span = "in time" if interval is None else f"{interval.shortest} to {interval.longest} days after the one before"
    return Lack("no-interval", f"Session {step.number} ({step.name}) finds no day {span}: the weeks of the rota do not "
                "come round so, or a closure or the last day of a qualification is in the way.", Place.PEOPLE)


def _too_short(group: Group) -> Lack:
    return Lack("too-short", f"The clinic is never open for {_minutes(group)} minutes in a row.", Place.HOURS)


def _first_late(protocol: Protocol, steps: Sequence[Step], dates: dict[str, int], days: int) -> Step | None:
    """The first session that no date is left for, when each keeps its distance to the one before."""
    reached, before = 0, ""
    for step in steps:
        if step.interval is None:
            reached = dates[step.treatment]
        else:
            least = max([step.interval.shortest, *_spaced(protocol, before, step.treatment)])
            later = 0
            for gap in range(least, step.interval.longest + 1):
                later |= reached << gap
            reached = later & dates[step.treatment] & (1 << days) - 1
        if not reached:
            return step
        before = step.treatment
    return None


def _spaced(protocol: Protocol, before: str, then: str) -> Iterator[int]:
    return (each.days for each in protocol.spacing if (each.first, each.then) == (before, then))


def _is_valid(site: Site, person: Person, group: Group) -> bool:
    last = site.today.toordinal() + site.days - 1
    return all(
        any(held.code == skill and held.valid_from.toordinal() <= last
            and (held.expires_on is None or held.expires_on >= site.today) for held in person.held)
        for skill in group.skills)


def _minutes(group: Group) -> int:
    return max(minutes for _, minutes in group.holds)


def _named(codes: frozenset[str], words: Mapping[str, str], otherwise: str) -> str:
    return " and ".join(words.get(code, code) for code in sorted(codes)) or otherwise


def _names(people: Sequence[Person]) -> str:
    named = [each.name for each in people[:MOST_NAMED]]
    more = len(people) - len(named)
    if more:
        return f"{', '.join(named)} and {more} more"
    return " and ".join([", ".join(named[:-1]), named[-1]]) if len(named) > 1 else named[0]
