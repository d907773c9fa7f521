"""Writes the large demo's files as another system would have left them: a year of history, a year ahead."""
from __future__ import annotations

import csv
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from clinic.care.parts import DEVICE_TYPES
from clinic.demo import large_people as people
from clinic.demo.large_people import LargeCourse, LargeSite
from clinic.interchange.cells import harmless
from clinic.interchange.moving_in import FORMS

PATIENTS = 400
HISTORY, AHEAD = 365, 365
MORNING, NOON, EVENING = 9 * 60, 13 * 60 + 30, 18 * 60
_STEP = 15
_TRIES = 14
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
Held = tuple[str, int, int]
"""A key, and the minutes of a day from and to which it is held."""


@dataclass
class Files:
    """The rows of every file, made from one seed and the day that the demo starts on."""

    today: date
    chance: random.Random = field(default_factory=lambda: random.Random(20270301))
    rows: defaultdict[str, list[Sequence[object]]] = field(default_factory=lambda: defaultdict(list))
    busy: defaultdict[tuple[str, date], list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    works: dict[str, tuple[frozenset[int], int, int]] = field(default_factory=dict)

    def places(self) -> None:
        """Clinics, rooms, devices, practitioners and when they work."""
        for site in people.SITES:
            self._add("clinics.csv", id=site.key, name=site.name, zone=site.zone, address=site.address,
                      phone=site.phone, sender_email=site.email, sender_name=people.BUSINESS,
                      hours="Mon-Sun 09:00-20:00")
            for number in range(site.rooms):
                self._add("rooms.csv", id=f"{site.key}-R{number}", clinic=site.key, name=f"Room {number + 1}",
                          features=people.BOTH)
            for number, device_type in enumerate(site.devices):
                self._add("devices.csv", id=f"{site.key}-D{number}", clinic=site.key, device_type=device_type,
                          name=f"{DEVICE_TYPES[device_type]} {number + 1}")
        for number, (name, site_key, codes) in enumerate(people.PRACTITIONERS):
            self._practitioner(number, name, site_key, codes)

    def patients(self) -> None:
        """Patients with their courses and appointments."""
        for number in range(PATIENTS):
            key, site = f"A{1000 + number}", people.SITES[(0, 0, 0, 1, 1, 2, 2)[number % 7]]
            self._patient(number, key, site)
            luck = self.chance.random()
            course = people.COURSES[self.chance.randrange(len(people.COURSES))]
            if not self._able(course, site):
                course = people.COURSES[number % 4 if site.key != people.VIGO else number % 3]
            if luck < 0.06:
                self._visit(key, site)
            elif luck < 0.48:
                self._finished(key, site, course)
            else:
                self._half_done(key, site, course)

    def write(self, folder: Path, *, of: Iterable[str]) -> None:
        """Writes these files into a new folder."""
        folder.mkdir()
        for form in FORMS:
            if form.file in of and self.rows[form.file]:
                with (folder / form.file).open("w", newline="", encoding="utf-8") as stream:
                    writer = csv.writer(stream)
                    writer.writerow(form.names)
                    writer.writerows([harmless(str(cell)) for cell in row] for row in self.rows[form.file])

    def _add(self, file: str, **cells: object) -> None:
        [form] = [form for form in FORMS if form.file == file]
        assert cells.keys() <= set(form.names)
        self.rows[file].append([cells.get(name, "") for name in form.names])

    def _practitioner(self, number: int, name: str, site_key: str, codes: Sequence[str]) -> None:
        key = f"P{number + 1}"
        since = self.today - timedelta(days=1200 - 31 * number)
        until = self.today + timedelta(days=(9, 40, 400, 700, 55)[number % 5])
        self._add("practitioners.csv", id=key, name=name, qualifications="; ".join(codes),
                  certificates=f"registration: No. {4100 + 7 * number} {since}..{self.today + timedelta(days=700)}; "
                               f"insurance: Policy {880 + number} {since}..{until}")
        first = self.today.weekday() + number % 3
        days = [(first + each) % 7 for each in range(4)]
        opens, closes = ((MORNING, NOON), (NOON, EVENING), (MORNING + 60, NOON + 120))[number % 3]
        monday = self.today - timedelta(days=self.today.weekday() + 7)
        span = {"starts_on": monday, "weekdays": ", ".join(_DAYS[day] for day in sorted(days)),
                "opens": _clock(opens), "closes": _clock(closes)}
        self._add("rota.csv", id=f"{key}-work", practitioner=key, clinic=site_key, **span)
        self.works[key] = (frozenset(days), opens, closes)
        if number % 6 == 1:
            away = self.today + timedelta(days=20 + number)
            self._add("absences.csv", id=f"{key}-leave", practitioner=key, clinic=site_key, reason="annual leave",
                      **{"from": away, "to": away + timedelta(days=6)})
            for each in range(7):
                self.busy[key, away + timedelta(days=each)].append((0, 1440))

    def _patient(self, number: int, key: str, site: LargeSite) -> None:
        given, family = people.GIVEN[number * 7 % len(people.GIVEN)], people.FAMILY[number * 11 % len(people.FAMILY)]
        country = {"C-PORTO": "+351 91", "C-VIGO": "+34 61", "C-DUBLIN": "+353 85"}[site.key]
        # The same years apart from the start as ever, so that nobody grows old with the demo.
        born = self.today.replace(day=1) - timedelta(days=(20 + number * 37 % 45) * 365 + number * 3)
        has_email = number % 23 != 4
        cells: dict[str, object] = {
            "given_name": given, "family_name": family, "birth_on": born,
            "email": f"patient{number}@mail.example" if has_email else "", "phone": f"{country} 555 {number:04d}",
            "marketing_consent": "yes" if number % 3 == 0 else "no",
            "alerts": people.ALERTS[number // 40 % len(people.ALERTS)] if number % 40 == 11 else ""}
        self._add("patients.csv", id=key, **cells)
        if number in dict(people.DOUBLES):
            self._add("patients.csv", id=f"{key}-old", **(cells | {"email": "", "alerts": ""}))

    def _visit(self, key: str, site: LargeSite) -> None:
        """A first consultation, and nothing else yet."""
        found = self._place(site, None, self.today + timedelta(days=self.chance.randrange(1, 30)))
        if found:
            day, begins, who, room, _ = found
            self._add("appointments.csv", id=f"{key}-C", patient=key, clinic=site.key, start=f"{day} {_clock(begins)}",
                      kind="consultation", practitioner=who, room=room)

    def _finished(self, key: str, site: LargeSite, course: LargeCourse) -> None:
        """A course that was done in the last year, its upkeep given, booked or due."""
        last = self.today - timedelta(days=self.chance.randrange(4, HISTORY - 30))
        upkeep, given = last, list[date]()
        while upkeep + timedelta(days=course.upkeep) < self.today:
            upkeep += timedelta(days=course.upkeep)
            given.append(upkeep)
        self._course(key, site, course, self._back_from(last, course, course.sessions), given)
        due = upkeep + timedelta(days=course.upkeep)
        if self.chance.random() < 0.5 and due > self.today:
            self._book(key, site, course, due, None)

    def _half_done(self, key: str, site: LargeSite, course: LargeCourse) -> None:
        """A course that goes on: some sessions are done, most of the others booked."""
        done = self.chance.randrange(course.sessions)
        # Some more come today and tomorrow, so that the first page has something to show.
        soon = self.chance.random() < 0.2
        following = self.today + timedelta(days=self.chance.randrange(2 if soon else course.ideal))
        dates = self._back_from(following - timedelta(days=course.ideal), course, done)
        dates = [each for each in dates if each < self.today]
        self._course(key, site, course, dates, [])
        left = course.sessions - len(dates)
        booked = left if self.chance.random() < 0.8 else left // 2
        day: date | None = following
        for number in range(len(dates) + 1, len(dates) + booked + 1):
            day = self._book(key, site, course, day, number) if day else None
            day = day + timedelta(days=course.ideal) if day and number < course.sessions else None

    def _back_from(self, last: date, course: LargeCourse, count: int) -> list[date]:
        found = [last]
        while len(found) < count:
            found.append(found[-1] - timedelta(days=course.ideal + self.chance.randrange(5)))
        return sorted(found)[:count]

    def _course(self, key: str, site: LargeSite, course: LargeCourse, done: list[date], upkeep: list[date]) -> None:
        self._add("courses.csv", id=f"{key}-K", patient=key, clinic=site.key, protocol=course.protocol,
                  sessions=course.sessions, done_on="; ".join(map(str, done)), indication=course.indication,
                  upkeep_done_on="; ".join(map(str, upkeep)))

    def _book(self, key: str, site: LargeSite, course: LargeCourse, day: date, number: int | None) -> date | None:
        """Books a session, or (no number) the upkeep, on that day or soon after; the day, or none."""
        found = self._place(site, course, max(day, self.today))
        if found is None or found[0] > self.today + timedelta(days=AHEAD):
            return None
        on, begins, who, room, device = found
        self._add("appointments.csv", id=f"{key}-{number or 'U'}", patient=key, clinic=site.key,
                  start=f"{on} {_clock(begins)}", kind="session" if number else "upkeep", course=f"{key}-K",
                  number=number or "", practitioner=who, room=room, device=device)
        return on

    def _place(
        self, site: LargeSite, course: LargeCourse | None, day: date
    ) -> tuple[date, int, str, str, str] | None:
        """The first free time from that day on, and who and what is held then."""
        for on in (day + timedelta(days=each) for each in range(_TRIES)):
            if (on.month, on.day) in {holiday[:2] for holiday in people.HOLIDAYS}:
                continue
            for begins in self.chance.sample(range(MORNING, EVENING, _STEP), (EVENING - MORNING) // _STEP):
                for held in self._candidates(site, course, begins, on):
                    if all(self._is_free(key, on, opens, closes) for key, opens, closes in held if key):
                        for key, opens, closes in held:
                            self.busy[key, on].append((opens, closes))
                        return on, begins, held[0][0], held[1][0], held[2][0]
        return None

    def _candidates(self, site: LargeSite, course: LargeCourse | None, begins: int, on: date) -> Iterator[list[Held]]:
        offset, treats, minutes = (course.begins, course.treats, course.minutes) if course else (0, 30, 30)
        rooms = [f"{site.key}-R{number}" for number in range(site.rooms)]
        devices = [f"{site.key}-D{number}" for number, each in enumerate(site.devices)
                   if course and each == course.device] or [""]
        for number, (_, site_key, codes) in enumerate(people.PRACTITIONERS):
            key = f"P{number + 1}"
            days, opens, closes = self.works[key]
            if site_key != site.key or on.weekday() not in days or (course and course.qualification not in codes):
                continue
            if not (opens <= begins + offset and begins + offset + treats <= closes):
                continue
            for room in rooms:
                for device in devices:
                    yield [(key, begins + offset, begins + offset + treats), (room, begins, begins + minutes),
                           (device, begins + offset, begins + offset + (course.device_minutes if course else 0))]

    def _is_free(self, key: str, on: date, opens: int, closes: int) -> bool:
        return all(closes <= begins or ends <= opens for begins, ends in self.busy[key, on])

    @staticmethod
    def _able(course: LargeCourse, site: LargeSite) -> bool:
        return not course.device or course.device in site.devices


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
