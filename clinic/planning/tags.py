"""What sessions placed so far ask of later ones beyond their gaps, and how that is carried from step to step."""
from __future__ import annotations

from dataclasses import dataclass

from clinic.planning.board import Board
from clinic.planning.bonds import ENDLESS, reach
from clinic.planning.stage import Option, Position


@dataclass(frozen=True, slots=True)
class Tag:
    """What sessions placed so far ask of later ones beyond their gaps.

    `floors` are (step, earliest day), `ready` is from where on, on the ruler or before it, the next session may start,
    `holds` are (resource, where it begins, where it ends).
    """

    floors: tuple[tuple[int, int], ...] = ()
    ready: Position | None = None
    holds: tuple[tuple[int, Position, Position], ...] = ()


FREE = Tag()


class Tags:
    """Carries tags over a board, each no longer than it can matter."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._bound_later = [(then, able(board, then)) for then in sorted({then for _, then in board.holds})]
        self._earliest: dict[tuple[int, int], Position] = {}

    def after(self, at: int, day: int, option: Option, tag: Tag) -> Tag:
        """What is carried on from a step, less what the gaps imply by themselves."""
        board = self._board
        floors: dict[int, int] = {step: floor for step, floor in tag.floors if step > at}
        for (first, then), days in board.spaced.items():
            if first == at:
                floors[then] = max(floors.get(then, day + days), day + days)
        kept = tuple(sorted((step, floor) for step, floor in floors.items() if floor > day + board.least(at, step)))
        ready: Position | None = None
        if (at, at + 1) in board.orders:
            ready = option.start + board.stages[at].ends
        holds = [hold for hold in tag.holds if self._may_matter(hold, at, day)]
        if option.resources is not None and any(first == at for first, _ in board.holds):
            held = board.holds_of(at, option.start, option.resources)
            holds += [hold for hold in held if self._may_matter(hold, at, day)]
        if not (kept or ready is not None or holds):
            return FREE
        return Tag(kept, ready, tuple(sorted(holds)))

    def _may_matter(self, hold: tuple[int, Position, Position], at: int, day: int) -> bool:
        """Whether a session after `at` could still need a resource while it is held."""
        return any(
            hold[0] in those and hold[2] > self._earliest_hold(then, day + self._board.least(at, then))
            for then, those in self._bound_later if then > at
        )

    def _earliest_hold(self, at: int, day: int) -> Position:
        """Where what a session holds could begin at the earliest, if it is on a day or later."""
        known = self._earliest.get((at, day))
        if known is None:
            stage = self._board.stages[at]
            assert stage.supply is not None
            first = max(day + 1, 0)
            low: Position = min((cut.low for cut in self._board.cuts[first:first + 3]), default=ENDLESS)
            if stage.stay is not None and stage.stay_day >= day:
                low = min(low, stage.stay.start)
            known = self._earliest[at, day] = low + reach(stage.supply)[0]
        return known


def able(board: Board, at: int) -> frozenset[int]:
    """The resources that could serve a step."""
    supply = board.stages[at].supply
    return frozenset() if supply is None else frozenset(each for masks in supply.masks for each in masks)
