from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.care.catalogue import library_documents, load_catalogue
from clinic.care.evidence import Evidence, Grade
from clinic.care.protocol_faults import broken_spacing
from clinic.care.protocols import (
    Interval,
    Protocol,
    ProtocolFaults,
    Sessions,
    gap_rules,
    maintenance_step,
    sessions_for,
    steps_for,
)

PROTOCOLS = {protocol.code: protocol for protocol in load_catalogue()}
DOCUMENTS = {document["code"]: document for document in library_documents()}
protocols = st.sampled_from(list(PROTOCOLS.values()))
each_protocol = pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)


def faults_of(document: dict[str, Any]) -> list[str]:
    with pytest.raises(ProtocolFaults) as caught:
        Protocol.from_document(document)
    return [str(fault) for fault in caught.value.faults]


@each_protocol
def test_a_protocol_survives_its_document(protocol: Protocol) -> None:
    stored = json.loads(json.dumps(protocol.to_document()))

    assert Protocol.from_document(stored) == protocol


def test_a_course_of_one_treatment_repeats_it_at_its_interval() -> None:
    steps = steps_for(PROTOCOLS["mn_rejuvenation"], 4)

    assert [(step.number, step.treatment, step.interval) for step in steps] == [
        (1, "skin-needling", None),
        (2, "skin-needling", Interval(28, 30, 56)),
        (3, "skin-needling", Interval(28, 30, 56)),
        (4, "skin-needling", Interval(28, 30, 56)),
    ]


def test_an_alternating_course_takes_turns_each_with_its_own_interval() -> None:
    steps = steps_for(PROTOCOLS["combo_lift_mn_rf"], 5)

    assert [(step.treatment, step.interval) for step in steps] == [
        ("skin-needling", None),
        ("rf-needling", Interval(28, 28, 56)),
        ("skin-needling", Interval(28, 35, 56)),
        ("rf-needling", Interval(28, 28, 56)),
        ("skin-needling", Interval(28, 35, 56)),
    ]


def test_treatments_of_the_same_session_are_one_step() -> None:
    steps = steps_for(PROTOCOLS["combo_ipl_nafl"], 3)

    assert [(step.treatment, step.modalities) for step in steps] == [("ipl-laser", ("ipl", "laser_nonablative"))] * 3


@given(protocols, st.integers(1, 30))
def test_a_course_has_as_many_steps_as_it_was_asked_for(protocol: Protocol, sessions: int) -> None:
    steps = steps_for(protocol, sessions)

    assert [step.number for step in steps] == list(range(1, sessions + 1))
    assert [step.interval is None for step in steps] == [True] + [False] * (sessions - 1)
    assert steps == steps_for(protocol, sessions + 1)[:-1]


@each_protocol
def test_intervals_of_a_course_never_contradict_its_spacing(protocol: Protocol) -> None:
    steps = steps_for(protocol, 8)
    days = [0]
    for step in steps[1:]:
        assert step.interval is not None
        days.append(days[-1] + step.interval.shortest)

    for rule in protocol.spacing:
        dated = list(zip(steps, days, strict=True))
        gaps = [late - early for first, early in dated for then, late in dated
                if first.number < then.number and (first.treatment, then.treatment) == (rule.first, rule.then)]
        assert min(gaps) >= rule.days


def test_a_spacing_that_the_shortest_intervals_break_is_named_with_the_days_that_they_leave() -> None:
    protocol = PROTOCOLS["combo_mn_peel"]
    needling, both, _, peel = protocol.spacing
    changed = replace(protocol, spacing=(replace(needling, days=43), replace(both, days=22), replace(peel, days=42)))

    assert [str(fault) for fault in broken_spacing(changed)] == [
        "spacing[0].days: is more than the 42 days that the shortest intervals leave between the two: change those as "
        "well",
        "spacing[1].days: is more than the 21 days that the shortest intervals leave between the two: change those as "
        "well"]
    assert list(broken_spacing(protocol)) == []


def test_a_course_without_sessions_is_no_course() -> None:
    with pytest.raises(ValueError, match="at least one session"):
        steps_for(PROTOCOLS["mn_rejuvenation"], 0)


def test_maintenance_counts_from_the_session_before() -> None:
    step = maintenance_step(PROTOCOLS["mn_rejuvenation"])

    assert (step.number, step.treatment, step.interval) == (1, "skin-needling", Interval(180, 270, 365))


def test_an_indication_may_have_a_count_of_sessions_of_its_own() -> None:
    protocol = PROTOCOLS["afl_resurfacing"]

    counts = {code: sessions_for(protocol, code).typical for code in ("photoageing", "acne_scars", "deep_lines")}

    assert counts == {"photoageing": 1, "acne_scars": 3, "deep_lines": 2}
    assert sessions_for(protocol, None) == protocol.sessions


