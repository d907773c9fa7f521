"""Random courses that stand and that life interferes with: the sorts of problems, with what each step has now."""
from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta
from math import gcd
from random import Random
from typing import Any

from tests.planning.random_problems import course_problem, tiny_problem

Session = dict[str, Any]
Standing = dict[int, dict[str, Any]]


def random_repair(seed: int, sessions_of: Callable[[dict[str, Any]], list[Session]]) -> tuple[dict[str, Any], Standing]:
    """A problem and what stands of it; `sessions_of` says where a course stood before, or nothing if nowhere."""
    life = _Life(Random(f"repair {seed}"), course_problem(seed))
    if life.random.random() < 0.8:
        life.give_room()
    return life.repair(sessions_of)


def tiny_repair(seed: int, sessions_of: Callable[[dict[str, Any]], list[Session]]) -> tuple[dict[str, Any], Standing]:
    """As `random_repair`, of a problem of which every plan can be tried."""
    return _Life(Random(f"tiny {seed}"), tiny_problem(seed)).repair(sessions_of)


class _Life:
    def __init__(self, random: Random, problem: dict[str, Any]) -> None:
        self.random, self.problem = random, deepcopy(problem)
        self.steps = self.problem["course"]["steps"]
        self.stood: dict[int, Session] = {}

    def repair(self, sessions_of: Callable[[dict[str, Any]], list[Session]]) -> tuple[dict[str, Any], Standing]:
        free = [at for at, step in enumerate(self.steps) if "pinned" not in step]
        planned = sessions_of(self.problem)
        self.stood = {at: planned[at] if planned else self._anywhere(at) for at in free}
        for _ in range(self.random.choice((1, 1, 2, 2, 3))):
            if not self.stood:
                break
            self.random.choice((
                self._book_over, self._change_gaps, self._pin_elsewhere, self._cancel, self._shift, self._shift,
                self._swap, self._begin_later, self._end_sooner, self._lose_skill, self._see_elsewhere,
            ))()
        return self.problem, {
            at: {"start": each["start"][:16] if self.random.random() < 0.5 else each["start"],
                 "resources": each["resources"]}
            for at, each in sorted(self.stood.items())
        }

    def give_room(self) -> None:
        """Wider gaps and more to choose from, so that most courses can be put right."""
        for gap in (step["gap_days"] for step in self.steps if "gap_days" in step):
            gap |= {"min": max(gap["min"] - 1, 1), "max": gap["max"] + self.random.randint(1, 4)}
        for resource in self.random.sample(self.problem["resources"], 2):
            more = {key: each for key, each in resource.items() if key not in ("busy", "overrides")}
            self.problem["resources"].append({**more, "id": f"{resource['id']}-2"})

    def _some(self) -> list[int]:
        count = self.random.choice((1, 1, 2, 4))
        return self.random.sample(sorted(self.stood), min(count, len(self.stood)))

    def _anywhere(self, at: int) -> Session:
        first = datetime.fromisoformat(self.problem["not_before"][:10]) + timedelta(hours=self.random.randint(8, 16))
        days = sum(step["gap_days"]["ideal"] for step in self.steps[1:at + 1]) + self.random.randint(-1, 3)
        ids: dict[str, list[str]] = {}
        for resource in self.problem["resources"]:
            ids.setdefault(resource["kind"], []).append(resource["id"])
        return {
            "start": (first + timedelta(days=days)).isoformat(timespec="minutes"),
            "resources": [self.random.choice(ids[need["kind"]]) for need in self.steps[at]["needs"]],
        }

    def _book_over(self) -> None:
        for at in self._some():
            day = datetime.fromisoformat(self.stood[at]["start"][:10])
            last = day + timedelta(days=self.random.choice((1, 1, 3)))
            span = {"from": day.isoformat(timespec="minutes"), "to": last.isoformat(timespec="minutes")}
            if self.random.random() < 0.2:
                self.problem.setdefault("patient_busy", []).append(span)
                continue
            name = self.random.choice(self.stood[at]["resources"])
            next(each for each in self.problem["resources"] if each["id"] == name).setdefault("busy", []).append(span)

    def _change_gaps(self) -> None:
        since = self.random.randrange(len(self.steps))
        by = self.random.choice((-5, -3, -2, 1, 2, 4, 7))
        for step in self.steps[since:]:
            gap = step.get("gap_days")
            if gap is not None:
                step["gap_days"] = {
                    "min": max(gap["min"] + by, 1), "ideal": max(gap["ideal"] + by, 1), "max": max(gap["max"] + by, 1),
                }

    def _pin_elsewhere(self) -> None:
        if any("pinned" in step for step in self.steps) or not self.stood:
            return
        at = self.random.choice(sorted(self.stood))
        stood = self.stood.pop(at)
        self.steps[at]["pinned"] = {
            "start": self._moved(stood["start"], timedelta(days=self.random.choice((-4, -2, -1, 1, 2, 5)))),
            "resources": stood["resources"],
        }

    def _cancel(self) -> None:
        for at in self._some():
            del self.stood[at]

    def _shift(self) -> None:
        """Other times than any rule of today's would give: off the grid, other days, before the first one."""
        for at in self._some():
            days, units = self.random.choice((0, 0, 0, -1, 1, 2, -3)), self.random.choice((0, 1, 1, 2))
            by = timedelta(days=days, minutes=units * self._unit())
            self.stood[at] = {**self.stood[at], "start": self._moved(self.stood[at]["start"], by)}

    def _swap(self) -> None:
        for at in self._some():
            place = self.random.randrange(len(self.stood[at]["resources"]))
            kind = self.steps[at]["needs"][place]["kind"]
            names = [each["id"] for each in self.problem["resources"] if each["kind"] == kind]
            resources = list(self.stood[at]["resources"])
            resources[place] = self.random.choice(names)
            self.stood[at] = {**self.stood[at], "resources": resources}

    def _begin_later(self) -> None:
        by = timedelta(days=self.random.choice((1, 3, 8)))
        self.problem["not_before"] = self._moved(self.problem["not_before"][:16], by)

    def _end_sooner(self) -> None:
        most = self.problem["horizon_days"]
        self.problem["horizon_days"] = max(most - self.random.choice((2, 8, 20)), 2)

    def _lose_skill(self) -> None:
        able = [each for each in self.problem["resources"] if each.get("skills")]
        if able:
            resource = self.random.choice(able)
            resource["skills"] = self.random.sample(resource["skills"], len(resource["skills"]) - 1)

    def _see_elsewhere(self) -> None:
        for at in self._some()[:1]:
            day = datetime.fromisoformat(self.stood[at]["start"][:10]) + timedelta(days=self.random.randint(-4, 4))
            treatment = self.steps[at]["treatment"]
            self.problem.setdefault("history", []).append({"treatment": "other", "date": day.date().isoformat()})
            self.problem["course"].setdefault("spacing", []).append(
                {"first": "other", "then": treatment, "days": self.random.randint(1, 6)})

    def _unit(self) -> int:
        """The minutes of which the grid and all durations are multiples; finer times would be judged too strictly."""
        durations = [
            minutes for step in self.steps for need in step["needs"]
            for minutes in (step["minutes"], need.get("minutes", 0), need.get("offset", 0))
        ]
        return gcd(self.problem.get("start_step_minutes", 15), 60, *durations)

    def _moved(self, written: str, by: timedelta) -> str:
        """A time some days or minutes on by the clock on the wall, without its offset."""
        return (datetime.fromisoformat(written[:16]) + by).isoformat(timespec="minutes")
