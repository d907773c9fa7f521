"""What a tick that finds nothing to do reads, and that the benchmark of messages runs: `python -m
tests.benchmarks.messages`."""
from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.databases import SQLite
from tests.benchmarks.messages import Report, Size, measure
from tests.benchmarks.waiting import FIRST, ticks_among


def test_no_tick_reads_every_message(database_url: str) -> None:
    [(_, ticks)] = ticks_among(database_url, [FIRST], times=1)

    assert {name: tick.scans for name, tick in ticks.items() if tick.scans} == {}


@pytest.mark.prove
def test_the_benchmark_of_messages_measures_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    measure(Report(), SQLite(tmp_path), Size(each=1, rounds=1, workers=(1,), waiting=(FIRST,)))

    said = capsys.readouterr().out
    assert "a mail server on this machine: 3 messages" in said
    assert "where the time of one worker goes" in said
