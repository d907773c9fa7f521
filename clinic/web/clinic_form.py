"""The form of a clinic: its fields, its hours by weekday, and the zones of the world by region."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from clinic.care.states import PatientsMay
from clinic.queries.clinics import ClinicLine, Span
from clinic.services.clinics import ClinicDetails, Hours
from clinic.web.forms import Form
from clinic.web.words import WEEKDAYS, clock

_REGIONS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
MOST_SPANS = 4
USUAL = tuple((weekday, 540, 1080) for weekday in range(5))
"""Monday to Friday, 09:00 to 18:00: what the form of a new clinic begins with."""
START_STEPS = tuple((str(minutes), f"Every {minutes} minutes") for minutes in (5, 10, 15, 20, 30, 60))

PATIENTS_MAY = (
    (PatientsMay.NEVER.value, "Not on their page: they call"), (PatientsMay.ASK.value, "Ask: it becomes a task"),
    (PatientsMay.AT_ONCE.value, "At once, while there is notice"),
)

Choices = list[tuple[str, object]]


def read_clinic(form: Form) -> ClinicDetails:
    """What was typed about a clinic; faults stay with the form."""
    return ClinicDetails(
        name=form.text("name", "The name of the clinic"), zone=form.text("zone", "The time zone", most=64),
        address=form.text("address", "The address", most=500, lines=True),
        phone=form.text("phone", "The phone number", most=40),
        sender_name=form.text("sender_name", "The sender's name"),
        sender_email=form.text("sender_email", "The sender's e-mail address", most=254),
        hours=tuple(Hours((weekday,), opens, closes) for weekday, opens, closes in _read_hours(form)),
        booking_horizon_days=form.number("booking_horizon_days", "The days ahead", least=1, most=3660) or 1,
        quiet_from=form.time("quiet_from", "The beginning of the quiet hours") or 0,
        quiet_to=form.time("quiet_to", "The end of the quiet hours") or 0,
        start_step_minutes=form.number("start_step_minutes", "The minutes between starts", least=5, most=60) or 15,
        out_of_hours_phone=form.text("out_of_hours_phone", "The phone outside your hours", most=40, required=False),
        patients_move=_may(form, "patients_move"), patients_cancel=_may(form, "patients_cancel"),
        emergency_phone=form.text("emergency_phone", "The emergency number", most=40, required=False),
        notice_hours=_notice(form))


def initial_of(clinic: ClinicLine) -> dict[str, Any]:
    """What the fields show before anything is typed."""
    plain = ("name", "zone", "address", "phone", "sender_name", "sender_email", "booking_horizon_days",
             "start_step_minutes", "lock_version", "out_of_hours_phone", "patients_move", "patients_cancel",
             "emergency_phone")
    return {name: getattr(clinic, name) for name in plain} | {
        "notice_hours": str(clinic.notice_hours), "quiet_from": clock(clinic.quiet_from),
        "quiet_to": clock(clinic.quiet_to)} | hours_fields(clinic.hours)


def hours_fields(hours: Iterable[Span]) -> dict[str, str]:
    """The fields of opening hours; midnight at the end of a day is typed as 00:00."""
    found: dict[str, str] = {}
    places: defaultdict[int, int] = defaultdict(int)
    for weekday, opens, closes in hours:
        name = f"hours-{weekday}-{places[weekday]}"
        found |= {f"{name}-from": clock(opens), f"{name}-to": f"{closes // 60 % 24:02}:{closes % 60:02}"}
        places[weekday] += 1
    return found


def hours_rows(form: Form) -> list[tuple[str, list[str]]]:
    """Of each weekday its name and the fields to show: two spans, or what is used and an empty one."""
    return [(name, [f"hours-{weekday}-{at}" for at in range(_shown(form, weekday))])
            for weekday, name in enumerate(WEEKDAYS)]


def hours_words(hours: Iterable[Span]) -> str:
    """Such as "Mon, Tue 09:00 – 18:00; Fri 22:00 – 02:00"."""
    days: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for weekday, opens, closes in hours:
        days[opens, closes].append(weekday)
    return "; ".join(f"{_days(weekdays)} {clock(opens)} – {clock(closes)}"
                     for (opens, closes), weekdays in sorted(days.items(), key=lambda each: each[1][0]))


def spans_of(details: ClinicDetails) -> tuple[Span, ...]:
    """The hours of a clinic's details, one by one."""
    return tuple(sorted((day, each.opens, each.closes) for each in details.hours for day in each.weekdays))


