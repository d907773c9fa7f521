"""Screening before a course: what is asked, and what the answers say about it."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from clinic.care.guidance import Contraindication, ContraindicationKind, Suitability
from clinic.care.protocols import Indication, Protocol
from clinic.planning.findings import Finding, Weight


class LaxityGrade(StrEnum):
    """How loose the skin is, as the clinician grades it."""

    NONE = "none"
    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"


class QuestionKind(StrEnum):
    """What a question is about, and so which answer it takes."""

    INDICATION = "indication"
    LAXITY = "laxity"
    CONTRAINDICATION = "contraindication"


class DateAsked(StrEnum):
    """Which date belongs to a yes: none, the one since when, or the one until when."""

    NO = "no"
    SINCE = "since"
    UNTIL = "until"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the answers to a question."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question; `code` names its answer, and the form field."""

    code: str
    kind: QuestionKind
    text: str
    choices: tuple[Choice, ...] = ()
    date_asked: DateAsked = DateAsked.NO
    contraindication: Contraindication | None = None


@dataclass(frozen=True, slots=True)
class ScreeningAnswers:
    """What the patient said: each contraindication that applies with its date, or that none does.

    `cleared` holds, by code, the reason why a contraindication that applied no longer stands in the way.
    """

    indication: str | None = None
    laxity: LaxityGrade | None = None
    none_apply: bool = False
    applies: Mapping[str, date | None] = field(default_factory=lambda: MappingProxyType({}))
    cleared: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class ScreeningTask:
    """What staff are to do because of the answers."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Screening:
    """What the answers say; `earliest_on` is the first date that no dated block forbids."""

    findings: tuple[Finding, ...] = ()
    tasks: tuple[ScreeningTask, ...] = ()
    earliest_on: date | None = None


_GRADES = (
    Choice(LaxityGrade.NONE, "None"),
    Choice(LaxityGrade.MILD, "Mild"),
    Choice(LaxityGrade.MODERATE, "Moderate"),
    Choice(LaxityGrade.SEVERE, "Severe, hanging folds"),
)
CONSULTATION = "consultation"


def questions(protocol: Protocol) -> tuple[Question, ...]:
    """Everything to ask before a course of the protocol, in order; laxity only where it matters for it."""
    purposes = tuple(Choice(each.code, each.name) for each in protocol.indications)
    indication = Question("indication", QuestionKind.INDICATION, "What is the treatment for?", purposes)
    laxity = Question("laxity", QuestionKind.LAXITY, "How loose is the skin in the area?", _GRADES)
    asked = (indication, laxity) if _asks_laxity(protocol) else (indication,)
    return asked + tuple(_question(each) for each in protocol.contraindications)


def screen(
    protocol: Protocol, answers: ScreeningAnswers, *, today: date, first_on: date | None = None
) -> Screening:
    """What the answers say about a course whose first session is on `first_on`, or on any date where none is given.

    What ends on a date says so in `until`, and says nothing about a first session on or after it.
    """
    heeded = [*_incomplete(protocol, answers), *_indication(protocol, answers), *_laxity(protocol, answers)]
    heeded += _contraindications(protocol, answers, today)
    earliest_on = max((each.until for each in heeded if each.weight is Weight.BLOCKS and each.until), default=None)
    findings = holds_on(heeded, first_on) if first_on else tuple(heeded)
    return Screening(findings, _tasks(protocol, answers), earliest_on)


def holds_on(findings: Sequence[Finding], day: date) -> tuple[Finding, ...]:
    """The findings that still say something about a session on that date."""
    return tuple(each for each in findings if each.until is None or day < each.until)


def date_asked(reason: Contraindication) -> DateAsked:
    """Which date belongs to a contraindication that applies."""
    if reason.defer_days:
        return DateAsked.SINCE
    return DateAsked.UNTIL if reason.kind is ContraindicationKind.TEMPORARY else DateAsked.NO


def answers_document(answers: ScreeningAnswers) -> dict[str, Any]:
    """The answers as they are kept; `answers_of` reads them back."""
    return {
        "indication": answers.indication, "laxity": answers.laxity, "none_apply": answers.none_apply,
        "applies": {code: on.isoformat() if on else None for code, on in answers.applies.items()},
        "cleared": dict(answers.cleared),
    }


def answers_of(document: Mapping[str, Any]) -> ScreeningAnswers:
    """The answers that were kept."""
    laxity = document.get("laxity")
    return ScreeningAnswers(
        indication=document.get("indication"), laxity=LaxityGrade(laxity) if laxity else None,
        none_apply=bool(document.get("none_apply")),
        applies={code: date.fromisoformat(on) if on else None for code, on in document.get("applies", {}).items()},
        cleared=dict(document.get("cleared", {})))


def findings_document(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """What the rules said, as it is kept beside the answers."""
    return [{**asdict(each), "until": each.until.isoformat() if each.until else None} for each in findings]


def _asks_laxity(protocol: Protocol) -> bool:
    return protocol.laxity.severe is not Suitability.NOT_INDICATION


def _question(reason: Contraindication) -> Question:
    return Question(reason.code, QuestionKind.CONTRAINDICATION, reason.question,
                    date_asked=date_asked(reason), contraindication=reason)


def _incomplete(protocol: Protocol, answers: ScreeningAnswers) -> Iterator[Finding]:
    """An unanswered question is no "no": nothing is booked on answers that were never given."""
    known = {each.code for each in protocol.contraindications}
    for code in answers.applies:
        if code not in known:
            yield Finding("unknown-answer", Weight.BLOCKS,
                          f"This protocol does not ask about “{code}”. Screen the patient again.", "contraindications")
    if answers.none_apply and answers.applies:
        yield Finding("contradicting-answers", Weight.BLOCKS,
                      "Something applies, and “none of these apply” is ticked too. Keep one of the two.",
                      "contraindications")
    if not answers.none_apply and not answers.applies:
        yield Finding("unanswered", Weight.BLOCKS, "Tick what applies to the patient, or “none of these apply”.",
                      "contraindications")


def _indication(protocol: Protocol, answers: ScreeningAnswers) -> Iterator[Finding]:
    if answers.indication is None:
        yield Finding("indication-missing", Weight.BLOCKS, "Say what the treatment is for.", "indication")
    elif _purpose(protocol, answers) is None:
        names = ", ".join(each.name.lower() for each in protocol.indications)
        yield Finding("other-indication", Weight.WARNS,
                      f"This protocol is for {names}. A practitioner must say why it is used here.", "indication")


def _purpose(protocol: Protocol, answers: ScreeningAnswers) -> Indication | None:
    return next((each for each in protocol.indications if each.code == answers.indication), None)


def _laxity(protocol: Protocol, answers: ScreeningAnswers) -> Iterator[Finding]:
    if not _asks_laxity(protocol):
        return
    if answers.laxity is None:
        yield Finding("laxity-missing", Weight.BLOCKS, "Grade the laxity of the skin.", "laxity")
    elif answers.laxity is LaxityGrade.SEVERE:
        yield _severe(protocol)
    elif answers.laxity is not LaxityGrade.NONE and _is_for_laxity(protocol, answers):
        yield from _unsuitable(protocol, answers.laxity)


def _severe(protocol: Protocol) -> Finding:
    if protocol.is_lifting:
        return Finding("severe-laxity", Weight.BLOCKS, "Severe laxity needs a surgical consultation: "
                       "this treatment would lift too little.", "laxity")
    return Finding("severe-laxity", Weight.WARNS, "The laxity is severe, and this treatment does not lift. "
                   "Offer a surgical consultation.", "laxity")


def _is_for_laxity(protocol: Protocol, answers: ScreeningAnswers) -> bool:
    """Mild laxity is no reason against a peel for pigment, so only a course against laxity is judged by it."""
    purpose = _purpose(protocol, answers)
    return purpose.lifts if purpose else protocol.is_lifting


def _unsuitable(protocol: Protocol, grade: LaxityGrade) -> Iterator[Finding]:
    suitability = protocol.laxity.moderate if grade is LaxityGrade.MODERATE else protocol.laxity.mild
    if suitability is Suitability.LIMITED:
        yield Finding("limited-lift", Weight.WARNS, f"For {grade.value} laxity this treatment lifts only a little. "
                      "Consider RF microneedling, monopolar RF, ultrasound or a combination.", "laxity")
    elif suitability is not Suitability.YES:
        yield Finding("no-lift", Weight.WARNS, f"This treatment does nothing for {grade.value} laxity.", "laxity")


def _contraindications(protocol: Protocol, answers: ScreeningAnswers, today: date) -> Iterator[Finding]:
    for reason in protocol.contraindications:
        if reason.code in answers.applies and not _is_cleared(reason, answers):
            finding = _weigh(reason, answers.applies[reason.code], today)
            if finding.until is None or finding.until > today:
                yield finding


def _is_cleared(reason: Contraindication, answers: ScreeningAnswers) -> bool:
    """Staff can say that an event is over; a count of days ends by itself, unless a clinician may waive it."""
    if reason.kind is not ContraindicationKind.TEMPORARY or not answers.cleared.get(reason.code, "").strip():
        return False
    return reason.waivable or reason.defer_days is None


def _weigh(reason: Contraindication, on: date | None, today: date) -> Finding:
    until = (on or today) + timedelta(days=reason.defer_days) if reason.defer_days else None
    if reason.kind is ContraindicationKind.ABSOLUTE:
        return Finding(reason.code, Weight.BLOCKS, f"{reason.title}: this treatment must not be given.", reason.code)
    if reason.kind is ContraindicationKind.RELATIVE:
        text = f"{reason.title}: a practitioner must say why the treatment may go ahead."
        return Finding(reason.code, Weight.WARNS, text, reason.code, until)
    return Finding(reason.code, Weight.BLOCKS, f"{reason.title}: wait {_how_long(reason)}.", reason.code,
                   until or _expected_end(on, today))


def _how_long(reason: Contraindication) -> str:
    days = reason.defer_days or 0
    count = f"{days} day" if days == 1 else f"{days} days"
    until = f"until {reason.defer_until}" if reason.defer_until else ""
    return ", and ".join(each for each in (count if days else "", until) if each)


def _expected_end(on: date | None, today: date) -> date | None:
    """An end that has passed while the reason still applies was no end: only staff can clear it now."""
    return on if on and on > today else None


def _tasks(protocol: Protocol, answers: ScreeningAnswers) -> tuple[ScreeningTask, ...]:
    refers = protocol.laxity.severe is Suitability.SURGICAL_CONSULTATION
    if answers.laxity is LaxityGrade.SEVERE and refers:
        return (ScreeningTask(CONSULTATION, "Arrange a surgical consultation: the laxity is severe."),)
    return ()
