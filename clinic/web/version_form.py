"""The form of a further version of a protocol: its figures, its visits, and what the patient is told."""
from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from clinic.care.figure_fields import COURSE, GAPS, WAITS, FigureField, figure_rows
from clinic.care.guidance import Urgency
from clinic.care.new_version import AftercarePhase, FlagLine, PrecareLine, Wanted, as_it_is
from clinic.care.protocols import Protocol
from clinic.planning.findings import Finding
from clinic.web import parts_form
from clinic.web.forms import Form

MOST_LINES = 30
URGENCIES = ((Urgency.EMERGENCY.value, "Emergency"), (Urgency.SAME_DAY.value, "The same day"),
             (Urgency.NEXT_WORKING_DAY.value, "By the next working day"))
_LONGEST_LINE = 500
_LISTS = (("expect", "To expect"), ("do", "Do"), ("avoid", "Avoid"))
_RISING = "These go from small to large."
_IN_WORDS = {"interval": _RISING, "sessions": _RISING, "downtime": _RISING}


def field_name(path: str) -> str:
    """The name of the field for a place of the document."""
    return re.sub(r"[\[\].]+", "-", path).strip("-")


def read_wanted(form: Form, content: Protocol) -> Wanted:
    """What was typed; faults stay with the form."""
    return Wanted(
        name=form.text("name", "The name", most=200),
        figures={field.path: _figure(form, field, row.label) for row in figure_rows(content) for field in row.fields},
        parts=tuple(parts_form.read_parts(form, _parts_name(index), treatment.parts)
                    for index, treatment in enumerate(content.treatments)),
        precare=_read_precare(form, len(content.precare)),
        aftercare=tuple(_read_phase(form, index) for index in range(len(content.aftercare))),
        red_flags=_read_flags(form, len(content.red_flags)))


def initial_of(content: Protocol) -> dict[str, Any]:
    """What the fields show of a version."""
    told = as_it_is(content)
    found: dict[str, Any] = {"name": told.name, **{field_name(path): value for path, value in told.figures.items()}}
    for index, parts in enumerate(told.parts):
        found |= parts_form.initial_of(_parts_name(index), parts)
    for place, line in enumerate(told.precare):
        found |= {f"precare-{place}-days": line.days_before, f"precare-{place}-text": line.text}
    for place, flag in enumerate(told.red_flags):
        found |= {f"flag-{place}-text": flag.text, f"flag-{place}-urgency": flag.urgency.value}
    for place, phase in enumerate(told.aftercare):
        found |= {f"aftercare-{place}-from_hours": phase.from_hours, f"aftercare-{place}-to_hours": phase.to_hours}
        found |= {f"aftercare-{place}-{name}": "\n".join(getattr(phase, name)) for name, _ in _LISTS}
    return found


def asked(form: Form, content: Protocol) -> dict[str, Any]:
    """What the template needs: the rows of figures with the names of their fields, the tables, and two free lines."""
    return {
        "figures": {group: [(row.label, [(field_name(field.path), field) for field in row.fields])
                            for row in figure_rows(content) if row.group == group] for group in (COURSE, GAPS, WAITS)},
        "is_wrong": lambda *stems: any(name.startswith(stem) for name in form.faults for stem in stems),
        "tables": [(treatment.name, parts_form.table_of(form, _parts_name(index), treatment.parts))
                   for index, treatment in enumerate(content.treatments)],
        "precare_rows": range(_lines(form, "precare", len(content.precare))),
        "flag_rows": range(_lines(form, "flag", len(content.red_flags))),
        "phases": range(len(content.aftercare)), "lists": _LISTS, "urgencies": URGENCIES,
    }


def add_faults(form: Form, findings: Iterable[Finding], content: Protocol) -> None:
    """Puts what was found at places of the document at the fields for them, and all else at the top."""
    known = _fields_by_place(content)
    for finding in findings:
        place = finding.field or ""
        name = next((field for path, field in known.items() if path == place or path.startswith(f"{place}.")), None)
        if place and name:
            last = re.split(r"[.\[]", re.sub(r"\[\d+\]$", "", place))[-1]
            form.fault(name, _IN_WORDS.get(last, f"This {finding.text}." if finding.code == "document" else
                                           finding.text))
        else:
            form.findings.append(finding)


def _fields_by_place(content: Protocol) -> Mapping[str, str]:
    found = {"name": "name"}
    found |= {field.path: field_name(field.path) for row in figure_rows(content) for field in row.fields}
    found |= {f"treatments[{index}].parts": f"{_parts_name(index)}-0-name" for index in range(len(content.treatments))}
    found |= {f"aftercare[{index}]": f"aftercare-{index}-from_hours" for index in range(len(content.aftercare))}
    return found


def _parts_name(index: int) -> str:
    return f"parts-{index}"


def _figure(form: Form, field: FigureField, row: str) -> int | str:
    name, label = field_name(field.path), f"{row}: {field.label.lower()}"
    if field.choices is not None:
        return form.one_of(name, label, field.choices)
    return form.number(name, label, least=field.least, most=field.most) or 0


def _read_precare(form: Form, kept: int) -> tuple[PrecareLine, ...]:
    found = []
    for place in range(MOST_LINES):
        name = f"precare-{place}"
        text = form.text(f"{name}-text", f"Line {place + 1}", most=_LONGEST_LINE, required=False)
        days = form.number(f"{name}-days", f"The days before of line {place + 1}", least=0, most=365,
                           required=bool(text))
        if text:
            found.append(PrecareLine(place if place < kept else None, days or 0, text))
    return tuple(found)


def _read_flags(form: Form, kept: int) -> tuple[FlagLine, ...]:
    found = []
    for place in range(MOST_LINES):
        name = f"flag-{place}"
        text = form.text(f"{name}-text", f"Sign {place + 1}", most=_LONGEST_LINE, required=False)
        code = form.one_of(f"{name}-urgency", "How soon", [code for code, _ in URGENCIES], required=bool(text))
        if text and code:
            found.append(FlagLine(place if place < kept else None, text, Urgency(code)))
    if not found:
        form.fault("flag-0-text", "Name at least one sign with which a patient must call.")
    return tuple(found)


def _read_phase(form: Form, index: int) -> AftercarePhase:
    name = f"aftercare-{index}"
    lists = {each: _read_lines(form, f"{name}-{each}", label) for each, label in _LISTS}
    begins = form.number(f"{name}-from_hours", "The first hour", least=0, most=8760) or 0
    ends = form.number(f"{name}-to_hours", "The last hour", least=1, most=8760) or 0
    if ends and ends <= begins:
        form.fault(f"{name}-to_hours", "The last hour comes after the first.")
    return AftercarePhase(begins, ends, **lists)


def _read_lines(form: Form, name: str, label: str) -> tuple[str, ...]:
    typed = form.text(name, label, most=MOST_LINES * _LONGEST_LINE, required=False, lines=True)
    lines = tuple(line.strip() for line in typed.splitlines() if line.strip())
    if len(lines) > MOST_LINES or any(len(line) > _LONGEST_LINE for line in lines):
        form.fault(name, f"At most {MOST_LINES} lines of at most {_LONGEST_LINE} characters.")
    return lines


def _lines(form: Form, stem: str, kept: int) -> int:
    used = [place for place in range(MOST_LINES) if form.value(f"{stem}-{place}-text")]
    return min(MOST_LINES, max([kept - 1, *used]) + 3)