def compared(clinic: ClinicLine, wanted: ClinicDetails) -> list[tuple[str, str, str]]:
    """A clinic as it is now and as was wanted, field by field."""
    labels = {"name": "Name", "zone": "Time zone", "address": "Address", "phone": "Phone", "sender_name": "Sender",
              "sender_email": "Sender's e-mail", "booking_horizon_days": "Days ahead",
              "start_step_minutes": "Minutes between starts", "out_of_hours_phone": "Phone outside your hours",
              "patients_move": "Patients move", "patients_cancel": "Patients cancel",
              "emergency_phone": "Emergency number"}
    rows = [(label, str(getattr(clinic, name) or ""), str(getattr(wanted, name) or ""))
            for name, label in labels.items()]
    quiet = [f"{clock(each.quiet_from)} – {clock(each.quiet_to)}" for each in (clinic, wanted)]
    return [*rows, ("Hours of notice", str(clinic.notice_hours), str(wanted.notice_hours)),
            ("No messages", quiet[0], quiet[1]),
            ("Open", hours_words(clinic.hours), hours_words(spans_of(wanted)))]


def read_closing(form: Form, opens: str, closes: str, *, about: str = "", required: bool) -> tuple[int, int] | None:
    """Hours as two times of day: an end at or before the beginning is of the next date, 00:00 being midnight."""
    begins = form.time(opens, f"{about}: the opening time" if about else "The opening time", required=required)
    ends = form.time(closes, f"{about}: the closing time" if about else "The closing time", required=required)
    if begins is None and ends is None:
        return None
    if begins is None or ends is None:
        words = "say both, from when and until when."
        form.fault(opens if begins is None else closes, f"{about}: {words}" if about else words.capitalize())
        return None
    return begins, ends if ends > begins else ends + 1440


def zone_choices(current: str = "") -> Choices:
    """The zones of the world by region, for a select; the current one too where no region has it."""
    groups: Choices = list(_zones())
    known = {code for _, zones in _zones() for code, _ in zones}
    return groups if not current or current in known else [("Now", [(current, current)]), *groups]


@lru_cache(maxsize=1)
def _zones() -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for code in available_timezones():
        region, _, place = code.partition("/")
        if place and region in _REGIONS:
            found[region].append((code, place.replace("_", " ").replace("/", " – ")))
    return tuple((region, tuple(sorted(found[region], key=lambda each: each[1]))) for region in _REGIONS)


def _may(form: Form, name: str) -> PatientsMay:
    """What patients may do; a form that does not ask, such as that of the first run, leaves it at asking."""
    given = form.one_of(name, "what patients may do", [code for code, _ in PATIENTS_MAY], required=False)
    return PatientsMay(given) if given else PatientsMay.ASK


def _notice(form: Form) -> int:
    """The hours of notice, which nobody guesses where they are asked for: the form of the first run does not ask."""
    is_asked = any(name == "notice_hours" for name, _ in form.typed())
    given = form.number("notice_hours", "The hours of notice", least=0, most=336, required=is_asked)
    return 24 if given is None else given


def _read_hours(form: Form) -> list[Span]:
    found = []
    for weekday in range(7):
        for at in range(MOST_SPANS):
            name = f"hours-{weekday}-{at}"
            span = read_closing(form, f"{name}-from", f"{name}-to", about=WEEKDAYS[weekday], required=False)
            if span is not None:
                found.append((weekday, *span))
    return found


def _shown(form: Form, weekday: int) -> int:
    used = [at for at in range(MOST_SPANS)
            if form.value(f"hours-{weekday}-{at}-from") or form.value(f"hours-{weekday}-{at}-to")]
    return min(MOST_SPANS, max(2, max(used, default=0) + (2 if len(used) > 1 else 1)))


def _days(weekdays: list[int]) -> str:
    """Such as "Mon – Fri" for days in a row, "Mon, Wed" otherwise."""
    names = [WEEKDAYS[each][:3] for each in weekdays]
    in_a_row = len(weekdays) > 2 and weekdays == list(range(weekdays[0], weekdays[-1] + 1))
    return f"{names[0]} – {names[-1]}" if in_a_row else ", ".join(names)
