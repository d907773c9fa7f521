"""Random problems of the sorts that courses come in, small enough for a solver to prove."""
from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ZONES = {
    "Europe/London": ("2027-03-20", "2027-10-20", "2027-06-01"),
    "Australia/Lord_Howe": ("2027-03-25", "2027-09-25", "2027-07-01"),
    "America/Havana": ("2027-03-05", "2027-10-28"),
    "America/St_Johns": ("2006-10-20", "2007-03-05"),
    "America/Sao_Paulo": ("2018-10-28", "2019-02-10"),
    "Asia/Kathmandu": ("2027-03-01",),
    "Pacific/Apia": ("2011-12-24",),
    "America/New_York": ("2027-10-30", "2027-03-08"),
    "UTC": ("2027-03-01",),
    "Asia/Beirut": ("2022-10-24", "2022-03-20"),
}
APIA_SKIPPED = date(2011, 12, 30)
SORTS = ("short", "chain", "spaced", "tight", "near", "many-needs", "pinned", "history")


def random_problem(seed: int) -> dict[str, Any]:
    """The problem of a seed; seeds go round the sorts."""
    return _Maker(Random(seed), SORTS[seed % len(SORTS)]).problem()


def course_problem(seed: int) -> dict[str, Any]:
    """As `random_problem`, two of three made easier, so that most have a plan, and some times with their offsets."""
    problem, random = random_problem(seed), Random(f"course {seed}")
    if seed // len(SORTS) % 3:
        _ease(problem, random)
    if random.random() < 0.3:
        _write_offsets(problem, random)
    return problem


def families(problem: dict[str, Any]) -> set[str]:
    """What a problem is an example of, by the words in which the tests promise their mix."""
    steps, spacing = problem["course"]["steps"], problem["course"].get("spacing", ())
    needs = [need for step in steps for need in step["needs"]]
    busy = [len(each.get("busy", ())) for each in problem["resources"]]
    several = any(
        sum(need["kind"] == kind and "same_as" not in need for need in step["needs"]) > 1
        for step in steps for kind in ("practitioner", "room", "device")
    )
    found = {
        "short": len(steps) <= 3, "chain of 12": len(steps) == 12, "tight diary": min(busy) >= 5 and sum(busy) >= 80,
        "odd zone": problem["time_zone"] not in ("Europe/London", "UTC"),
        "several needs of one kind": several, "same_as": any("same_as" in need for need in needs),
        "pins": any("pinned" in step for step in steps), "history": "history" in problem,
        "last session": "last_session" in problem, "preferred practitioner": "practitioner" in _wishes(problem),
        "preferred hours": "windows" in _wishes(problem), "dates": any("dates" in step for step in steps),
        "spacing between distant steps": _is_bound_at_a_distance(steps, spacing),
        "several treatments": len({step["treatment"] for step in steps}) > 1,
        "alternatives": problem.get("alternatives", 1) > 1, "own costs": "costs" in problem,
    }
    return {name for name, is_one in found.items() if is_one}


def _wishes(problem: dict[str, Any]) -> dict[str, Any]:
    return dict(problem.get("preferences", {}))


def _is_bound_at_a_distance(steps: list[dict[str, Any]], spacing: Sequence[dict[str, Any]]) -> bool:
    """Whether two steps that are no neighbours must lie further apart than the gaps between them ask."""
    return any(
        each["first"] == steps[one]["treatment"] and each["then"] == steps[other]["treatment"]
        and each["days"] > sum(step["gap_days"]["min"] for step in steps[one + 1:other + 1])
        for each in spacing for one in range(len(steps)) for other in range(one + 2, len(steps))
    )


def _ease(problem: dict[str, Any], random: Random) -> None:
    for resource in problem["resources"]:
        if "skills" in resource:
            resource["skills"] = ["rf", "peel", "laser", "extra"]
        if random.random() < 0.5:
            resource.pop("overrides", None)
        for hours in resource.get("hours", ())[:1]:
            hours["days"] = list(WEEKDAYS)
            if random.random() < 0.4:
                hours |= {"from": "00:00", "to": "24:00"}
        if len(resource["busy"]) <= 10:
            resource["busy"] = resource["busy"][:4]
    for step in problem["course"]["steps"]:
        step.pop("dates", None)
        if "gap_days" in step and random.random() < 0.5:
            step["gap_days"]["max"] += 2


