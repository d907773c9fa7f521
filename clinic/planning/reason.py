"""Why a course fits nowhere: the first session that cannot be placed, and what binds it, for a receptionist."""
from __future__ import annotations

from dataclasses import dataclass, replace

from clinic.planning.bits import runs, spread
from clinic.planning.board import Board
from clinic.planning.no_day import days_beside_pins, no_day
from clinic.planning.open_days import days_allowed
from clinic.planning.problem import Costs, Kind, Problem
from clinic.planning.ruler import bits
from clinic.planning.search import Looks, OutOfTime, Search
from clinic.planning.stage import Stage
from clinic.planning.supply import Group, Supply
from clinic.planning.words import NOUNS, date_words, day_words, days_words, listed

NAMED_AT_MOST = 3
LOOKS_FOR_REASONS = 20_000
ABLE = {Kind.PRACTITIONER: "is qualified for", Kind.ROOM: "is fitted out for", Kind.DEVICE: "does"}


def is_possible(board: Board, looks: Looks | None = None) -> bool:
    """Whether the board's steps have a plan at all."""
    if board.hard_until < 0:
        return bool(board.first_days())
    # Where nothing costs anything, the first plan that is met will do.
    free = Board(replace(board.problem, costs=Costs(0, 0, 0, 0, 0)), upto=len(board.steps), only=board.only)
    return Search(free, None if looks is None else looks.until, looks).is_possible()


def first_unplaceable(problem: Problem, looks: Looks | None = None) -> int:
    """The smallest number of first steps that have no plan by themselves; the whole course must have none."""
    low, high = 1, len(problem.steps)
    while low < high:
        middle = (low + high) // 2
        if is_possible(Board(problem, upto=middle), looks):
            low = middle + 1
        else:
            high = middle
    return low


def reached_days(board: Board, upto: int) -> int:
    """The days of a step to which gaps lead from the first step (bit d + 1 is day d); for a pin whether they do."""
    reached = 0
    for stage in board.stages[:upto + 1]:
        led = gap_from_before(board, stage, reached)
        reached = int(led > 0) if stage.pin_option is not None else stage.days & led
    return reached


def gap_from_before(board: Board, stage: Stage, reached: int) -> int:
    """The days to which gaps lead from the days reached by the step before."""
    if stage.at == 0:
        return board.all_days
    before = board.stages[stage.at - 1]
    if before.pin_option is not None or stage.pin_option is not None:
        return board.all_days if reached or before.may_stay else 0
    gap = stage.gap
    assert gap is not None
    led = spread(reached, gap.max - gap.min + 1) << gap.min
    if before.may_stay:
        led |= bits(max(before.stay_day + gap.min + 1, 0), before.stay_day + gap.max + 2)
    return led & board.all_days


def days_open_to(board: Board, at: int) -> int:
    """The days on which a step that is not pinned could be, were everybody free: by gaps, dates, history and pins."""
    reached = reached_days(board, at - 1) if at else 0
    stage = board.stages[at]
    return gap_from_before(board, stage, reached) & days_allowed(board.problem, at) & days_beside_pins(board, stage)


def reason_of(problem: Problem, unplaceable: int) -> str:
    """What keeps the last of so many first steps from being placed, as a sentence."""
    board = Board(problem, upto=unplaceable)
    at = unplaceable - 1
    stage = board.stages[at]
    said = f"Session {problem.number(at)} ({stage.step.words})"
    if stage.pin_option is not None:
        day = day_words(problem.ruler.date_of(stage.pin_day))
        return f"{said} stands on {day}, and the sessions before it cannot keep their gaps to it."
    days = days_open_to(board, at)
    if not days:
        led = gap_from_before(board, stage, reached_days(board, at - 1) if at else 0)
        return f"{said} has no day: {no_day(board, stage, led)}."
    first, last = (days & -days).bit_length() - 2, days.bit_length() - 2
    return f"{said} fits nowhere {_between(problem, first, last)}: {_binding(board, stage, days)}."


def _between(problem: Problem, first: int, last: int) -> str:
    one, other = problem.ruler.date_of(first), problem.ruler.date_of(last)
    return f"on {day_words(one)}" if one == other else f"between {date_words(one)} and {date_words(other)}"


