"""The parts of a visit together, and their holds as lines of codes."""
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.care.catalogue import load_catalogue
from clinic.care.evidence import OUR_DEFAULT, OWN_FIGURE, Evidence, Grade
from clinic.care.other_visits import OTHER_KINDS, OTHER_VISITS
from clinic.care.parts import Hold, Part, ResourceKind
from clinic.care.visit_parts import SKILLS, judge_parts, kept_evidence, read_holds, written_holds

ROOM = Hold(ResourceKind.ROOM)


def part(name: str, offset: int, minutes: int, *holds: Hold) -> Part:
    """A part of ours."""
    return Part(name, offset, minutes, holds, OUR_DEFAULT)


@st.composite
def holds(draw: st.DrawFn, kind: ResourceKind) -> tuple[Hold, ...]:
    """Holds of one kind, as a part may have them."""
    skills = st.lists(st.sampled_from(sorted(SKILLS[kind])), unique=True, max_size=3).map(tuple)
    drawn = draw(st.lists(skills, max_size=3, unique_by=frozenset))
    return tuple(Hold(kind, each) for each in drawn)


@given(st.sampled_from(ResourceKind).flatmap(lambda kind: st.tuples(st.just(kind), holds(kind))))
def test_holds_are_read_back_as_they_were_written(case: tuple[ResourceKind, tuple[Hold, ...]]) -> None:
    kind, held = case

    assert read_holds(written_holds(held, kind), kind) == held


@pytest.mark.parametrize("line", ["magic", "laser+magic", "laser|", "|", "+", "ipl|magic", "any+ipl"])
def test_a_line_with_an_unknown_code_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="is not known"):
        read_holds(line, ResourceKind.PRACTITIONER)


def test_every_visit_of_the_library_can_be_written_in_the_form_and_is_sound() -> None:
    for treatment in (each for protocol in load_catalogue() for each in protocol.treatments):
        assert judge_parts(treatment.parts) == (), treatment.code
        for each in treatment.parts:
            read = [hold for kind in ResourceKind for hold in read_holds(written_holds(each.holds, kind), kind)]
            assert sorted(read, key=str) == sorted(each.holds, key=str)


def test_our_other_visits_are_sound_and_of_every_kind() -> None:
    assert tuple(visit.kind for visit in OTHER_VISITS) == OTHER_KINDS
    assert [judge_parts(visit.parts) for visit in OTHER_VISITS] == [()] * 4


@pytest.mark.parametrize(("parts", "words"), [
    ((), "at least one part"),
    ((part("visit", 5, 30, ROOM),), "begins when the patient arrives"),
    ((part("turnover", 0, 30, ROOM),), "name the part that the patient is here for"),
    ((part("visit", 0, 30, ROOM), part("turnover", 25, 10, ROOM)), "after all other parts"),
    ((part("visit", 0, 725, ROOM),), "at most 12 hours"),
    (tuple(part(f"part {place}", place * 5, 5, ROOM) for place in range(13)), "at most 12 parts"),
    ((part("visit", 0, 30),), "at least a practitioner, a room or a device"),
])
def test_what_is_no_visit_is_said_in_words(parts: tuple[Part, ...], words: str) -> None:
    found = judge_parts(parts)

    assert len(found) == 1
    assert words in found[0]


def test_what_is_just_allowed_is_not_found_fault_with() -> None:
    assert judge_parts((part("visit", 0, 705, ROOM), part("turnover", 705, 15))) == ()
    assert judge_parts(tuple(part(f"part {place}", place * 5, 5, ROOM) for place in range(12))) == ()


def test_a_part_keeps_its_source_only_while_it_says_the_same() -> None:
    cited = Evidence(Grade.B, ("label",))
    laser = Hold(ResourceKind.DEVICE, ("laser-nafl",))
    before = (Part("procedure", 0, 30, (ROOM, laser), cited), Part("turnover", 30, 15, (ROOM,), cited))

    same = kept_evidence((part("procedure", 0, 30, laser, ROOM), part("turnover", 30, 20, ROOM)), before)
    less = kept_evidence((part("procedure", 0, 30, ROOM), part("cooling", 30, 15, ROOM)), before)

    assert [each.evidence for each in same] == [cited, OWN_FIGURE]
    assert [each.evidence for each in less] == [OWN_FIGURE, OWN_FIGURE]
