from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.care.catalogue import load_catalogue
from clinic.care.guidance import Urgency
from clinic.care.instructions import aftercare, aftercare_at, checklist, longest_lead, red_flags
from clinic.care.protocols import Protocol, steps_for

PROTOCOLS = {protocol.code: protocol for protocol in load_catalogue()}
each_protocol = pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
protocols = st.sampled_from(list(PROTOCOLS.values()))
days = st.dates(date(2026, 1, 1), date(2030, 12, 31))


def keys(protocol: Protocol, number: int, treatment: str) -> list[str]:
    return [line.key for line in checklist(protocol, date(2027, 3, 29), number=number, treatment=treatment)]


def test_the_checklist_is_built_backwards_from_the_session() -> None:
    lines = checklist(PROTOCOLS["ipl_photorejuvenation"], date(2027, 4, 2))

    assert [(line.on, line.days_before, line.key) for line in lines] == [
        (date(2027, 3, 5), 28, "no_tan"),
        (date(2027, 3, 19), 14, "photosensitisers"),
        (date(2027, 3, 29), 4, "stop_retinoids"),
        (date(2027, 4, 1), 1, "antiviral_start"),
        (date(2027, 4, 2), 0, "arrival"),
    ]


@given(protocol=protocols, start_on=days, number=st.integers(1, 8))
def test_a_checklist_keeps_every_lead_in_dates_across_both_clock_changes(
    protocol: Protocol, start_on: date, number: int
) -> None:
    treatment = steps_for(protocol, number)[-1].treatment

    lines = checklist(protocol, start_on, number=number, treatment=treatment)

    assert [line.on for line in lines] == sorted(line.on for line in lines)
    assert all((start_on - line.on).days == line.days_before for line in lines)
    lead = longest_lead(protocol, number=number, treatment=treatment)
    assert lines[0].on == start_on - timedelta(days=lead)


@each_protocol
def test_no_line_of_a_checklist_is_said_twice(protocol: Protocol) -> None:
    for step in steps_for(protocol, 6):
        found = keys(protocol, step.number, step.treatment)
        assert len(found) == len(set(found))


def test_a_test_patch_is_asked_for_before_the_first_session_only() -> None:
    found = [number for number in (1, 2, 3) if "test_patch" in keys(PROTOCOLS["lhr_face"], number, "hair-removal-face")]

    assert found == [1]


def test_each_treatment_of_an_alternating_course_has_its_own_first_session() -> None:
    steps = steps_for(PROTOCOLS["combo_mn_peel"], 6)

    primed = [step.number for step in steps
              if "peel_priming" in keys(PROTOCOLS["combo_mn_peel"], step.number, step.treatment)]

    assert primed == [2]


def test_an_alternating_course_says_how_to_come_to_the_treatment_that_is_given() -> None:
    protocol = PROTOCOLS["combo_mn_peel"]

    texts = [checklist(protocol, date(2027, 3, 1), number=number, treatment=treatment)[-1].text
             for number, treatment in ((1, "skin-needling"), (2, "light-peel"))]

    assert texts == [
        "Come with clean skin and without make-up. Numbing cream needs 30 to 60 minutes before the treatment begins.",
        "Come with bare skin, and expect stinging for up to 10 minutes.",
    ]


def test_the_stricter_lead_holds_for_every_treatment_of_a_combination() -> None:
    protocol = PROTOCOLS["combo_lift_mn_rf"]

    leads = {treatment: [line.days_before for line in checklist(protocol, date(2027, 3, 1), treatment=treatment)
                         if line.key == "nsaid"] for treatment in ("skin-needling", "rf-needling")}

    assert leads == {"skin-needling": [7], "rf-needling": [7]}


def test_the_longest_lead_is_that_of_the_session_in_question() -> None:
    protocol = PROTOCOLS["peel_superficial"]

    assert (longest_lead(protocol), longest_lead(protocol, number=2)) == (28, 7)


@each_protocol
def test_aftercare_covers_four_weeks_without_a_hole_after_every_treatment(protocol: Protocol) -> None:
    for treatment in protocol.treatments:
        phases = aftercare(protocol, treatment=treatment.code)

        assert [phase.from_hours for phase in phases] == [0, *(phase.to_hours for phase in phases[:-1])]
        assert phases[-1].to_hours == 28 * 24


@given(protocol=protocols, hours=st.integers(0, 28 * 24 - 1))
def test_exactly_one_phase_of_aftercare_applies_at_a_time(protocol: Protocol, hours: int) -> None:
    for treatment in protocol.treatments:
        phase = aftercare_at(protocol, hours, treatment=treatment.code)

        assert phase is not None
        assert phase.from_hours <= hours < phase.to_hours


def test_aftercare_ends() -> None:
    assert aftercare_at(PROTOCOLS["mn_rejuvenation"], 28 * 24) is None


def test_each_treatment_of_an_alternating_course_has_its_own_aftercare() -> None:
    protocol = PROTOCOLS["combo_mn_peel"]

    peel = aftercare(protocol, treatment="light-peel")

    assert [phase.expect for phase in peel] == [
        phase.expect for phase in aftercare(PROTOCOLS["peel_superficial"], treatment="light-peel")]


@each_protocol
def test_red_flags_begin_with_the_most_urgent(protocol: Protocol) -> None:
    order = [list(Urgency).index(flag.urgency) for flag in red_flags(protocol)]

    assert order == sorted(order)
    assert len(order) == len(protocol.red_flags)