@dataclass(frozen=True, slots=True)
class _Factor:
    """Someone or something a session needs: how one says that it is not to be had, or is, and when it is."""

    taken: str
    free: str
    starts: int


def _binding(board: Board, stage: Stage, days: int) -> str:
    """What leaves no start on some days: the least that explains it."""
    supply = stage.supply
    assert supply is not None
    within = board.granules_of(days) & board.starts_allowed & bits(stage.first_bit, stage.last_bit + 1)
    if not within:
        return "no start lies in time after the sessions around it"
    for group, masks in zip(supply.groups, supply.masks, strict=True):
        if not masks:
            return f"no {NOUNS[group.kind]} {_able_words(group)}"
    factors = _factors(board, stage, supply)
    for factor in factors:
        if not within & factor.starts:
            return f"{factor.taken} at every time"
    for factor in factors:
        others = [other for other in factors if other is not factor]
        left = within
        for other in others:
            left &= other.starts
        if left and not left & factor.starts:
            return f"{factor.taken} at every time when {listed([other.free for other in others])}"
    if supply.any & within:
        return _too_near(board, stage)
    together = listed(list(dict.fromkeys(factor.free for factor in factors)))
    return f"there is no time at which {together}{_each_its_own(supply)}"


def _each_its_own(supply: Supply) -> str:
    several = [
        NOUNS[kind] for kind in Kind if sum(group.kind is kind for group in supply.groups) > 1
    ]
    return f", with another {listed(several, 'and another')} for each" if several else ""


def _too_near(board: Board, stage: Stage) -> str:
    """Where the session alone has times, but none beside those before it."""
    problem, upto = board.problem, stage.at + 1
    for (first, then), days in board.spaced.items():
        if then == stage.at and days > board.most(first, then):
            return (
                f"it must come at least {days_words(days)} after session {problem.number(first)} "
                f"({problem.steps[first].words}), but the gaps allow {days_words(board.most(first, then))} at most"
            )
    try:
        looks = Looks(LOOKS_FOR_REASONS)
        for at, each in enumerate(problem.spacing):
            if is_possible(Board(without_spacing(problem, at), upto=upto), looks):
                return f"{each.then} must come {days_words(each.days)} after {each.first}, and that leaves no time"
        if problem.spacing and is_possible(Board(replace(problem, spacing=()), upto=upto), looks):
            return "the days that must lie between the treatments leave no time"
    except OutOfTime:
        pass
    return "whenever it could be, a session before it still needs the same people, rooms or devices, or has not ended"


def without_spacing(problem: Problem, at: int) -> Problem:
    """The problem without one of its spacings."""
    return replace(problem, spacing=(*problem.spacing[:at], *problem.spacing[at + 1:]))


def _factors(board: Board, stage: Stage, supply: Supply) -> list[_Factor]:
    found = []
    for at in _most_telling(supply):
        names = [board.problem.resources[each].words for each in supply.masks[at]]
        noun, able = NOUNS[supply.groups[at].kind], _able_words(supply.groups[at])
        if len(names) == 1:
            words = f"{names[0]} is booked, closed or away", f"{names[0]} is free"
        elif len(names) <= NAMED_AT_MOST:
            words = f"{listed(names)} are all booked, closed or away", f"{listed(names, 'or')} is free"
        else:
            such = f"{noun} that {able}" if supply.groups[at].skills else noun
            words = f"every {such} is booked, closed or away", f"a {such} is free"
        found.append(_Factor(*words, _any_of(supply, at)))
    if away := board.problem.patient_away:
        free = runs(board.ruler.full & ~away, stage.ends)
        busy = "cannot come, or is busy," if board.problem.unwilling else "is busy"
        found.append(_Factor(f"the patient {busy}", "the patient has time", free))
    return found


def _most_telling(supply: Supply) -> list[int]:
    """The groups, devices first: the scarcest is named first."""
    order = (Kind.DEVICE, Kind.ROOM, Kind.PRACTITIONER)
    return sorted(range(len(supply.groups)), key=lambda at: (order.index(supply.groups[at].kind), at))


def _any_of(supply: Supply, at: int) -> int:
    found = 0
    for mask in supply.masks[at].values():
        found |= mask
    return found


def _able_words(group: Group) -> str:
    return f"{ABLE[group.kind]} {listed(sorted(group.skills))}" if group.skills else "is there"
