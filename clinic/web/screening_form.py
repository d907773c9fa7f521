"""The screening part of a form: what is asked, what was answered, and what the rules say at which field."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from clinic.care.course_changes import MOST_DAYS
from clinic.care.guidance import Contraindication, ContraindicationKind
from clinic.care.protocols import Protocol, sessions_for
from clinic.care.screening import (
    DateAsked,
    LaxityGrade,
    Question,
    QuestionKind,
    ScreeningAnswers,
    questions,
)
from clinic.planning.findings import Finding
from clinic.web.forms import Form

_DATE_LABELS = {DateAsked.SINCE: "Since when", DateAsked.UNTIL: "Until when, if known", DateAsked.NO: ""}
_KINDS = {
    ContraindicationKind.ABSOLUTE: "not treated", ContraindicationKind.TEMPORARY: "has to wait",
    ContraindicationKind.RELATIVE: "a practitioner decides",
}


@dataclass(frozen=True, slots=True)
class ContraindicationRow:
    """One line of the list: what applies, what follows from it, and what else is then asked."""

    code: str
    title: str
    follows: str
    date_label: str
    date_hint: str
    clear_label: str


def indications(protocol: Protocol) -> list[tuple[str, str]]:
    """What a course of the protocol can be for, as choices."""
    return [(each.code, each.name) for each in protocol.indications]


def grades(protocol: Protocol) -> list[tuple[str, str]]:
    """The grades of laxity, as choices; none where the protocol does not ask."""
    asked = (question for question in questions(protocol) if question.kind is QuestionKind.LAXITY)
    return [(choice.code, choice.name) for question in asked for choice in question.choices]


def contraindication_rows(protocol: Protocol, *, may_override: bool) -> tuple[ContraindicationRow, ...]:
    """The lines of the list of contraindications, in the protocol's order."""
    return tuple(
        _row(question, question.contraindication, may_override)
        for question in questions(protocol) if question.contraindication is not None
    )


def read_answers(form: Form, protocol: Protocol, *, today: date, may_override: bool) -> ScreeningAnswers:
    """What was answered; a date or a reason counts only for what is ticked."""
    rows = contraindication_rows(protocol, may_override=may_override)
    asked = {question.code: question.date_asked for question in questions(protocol)}
    ticked = form.some_of("applies", "What applies", [row.code for row in rows])
    graded = grades(protocol)
    return ScreeningAnswers(
        indication=form.one_of("indication", "What the treatment is for", [code for code, _ in indications(protocol)]),
        laxity=LaxityGrade(form.one_of("laxity", "The laxity grade", LaxityGrade) or "none") if graded else None,
        none_apply=form.ticked("none_apply"),
        applies={code: _date(form, code, asked[code], today) for code in ticked},
        cleared=_cleared(form, [row for row in rows if row.code in ticked]),
    )


def read_sessions(form: Form, protocol: Protocol) -> int | None:
    """How many sessions are asked for: no more than a course has for what this one is for."""
    most = sessions_for(protocol, form.value("indication")).most
    return form.number("sessions", "The number of sessions", least=1, most=most)


def place_findings(form: Form, findings: Iterable[Finding], protocol: Protocol) -> None:
    """Puts each finding that stops the course at its field, and all others at the top of the form."""
    codes = {each.code for each in protocol.contraindications}
    for finding in findings:
        if finding.field in ("indication", "laxity", "sessions"):
            form.fault(finding.field, finding.text)
        elif finding.field == "contraindications":
            form.fault("none_apply", finding.text)
        elif finding.field in codes:
            form.fault(f"applies-{finding.field}", finding.text)
        else:
            form.findings.append(finding)


def _row(question: Question, reason: Contraindication, may_override: bool) -> ContraindicationRow:
    return ContraindicationRow(
        code=reason.code, title=reason.title, follows=_KINDS[reason.kind],
        date_label=_DATE_LABELS[question.date_asked],
        date_hint=f"Waits until {reason.defer_until}." if reason.defer_until else _wait(reason),
        clear_label=_clear_label(reason, may_override),
    )


def _wait(reason: Contraindication) -> str:
    return f"Waits {reason.defer_days} days." if reason.defer_days else ""


def _clear_label(reason: Contraindication, may_override: bool) -> str:
    """The label of the field by which it is cleared; empty where this account, or nobody, can do so."""
    if reason.kind is not ContraindicationKind.TEMPORARY:
        return ""
    if reason.defer_days is None:
        return "It is over: how do you know?"
    return "Waived by a practitioner: why?" if reason.waivable and may_override else ""


def _date(form: Form, code: str, asked: DateAsked, today: date) -> date | None:
    if asked is DateAsked.NO:
        return None
    latest = today if asked is DateAsked.SINCE else today + timedelta(days=MOST_DAYS)
    return form.date(f"date-{code}", "The date", required=False, latest=latest)


def _cleared(form: Form, rows: Iterable[ContraindicationRow]) -> dict[str, str]:
    given = {
        row.code: form.text(f"cleared-{row.code}", "The reason", most=500, required=False)
        for row in rows if row.clear_label
    }
    return {code: reason for code, reason in given.items() if reason}
