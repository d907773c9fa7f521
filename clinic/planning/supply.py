"""When one session could start: the free time of all who can serve it, brought together.

Needs that one resource meets together (`same_as`) are a group. A start is possible where every group has a resource
of its own. Kinds do not compete with each other, so each is matched alone.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clinic.planning.bits import each_bit, runs, shifted
from clinic.planning.problem import Kind, Problem, Step

# Sets of granules are matched at once up to so many states of coverage; beyond, start by start.
MATCHED_AT_ONCE = 32
NOBODY = -1  # the leader of a session without a practitioner need, and of no session at all


@dataclass(frozen=True, slots=True)
class Group:
    """Needs of one kind that one resource meets: their places, and their (offset, length) in granules as `holds`."""

    kind: Kind
    skills: frozenset[str]
    needs: tuple[int, ...]
    holds: tuple[tuple[int, int], ...]


def groups_of(step: Step, granule: int) -> tuple[Group, ...]:
    """The groups of a step's needs, in the order of their first needs."""
    roots: dict[int, list[int]] = {}
    root_of: list[int] = []
    for at, need in enumerate(step.needs):
        root = at if need.same_as is None else root_of[need.same_as - 1]
        root_of.append(root)
        roots.setdefault(root, []).append(at)
    return tuple(
        Group(
            kind=step.needs[root].kind,
            skills=frozenset().union(*(step.needs[at].skills for at in members)),
            needs=tuple(members),
            holds=tuple(sorted({
                (step.needs[at].offset * 60 // granule, step.needs[at].minutes * 60 // granule) for at in members
            })),
        )
        for root, members in roots.items()
    )


class Pool:
    """The free time of a problem's resources, less what pins hold; runs of free time are found once."""

    def __init__(self, problem: Problem, held: Mapping[int, int]) -> None:
        self.problem = problem
        self._held = held
        self._free: dict[int, int] = {}
        self._runs: dict[tuple[int, int, tuple[str, ...]], int] = {}

    def able(self, group: Group) -> list[int]:
        """The resources, by their place, that could serve a group, free or not."""
        return [
            at for at, resource in enumerate(self.problem.resources)
            if resource.kind is group.kind and group.skills <= resource.skills
        ]

    def starts(self, at: int, group: Group) -> int:
        """The starts at which a resource is free for all that a group holds, and its skills hold."""
        limits = self.problem.resources[at].limits
        limited = tuple(skill for skill, _ in limits if skill in group.skills) if limits else ()
        (offset, length), *others = group.holds
        found = shifted(self._run(at, length, limited), -offset)
        for offset, length in others:
            found &= shifted(self._run(at, length, limited), -offset)
        return found

    def free(self, at: int) -> int:
        """When a resource is open, not busy and not held by a pin."""
        free = self._free.get(at)
        if free is None:
            resource = self.problem.resources[at]
            opened = resource.open if resource.open >= 0 else self.problem.ruler.full
            taken = resource.busy | self._held[at] if at in self._held else resource.busy
            # What differs and is open is open and not taken: quicker than a complement, as nothing is negative.
            free = self._free[at] = opened & (opened ^ taken)
        return free

    def _run(self, at: int, length: int, limited: tuple[str, ...]) -> int:
        key = (at, length, limited)
        found = self._runs.get(key)
        if found is None:
            free = self.free(at)
            for skill, holds in self.problem.resources[at].limits:
                if skill in limited:
                    free &= holds
            found = self._runs[key] = runs(free, length)
        return found


class Supply:
    """The starts that resources allow one session, in all and by the practitioner who leads it.

    The leader is who meets the first-listed practitioner need; a session without one has none.
    """

    def __init__(self, pool: Pool, groups: Sequence[Group], within: int) -> None:
        """`within` holds the starts that are allowed otherwise."""
        self.groups = tuple(groups)
        self._size = (pool.problem.ruler.length >> 3) + 2
        self._packed: tuple[tuple[int, bytes], ...] | None = None
        self._packed_any: bytes | None = None
        self.masks: list[dict[int, int]] = []
        self.lead = next((at for at, group in enumerate(groups) if group.kind is Kind.PRACTITIONER), None)
        rest: dict[Kind, list[int]] = {}
        for at, group in enumerate(groups):
            self.masks.append({able: pool.starts(able, group) for able in pool.able(group)})
            rest.setdefault(group.kind, []).append(at)
        mates = rest.pop(Kind.PRACTITIONER, [])[1:]
        for members in rest.values():
            within &= self._matched(members, within, None)
        self.by_leader: dict[int, int] = {}
        if self.lead is None:
            self.any = within
            return
        self.any = 0
        for practitioner, mask in self.masks[self.lead].items():
            led = mask & within
            if led and mates:
                led &= self._matched(mates, led, practitioner)
            if led:
                self.by_leader[practitioner] = led
                self.any |= led

    def by_resource(self, kind: Kind) -> dict[int, int]:
        """For each resource of a kind, by its place, the starts at which it could be among those who serve."""
        members = [at for at, group in enumerate(self.groups) if group.kind is kind]
        found: dict[int, int] = {}
        for at in members:
            others = [each for each in members if each != at]
            for resource, mask in self.masks[at].items():
                serves = mask & self.any
                if serves and others:
                    serves &= self._matched(others, serves, resource)
                if serves:
                    found[resource] = found.get(resource, 0) | serves
        return found

    def packed(self) -> tuple[tuple[int, bytes], ...]:
        """The starts of each leader as bytes; of nobody (-1) for a session without a practitioner need."""
        if self._packed is None:
            led = [(NOBODY, self.any)] if self.lead is None else sorted(self.by_leader.items())
            self._packed = tuple((leader, mask.to_bytes(self._size, "little")) for leader, mask in led)
        return self._packed

    def packed_any(self) -> bytes:
        """The starts, whoever leads, as bytes."""
        if self._packed_any is None:
            self._packed_any = self.any.to_bytes(self._size, "little")
        return self._packed_any

    def assign(self, start: int, leader: int, taken: frozenset[tuple[int, int]]) -> tuple[int, ...] | None:
        """The resources, earliest first need by need, that serve a start; None where they do not suffice.

        `taken` are (group, resource) pairs that are not to be had.
        """
        if not taken and len({group.kind for group in self.groups}) == len(self.groups):
            return self._assign_singly(start, leader)
        able = self.able_at(start, leader, taken)
        if not _matchable(able, {}):
            return None
        chosen: dict[int, int] = {}
        for group in range(len(self.groups)):
            for resource in able[group]:
                if resource not in chosen.values() and _matchable(able, {**chosen, group: resource}):
                    chosen[group] = resource
                    break
        return self._by_need(chosen)

    def _assign_singly(self, start: int, leader: int) -> tuple[int, ...] | None:
        """As `assign`, where no two groups compete: the first that is free for each."""
        chosen: dict[int, int] = {}
        for group, masks in enumerate(self.masks):
            if group == self.lead and leader >= 0:
                chosen[group] = leader
                continue
            first = next((resource for resource, mask in masks.items() if mask >> start & 1), None)
            if first is None:
                return None
            chosen[group] = first
        return self._by_need(chosen)

    def assignments(self, start: int, leader: int, taken: frozenset[tuple[int, int]]) -> list[tuple[int, ...]]:
        """Every way to serve a start, in the order of the resources, need by need."""
        able = self.able_at(start, leader, taken)
        partial: list[tuple[int, ...]] = [()]
        for candidates in able:
            partial = [(*so_far, each) for so_far in partial for each in candidates if each not in so_far]
        return [self._by_need(dict(enumerate(chosen))) for chosen in partial]

    def able_at(self, start: int, leader: int, taken: frozenset[tuple[int, int]]) -> list[list[int]]:
        """For each group, the resources that are free for it at a start."""
        return [
            [
                resource for resource, mask in masks.items()
                if mask >> start & 1 and (group, resource) not in taken
                and (group != self.lead or leader < 0 or resource == leader)
            ]
            for group, masks in enumerate(self.masks)
        ]

    def _by_need(self, chosen: Mapping[int, int]) -> tuple[int, ...]:
        by_need = {need: chosen[at] for at, group in enumerate(self.groups) for need in group.needs}
        return tuple(by_need[need] for need in sorted(by_need))

    def _matched(self, members: Sequence[int], within: int, without: int | None) -> int:
        """The starts of `within` at which each of some groups of one kind has a resource of its own."""
        if len(members) == 1:
            found = 0
            for resource, mask in self.masks[members[0]].items():
                if resource != without:
                    found |= mask
            return found & within
        alike = Counter((self.groups[at].skills, self.groups[at].holds) for at in members)
        classes = [(members[_first(self.groups, members, key)], count) for key, count in alike.items()]
        states = 1
        for _, count in classes:
            states *= count + 1
        if states <= MATCHED_AT_ONCE:
            return self._matched_at_once(classes, within, without)
        return self._matched_singly(members, within, without)

    def _matched_at_once(self, classes: Sequence[tuple[int, int]], within: int, without: int | None) -> int:
        """Resource by resource, the starts at which so many of each class of like groups can be served."""
        covered = {(0,) * len(classes): within}
        for resource in sorted({each for at, _ in classes for each in self.masks[at]}):
            if resource == without:
                continue
            for state, starts in sorted(covered.items(), reverse=True):
                for place, (at, count) in enumerate(classes):
                    gained = starts & self.masks[at].get(resource, 0) if state[place] < count else 0
                    if gained:
                        after = (*state[:place], state[place] + 1, *state[place + 1:])
                        covered[after] = covered.get(after, 0) | gained
        return covered.get(tuple(count for _, count in classes), 0)

    def _matched_singly(self, members: Sequence[int], within: int, without: int | None) -> int:
        for at in members:
            within &= self._matched([at], within, without)
        found = 0
        for start in each_bit(within):
            able = [
                [each for each, mask in self.masks[at].items() if each != without and mask >> start & 1]
                for at in members
            ]
            if _matchable(able, {}):
                found |= 1 << start
        return found


def _first(groups: Sequence[Group], members: Sequence[int], key: tuple[object, object]) -> int:
    return next(place for place, at in enumerate(members) if (groups[at].skills, groups[at].holds) == key)


def _matchable(able: Sequence[Sequence[int]], fixed: Mapping[int, int]) -> bool:
    """Whether every group can have a resource of its own, those in `fixed` keeping theirs."""
    owner = {resource: group for group, resource in fixed.items()}
    settled = set(owner)
    return all(group in fixed or _augment(group, able, owner, set(settled)) for group in range(len(able)))


def _augment(group: int, able: Sequence[Sequence[int]], owner: dict[int, int], seen: set[int]) -> bool:
    for resource in able[group]:
        if resource in seen:
            continue
        seen.add(resource)
        if resource not in owner or _augment(owner[resource], able, owner, seen):
            owner[resource] = group
            return True
    return False
