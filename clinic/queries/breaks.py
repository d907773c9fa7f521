"""A practitioner's rota as open granules, less the breaks: fixed ones where they stand, movable ones where they fit."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import lru_cache

from clinic.planning import Ruler, opening_bits
from clinic.planning.local import instant
from clinic.store.resources import Rota, RotaSpan

WHOLE_DAY = 1440


def without_breaks(
    ruler: Ruler, rotas: Sequence[tuple[Rota, list[RotaSpan]]], clinic_id: int, taken: int
) -> int:
    """The granules at which the rota puts the practitioner at that clinic, less the breaks.

    A movable break lies where it is nearest to the middle of its span and meets nothing taken; where the span is
    too full for it, it is given up: what is booked stays booked.
    """
    work: defaultdict[date, list[tuple[int, int]]] = defaultdict(list)
    breaks = 0
    for on, span in _spans(ruler, rotas):
        if span.clinic_id == clinic_id:
            work[on].append((span.opens, span.closes if span.closes <= WHOLE_DAY else span.closes - WHOLE_DAY))
        elif span.break_minutes is not None:
            breaks |= _break(ruler, on, span, taken)
    return opening_bits(ruler, (), work) & ~breaks


def _spans(ruler: Ruler, rotas: Sequence[tuple[Rota, list[RotaSpan]]]) -> Iterator[tuple[date, RotaSpan]]:
    """Each span of each date that the ruler reaches, by the rota in force: the one that began last."""
    first, last = ruler.first_on - timedelta(days=2), ruler.first_on + timedelta(days=ruler.days + 5)
    for at, (rota, spans) in enumerate(rotas):
        begins = max(first, rota.starts_on)
        ends = min(last, rota.ends_on or last)
        if at + 1 < len(rotas):
            ends = min(ends, rotas[at + 1][0].starts_on - timedelta(days=1))
        monday = rota.starts_on - timedelta(days=rota.starts_on.weekday())
        by_day: defaultdict[tuple[int, int], list[RotaSpan]] = defaultdict(list)
        for span in spans:
            by_day[span.week, span.weekday].append(span)
        for day in range((ends - begins).days + 1):
            on = begins + timedelta(days=day)
            week = ((on - monday).days // 7) % rota.weeks
            for span in by_day.get((week, on.weekday()), ()):
                yield on, span


def _break(ruler: Ruler, on: date, span: RotaSpan, taken: int) -> int:
    """The granules of one break on one date."""
    low, high = _reach(ruler, on, span.opens, span.closes)
    length = -(-(span.break_minutes or 0) * 60 // ruler.granule)
    here = (taken >> low) & ((1 << (high - low)) - 1)
    wanted = (1 << length) - 1
    for start in _from_the_middle(high - low - length):
        if not here & (wanted << start):
            return wanted << (low + start)
    return 0


@lru_cache(maxsize=4096)
def _reach(ruler: Ruler, on: date, opens: int, closes: int) -> tuple[int, int]:
    """The granules of a span of one date: practitioners share most of theirs."""
    return ruler.down(instant(on, opens, ruler.zone)), ruler.up(instant(on, closes, ruler.zone, last=True))


@lru_cache(maxsize=256)
def _from_the_middle(room: int) -> tuple[int, ...]:
    """The places for something that has so much room to move, nearest to the middle first."""
    return tuple(sorted(range(room + 1), key=lambda start: (abs(2 * start - room), start)))
