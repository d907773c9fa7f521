from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.care.catalogue import load_catalogue
from clinic.care.guidance import ContraindicationKind
from clinic.care.protocols import Protocol
from clinic.care.screening import (
    DateAsked,
    LaxityGrade,
    QuestionKind,
    Screening,
    ScreeningAnswers,
    ScreeningTask,
    holds_on,
    questions,
    screen,
)
from clinic.planning.findings import Weight, blocks

TODAY = date(2027, 3, 1)
PROTOCOLS = {protocol.code: protocol for protocol in load_catalogue()}
NEEDLING = PROTOCOLS["mn_rejuvenation"]
each_protocol = pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
protocols = st.sampled_from(list(PROTOCOLS.values()))
dates = st.dates(TODAY - timedelta(days=800), TODAY + timedelta(days=800))


def healthy(protocol: Protocol = NEEDLING, *, laxity: LaxityGrade = LaxityGrade.NONE) -> ScreeningAnswers:
    return ScreeningAnswers(protocol.indications[0].code, laxity, none_apply=True)


def saying(code: str, on: date | None = None, *, cleared: str | None = None) -> ScreeningAnswers:
    reasons = {} if cleared is None else {code: cleared}
    return ScreeningAnswers("fine_lines", LaxityGrade.NONE, applies={code: on}, cleared=reasons)


def said(screening: Screening) -> list[tuple[str, Weight, date | None]]:
    return [(finding.code, finding.weight, finding.until) for finding in screening.findings]


@each_protocol
def test_a_healthy_patient_is_screened_with_one_tick(protocol: Protocol) -> None:
    assert screen(protocol, healthy(protocol), today=TODAY) == Screening()


@each_protocol
def test_every_contraindication_is_asked_once_after_the_indication(protocol: Protocol) -> None:
    asked = questions(protocol)

    reasons = [each.contraindication for each in asked if each.kind is QuestionKind.CONTRAINDICATION]
    assert asked[0].kind is QuestionKind.INDICATION
    assert [choice.code for choice in asked[0].choices] == [each.code for each in protocol.indications]
    assert reasons == list(protocol.contraindications)


def test_laxity_is_asked_only_where_the_protocol_has_something_to_say_about_it() -> None:
    silent = {code for code, protocol in PROTOCOLS.items() if "laxity" not in {q.code for q in questions(protocol)}}

    assert silent == {"mn_acne_scar", "lhr_face", "lhr_body"}


def test_a_question_asks_for_the_date_that_counts() -> None:
    asked = {question.code: question.date_asked for question in questions(NEEDLING)}

    dated = (asked["isotretinoin_recent"], asked["pregnancy_or_breastfeeding"], asked["bleeding_disorder"])
    assert dated == (DateAsked.SINCE, DateAsked.UNTIL, DateAsked.NO)


def test_nothing_is_booked_on_answers_that_were_never_given() -> None:
    screening = screen(NEEDLING, ScreeningAnswers(), today=TODAY)

    assert [(finding.code, finding.field) for finding in screening.findings] == [
        ("unanswered", "contraindications"), ("indication-missing", "indication"), ("laxity-missing", "laxity"),
    ]
    assert blocks(screening.findings)


def test_none_of_these_and_one_of_these_cannot_both_be_true() -> None:
    answers = ScreeningAnswers("fine_lines", LaxityGrade.NONE, none_apply=True, applies={"herpes_history": None})

    findings = screen(NEEDLING, answers, today=TODAY).findings

    assert [(finding.code, finding.weight) for finding in findings] == [
        ("contradicting-answers", Weight.BLOCKS), ("herpes_history", Weight.WARNS)]


def test_an_answer_that_the_protocol_never_asked_for_is_not_lost() -> None:
    assert said(screen(NEEDLING, saying("left_handed"), today=TODAY)) == [("unknown-answer", Weight.BLOCKS, None)]


def test_an_absolute_contraindication_blocks_whatever_anyone_writes() -> None:
    screening = screen(NEEDLING, saying("bleeding_disorder", cleared="feels fine"), today=TODAY)

    assert said(screening) == [("bleeding_disorder", Weight.BLOCKS, None)]
    assert screening.earliest_on is None


def test_a_relative_contraindication_warns() -> None:
    assert said(screen(NEEDLING, saying("herpes_history"), today=TODAY)) == [("herpes_history", Weight.WARNS, None)]


def test_a_temporary_contraindication_counts_its_days_from_the_answer() -> None:
    screening = screen(NEEDLING, saying("sunburn_or_recent_tan", date(2027, 2, 25)), today=TODAY)

    assert said(screening) == [("sunburn_or_recent_tan", Weight.BLOCKS, date(2027, 3, 11))]
    assert screening.earliest_on == date(2027, 3, 11)
    assert screening.findings[0].text == "Sunburn, recent tan or sunbed use: wait 14 days."


def test_without_a_date_the_days_count_from_today() -> None:
    screening = screen(NEEDLING, saying("isotretinoin_recent"), today=TODAY)

    assert screening.earliest_on == TODAY + timedelta(days=180)


def test_days_that_have_passed_say_nothing() -> None:
    assert screen(NEEDLING, saying("sunburn_or_recent_tan", date(2027, 2, 15)), today=TODAY) == Screening()


def test_a_course_that_begins_late_enough_is_not_blocked() -> None:
    answers = saying("sunburn_or_recent_tan", TODAY)

    found = [said(screen(NEEDLING, answers, today=TODAY, first_on=date(2027, 3, day))) for day in (14, 15)]

    assert found == [[("sunburn_or_recent_tan", Weight.BLOCKS, date(2027, 3, 15))], []]


