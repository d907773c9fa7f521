from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from clinic.planning.shifts import Shift, Span, left_behind

HOUR = timedelta(hours=1)


def at(hour: float) -> datetime:
    return datetime(2027, 5, 3, tzinfo=UTC) + hour * HOUR


def shift(holder_id: int, resource_id: int, hour: float, by: float, lasts: float = 1) -> Shift:
    return Shift(holder_id, (Span(resource_id, at(hour), at(hour + lasts)),), by * HOUR)


def overlap(one: Span, other: Span) -> bool:
    return one.resource_id == other.resource_id and one.starts_at < other.ends_at and other.starts_at < one.ends_at


@st.composite
def diaries(draw: st.DrawFn) -> list[Shift]:
    """Holders of one or two of three resources for an hour or two; some shift an hour or two, some not at all."""
    found: list[Shift] = []
    for holder_id in draw(st.permutations(range(draw(st.integers(0, 9))))):
        hour, lasts = draw(st.integers(0, 11)), draw(st.sampled_from((1, 2)))
        resources = draw(st.sets(st.integers(1, 3), min_size=1, max_size=2))
        each = Shift(holder_id, tuple(Span(ident, at(hour), at(hour + lasts)) for ident in sorted(resources)),
                     draw(st.sampled_from((-1, 0, 0, 1, 2))) * HOUR)
        if not any(overlap(one, other) for known in found for one in known.held for other in each.held):
            found.append(each)
    return found


@given(diaries())
def test_whoever_goes_nothing_is_held_twice_and_who_stays_had_something_in_the_way(diary: list[Shift]) -> None:
    going = [each for each in diary if each.by]
    others = [span for each in diary if not each.by for span in each.held]

    behind = left_behind(going, others)

    after = [each.held if each.holder_id in behind else each.wanted for each in going] + [(each,) for each in others]
    assert not any(overlap(one, other) for mine, theirs in combinations(after, 2) for one in mine for other in theirs)
    in_the_way = others + [span for each in going for span in (*each.held, *each.wanted)]
    assert all(span in each.wanted and sum(overlap(span, other) for other in in_the_way) > 1
               for each in going if (span := behind.get(each.holder_id)))


@given(diaries(), st.sampled_from((-1, 1, 30)))
def test_a_whole_diary_shifts_by_the_same_with_nobody_left_behind(diary: list[Shift], by: int) -> None:
    assert left_behind([Shift(each.holder_id, each.held, by * HOUR) for each in diary], ()) == {}


def test_of_two_that_would_meet_the_first_goes_and_who_stays_is_in_the_way_of_the_next() -> None:
    diary = [shift(1, 7, 9, 2), shift(2, 7, 10, 1), shift(3, 7, 12, -1.5, 0.5), shift(4, 8, 9, 1)]

    assert left_behind(diary, ()) == {2: Span(7, at(11), at(12)), 3: Span(7, at(10.5), at(11))}


def test_who_gave_way_to_what_does_not_shift_takes_nobody_s_place() -> None:
    behind = left_behind([shift(1, 7, 9, 2), shift(2, 7, 12, -0.5, 0.5)], [Span(7, at(11), at(11.25))])

    assert behind == {1: Span(7, at(11), at(12))}
