"""Why a session has no day at all: the least that explains it, of its gap, its dates, the patient's past and pins."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from clinic.planning.board import Board
from clinic.planning.open_days import days_near, spacing_between
from clinic.planning.problem import Past
from clinic.planning.ruler import bits
from clinic.planning.stage import Stage
from clinic.planning.words import date_words, day_words, days_words, listed

NAMED_AT_MOST = 3


@dataclass(frozen=True, slots=True)
class _Bound:
    """The days that one thing leaves (bit d + 1 is day d), and how it is said."""

    days: int
    text: str
    is_gap: bool = False
    is_past: bool = False


def no_day(board: Board, stage: Stage, led: int) -> str:
    """What leaves a session no day; `led` are the days to which gaps lead from the session before."""
    last = date_words(board.ruler.date_of(board.ruler.days - 1))
    if not led:
        before = board.problem.number(stage.at - 1)
        return f"its gap after session {before} leads past {last}, the last day that can be booked"
    bounds = [*_gap(board, stage, led), *_dates(board, stage), *_past(board, stage), *_pins(board, stage)]
    if _together(board, bounds):
        return f"too little is left between the sessions that stand and {last}, the last day that can be booked"
    for bound in tuple(bounds):
        others = [other for other in bounds if other is not bound]
        if not _together(board, others):
            bounds = others
    if not bounds:
        return f"{last} is the last day that can be booked"
    first, *rest = (bound.text for bound in bounds)
    said = f"{first}, but {listed(rest)}" if rest else first
    if all(bound.days and bound.is_gap for bound in bounds) and len(bounds) == 1:
        return f"{said}; {last} is the last day that can be booked"
    if len(bounds) == 1 and bounds[0].is_past:
        return f"{said}, before {date_words(board.ruler.date_of(0))}, the earliest day"
    return said if any(bound.is_gap for bound in bounds) else f"{said}, and {last} is the last day that can be booked"


def days_beside_pins(board: Board, stage: Stage) -> int:
    """The days that the sessions that stand leave a session, by gaps and spacing; bit d + 1 is day d."""
    return _together(board, _pins(board, stage))


def _together(board: Board, bounds: Sequence[_Bound]) -> int:
    # Day -1 is there for a clock that goes back over midnight; nobody looks for a time on it.
    found = board.all_days & ~1
    for bound in bounds:
        found &= bound.days
    return found


def _gap(board: Board, stage: Stage, led: int) -> list[_Bound]:
    step, last = stage.step, board.problem.last_session_on
    if stage.at:
        since = f"after session {board.problem.number(stage.at - 1)}"
    elif last is not None and step.gap is not None:
        low, high = board.ruler.day(last) + step.gap.min, board.ruler.day(last) + step.gap.max
        led = bits(max(low + 1, 0), max(high + 2, 0))
        text = f"its gap after the session of {date_words(last)} puts it {_between(board, low, high)}"
        return [_Bound(led, text, is_gap=True, is_past=high < 0)]
    else:
        return []
    return [_Bound(led, f"its gap {since} puts it {_span(board, led)}", is_gap=True)]


def _dates(board: Board, stage: Stage) -> list[_Bound]:
    found, step, on = [], stage.step, board.ruler
    if step.from_on is not None:
        days = board.all_days & ~bits(0, max(on.day(step.from_on) + 1, 0))
        found.append(_Bound(days, f"it may not come before {date_words(step.from_on)}"))
    if step.to_on is not None:
        days = bits(0, max(on.day(step.to_on) + 2, 0))
        found.append(_Bound(days, f"it may not come after {date_words(step.to_on)}"))
    return found


def _past(board: Board, stage: Stage) -> list[_Bound]:
    return [
        _Bound(board.all_days & ~near, _past_words(board, stage, past))
        for past in board.problem.history if (near := days_near(board.problem, stage.step.treatment, past))
    ]


def _past_words(board: Board, stage: Stage, past: Past) -> str:
    pairs = ((stage.step.treatment, past.treatment), (past.treatment, stage.step.treatment))
    days = max(spacing_between(board.problem, *pair) for pair in pairs)
    return f"it must stay {days_words(days)} away from the patient's {past.treatment} of {date_words(past.on)}"


def _pins(board: Board, stage: Stage) -> list[_Bound]:
    found = []
    for pin in board.stages:
        if pin.pin_option is None or pin.at == stage.at:
            continue
        low, high = _beside(board, stage, pin)
        days = bits(max(low + 1, 0), max(high + 2, 0))
        on = day_words(board.ruler.date_of(pin.pin_day))
        stands = f"session {board.problem.number(pin.at)}, which stands on {on}"
        if days:
            text = f"{stands}, leaves it {_span(board, days)}"
        else:
            least, most = sorted((abs(low - pin.pin_day), abs(high - pin.pin_day)), reverse=True)
            text = (
                f"it must come at least {days_words(least)} {'after' if pin.at < stage.at else 'before'} {stands}, "
                f"but the gaps allow {days_words(most)} at most"
            )
        found.append(_Bound(days, text, is_gap=True))
    return found


def _beside(board: Board, stage: Stage, pin: Stage) -> tuple[int, int]:
    """The first and last day that a pin leaves a session, by the gaps and the spacing between the two."""
    one, other = sorted((stage, pin), key=lambda each: each.at)
    least = max(
        board.least(one.at, other.at), spacing_between(board.problem, one.step.treatment, other.step.treatment)
    )
    most = board.most(one.at, other.at)
    if pin is one:
        return pin.pin_day + least, pin.pin_day + most
    return pin.pin_day - most, pin.pin_day - least


def _span(board: Board, days: int) -> str:
    return _between(board, max((days & -days).bit_length() - 2, 0), max(days.bit_length() - 2, 0))


def _between(board: Board, low: int, high: int) -> str:
    on = board.ruler
    # Not past the end of the calendar, where a session of long ahead could lead.
    end = date.max.toordinal() - on.first_on.toordinal()
    first, last = date_words(on.date_of(min(low, end))), date_words(on.date_of(min(high, end)))
    if first == last:
        return f"on {first}"
    return f"between {first} and {last}" + (", the last day that can be booked" if high == on.days - 1 else "")
