"""The clinic, the patient and the letters that the tests of messages speak about."""
from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from clinic.messages.letters import (
    AftercarePhase,
    ClinicCard,
    Instruction,
    Kind,
    Letter,
    Offer,
    OwnWords,
    RedFlag,
    RequestKind,
    Section,
    Urgency,
    VisitLine,
    VisitState,
)

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
LINK = "https://book.harbour.example/l/7Qp2mXv0aK"
RULE = "You can move or cancel an appointment free of charge until two working days before it."

CLINIC = ClinicCard(
    name="Harbour Clinic",
    address=("12 Quay Street", "Lisbon 1200-109"),
    phone="+351 21 555 01 20",
    zone="Europe/Lisbon",
    sender_email="hello@harbour.example",
    out_of_hours_phone="+351 21 555 01 99",
)

EXPECTED = AftercarePhase(
    0, 24, ("redness and warmth like a sunburn", "tightness, mild swelling"),
    ("rinse only with lukewarm water and clean hands", "sleep on a clean pillowcase"),
    ("make-up and sunscreen on the treated area", "exercise, sauna, hot bath, swimming"),
)
FADING = AftercarePhase(
    24, 72, ("redness fading, mostly gone by the third day", "dryness, a rough feel"),
    ("gentle cleanser, plain moisturiser", "mineral sunscreen SPF 30 or more"), ("picking or scrubbing",),
)
LATER = AftercarePhase(72, 168, ("light flaking",), ("keep moisturising, sunscreen every day",), ("cleansing brushes",))
FLAGS = (
    RedFlag("Trouble breathing, swelling of lips or tongue, collapse", Urgency.EMERGENCY),
    RedFlag("Redness, warmth, pain or swelling that grows instead of fading, pus, or fever", Urgency.SAME_DAY),
    RedFlag("Marked redness or swelling still there after 7 days", Urgency.NEXT_WORKING_DAY),
)
INSTRUCTIONS = (
    Instruction("No sunbathing, sunbed or spray tan. Sunburnt? Then you need a new date.", date(2027, 2, 16)),
    Instruction("No waxing or hair removal cream on the area.", date(2027, 2, 23)),
    Instruction("Leave out retinoids, acids and scrubs.", date(2027, 2, 25)),
    Instruction("Come with clean skin and no make-up.", date(2027, 3, 2)),
    Instruction("Allow an hour and a half in all.", date(2027, 3, 2)),
)


def visit(day: date, hour: int = 10, **more: object) -> VisitLine:
    """An appointment of an hour and a half, at a full hour UTC."""
    starts_at = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    return VisitLine(starts_at, starts_at + timedelta(minutes=90), "Europe/Lisbon", **more)  # type: ignore[arg-type]


FIRST = visit(date(2027, 3, 2), number=1, of=4, practitioner="Dr Inês Duarte")
SECOND = visit(date(2027, 4, 1), 9, number=2, of=4, practitioner="Dr Inês Duarte")
THIRD = visit(date(2027, 5, 3), 13, number=3, of=4, practitioner="Marta Reis")
FOURTH = visit(date(2027, 6, 2), 8, number=4, of=4, practitioner="Dr Inês Duarte")


def kept(line: VisitLine) -> VisitLine:
    """The same date, said to stay."""
    return VisitLine(
        line.starts_at, line.ends_at, line.zone, VisitState.KEPT, line.number, line.of, practitioner=line.practitioner
    )


MOVED = visit(
    date(2027, 4, 8), 14, state=VisitState.MOVED, number=2, of=4, practitioner="Dr Inês Duarte",
    old_starts_at=SECOND.starts_at,
)
MOVED_LAST = visit(
    date(2027, 6, 9), 8, state=VisitState.MOVED, number=4, of=4, old_starts_at=FOURTH.starts_at,
    place="Hill Clinic, Porto",
)
CANCELLED = visit(date(2027, 4, 1), 9, state=VisitState.CANCELLED, number=2, of=4)