def test_what_has_no_count_of_days_blocks_until_staff_clear_it() -> None:
    open_ended = screen(NEEDLING, saying("open_wound"), today=TODAY)
    cleared = screen(NEEDLING, saying("open_wound", cleared="healed, seen today"), today=TODAY)

    assert said(open_ended) == [("open_wound", Weight.BLOCKS, None)]
    assert open_ended.findings[0].text == (
        "Open wound, sore or irritated skin in the area: wait until the skin is closed and calm.")
    assert cleared == Screening()


def test_clearing_needs_a_reason() -> None:
    assert blocks(screen(NEEDLING, saying("open_wound", cleared="  "), today=TODAY).findings)


def test_what_is_expected_to_be_over_blocks_until_then() -> None:
    screening = screen(NEEDLING, saying("pregnancy_or_breastfeeding", date(2027, 9, 1)), today=TODAY)

    assert said(screening) == [("pregnancy_or_breastfeeding", Weight.BLOCKS, date(2027, 9, 1))]


def test_an_expected_end_that_has_passed_is_for_staff_to_clear() -> None:
    screening = screen(NEEDLING, saying("pregnancy_or_breastfeeding", date(2027, 2, 1)), today=TODAY)

    assert said(screening) == [("pregnancy_or_breastfeeding", Weight.BLOCKS, None)]


def test_only_a_waivable_count_of_days_can_be_cleared_before_its_time() -> None:
    sunburn = screen(NEEDLING, saying("sunburn_or_recent_tan", TODAY, cleared="hardly pink"), today=TODAY)
    isotretinoin = screen(NEEDLING, saying("isotretinoin_recent", TODAY, cleared="low dose, Dr Park"), today=TODAY)

    assert blocks(sunburn.findings)
    assert isotretinoin == Screening()


def test_the_latest_of_several_blocks_decides_the_earliest_date() -> None:
    answers = ScreeningAnswers("fine_lines", LaxityGrade.NONE, applies={
        "sunburn_or_recent_tan": TODAY, "self_tan_recent": TODAY, "herpes_history": None})

    assert screen(NEEDLING, answers, today=TODAY).earliest_on == date(2027, 3, 15)


def test_severe_laxity_refuses_a_lifting_course_and_asks_for_a_consultation() -> None:
    screening = screen(PROTOCOLS["rfmn_laxity"], healthy(PROTOCOLS["rfmn_laxity"], laxity=LaxityGrade.SEVERE),
                       today=TODAY)

    assert said(screening) == [("severe-laxity", Weight.BLOCKS, None)]
    assert screening.tasks == (
        ScreeningTask("consultation", "Arrange a surgical consultation: the laxity is severe."),)


def test_severe_laxity_only_warns_where_nothing_is_to_be_lifted() -> None:
    protocol = PROTOCOLS["peel_superficial"]

    screening = screen(protocol, healthy(protocol, laxity=LaxityGrade.SEVERE), today=TODAY)

    assert said(screening) == [("severe-laxity", Weight.WARNS, None)]
    assert [task.code for task in screening.tasks] == ["consultation"]


def test_a_laxity_that_the_protocol_never_asks_about_says_nothing() -> None:
    protocol = PROTOCOLS["mn_acne_scar"]

    assert screen(protocol, healthy(protocol, laxity=LaxityGrade.SEVERE), today=TODAY) == Screening()


@pytest.mark.parametrize(("indication", "codes"), [("moderate_laxity", ["limited-lift"]), ("fine_lines", [])])
def test_a_limited_lift_warns_only_whom_it_is_meant_to_lift(indication: str, codes: list[str]) -> None:
    answers = ScreeningAnswers(indication, LaxityGrade.MODERATE, none_apply=True)

    assert [finding.code for finding in screen(NEEDLING, answers, today=TODAY).findings] == codes


def test_another_purpose_than_the_protocols_warns() -> None:
    answers = ScreeningAnswers("unwanted_hair_legs", LaxityGrade.NONE, none_apply=True)

    assert said(screen(NEEDLING, answers, today=TODAY)) == [("other-indication", Weight.WARNS, None)]


@given(protocols, st.data())
def test_each_kind_of_contraindication_weighs_as_it_should(protocol: Protocol, data: st.DataObject) -> None:
    reason = data.draw(st.sampled_from(protocol.contraindications))
    on = data.draw(st.none() | dates)
    answers = ScreeningAnswers(protocol.indications[0].code, LaxityGrade.NONE, applies={reason.code: on})

    findings = screen(protocol, answers, today=TODAY).findings

    weights = {ContraindicationKind.RELATIVE: Weight.WARNS}
    is_over = bool(reason.defer_days and on and on + timedelta(days=reason.defer_days) <= TODAY)
    assert [(finding.code, finding.weight) for finding in findings] == (
        [] if is_over and reason.kind is not ContraindicationKind.ABSOLUTE
        else [(reason.code, weights.get(reason.kind, Weight.BLOCKS))])


@given(protocols, st.data())
def test_the_earliest_date_is_the_first_that_no_dated_block_forbids(protocol: Protocol, data: st.DataObject) -> None:
    codes = [reason.code for reason in protocol.contraindications]
    applies = data.draw(st.dictionaries(st.sampled_from(codes), st.none() | dates, min_size=1))
    answers = ScreeningAnswers(protocol.indications[0].code, LaxityGrade.NONE, applies=applies)

    screening = screen(protocol, answers, today=TODAY)

    dated = [each for each in screening.findings if each.until and each.weight is Weight.BLOCKS]
    if screening.earliest_on is None:
        assert dated == []
    else:
        on_the_day = screen(protocol, answers, today=TODAY, first_on=screening.earliest_on).findings
        day_before = holds_on(dated, screening.earliest_on - timedelta(days=1))
        assert [each for each in on_the_day if each in dated] == []
        assert day_before != ()
