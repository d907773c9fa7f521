"""Whatever is done in whatever order, the diary stays sound: a machine of random steps, audited after each of them."""
from __future__ import annotations

import sys

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.databases import KINDS, DatabasesOf, is_full
from tests.prove.arena import Arena
from tests.prove.invariant_machine import InvariantMachine

DONE = (
    "book course", "book kept course", "book visit", "move", "cancel", "complete", "complete elsewhere", "miss",
    "send home", "repair", "undo", "move back", "hold", "interval", "heard", "let rest", "resume", "stop", "pin",
    "change wishes", "note absence", "take absence back")
"""What must have been done at least once, or the machine has proved little."""
SEEN = ("stale: stale", "deliver: some", "clock: changed", "upkeep: concerned", "absence: of a visit")

SEEDS = range(2, 7)
"""Of short runs: the steps of the first come across all of that; should another Hypothesis make others of it, those of
the next ones follow."""


@pytest.fixture(params=KINDS)
def arena(request: pytest.FixtureRequest, databases_of: DatabasesOf) -> Arena:
    """The two clinics, on each kind of database."""
    return Arena(databases_of(request.param))


@pytest.mark.prove
def test_whatever_is_done_in_whatever_order_the_diary_stays_sound(
    arena: Arena, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same steps in every short run; other ones in every full run, which looks for the fewest that fail."""
    if is_full():
        go(arena, 400, 60)
    else:
        go(arena, 7, 50, SEEDS[0])
    for other in SEEDS[1:]:
        if lacking(arena):
            go(arena, 3, 50, other)

    with capsys.disabled():
        sys.stdout.write("\n" + ", ".join(f"{each} {count}" for each, count in sorted(arena.tally.items())) + "\n")
    assert lacking(arena) == []


def go(arena: Arena, runs: int, steps: int, of: int | None = None) -> None:
    """So many runs: those of a seed, or others each time."""
    def machine() -> InvariantMachine:
        return InvariantMachine(arena)

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine if of is None else seed(of)(machine),
        settings=settings(
            max_examples=runs, stateful_step_count=steps, deadline=None, derandomize=False, database=None,
            print_blob=of is None, suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink) if of is None else (Phase.generate,)))


def lacking(arena: Arena) -> list[str]:
    """What was never done or seen."""
    return [each for each in (*(f"{verb}: done" for verb in DONE), *SEEN) if not arena.tally[each]]
