"""Rotas in words: a week on one line, the hours of a day."""
from __future__ import annotations

from collections.abc import Iterable, Mapping

from clinic.care.rotas import DaySpan, RotaWeeks, hours_words
from clinic.web.words import WEEKDAYS


def week_words(rota: RotaWeeks, clinics: Mapping[int, str]) -> str:
    """Such as "Mon – Fri at Porto" or "Mon, Wed at Porto; Fri at Vigo; 2 weeks in turn"."""
    days: dict[int, set[int]] = {}
    for each in rota.spans:
        if each.span.clinic_id is not None:
            days.setdefault(each.span.clinic_id, set()).add(each.weekday)
    words = [f"{_days(sorted(found))} at {clinics.get(ident, '?')}" for ident, found in days.items()]
    if rota.weeks > 1:
        words.append(f"{rota.weeks} weeks in turn")
    return "; ".join(words) or "No hours"


def hours_of(spans: Iterable[DaySpan], clinics: Mapping[int, str]) -> str:
    """Such as "09:00 – 17:00 Porto, break of 30 minutes between 12:00 – 14:00"."""
    return ", ".join(_span_words(span, clinics) for span in spans) or "Off"


def _span_words(span: DaySpan, clinics: Mapping[int, str]) -> str:
    if span.clinic_id is not None:
        return f"{hours_words(span)} {clinics.get(span.clinic_id, '?')}"
    if span.break_minutes == span.closes - span.opens:
        return f"break {hours_words(span)}"
    return f"break of {span.break_minutes} minutes between {hours_words(span)}"


def _days(days: list[int]) -> str:
    """Three or more in a row are a span."""
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return f"{WEEKDAYS[days[0]][:3]} – {WEEKDAYS[days[-1]][:3]}"
    return ", ".join(WEEKDAYS[each][:3] for each in days)
