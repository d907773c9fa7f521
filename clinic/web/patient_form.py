"""The form of a patient: its fields, what they mean, and how two versions of it compare."""
from __future__ import annotations

from typing import Any

from clinic.care.translations import LANGUAGES
from clinic.planning.words import times_words
from clinic.queries.birth_dates import births
from clinic.queries.patient import PatientCard
from clinic.services.patients import CHANNELS, FIRST_BIRTH, PatientDetails, Wish
from clinic.web.entry import today
from clinic.web.forms import Form
from clinic.web.words import WEEKDAYS, clock, date_only

CHANNEL_WORDS = {"email": "E-mail", "phone": "Phone calls only", "none": "Not at all"}
WISHES = (("only", "Only these times", "Plans never leave these times. The desk can, once the patient agrees."),
          ("rather", "Rather these times", "Plans prefer these times, and say where they could not."))
MOST_WISHES = 6

_DAYS = tuple(str(number) for number in range(7))


def read_details(form: Form) -> PatientDetails:
    """What was typed about a patient; faults stay with the form."""
    return PatientDetails(
        given_name=form.text("given_name", "The first name", most=100),
        family_name=form.text("family_name", "The family name", most=100),
        birth_on=form.date("birth_on", "The birth date", required=False, earliest=FIRST_BIRTH, latest=today()),
        email=form.text("email", "The e-mail address", most=254, required=False) or None,
        phone=form.text("phone", "The phone number", most=40, required=False) or None,
        language=form.one_of("language", "A language", list(LANGUAGES)),
        channel=form.one_of("channel", "How the patient is reached", CHANNELS),
        wants_service_messages=form.ticked("service"),
        wants_marketing=form.ticked("marketing"),
        only_times=_read_wishes(form, "only"),
        rather_times=_read_wishes(form, "rather"),
        alerts=form.text("alerts", "The alerts", most=500, required=False, lines=True),
    )


def first_words(search: str) -> dict[str, str]:
    """What the form of a new patient begins with: what was looked for, in the field that it looks like."""
    if "@" in search:
        return {"email": search}
    if births(search):
        return {}
    if any(each.isdigit() for each in search):
        return {"phone": search}
    given, _, family = search.partition(" ")
    return {"given_name": given, "family_name": family}


def initial_of(card: PatientCard) -> dict[str, Any]:
    """What the fields show before anything is typed."""
    found: dict[str, Any] = {
        "given_name": card.given_name, "family_name": card.family_name, "birth_on": card.birth_on,
        "email": card.email, "phone": card.phone, "language": card.language, "channel": card.channel,
        "service": "yes" if card.wants_service_messages else "", "alerts": card.alerts,
        "marketing": "yes" if card.marketing_consent_at else "", "lock_version": card.lock_version,
    }
    for kind, wishes in (("only", card.only_times), ("rather", card.rather_times)):
        for place, wish in enumerate(wishes):
            found |= {f"{kind}-{place}-days": [str(each) for each in wish.weekdays],
                      f"{kind}-{place}-from": clock(wish.begins), f"{kind}-{place}-to": clock(wish.ends)}
    return found


def field_choices(form: Form) -> dict[str, Any]:
    """What the fields offer; of each kind of wish the rows that are used, and an empty one."""
    return {
        "channels": CHANNEL_WORDS, "languages": list(LANGUAGES.items()), "wish_kinds": WISHES,
        "weekdays": [(number, WEEKDAYS[int(number)][:3]) for number in _DAYS],
        "wishes": {kind: range(min(MOST_WISHES, max([-1, *_used(form, kind)]) + 2)) for kind, _, _ in WISHES},
    }


def compared(card: PatientCard, wanted: PatientDetails) -> list[tuple[str, str, str]]:
    """A patient as they are now and as was wanted, field by field."""
    return [
        ("First name", card.given_name, wanted.given_name),
        ("Family name", card.family_name, wanted.family_name),
        ("Born", date_only(card.birth_on) if card.birth_on else "",
         date_only(wanted.birth_on) if wanted.birth_on else ""),
        ("E-mail", card.email or "", wanted.email or ""),
        ("Phone", card.phone or "", wanted.phone or ""),
        ("Reached by", CHANNEL_WORDS[card.channel], CHANNEL_WORDS[wanted.channel]),
        ("Messages about appointments", _yes(card.wants_service_messages), _yes(wanted.wants_service_messages)),
        ("Offers and news", _yes(card.marketing_consent_at is not None), _yes(wanted.wants_marketing)),
        ("Only these times", times_words(card.only_times), times_words(wanted.only_times)),
        ("Rather these times", times_words(card.rather_times), times_words(wanted.rather_times)),
        ("Alerts", card.alerts, wanted.alerts),
    ]


def _read_wishes(form: Form, kind: str) -> tuple[Wish, ...]:
    found = []
    for place in range(MOST_WISHES):
        name = f"{kind}-{place}"
        days = form.some_of(f"{name}-days", "Weekdays", _DAYS)
        begins = form.time(f"{name}-from", "The beginning", required=False)
        ends = form.time(f"{name}-to", "The end", required=False)
        if not days and begins is None and ends is None:
            continue
        if not days:
            form.fault(f"{name}-days", "Choose the weekdays that these times are about.")
        elif ends is not None and ends <= (begins or 0):
            form.fault(f"{name}-to", "The end must be after the beginning.")
        else:
            found.append(Wish(tuple(int(each) for each in days), begins or 0, 1440 if ends is None else ends))
    return tuple(found)


def _used(form: Form, kind: str) -> list[int]:
    return [
        place for place in range(MOST_WISHES)
        if form.values(f"{kind}-{place}-days") or form.value(f"{kind}-{place}-from") or form.value(f"{kind}-{place}-to")
    ]


def _yes(is_so: bool) -> str:
    return "Yes" if is_so else "No"