def _write_offsets(problem: dict[str, Any], random: Random) -> None:
    """Write some times with an offset, which then decides; to a whole minute, as the form wants."""
    zone = ZoneInfo(problem["time_zone"])

    def written(text: str) -> str:
        at = datetime.fromisoformat(text).replace(tzinfo=zone)
        if random.random() < 0.3:
            return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")
        return at.isoformat(timespec="minutes")

    problem["not_before"] = written(problem["not_before"])
    for resource in problem["resources"]:
        for span in resource.get("busy", ()):
            if random.random() < 0.5 and not _is_odd(span["from"], zone) and not _is_odd(span["to"], zone):
                span |= {"from": written(span["from"]), "to": written(span["to"])}


def _is_odd(text: str, zone: ZoneInfo) -> bool:
    """Whether the clock reads a time twice or never: its two ways to resolve differ."""
    at = datetime.fromisoformat(text).replace(tzinfo=zone)
    return at.utcoffset() != at.replace(fold=1).utcoffset()


def tiny_problem(seed: int) -> dict[str, Any]:
    """A problem of which every plan can be tried: two or three sessions within a few days, four starts a day."""
    maker = _Maker(Random(seed), ("near", "short", "pinned", "spaced")[seed % 4])
    problem = maker.problem()
    problem["horizon_days"] = maker.random.randint(3, 6)
    problem["start_step_minutes"] = maker.random.choice((240, 360, 420))
    problem["alternatives"] = maker.random.choice((1, 2, 10))
    steps = problem["course"]["steps"] = problem["course"]["steps"][:maker.random.choice((1, 2, 2, 3))]
    for step in steps:
        if "gap_days" in step and seed % 4 != 2:
            step["gap_days"] = {"min": 1, "ideal": maker.random.randint(1, 2), "max": maker.random.randint(2, 3)}
    for each in problem["course"].get("spacing", ()):
        each["days"] %= 5
    for resource in problem["resources"]:
        resource["busy"] = resource["busy"][:3]
        for hours in resource.get("hours", ())[:1]:
            hours["days"] = list(WEEKDAYS)
    return problem


