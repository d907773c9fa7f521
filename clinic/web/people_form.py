"""The form of a practitioner: name, qualifications, certificates, and the usual week of a new one."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from clinic.care.certificates import CERTIFICATE_KINDS
from clinic.care.parts import QUALIFICATIONS
from clinic.care.rotas import DaySpan, RotaWeeks, WeekSpan
from clinic.planning.findings import Finding
from clinic.queries.practitioners import PersonCard
from clinic.services.practitioners import CertificateDetails, Held, PractitionerDetails
from clinic.web.forms import Form
from clinic.web.words import WEEKDAYS, day

MOST_PERIODS = 4
MOST_PAPERS = 12
_DAYS = tuple(str(number) for number in range(7))


def read_details(form: Form, today: date) -> PractitionerDetails:
    """What was typed about a practitioner; faults stay with the form."""
    return PractitionerDetails(
        name=form.text("name", "The name", most=200), qualifications=_read_held(form, today),
        certificates=_read_papers(form))


def read_week(form: Form, clinics: Sequence[tuple[int, str, str]]) -> RotaWeeks | None:
    """The usual week of a new practitioner; none where no weekday is ticked."""
    days = form.some_of("days", "Weekdays", _DAYS)
    if not days:
        return None
    clinic = form.one_of("clinic", "A clinic", [str(ident) for ident, _, _ in clinics])
    spans = [read_hours(form, "opens", "closes")]
    starts_on = form.date("starts_on", "The first Monday")
    rest = read_break(form, "rest")
    if starts_on is None or form.faults:
        return None
    spans = [DaySpan(span.opens, span.closes, int(clinic)) for span in spans]
    return RotaWeeks(starts_on, tuple(
        WeekSpan(0, int(number), span) for number in days for span in (*spans, *([rest] if rest else []))))


def read_hours(form: Form, first: str, last: str) -> DaySpan:
    """From and to as typed; an end at or before the beginning is of the next day, if that is a night's work at most."""
    opens = form.time(first, "The beginning")
    closes = form.time(last, "The end")
    if opens is None or closes is None:
        return DaySpan(0, 1, None)
    if closes <= opens:
        closes += 1440
        if closes - opens > 12 * 60:
            form.fault(last, "The end must be after the beginning; past midnight at most 12 hours in all.")
    return DaySpan(opens, closes, None)


def read_break(form: Form, name: str) -> DaySpan | None:
    """A break between two times, of so many minutes; of no number: the whole span."""
    if not any(form.value(f"{name}_{part}") for part in ("from", "to", "minutes")):
        return None
    span = read_hours(form, f"{name}_from", f"{name}_to")
    minutes = form.number(f"{name}_minutes", "The minutes", least=5, most=1440, required=False)
    return DaySpan(span.opens, span.closes, None, minutes or span.closes - span.opens)


def place_findings(form: Form, findings: Iterable[Finding]) -> None:
    """Puts what is wrong at its field; what is wrong with the week is said once, however many days have it."""
    for finding in findings:
        if (finding.field or "").startswith("w0-"):
            form.fault("days", finding.text)
        else:
            form.add([finding])


def initial_of(card: PersonCard) -> dict[str, Any]:
    """What the fields show before anything is typed."""
    found: dict[str, Any] = {"name": card.name, "lock_version": card.lock_version}
    for code in QUALIFICATIONS:
        for place, each in enumerate([held for held in card.held if held.code == code]):
            found |= {f"held-{code}-{place}": "yes", f"held-{code}-{place}-from": each.valid_from,
                      f"held-{code}-{place}-until": each.expires_on}
    for place, paper in enumerate(card.certificates):
        found |= {f"paper-{place}-kind": paper.kind, f"paper-{place}-title": paper.title,
                  f"paper-{place}-from": paper.valid_from, f"paper-{place}-until": paper.expires_on}
    return found


def initial_of_new(today: date, clinic_id: int) -> dict[str, Any]:
    """A new practitioner works from Monday to Friday, from nine to six, at the clinic where this is typed."""
    return {"days": list("01234"), "opens": "09:00", "closes": "18:00", "clinic": clinic_id,
            "starts_on": today - timedelta(days=today.weekday())}


def field_choices(form: Form, clinics: Sequence[tuple[int, str, str]]) -> dict[str, Any]:
    """What the fields offer; of certificates the rows that are used, and an empty one."""
    return {
        "qualifications": [
            (code, words, range(max(1, _periods(form, code)))) for code, words in QUALIFICATIONS.items()],
        "papers": range(min(MOST_PAPERS, max([-1, *_used_papers(form)]) + 2)),
        "paper_kinds": list(CERTIFICATE_KINDS.items()), "clinic_choices": [(ident, name) for ident, name, _ in clinics],
        "weekdays": [(number, WEEKDAYS[int(number)][:3]) for number in _DAYS],
    }


def compared(card: PersonCard, wanted: PractitionerDetails) -> list[tuple[str, str, str]]:
    """A practitioner as they are now and as was wanted, field by field."""
    return [
        ("Name", card.name, wanted.name),
        ("Qualifications", held_words(card.held), held_words(wanted.qualifications)),
        ("Certificates", _papers_words(card.certificates), _papers_words(wanted.certificates)),
    ]


def held_words(held: Sequence[Any]) -> str:
    """Such as "Microneedling until Mon 1 Mar 2027, Superficial peels"."""
    return ", ".join(
        QUALIFICATIONS.get(each.code, each.code) + (f" until {day(each.expires_on)}" if each.expires_on else "")
        for each in held)


def _papers_words(papers: Sequence[Any]) -> str:
    return ", ".join(each.title + (f" until {day(each.expires_on)}" if each.expires_on else "") for each in papers)


def _read_held(form: Form, today: date) -> tuple[Held, ...]:
    found = []
    for code, words in QUALIFICATIONS.items():
        for place in range(MOST_PERIODS):
            name = f"held-{code}-{place}"
            if not form.ticked(name):
                continue
            since = form.date(f"{name}-from", f"{words}, from", required=False)
            until = form.date(f"{name}-until", f"{words}, until", required=False)
            found.append(Held(code, since or min(today, until or today), until))
    return tuple(found)


def _read_papers(form: Form) -> tuple[CertificateDetails, ...]:
    found = []
    for place in _used_papers(form):
        name = f"paper-{place}"
        kind = form.one_of(f"{name}-kind", "What kind of certificate it is", CERTIFICATE_KINDS)
        title = form.text(f"{name}-title", "The certificate, such as its register or insurer", most=200)
        since = form.date(f"{name}-from", "The first day")
        until = form.date(f"{name}-until", "The last day", required=False)
        if since is not None:
            found.append(CertificateDetails(kind, title, since, until))
    return tuple(found)


def _periods(form: Form, code: str) -> int:
    used = [place for place in range(MOST_PERIODS)
            if form.value(f"held-{code}-{place}") or form.value(f"held-{code}-{place}-from")]
    return max([-1, *used]) + 1


def _used_papers(form: Form) -> list[int]:
    return [place for place in range(MOST_PAPERS)
            if any(form.value(f"paper-{place}-{part}") for part in ("title", "from", "until"))]
