"""Two visits that belong together: every pair keeps its order, and what one holds is not free for the other."""
from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from clinic.planning import Kind, Need, Problem, Resource, Step, ruler, starts
from clinic.planning.together import Free, Order, pairs, without

WHERE = ZoneInfo("Europe/London")
NINE = datetime(2027, 3, 26, 9, tzinfo=UTC)  # the last days before the clocks go forward
frees = st.builds(
    Free, st.lists(st.integers(0, 4 * 24 * 4), max_size=12, unique=True).map(
        lambda found: tuple(NINE + timedelta(minutes=15 * each) for each in sorted(found))),
    st.sampled_from((15, 20, 45)))


@given(frees, frees, st.sampled_from(Order))
def test_a_pair_is_of_free_starts_and_keeps_its_order(one: Free, other: Free, order: Order) -> None:
    for first, then in pairs(one, other, order, near=NINE, where=WHERE, step=15):
        assert first in one.starts and then in other.starts
        if order is Order.SAME:
            assert first == then
        elif order is Order.ANY:
            assert first.astimezone(WHERE).date() == then.astimezone(WHERE).date()
        else:
            wait = then - one.end(first) if first < then else first - other.end(then)
            assert timedelta(0) <= wait < timedelta(minutes=15)


@given(frees, frees)
def test_no_common_start_and_no_common_day_is_missed(one: Free, other: Free) -> None:
    same = pairs(one, other, Order.SAME, near=NINE, where=WHERE, step=15)
    days = [{at.astimezone(WHERE).date() for at in each.starts} for each in (one, other)]

    assert {at for at, _ in same} == set(one.starts) & set(other.starts)
    assert bool(days[0] & days[1]) == bool(pairs(one, other, Order.ANY, near=NINE, where=WHERE, step=15))


def test_what_one_holds_is_not_free_for_the_other() -> None:
    on = ruler(WHERE, date(2027, 3, 26), 1, 300)
    hours = on.covering(NINE, NINE + timedelta(hours=1))
    room = Resource("1", Kind.ROOM, open=hours, name="Room 1")
    step = Step("visit", 20, (Need(Kind.ROOM, 30),))
    problem = Problem(ruler=on, not_before=NINE, resources=(room,), steps=(step,))

    left = without(problem, 1, NINE, ("1",), taken_from=problem)

    assert starts(problem, 1).starts == (NINE, NINE + timedelta(minutes=15), NINE + timedelta(minutes=30))
    assert starts(left, 1).starts == (NINE + timedelta(minutes=30),)
