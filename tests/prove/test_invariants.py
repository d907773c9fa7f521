"""Whatever is done in whatever order, the diary stays sound: a machine of random steps, audited after each of them."""
from __future__ import annotations

import sys

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.databases import KINDS, DatabasesOf, is_full
from tests.prove.arena import Arena
from tests.prove.invariant_machine import InvariantMachine

DONE = (
    "book course", "book kept course", "book visit", "move", "cancel", "complete", "complete elsewhere", "miss",
    "send home", "repair", "undo", "move back", "hold", "interval", "heard", "let rest", "resume", "stop", "pin",
    "change wishes")
"""What must have been done at least once, or the machine has proved little."""
SEEN = ("stale: stale", "deliver: some", "clock: changed", "upkeep: concerned")


@pytest.fixture(params=KINDS)
def arena(request: pytest.FixtureRequest, databases_of: DatabasesOf) -> Arena:
    """The two clinics, on each kind of database."""
    return Arena(databases_of(request.param))


@pytest.mark.prove
def test_whatever_is_done_in_whatever_order_the_diary_stays_sound(
    arena: Arena, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same steps in every short run; other ones in every full run, which looks for the fewest that fail."""
    runs, steps = (400, 60) if is_full() else (7, 50)

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: InvariantMachine(arena),
        settings=settings(
            max_examples=runs, stateful_step_count=steps, deadline=None, derandomize=not is_full(), database=None,
            print_blob=is_full(), suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink) if is_full() else (Phase.generate,)))

    with capsys.disabled():
        sys.stdout.write("\n" + ", ".join(f"{each} {count}" for each, count in sorted(arena.tally.items())) + "\n")
    assert [each for each in (*(f"{verb}: done" for verb in DONE), *SEEN) if not arena.tally[each]] == []