class _Maker:
    def __init__(self, random: Random, sort: str) -> None:
        self.random, self.sort = random, sort
        self.zone = random.choice(list(ZONES))
        self.first = date.fromisoformat(random.choice(ZONES[self.zone])) + timedelta(days=random.randint(0, 4))
        count = random.choice((2, 3) if sort == "spaced" else (1, 1, 2))
        self.treatments = ["rf", "peel", "laser"][:count]

    def problem(self) -> dict[str, Any]:
        random = self.random
        found: dict[str, Any] = {
            "format": "clinic-planning-problem/1", "time_zone": self.zone,
            "not_before": f"{self.first}T{random.choice(('08:00', '00:00', '11:07', '23:50'))}",
            "horizon_days": self._horizon(), "start_step_minutes": self._step_minutes(),
            "resources": self._resources(), "course": {"steps": self._steps()},
        }
        if self.sort == "spaced" or random.random() < 0.2:
            found["course"]["spacing"] = self._spacing()
        if self.sort == "history" or random.random() < 0.15:
            found["history"] = [
                {"treatment": random.choice([*self.treatments, "other"]), "date": self._date(-30, 60)}
                for _ in range(random.randint(1, 3))
            ]
            found["course"].setdefault("spacing", self._spacing())
        if self.sort == "history" and random.random() < 0.6:
            found["last_session"] = self._date(-20, 3)
        if random.random() < 0.4:
            found["patient_busy"] = [self._span(random.randint(0, 40), (60, 600)) for _ in range(random.randint(1, 5))]
        self._add_preferences(found)
        if self.sort == "pinned":
            self._add_pins(found)
        return found

    def _horizon(self) -> int:
        return {"chain": 120, "spaced": 130, "near": 12, "tight": 40}.get(self.sort, 45) + self.random.randint(0, 9)

    def _step_minutes(self) -> int:
        if self.sort == "near":
            return self.random.choice((60, 120, 45))
        return self.random.choice((15, 30) if self.sort == "chain" else (30, 60, 60, 45, 50, 90))

    def _resources(self) -> list[dict[str, Any]]:
        random = self.random
        many = 3 if self.sort == "many-needs" else 0
        found = []
        for kind, letter, count in (
            ("practitioner", "p", random.randint(1, 2 if self.sort == "chain" else 3) + many),
            ("room", "r", random.randint(1, 2) + many // 2), ("device", "d", random.randint(1, 2)),
        ):
            for at in range(count):
                resource: dict[str, Any] = {"id": f"{letter}{at}", "kind": kind}
                if random.random() < 0.9:
                    able = 0.97 if self.sort == "many-needs" else 0.92
                    resource["skills"] = [each for each in (*self.treatments, "extra") if random.random() < able]
                if random.random() < 0.9 or kind == "practitioner":
                    resource["hours"] = [self._hours() for _ in range(random.randint(1, 3))]
                if random.random() < 0.3:
                    days = random.sample(range(-1, 40), 3)
                    resource["overrides"] = [
                        {"date": self._date(day, day), "hours": [
                            {key: value for key, value in self._hours().items() if key != "days"}
                            for _ in range(random.randint(0, 2))
                        ]} for day in days
                    ]
                count_busy = random.randint(10, 40) if self.sort == "tight" else random.randint(0, 10)
                resource["busy"] = [self._span(random.randint(-1, 45), (20, 480)) for _ in range(count_busy)]
                found.append(resource)
        random.shuffle(found)
        return found

    def _hours(self) -> dict[str, Any]:
        random = self.random
        days = random.sample(WEEKDAYS, random.randint(3, 7))
        if random.random() < 0.25 or self.sort == "near":
            begins, ends = random.choice((
                ("22:00", "06:00"), ("00:00", "24:00"), ("18:00", "02:30"), ("24:00", "05:00"), ("00:00", "00:00"),
                ("01:00", "03:30"), ("23:30", "24:00"),
            ))
        else:
            begins = f"{random.randint(7, 12):02}:{random.choice(('00', '30', '20'))}"
            ends = f"{random.randint(13, 20)}:00"
        return {"days": days, "from": begins, "to": ends}

    def _steps(self) -> list[dict[str, Any]]:
        random = self.random
        count = {"chain": 12, "short": random.randint(1, 3), "near": random.randint(2, 4)}.get(
            self.sort, random.randint(2, 6)
        )
        kinds = {treatment: self._needs(treatment) for treatment in self.treatments}
        found = []
        for at in range(count):
            treatment = random.choice(self.treatments)
            minutes, needs = kinds[treatment]
            step: dict[str, Any] = {"treatment": treatment, "minutes": minutes, "needs": needs}
            if at or random.random() < 0.5:
                step["gap_days"] = self._gap()
            if random.random() < 0.1 and self.sort != "chain":
                step["dates"] = {"from": self._date(0, 10), "to": self._date(30, 60)}
            found.append(step)
        return found

    def _gap(self) -> dict[str, int]:
        random = self.random
        shortest = {"chain": random.randint(3, 8), "near": 1, "spaced": random.randint(3, 8)}.get(
            self.sort, random.choice((1, 3, 5, 7, 14))
        )
        widths = {"chain": (1, 2, 3, 5), "spaced": (5, 9, 14)}.get(self.sort, (0, 2, 3, 5, 9))
        longest = shortest + random.choice(widths)
        return {"min": shortest, "ideal": random.randint(shortest, longest), "max": longest}

    def _needs(self, treatment: str) -> tuple[int, list[dict[str, Any]]]:
        random = self.random
        minutes = random.choice((30, 45, 60, 90))
        if self.sort == "near":
            minutes = random.choice((60, 600, 1080, 1440))
        practitioner: dict[str, Any] = {"kind": "practitioner", "skills": random.choice(([treatment], []))}
        if random.random() < 0.5:
            practitioner |= {"offset": 15, "minutes": max(minutes - 15, 15)}
        needs = [practitioner, {"kind": "room", "minutes": minutes + 15}]
        if random.random() < 0.5:
            needs.append({"kind": "device", "skills": [treatment], "offset": random.choice((0, 15, -30))})
        if self.sort == "near" and random.random() < 0.7:
            needs[random.randrange(len(needs))] |= {"offset": random.choice((-1440, -600, 600, 1440)),
                                                    "minutes": random.choice((600, 1440, 2880))}
        if self.sort == "many-needs":
            needs += [{"kind": "practitioner", "skills": random.choice(([], ["extra"])), "minutes": 30}
                      for _ in range(random.randint(1, 3))]
            needs.append({"kind": "room", "offset": -30, "minutes": 30})
        random.shuffle(needs)
        if random.random() < (0.6 if self.sort == "many-needs" else 0.2):
            at = random.randrange(len(needs))
            needs.append({"kind": needs[at]["kind"], "same_as": at + 1, "offset": -30, "minutes": 15})
        if random.random() < 0.1:
            needs = [need for need in needs if need["kind"] != "practitioner" and "same_as" not in need] or needs
        return minutes, needs

    def _spacing(self) -> list[dict[str, Any]]:
        random = self.random
        return [
            {"first": random.choice(self.treatments), "then": random.choice([*self.treatments, "other"]),
             "days": random.randint(8, 24) if self.sort == "spaced" else random.randint(0, 20)}
            for _ in range(random.randint(2, 5))
        ]

    def _add_preferences(self, found: dict[str, Any]) -> None:
        random = self.random
        preferences: dict[str, Any] = {}
        practitioners = [each["id"] for each in found["resources"] if each["kind"] == "practitioner"]
        if random.random() < 0.5:
            preferences["practitioner"] = random.choice(practitioners)
        if random.random() < 0.5:
            preferences["windows"] = [self._hours() for _ in range(random.randint(1, 3))]
        if preferences:
            found["preferences"] = preferences
        if random.random() < 0.3:
            found["costs"] = {
                key: random.choice((0, 1, 7, 50)) for key in
                ("gap_day", "wait_day", "practitioner_change", "other_practitioner", "outside_windows")
            }
        found["alternatives"] = random.choice((1, 1, 3, 10))

    def _add_pins(self, found: dict[str, Any]) -> None:
        steps = found["course"]["steps"]
        by_kind: dict[str, list[str]] = {}
        for resource in found["resources"]:
            by_kind.setdefault(resource["kind"], []).append(resource["id"])
        day = 0
        for at, step in enumerate(steps):
            day += step["gap_days"]["ideal"] if at else self.random.choice((0, 1, 3, -2))
            if self.random.random() < 0.4:
                step["pinned"] = {
                    "start": f"{self._date(day, day)}T{self.random.choice(('10:00', '10:07', '01:30', '23:30'))}",
                    "resources": [self.random.choice(by_kind[need["kind"]]) for need in step["needs"]],
                }

    def _date(self, low: int, high: int) -> str:
        return (self.first + timedelta(days=self.random.randint(low, high))).isoformat()

    def _span(self, day: int, minutes: tuple[int, int]) -> dict[str, str]:
        begins = datetime.fromisoformat(f"{self._date(day, day)}T00:00")
        begins += timedelta(minutes=self.random.randrange(0, 1440, 5))
        # A span of over two hours ends after its begin whatever the clock does; shorter ones are kept off the night.
        length = self.random.randint(*minutes)
        if length <= 150 and not 5 <= begins.hour <= 19:
            begins = begins.replace(hour=12)
        if self.zone == "Pacific/Apia" and begins.date() in (APIA_SKIPPED, APIA_SKIPPED - timedelta(days=1)):
            begins -= timedelta(days=3)
        ends = begins + timedelta(minutes=length)
        return {"from": begins.isoformat(timespec="minutes"), "to": ends.isoformat(timespec="minutes")}
