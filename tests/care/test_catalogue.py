from __future__ import annotations

import copy
import re
from collections.abc import Iterator

import pytest

from clinic.care.catalogue import library_documents, load_catalogue, source_register
from clinic.care.documents import DocumentFaults
from clinic.care.evidence import Evidence, Grade
from clinic.care.parts import ResourceKind, needs_of, patient_minutes
from clinic.care.protocols import Mode, Protocol, ReviewStatus

CATALOGUE = load_catalogue()
BY_CODE = {protocol.code: protocol for protocol in CATALOGUE}
each_protocol = pytest.mark.parametrize("protocol", CATALOGUE, ids=BY_CODE)
VISIT_MINUTES = {
    "mn_rejuvenation": 90, "mn_acne_scar": 90, "rfmn_laxity": 120, "rfmn_acne_scar": 120, "nafl_rejuvenation": 105,
    "afl_resurfacing": 120, "ipl_photorejuvenation": 45, "mrf_tightening": 90, "mn_prp": 105, "peel_superficial": 45,
    "peel_medium": 60, "lhr_face": 30, "lhr_body": 60, "mfu_lift": 120, "combo_mn_peel": 90, "combo_rfmn_nafl": 150,
    "combo_rfmn_afl": 180, "combo_rfmn_prp": 135, "combo_afl_prp": 135, "combo_ipl_nafl": 135, "combo_lift_mn_rf": 120,
}


def patient_texts(protocol: Protocol) -> Iterator[str]:
    yield from (each.text for each in protocol.precare)
    yield from (each.text for each in protocol.red_flags)
    for phase in protocol.aftercare:
        yield from (*phase.expect, *phase.do, *phase.avoid)
    yield from (each.question for each in protocol.contraindications)


def test_the_library_holds_the_21_protocols_as_drafts() -> None:
    assert {code: protocol.review.status for code, protocol in BY_CODE.items()} == dict.fromkeys(
        VISIT_MINUTES, ReviewStatus.DRAFT)


def test_every_document_of_the_library_is_written_as_the_product_writes_it() -> None:
    assert [protocol.to_document() for protocol in CATALOGUE] == list(library_documents())


@each_protocol
def test_the_longest_visit_takes_the_minutes_that_the_facts_give(protocol: Protocol) -> None:
    longest = max(patient_minutes(treatment.parts) for treatment in protocol.treatments)

    assert longest == VISIT_MINUTES[protocol.code]


@each_protocol
def test_a_visit_holds_its_room_throughout_and_its_practitioner_only_while_needed(protocol: Protocol) -> None:
    for treatment in protocol.treatments:
        needs = needs_of(treatment.parts)
        rooms = [need for need in needs if need.kind is ResourceKind.ROOM]
        practitioners = {need.skills for need in needs if need.kind is ResourceKind.PRACTITIONER}

        assert [(room.offset, room.minutes) for room in rooms] == [(0, max(part.ends for part in treatment.parts))]
        assert len(practitioners) == 1
        assert needs[0].kind is ResourceKind.PRACTITIONER
        assert needs[0].offset >= 15


@each_protocol
def test_only_peels_need_no_device(protocol: Protocol) -> None:
    for treatment in protocol.treatments:
        has_device = any(need.kind is ResourceKind.DEVICE for need in needs_of(treatment.parts))

        assert has_device == (treatment.code not in ("light-peel", "medium-peel"))


def test_a_treatment_code_is_never_a_modality() -> None:
    treatments = {treatment.code for protocol in CATALOGUE for treatment in protocol.treatments}
    modalities = {gap.after for protocol in CATALOGUE for gap in protocol.gaps}

    assert treatments & modalities == set()


@each_protocol
def test_every_modality_of_a_treatment_is_one_that_gaps_speak_of(protocol: Protocol) -> None:
    modalities = {gap.after for each in CATALOGUE for gap in each.gaps} | {"laser_hair_removal"}

    assert {each for treatment in protocol.treatments for each in treatment.modalities} <= modalities


def test_no_figure_of_ours_names_a_source_and_no_other_lacks_one() -> None:
    found = [each for protocol in CATALOGUE for each in evidence_of(protocol.to_document())]

    assert found
    assert all(each.our_default != bool(each.sources) for each in found)
    assert all(each.grade is Grade.D for each in found if each.our_default)