def letter(*sections: Section, **more: object) -> Letter:
    """A letter to Ana."""
    return Letter("en", "Ana", CLINIC, sections, **more)  # type: ignore[arg-type]


LETTERS: dict[str, Letter] = {
    "confirmation": letter(
        Section(Kind.CONFIRMATION, (FIRST, SECOND, THIRD, FOURTH), note=RULE, link=LINK),
        calendars=(b"BEGIN:VCALENDAR\r\nMETHOD:PUBLISH\r\nEND:VCALENDAR\r\n",),
    ),
    "confirmation-single": letter(Section(Kind.CONFIRMATION, (visit(date(2027, 11, 8)),), note=RULE)),
    "confirmation-undated": letter(Section(Kind.CONFIRMATION, (FIRST, SECOND), undated=2)),
    "precare": letter(Section(Kind.PRECARE, (FIRST,), instructions=INSTRUCTIONS, link=LINK)),
    "precare-late": letter(
        Section(Kind.PRECARE, (FIRST,), instructions=INSTRUCTIONS, written_on=date(2027, 2, 24))
    ),
    "reminder-7d": letter(Section(Kind.REMINDER_7D, (FIRST,), link=LINK)),
    "reminder-2d": letter(Section(Kind.REMINDER_2D, (FIRST,), note=RULE)),
    "change": letter(
        Section(Kind.CHANGE, (kept(FIRST), MOVED, kept(THIRD), kept(FOURTH)), link=LINK),
        calendars=(b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n",),
    ),
    "change-several": letter(
        Section(Kind.CHANGE, (CANCELLED, kept(FIRST), visit(date(2027, 4, 6), number=2, of=4), MOVED_LAST), undated=1)
    ),
    "change-added": letter(
        Section(Kind.CHANGE, (kept(FIRST), kept(SECOND), THIRD), undated=1),
        calendars=(b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n",),
    ),
    "clinic-change": letter(
        Section(Kind.CLINIC_CHANGE, (kept(FIRST), MOVED, kept(THIRD), kept(FOURTH)), link=LINK),
        calendars=(b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n",),
    ),
    "clinic-change-several": letter(
        Section(Kind.CLINIC_CHANGE, (kept(FIRST), MOVED, kept(THIRD), MOVED_LAST), undated=1)),
    "cancellation-by-clinic": letter(Section(Kind.CANCELLATION, (kept(FIRST), CANCELLED), by_clinic=True)),
    "cancellation": letter(Section(Kind.CANCELLATION, (kept(FIRST), CANCELLED), note="No fee applies.")),
    "aftercare": letter(
        Section(Kind.AFTERCARE, phases=(EXPECTED, FADING, LATER), red_flags=FLAGS, treated_at=NOW)
    ),
    "check-in-24h": letter(Section(Kind.CHECK_IN_24H, phases=(EXPECTED,), red_flags=FLAGS, treated_at=NOW)),
    "check-in-72h": letter(
        Section(Kind.CHECK_IN_72H, phases=(FADING,), red_flags=FLAGS, treated_at=NOW, link=LINK)
    ),
    "course-complete": letter(
        Section(Kind.COURSE_COMPLETE, offer=Offer(date(2027, 11, 1), date(2027, 12, 13)), link=LINK)
    ),
    "course-complete-booked": letter(Section(Kind.COURSE_COMPLETE, (visit(date(2027, 11, 8)),))),
    "cancellation-several": letter(Section(Kind.CANCELLATION, (
        CANCELLED, visit(date(2027, 5, 3), 13, state=VisitState.CANCELLED, number=3, of=4)))),
    "recall": letter(Section(Kind.RECALL, offer=Offer(date(2027, 11, 1), date(2027, 12, 13)), link=LINK)),
    "nudge-14d": letter(Section(Kind.NUDGE_14D, offer=Offer(date(2027, 4, 12), date(2027, 5, 10)))),
    "nudge-ideal": letter(Section(Kind.NUDGE_IDEAL, offer=Offer(date(2027, 4, 14), date(2027, 5, 10)), link=LINK)),
    "out-of-window": letter(Section(Kind.OUT_OF_WINDOW, offer=Offer(date(2027, 5, 10), date(2027, 5, 10)), link=LINK)),
    "review-visit": letter(Section(Kind.REVIEW_VISIT, offer=Offer(date(2027, 8, 2), date(2027, 8, 30)), link=LINK)),
    "review-request": letter(Section(Kind.REVIEW_REQUEST, link=LINK)),
    "rule-in-its-version": replace(
        letter(Section(Kind.CONFIRMATION, (FIRST,))),
        clinic=replace(CLINIC, own=OwnWords(cancellation=(RULE,), cancellation_of=date(2027, 3, 1)))),
    "dates-held": letter(
        Section(Kind.DATES_HELD, (FIRST, SECOND, THIRD), undated=1, held_until=date(2027, 3, 1))),
    "dates-held-single": letter(Section(Kind.DATES_HELD, (FIRST,), held_until=date(2027, 3, 1), note=RULE)),
    "dates-released": letter(Section(Kind.DATES_RELEASED, (
        CANCELLED, visit(date(2027, 5, 3), 13, state=VisitState.CANCELLED, number=3, of=4)))),
    "other-visit": letter(
        Section(Kind.CONFIRMATION, (visit(date(2027, 3, 2), practitioner="Dr Inês Duarte"),)),
        calendars=(b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n",),
    ),
    "other-visit-moved": letter(Section(Kind.CHANGE, (visit(
        date(2027, 3, 9), state=VisitState.MOVED, practitioner="Dr Inês Duarte", old_starts_at=FIRST.starts_at),))),
    "other-visit-missed": letter(Section(Kind.MISSED, (visit(date(2027, 3, 2), state=VisitState.KEPT),))),
    "missed": letter(Section(Kind.MISSED, (kept(FIRST),))),
    "late-booking": letter(
        Section(Kind.CONFIRMATION, (FIRST,), note=RULE, link=LINK),
        Section(Kind.PRECARE, (FIRST,), instructions=INSTRUCTIONS, written_on=date(2027, 3, 1)),
        calendars=(b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n",),
    ),
    "many-dates": letter(Section(Kind.CONFIRMATION, tuple(
        visit(date(2027 + month // 12, month % 12 + 1, 9), number=month - 1, of=14) for month in range(2, 14)),
        undated=2, link=LINK)),
    "no-number-out-of-hours": replace(
        letter(Section(Kind.AFTERCARE, phases=(EXPECTED,), red_flags=FLAGS, treated_at=NOW)),
        clinic=replace(CLINIC, out_of_hours_phone=None)),
    "elsewhere-in-another-zone": letter(
        Section(Kind.REMINDER_7D, (replace(FIRST, zone="Atlantic/Azores", place="Hill Clinic, Ponta Delgada"),)),
        note=("The lift is being repaired: ring the bell and we come down.", "Ruth")),
    "right-to-left": replace(
        letter(Section(Kind.CHANGE, (replace(MOVED, practitioner="د. ليلى حداد (٢)"),), link=LINK)),
        first_name="נועה", clinic=replace(CLINIC, name="عيادة الميناء", address=("רחוב הנמל 12", "Lisbon 1200-109"))),
    "fresh-link": letter(Section(RequestKind.FRESH_LINK, link=LINK)),
    "merged": letter(
        Section(Kind.PRECARE, (FIRST,), instructions=INSTRUCTIONS[2:]), Section(Kind.REMINDER_7D, (FIRST,))
    ),
}

_GERMAN = {
    RULE: "Bis zwei Werktage vorher können Sie einen Termin kostenfrei verschieben oder absagen.",
    "No fee applies.": "Es fallen keine Kosten an.",
    "The lift is being repaired: ring the bell and we come down.":
        "Der Aufzug wird repariert: Klingeln Sie, und wir kommen herunter.",
    "Ruth": "Ruth",
    "No sunbathing, sunbed or spray tan. Sunburnt? Then you need a new date.":
        "Kein Sonnenbad, kein Solarium, kein Selbstbräuner. Sonnenbrand? Dann brauchen Sie einen neuen Termin.",
    "No waxing or hair removal cream on the area.": "An der Stelle weder Wachs noch Enthaarungscreme anwenden.",
    "Leave out retinoids, acids and scrubs.": "Retinoide, Säuren und Peelings weglassen.",
    "Come with clean skin and no make-up.": "Kommen Sie mit sauberer Haut und ohne Make-up.",
    "Allow an hour and a half in all.": "Planen Sie insgesamt anderthalb Stunden ein.",
    "redness and warmth like a sunburn": "Rötung und Wärme wie bei einem Sonnenbrand",
    "tightness, mild swelling": "Spannungsgefühl, leichte Schwellung",
    "rinse only with lukewarm water and clean hands": "nur mit lauwarmem Wasser und sauberen Händen abspülen",
    "sleep on a clean pillowcase": "auf einem frischen Kissenbezug schlafen",
    "make-up and sunscreen on the treated area": "Make-up und Sonnencreme auf der behandelten Stelle",
    "exercise, sauna, hot bath, swimming": "Sport, Sauna, heißes Bad, Schwimmen",
    "redness fading, mostly gone by the third day":
        "Rötung, die nachlässt und bis zum dritten Tag meist verschwunden ist",
    "dryness, a rough feel": "Trockenheit, raue Haut",
    "gentle cleanser, plain moisturiser": "milde Reinigung, einfache Feuchtigkeitscreme",
    "mineral sunscreen SPF 30 or more": "mineralischer Sonnenschutz, LSF 30 oder mehr",
    "picking or scrubbing": "Kratzen oder Rubbeln",
    "light flaking": "leichtes Schuppen",
    "keep moisturising, sunscreen every day": "weiter eincremen, jeden Tag Sonnenschutz",
    "cleansing brushes": "Reinigungsbürsten",
    "Trouble breathing, swelling of lips or tongue, collapse":
        "Atemnot, Schwellung von Lippen oder Zunge, Zusammenbruch",
    "Redness, warmth, pain or swelling that grows instead of fading, pus, or fever":
        "Rötung, Wärme, Schmerz oder Schwellung, die zunimmt statt nachzulassen, Eiter oder Fieber",
    "Marked redness or swelling still there after 7 days":
        "Deutliche Rötung oder Schwellung, die nach 7 Tagen noch da ist",
}


def in_german(given: Letter) -> Letter:
    """The same letter to a patient who reads German."""
    own = replace(given.clinic.own, cancellation=tuple(_GERMAN[line] for line in given.clinic.own.cancellation))
    return replace(given, language="de", clinic=replace(given.clinic, own=own),
                   note=tuple(_GERMAN[line] for line in given.note),
                   sections=tuple(map(_german_section, given.sections)))


def _german_section(section: Section) -> Section:
    def said(lines: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_GERMAN[line] for line in lines)

    return replace(
        section, note=_GERMAN[section.note] if section.note else None,
        instructions=tuple(replace(each, text=_GERMAN[each.text]) for each in section.instructions),
        phases=tuple(replace(each, expect=said(each.expect), do=said(each.do), avoid=said(each.avoid))
                     for each in section.phases),
        red_flags=tuple(replace(each, text=_GERMAN[each.text]) for each in section.red_flags),
    )


LANGUAGES: dict[str, dict[str, Letter]] = {
    "en": LETTERS, "de": {name: in_german(each) for name, each in LETTERS.items()}}
EVERY_LETTER = {f"{language}/{name}": each for language, letters in LANGUAGES.items() for name, each in letters.items()}
