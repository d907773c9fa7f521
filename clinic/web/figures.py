"""The figures of the business: the page, and each of its tables as a file."""
from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.figures.definitions import TOPICS, Topic, columns_at
from clinic.care.figures.months import MOST_MONTHS, Month, Months, month_named, month_of, usual_months
from clinic.care.figures.tables import By
from clinic.interchange.cells import harmless
from clinic.queries.accounts import ClinicCard
from clinic.queries.figures import Figures, Names, figures_of, names_of
from clinic.queries.figures_rows import Asked
from clinic.web import figure_words as words
from clinic.web.entry import allowed, here, today
from clinic.web.figure_drawings import drawings
from clinic.web.figure_sheets import SHEETS, Sheet
from clinic.web.kit import kit, now
from clinic.web.numbers import number_of
from clinic.web.pages import page

figures = Blueprint("figures", __name__)

ALL = "all"
EARLIEST = Month(1970, 1)
"""No clinic has figures from before that: our records begin later."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The filters of the address, with what was wrong with them."""

    clinics: tuple[ClinicCard, ...]
    clinic: str
    months: Months
    protocol_id: int | None
    practitioner_id: int | None
    fault: str = ""

    @property
    def ahead_at(self) -> int:
        """The clinic whose coming weeks are shown."""
        ids = [clinic.id for clinic in self.clinics]
        return here().clinic_id if here().clinic_id in ids else ids[0]

    def address(self) -> dict[str, Any]:
        """The same filters for another address."""
        return {"clinic": self.clinic, "from": self.months.first.code, "to": self.months.last.code,
                "protocol": self.protocol_id, "practitioner": self.practitioner_id}


@figures.get("/figures")
@allowed(Right.SEE_FIGURES)
def index() -> Response:
    """The figures of some months, beside as many before."""
    chosen = _chosen()
    found, names = _found(chosen)
    labels = _labels(chosen, names)
    return page(
        "figures/index.html", 422 if chosen.fault else 200, chosen=chosen, found=found, words=words,
        columns=columns_at(labels.notice), topics=TOPICS, topic=Topic, by=By, own_clinics=_own_clinics(), labels=labels,
        clinic_choices=[(str(clinic.id), clinic.name) for clinic in _own_clinics()],
        protocol_choices=[(str(ident), name) for ident, name in names.protocols],
        practitioner_choices=[(str(ident), name) for ident, name in names.practitioners],
        choices=_month_choices(chosen.months), quick=_quick(chosen),
        is_running=chosen.months.covers(today()), **drawings(found))


@figures.get("/figures/<name>.csv")
@allowed(Right.SEE_FIGURES)
def sheet(name: str) -> Response:
    """One table of the page as a file, with the definitions of its figures above it."""
    write, chosen = SHEETS.get(name) or abort(404), _chosen()
    found, names = _found(chosen)
    text = _written(write(found, _labels(chosen, names)))
    response = Response(f"\ufeff{text}", content_type="text/csv; charset=utf-8")
    file = f"{name}-{chosen.months.first.code}-{chosen.months.last.code}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{file}"'
    return response


def _found(chosen: Chosen) -> tuple[Figures, Names]:
    asked = Asked({clinic.id: clinic.zone for clinic in chosen.clinics},
                  {clinic.id: clinic.notice_hours for clinic in chosen.clinics}, chosen.months, now(),
                  chosen.protocol_id, chosen.practitioner_id)
    with kit().read() as db:
        return figures_of(db, asked, ahead_at=chosen.ahead_at), names_of(db)


def _chosen() -> Chosen:
    asked, own = request.args, _own_clinics()
    clinic = asked.get("clinic", str(here().clinic_id))
    clinics = own if clinic == ALL else tuple(each for each in own if str(each.id) == clinic)
    months, fault = _months(asked.get("from", ""), asked.get("to", ""))
    if not clinics:
        abort(404)
    protocol_id, practitioner_id = (number_of(asked, name) for name in ("protocol", "practitioner"))
    return Chosen(clinics, clinic, months, protocol_id, practitioner_id, fault)


def _months(first: str, last: str) -> tuple[Months, str]:
    usual = usual_months(today())
    if not (first or last):
        return usual, ""
    begins, ends = month_named(first), month_named(last)
    if begins is None or ends is None:
        return usual, "Choose the first and the last month. These are the usual ones."
    if ends < begins:
        return usual, "The last month lies before the first. These are the usual ones."
    if ends < EARLIEST:
        return usual, "There are no figures of those months. These are the usual ones."
    if ends > month_of(today()):
        return usual, "The last month has not begun yet. These are the usual ones."
    months = Months(begins, ends)
    if months.count > MOST_MONTHS:
        return Months(ends.plus(1 - MOST_MONTHS), ends), f"At most {MOST_MONTHS} months are shown: the last ones."
    return months, ""


def _month_choices(months: Months) -> list[tuple[str, str]]:
    """The last three years of months, the newest first, and those that are chosen."""
    latest = month_of(today())
    listed = [latest.plus(-each) for each in range(37)]
    more = [month for month in months if month not in listed]
    return [(month.code, words.month_words(month)) for month in sorted({*listed, *more}, reverse=True)]


def _quick(chosen: Chosen) -> list[tuple[str, str, bool]]:
    """Months that are asked for often: words, address, and whether they are shown now."""
    latest, usual = month_of(today()), usual_months(today())
    listed = (("Last 3 months", usual), ("Last 12 months", Months(usual.last.plus(-11), usual.last)),
              ("This month so far", Months(latest, latest)))
    return [(text, url_for("figures.index", **{**chosen.address(), "from": months.first.code, "to": months.last.code}),
             months == chosen.months) for text, months in listed]


def _own_clinics() -> tuple[ClinicCard, ...]:
    return tuple(clinic for clinic in here().clinics if here().may(Right.SEE_FIGURES, clinic.id))


def _labels(chosen: Chosen, names: Names) -> words.Labels:
    return words.Labels(dict(names.protocols), dict(names.practitioners),
                        {clinic.id: clinic.name for clinic in here().clinics},
                        {clinic.name: clinic.notice_hours for clinic in chosen.clinics})


def _written(sheet: Sheet) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for row in sheet:
        writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in row])
    return text.getvalue()