def evidence_of(value: object) -> Iterator[Evidence]:
    if isinstance(value, list):
        for each in value:
            yield from evidence_of(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            if name == "evidence":
                yield Evidence(Grade(each["grade"]), tuple(each.get("sources", ())), each.get("our_default", False))
            else:
                yield from evidence_of(each)


@each_protocol
def test_a_protocol_carries_exactly_the_sources_that_it_cites(protocol: Protocol) -> None:
    cited = {code for each in evidence_of(protocol.to_document()) for code in each.sources}

    assert [source.code for source in protocol.sources] == sorted(cited)
    assert set(protocol.sources) <= set(source_register())


@each_protocol
def test_no_patient_is_told_to_stop_a_prescribed_medicine(protocol: Protocol) -> None:
    leaves_off = re.compile(r"\b(leave|avoid|stop|no|off)\b")
    medicines = re.compile(r"retinoid|acids|benzoyl|acne products|active skin|anti-inflammator|blood thinner|tablets")
    told = [each.text.lower() for each in protocol.precare if leaves_off.search(each.text.lower())]
    told += [text.lower() for phase in protocol.aftercare for text in phase.avoid]

    about_medicine = [text for text in told if medicines.search(text)]

    assert [text for text in about_medicine if not re.search(r"prescribed|prescriber|buy yourself", text)] == []


@each_protocol
def test_patients_are_written_to_in_finished_sentences_without_shorthand(protocol: Protocol) -> None:
    for text in patient_texts(protocol):
        assert text[0].isupper(), text
        assert not re.search(r"\bclients?\b|\bin sources\b|\bRCT\b|\d ?h\b|\d ?d\b|\bHSV\b|\bNSAIDs?\b", text), text
    assert all(instruction.text.endswith(".") for instruction in protocol.precare)
    assert all(reason.question.endswith("?") for reason in protocol.contraindications)


@each_protocol
def test_every_dated_contraindication_says_which_date_it_means(protocol: Protocol) -> None:
    for reason in protocol.contraindications:
        assert bool(reason.date_label) == bool(reason.defer_days or reason.kind == "temporary"), reason.code


def test_an_alternating_course_keeps_the_safety_words_of_each_treatment() -> None:
    arrivals = {each.treatments: each.text for each in BY_CODE["combo_lift_mn_rf"].precare if each.key == "arrival"}

    assert arrivals.keys() == {("skin-needling",), ("rf-needling",)}
    assert "pacemaker" in arrivals["rf-needling",]


def test_every_course_with_a_blood_draw_prepares_for_it() -> None:
    drawing = {protocol.code for protocol in CATALOGUE for treatment in protocol.treatments
               if any(part.name == "blood-draw" for part in treatment.parts)}
    prepared = {protocol.code for protocol in CATALOGUE
                if {"prp_hydrate", "prp_nsaid"} <= {each.key for each in protocol.precare}
                and "bruise_arm" in {flag.code for flag in protocol.red_flags}}

    assert drawing == prepared == {"mn_prp", "combo_rfmn_prp", "combo_afl_prp"}


def test_combinations_say_how_their_treatments_are_combined() -> None:
    modes = {code: protocol.mode for code, protocol in BY_CODE.items() if protocol.mode is not Mode.SINGLE}

    assert modes == {
        "combo_mn_peel": Mode.ALTERNATING, "combo_lift_mn_rf": Mode.ALTERNATING,
        "combo_rfmn_nafl": Mode.SAME_SESSION, "combo_rfmn_afl": Mode.SAME_SESSION,
        "combo_rfmn_prp": Mode.SAME_SESSION, "combo_afl_prp": Mode.SAME_SESSION, "combo_ipl_nafl": Mode.SAME_SESSION,
    }


def test_two_protocols_of_one_code_are_refused() -> None:
    documents = [*library_documents(), copy.deepcopy(library_documents()[0])]

    with pytest.raises(DocumentFaults) as caught:
        load_catalogue(documents)

    assert [str(fault) for fault in caught.value.faults] == ["mn_rejuvenation.code: is the code of another protocol"]


def test_faults_of_all_protocols_are_gathered() -> None:
    documents = list(copy.deepcopy(library_documents()))
    del documents[0]["name"]
    documents[1]["treatments"][0]["name"] = "Dermarolling"
    documents[4]["treatments"][0]["parts"][0]["holds"][0]["skills"] = ["moonlight"]

    with pytest.raises(DocumentFaults) as caught:
        load_catalogue(documents)

    assert [str(fault) for fault in caught.value.faults][:3] == [
        "mn_rejuvenation.name: is missing",
        "nafl_rejuvenation.treatments: moonlight is not a known skill of a room",
        "combo_mn_peel.treatments: skin-needling differs from that of mn_acne_scar",
    ]
