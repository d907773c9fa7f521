from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.care.documents import DocumentFaults
from clinic.care.evidence import OUR_DEFAULT
from clinic.care.parts import (
    TURNOVER,
    Hold,
    Need,
    Part,
    ResourceKind,
    needs_of,
    patient_minutes,
    read_parts,
    visit_minutes,
    write_parts,
)

NURSE = Hold(ResourceKind.PRACTITIONER, ("microneedling", "phlebotomy"))
ROOM = Hold(ResourceKind.ROOM, ("numbing-chair",))
PEN = Hold(ResourceKind.DEVICE, ("needling-pen",))
LASER = Hold(ResourceKind.DEVICE, ("laser-nafl",))


def part(name: str, offset: int, minutes: int, *holds: Hold) -> Part:
    return Part(name, offset, minutes, holds, OUR_DEFAULT)


NEEDLING = (
    part("check-in", 0, 15, ROOM),
    part("numbing", 15, 45, ROOM),
    part("procedure", 60, 30, NURSE, ROOM, PEN),
    part(TURNOVER, 90, 15, ROOM, PEN),
)


@st.composite
def visits(draw: st.DrawFn) -> tuple[Part, ...]:
    holds = st.lists(st.sampled_from([NURSE, ROOM, PEN, LASER]), unique=True, max_size=4)
    names = st.sampled_from(["check-in", "numbing", "procedure", TURNOVER])
    steps = st.integers(0, 12).map(lambda count: count * 5)
    count = draw(st.integers(1, 6))
    return tuple(
        Part(draw(names), draw(steps), draw(steps) + 5, tuple(draw(holds)), OUR_DEFAULT) for _ in range(count)
    )


def minutes_held(parts: tuple[Part, ...], hold: Hold) -> set[int]:
    return {minute for each in parts if hold in each.holds for minute in range(each.offset, each.ends)}


def test_the_parts_of_a_visit_become_one_need_of_each_kind() -> None:
    needs = needs_of(NEEDLING)

    assert needs == (
        Need(ResourceKind.PRACTITIONER, ("microneedling", "phlebotomy"), 60, 30),
        Need(ResourceKind.ROOM, ("numbing-chair",), 0, 105),
        Need(ResourceKind.DEVICE, ("needling-pen",), 60, 45),
    )


def test_a_practitioner_who_is_held_twice_is_the_same_person() -> None:
    parts = (*NEEDLING, part("blood-draw", 15, 20, NURSE, ROOM))

    practitioners = tuple(need for need in needs_of(parts) if need.kind is ResourceKind.PRACTITIONER)

    assert practitioners == (
        Need(ResourceKind.PRACTITIONER, NURSE.skills, 15, 20),
        Need(ResourceKind.PRACTITIONER, NURSE.skills, 60, 30, same_as=1),
    )


def test_whoever_is_held_longest_comes_first_of_a_kind() -> None:
    helper = Hold(ResourceKind.PRACTITIONER, ("phlebotomy",))
    parts = (part("blood-draw", 0, 20, helper), part("procedure", 20, 40, NURSE))

    needs = needs_of(parts)

    assert [need.skills for need in needs] == [NURSE.skills, helper.skills]


def test_two_devices_are_two_needs() -> None:
    parts = (part("procedure", 0, 30, LASER), part("procedure", 30, 45, LASER, PEN), part(TURNOVER, 75, 20, LASER, PEN))

    needs = needs_of(parts)

    assert needs == (
        Need(ResourceKind.DEVICE, ("laser-nafl",), 0, 95),
        Need(ResourceKind.DEVICE, ("needling-pen",), 30, 65),
    )


def test_the_patient_leaves_before_the_turnover() -> None:
    assert (patient_minutes(NEEDLING), visit_minutes(NEEDLING)) == (90, 105)


def test_nothing_takes_no_time_and_needs_nothing() -> None:
    assert (needs_of(()), patient_minutes(()), visit_minutes(())) == ((), 0, 0)


@given(visits())
def test_needs_hold_exactly_the_minutes_of_the_parts(parts: tuple[Part, ...]) -> None:
    needs = needs_of(parts)

    for hold in (NURSE, ROOM, PEN, LASER):
        mine = [need for need in needs if (need.kind, need.skills) == (hold.kind, hold.skills)]
        held = [minute for need in mine for minute in range(need.offset, need.offset + need.minutes)]
        assert sorted(held) == sorted(minutes_held(parts, hold))


@given(visits())
def test_needs_of_one_resource_never_touch_and_point_at_the_first(parts: tuple[Part, ...]) -> None:
    needs = needs_of(parts)

    for number, need in enumerate(needs, start=1):
        alike = [each for each, other in enumerate(needs, start=1)
                 if (other.kind, other.skills) == (need.kind, need.skills)]
        assert need.same_as == (None if number == alike[0] else alike[0])
        if number != alike[0]:
            before = needs[number - 2]
            assert before.offset + before.minutes < need.offset


@given(visits())
def test_needs_stand_in_the_order_of_their_kinds(parts: tuple[Part, ...]) -> None:
    kinds = [list(ResourceKind).index(need.kind) for need in needs_of(parts)]

    assert kinds == sorted(kinds)


@given(visits())
def test_parts_are_read_back_as_they_were_written(parts: tuple[Part, ...]) -> None:
    assert read_parts(write_parts(parts)) == parts


@pytest.mark.parametrize(("offset", "minutes", "holds"), [(-5, 10, ()), (0, 0, ()), (3, 10, ()), (0, 7, ()),
                                                          (0, 10, (PEN, PEN))])
def test_a_part_that_cannot_be_is_refused(offset: int, minutes: int, holds: tuple[Hold, ...]) -> None:
    with pytest.raises(ValueError, match="part"):
        Part("procedure", offset, minutes, holds, OUR_DEFAULT)


def test_a_faulty_list_of_parts_names_the_place() -> None:
    document = write_parts(NEEDLING)
    document[2]["minutes"] = "30"
    document[3]["holds"][1]["kind"] = "chair"

    with pytest.raises(DocumentFaults) as caught:
        read_parts(document)

    assert [str(fault) for fault in caught.value.faults] == [
        "parts[2].minutes: must be a whole number",
        "parts[3].holds[1].kind: must be one of practitioner, room, device",
    ]
