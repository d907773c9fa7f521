"""Spans packed into words: the same as they were, and every overlap found that comparing each with each finds."""
from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clinic.interchange.moving_in.spans import HERE, Held, Spans

BEGIN = 1_803_888_000  # 1 March 2027

held = st.builds(
    lambda starts, minutes, need, place: Held(BEGIN + starts * 60, BEGIN + (starts + minutes) * 60, need, place),
    st.integers(0, 300), st.integers(1, 60), st.integers(0, 15), st.sampled_from([*range(20), HERE]))


@given(st.lists(st.tuples(st.integers(1, 3), held), max_size=40))
def test_spans_come_back_in_the_order_of_time(given_spans: list[tuple[int, Held]]) -> None:
    spans = Spans()
    for resource_id, each in given_spans:
        spans.add(resource_id, each)

    for resource_id in (1, 2, 3):
        own = [each for ident, each in given_spans if ident == resource_id and each.place != HERE]
        assert sorted(spans.of(resource_id)) == sorted(own)
        starts = [each.starts for each in spans.of(resource_id)]
        assert starts == sorted(starts)


@given(st.lists(st.tuples(st.integers(1, 2), held), max_size=25))
def test_there_is_a_clash_just_where_two_spans_overlap(given_spans: list[tuple[int, Held]]) -> None:
    spans = Spans()
    for resource_id, each in given_spans:
        spans.add(resource_id, each)

    overlaps = any(
        one == other and first.starts < second.ends and second.starts < first.ends
        and not first.place == second.place == HERE
        for at, (one, first) in enumerate(given_spans) for other, second in given_spans[:at])
    found = list(spans.clashes())

    assert bool(found) == overlaps
    assert all(first.starts < second.ends and second.starts < first.ends for _, first, second in found)
