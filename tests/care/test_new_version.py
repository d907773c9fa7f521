"""A clinic's own version of a protocol: what it sets loses its source, all else is carried over."""
from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.care.catalogue import load_catalogue
from clinic.care.differences import differences
from clinic.care.evidence import OWN_FIGURE, Evidence, Grade
from clinic.care.figure_fields import COURSE, figure_rows, look_up
from clinic.care.guidance import Urgency
from clinic.care.new_version import FlagLine, PrecareLine, as_it_is, document_with
from clinic.care.outcomes import ALWAYS_KEEP, MissedRule
from clinic.care.parts import Part
from clinic.care.protocols import Interval, Protocol, ProtocolFaults

CATALOGUE = load_catalogue()
NEEDLING = next(each for each in CATALOGUE if each.code == "mn_rejuvenation")
protocols = st.sampled_from(CATALOGUE)


def made(protocol: Protocol, **change: Any) -> Protocol:
    """The protocol as it is but for this."""
    return Protocol.from_document(document_with(protocol, replace(as_it_is(protocol), **change)))


@pytest.mark.parametrize("protocol", CATALOGUE, ids=lambda protocol: protocol.code)
def test_a_protocol_wanted_as_it_is_says_the_same(protocol: Protocol) -> None:
    again = made(protocol)

    assert again == protocol
    assert differences(protocol, again) == ()


def test_a_version_that_says_nothing_of_missed_sessions_can_be_made_to() -> None:
    silent = replace(NEEDLING, missed=ALWAYS_KEEP)
    figures = {**as_it_is(silent).figures, "missed.forgot": "extend"}

    found = made(silent, figures=figures).missed

    assert made(silent) == silent
    assert (found.forgot, found.ill, found.evidence) == (MissedRule.EXTEND, MissedRule.KEEP, OWN_FIGURE)


@given(protocols.flatmap(lambda each: st.tuples(st.just(each), st.sampled_from(figure_rows(each)))), st.data())
def test_a_figure_that_is_set_loses_its_source_and_no_other_does(
    drawn: tuple[Protocol, Any], data: st.DataObject
) -> None:
    protocol, row = drawn
    field = data.draw(st.sampled_from(row.fields))
    before = as_it_is(protocol).figures[field.path]
    value = data.draw(st.sampled_from(sorted(field.choices)) if field.choices
                      else st.integers(field.least, field.most))
    document = document_with(protocol, replace(as_it_is(protocol), figures={
        **as_it_is(protocol).figures, field.path: value}))
    try:
        after = Protocol.from_document(document)
    except ProtocolFaults as error:
        place = field.path.rpartition(".")[0]
        assert {fault.place for fault in error.faults} <= {place, ""}, error
        return

    assert look_up(document, field.path) == value
    if value == before:
        assert after == protocol
    else:
        assert look_up(document, row.evidence)["note"] == OWN_FIGURE.note
        found = differences(protocol, after)
        assert len([each for each in found if not each.is_source]) == 1
        assert len([each for each in found if each.is_source]) <= 1


@given(protocols, protocols)
def test_what_differs_is_always_found_and_what_does_not_never(one: Protocol, other: Protocol) -> None:
    assert (differences(one, other) == ()) == (one == other)
    assert {(each.place, each.after, each.before) for each in differences(other, one)} == {
        (each.place, each.before, each.after) for each in differences(one, other)}


def test_a_difference_is_said_in_words() -> None:
    interval = replace(NEEDLING.cycle[0], interval=Interval(21, 30, 42))
    after = replace(NEEDLING, cycle=(interval,), indications=NEEDLING.indications[::-1][:4])

    found = [(each.place, each.before, each.after) for each in differences(NEEDLING, after)]

    old = NEEDLING.cycle[0].interval
    assert (("Days between sessions", "1", "interval"),
            f"{old.ideal} ({old.shortest} to {old.longest}) days", "30 (21 to 42) days") in found
    assert (("For", "Fine lines", "name"), "Fine lines", "") in found
    assert (("For", "order"), "texture · pores · mild_laxity · moderate_laxity",
            "moderate_laxity · mild_laxity · pores · texture") in found


def test_a_line_of_precare_is_changed_dropped_and_added() -> None:
    first, second, *rest = as_it_is(NEEDLING).precare
    changed = replace(second, days_before=second.days_before + 1)
    new = PrecareLine(None, 2, "Drink water.")

    found = made(NEEDLING, precare=(changed, *rest, new, PrecareLine(None, 1, "Sleep well."))).precare

    assert NEEDLING.precare[0] not in found
    assert (found[0].key, found[0].treatments, found[0].evidence) == (
        NEEDLING.precare[1].key, NEEDLING.precare[1].treatments, OWN_FIGURE)
    assert found[1:-2] == NEEDLING.precare[2:]
    assert [(each.key, each.days_before, each.text, each.evidence) for each in found[-2:]] == [
        ("own-1", 2, "Drink water.", OWN_FIGURE), ("own-2", 1, "Sleep well.", OWN_FIGURE)]
    assert first.place == 0


def test_a_second_version_of_ones_own_gives_new_lines_new_keys() -> None:
    once = made(NEEDLING, precare=(*as_it_is(NEEDLING).precare, PrecareLine(None, 2, "Drink water.")))

    twice = made(once, precare=(*as_it_is(once).precare, PrecareLine(None, 3, "Rest.")))

    assert [each.key for each in twice.precare[-2:]] == ["own-1", "own-2"]


def test_a_phase_of_aftercare_that_is_changed_is_the_clinics_own() -> None:
    first, *rest = as_it_is(NEEDLING).aftercare

    found = made(NEEDLING, aftercare=(replace(first, do=("Keep it clean",)), *rest)).aftercare

    assert (found[0].do, found[0].expect, found[0].evidence) == (
        ("Keep it clean",), NEEDLING.aftercare[0].expect, OWN_FIGURE)
    assert found[1:] == NEEDLING.aftercare[1:]


def test_a_sign_keeps_its_code_and_loses_its_source_when_it_is_changed() -> None:
    first, *rest = as_it_is(NEEDLING).red_flags
    urgent = replace(first, urgency=next(each for each in Urgency if each is not first.urgency))

    found = made(NEEDLING, red_flags=(urgent, *rest, FlagLine(None, "Dizziness", Urgency.SAME_DAY))).red_flags

    assert (found[0].code, found[0].evidence) == (NEEDLING.red_flags[0].code, OWN_FIGURE)
    assert found[1:-1] == NEEDLING.red_flags[1:]
    assert (found[-1].code, found[-1].text) == ("own-1", "Dizziness")


def test_a_part_that_takes_longer_is_the_clinics_own() -> None:
    check_in, *rest = NEEDLING.treatments[0].parts
    longer = Part(check_in.name, check_in.offset, check_in.minutes + 5, check_in.holds, Evidence(Grade.A, ("mine",)))

    found = made(NEEDLING, parts=((longer, *rest),)).treatments[0].parts

    assert found[0].evidence == OWN_FIGURE
    assert found[1:] == tuple(rest)


def test_the_figures_of_every_protocol_have_labels_of_their_own() -> None:
    for protocol in CATALOGUE:
        rows = figure_rows(protocol)
        assert len({(row.group, row.label) for row in rows}) == len(rows), protocol.code
        assert {row.group for row in rows} >= {COURSE}