def test_gaps_after_other_modalities_hold_for_every_treatment_of_the_protocol() -> None:
    rules = {(rule.first, rule.then): rule.days for rule in gap_rules(PROTOCOLS["combo_mn_peel"])}

    assert (rules["peel_medium", "skin-needling"], rules["peel_medium", "light-peel"]) == (90, 90)


def test_a_gap_of_no_days_is_no_rule() -> None:
    firsts = {rule.first for rule in gap_rules(PROTOCOLS["ipl_photorejuvenation"])}

    assert "neurotoxin" not in firsts


def test_only_protocols_against_laxity_lift() -> None:
    lifting = {code for code, protocol in PROTOCOLS.items() if protocol.is_lifting}

    assert lifting == {"mn_rejuvenation", "rfmn_laxity", "mrf_tightening", "mfu_lift", "combo_lift_mn_rf"}


@pytest.mark.parametrize(("shortest", "ideal", "longest"), [(0, 1, 2), (3, 2, 4), (1, 5, 4), (-1, 1, 1)])
def test_an_interval_out_of_order_cannot_be_built(shortest: int, ideal: int, longest: int) -> None:
    with pytest.raises(ValueError, match="out of order"):
        Interval(shortest, ideal, longest)


def test_sessions_out_of_order_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="out of order"):
        Sessions(4, 3, 6, Evidence(Grade.D))


def test_a_figure_without_sources_claims_no_better_grade_than_d() -> None:
    with pytest.raises(ValueError, match="grade D"):
        Evidence(Grade.A)


def test_every_fault_of_a_document_is_named_by_its_place() -> None:
    document = copy.deepcopy(DOCUMENTS["mn_rejuvenation"])
    document["cycle"][0]["interval"]["ideal"] = 90
    document["contraindications"][3]["kind"] = "sometimes"
    document["sessions"]["typical"] = True
    document["precare"][0]["text"] = "  "
    document["colour"] = "blue"
    del document["name"]

    faults = faults_of(document)

    assert sorted(faults) == [
        "colour: is not known here",
        "contraindications[3].kind: must be one of absolute, temporary, relative",
        "cycle[0].interval: interval out of order: Interval(shortest=28, ideal=90, longest=56)",
        "name: is missing",
        "precare[0].text: must not be blank",
        "sessions.typical: must be a whole number",
    ]


def test_contradictions_within_a_document_are_named_by_their_place() -> None:
    document = copy.deepcopy(DOCUMENTS["mn_rejuvenation"])
    document["cycle"][0]["treatment"] = "peeling"
    document["maintenance"]["treatment"] = "peeling"
    document["contraindications"].append(document["contraindications"][0])
    document["downtime"]["evidence"]["sources"] = ["hearsay"]
    document["mode"] = "alternating"

    faults = faults_of(document)

    last = len(document["contraindications"]) - 1
    assert sorted(faults) == [
        f"contraindications[{last}]: repeats an earlier one",
        "cycle[0].treatment: peeling is not a treatment of this protocol",
        "downtime.evidence.sources: hearsay is not among the sources",
        "maintenance.treatment: peeling is not a treatment of this protocol",
        "mode: is alternating where the cycle has several turns, and only there",
    ]


@pytest.mark.parametrize(("change", "fault"), [
    ({"kind": "absolute"}, "an absolute contraindication neither ends nor is waived"),
    ({"defer_until": ""}, "a temporary contraindication says when it ends"),
    ({"kind": "relative"}, "a relative contraindication is for a clinician to weigh"),
])
def test_a_contraindication_that_makes_no_sense_is_refused(change: dict[str, str], fault: str) -> None:
    document = copy.deepcopy(DOCUMENTS["mn_rejuvenation"])
    document["contraindications"][0] |= change

    assert faults_of(document) == [f"contraindications[0]: {fault}"]


@pytest.mark.parametrize("document", [None, [], "mn_rejuvenation", 7])
def test_what_is_no_object_is_no_protocol(document: object) -> None:
    with pytest.raises(ProtocolFaults, match="must be an object"):
        Protocol.from_document(document)


@given(st.data())
def test_a_document_with_anything_missing_is_refused_or_read_but_never_breaks(data: st.DataObject) -> None:
    document = copy.deepcopy(DOCUMENTS["peel_superficial"])
    place: Any = document
    while isinstance(place, dict | list) and place:
        keys = sorted(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or data.draw(st.booleans()):
            place[key] = data.draw(st.sampled_from([None, -1, "", [], {}, True, "x"]))
            break
        place = place[key]

    try:
        protocol = Protocol.from_document(document)
    except ProtocolFaults as error:
        assert error.faults
    else:
        assert Protocol.from_document(protocol.to_document()) == protocol
