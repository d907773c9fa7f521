"""Every screen by its name: where it is, who opens it, and what is done there before it is looked at.

What stands in braces is a fact of the clinic that is looked at (`{course}`: the number of a course in the middle of its
life); a clinic without such a thing has no such screen. A page that is shown nowhere here says why in NOT_DRAWN:
`tests/screens/test_catalogue.py` asks for one or the other.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from playwright.sync_api import Page

from tests.screens.steps import ask_plans, fail_to_save, open_booking, open_view, save_too_little


@dataclass(frozen=True, slots=True)
class Screen:
    """An address, the role that opens it, the status that it answers with, and what is done there."""

    address: str
    role: str
    status: int = 200
    then: Callable[[Page], None] | None = None

    def at(self, names: Mapping[str, object]) -> str | None:
        """The address in a clinic with these facts; none where it lacks one of them."""
        try:
            return self.address.format_map(names)
        except KeyError:
            return None


_DAY = "/diary?show=day&by=practitioner&of=&names=shown&colour=status"
_DESK = {
    "today": "/",
    "diary": _DAY,
    "diary-week": "/diary?show=week&by=practitioner",
    "diary-week-of-one": "/diary?show=week&of={practitioner}",
    "diary-list": "/diary?show=list&of=",
    "diary-rooms": "/diary?show=day&by=room&names=hidden&colour=treatment",
    "diary-devices": "/diary?show=day&by=device&names=shown&colour=status",
    "diary-closed": _DAY + "&day=2027-03-06",
    "diary-moving": _DAY + "&moving={booked}",
    "booking-here": "/diary/book?at={today}T16:00&with={practitioner}",
    "booking-what": "/diary/book?at={today}T16:00&with={practitioner}&patient={newcomer}",
    "booking-course": "/diary/book/course?at={today}T16:00&with={practitioner}&patient={newcomer}",
    "booking-new-patient": "/diary/book?at={today}T16:00&with={practitioner}&new=1",
    "booking-together": "/diary/book/together?at={today}T16:00&with={practitioner}&patient={newcomer}",
    "find": "/find?q=a",
    "nothing-found": "/find?q=zzzz",
    "help": "/help",
    "patients": "/patients",
    "nobody-found": "/patients?q=zzzz",
    "new-patient": "/patients/new",
    "patient": "/patients/{patient}",
    "patient-waiting": "/patients/{waiting}",
    "edit-patient": "/patients/{patient}/edit",
    "doubles": "/patients/doubles",
    "merge": "/patients/{patient}/merge/{other_patient}",
    "new-course": "/courses/new?q=a",
    "new-course-protocol": "/courses/new?patient={newcomer}",
    "new-course-enquiry": "/courses/new?protocol=mn_rejuvenation",
    "new-course-form": "/courses/new?patient={newcomer}&protocol=combo_lift_mn_rf",
    "new-course-held": "/courses/new?patient={newcomer}&protocol=peel_medium",
    "course": "/courses/{course}",
    "course-completed": "/courses/{ended}",
    "course-as-patient": "/courses/{course}/as-patient",
    "course-card": "/courses/{course}/card",
    "course-card-large": "/courses/{course}/card?size=large",
    "stop-course": "/courses/{course}/stop",
    "repair": "/courses/{course}/repair",
    "contraindications": "/courses/{course}/contraindication",
    "contraindication": "/courses/{course}/contraindication?item=3",
    "hold": "/courses/{course}/hold",
    "course-held": "/courses/{held}",
    "held-dates": "/courses/{held}/dates",
    "move": "/appointments/{booked}/move",
    "swap-room": "/appointments/{booked}/swap",
    "book-owed": "/sessions/{owed}/book",
    "cancel": "/appointments/{booked}/cancel",
    "visit-end": "/appointments/{booked}/end",
    "check-out": "/appointments/{here}/check-out",
    "other-visits": "/patients/{patient}/visits",
    "visit-times": "/patients/{patient}/visits/consultation?from={later}",
    "visit-move": "/appointments/{visit}/move",
    "visit-cancel": "/appointments/{visit}/cancel",
    "consultation-end": "/appointments/{visit}/end",
    "to-plan": "/to-plan?show=all",
    "visits-in-an-absence": "/absences/{absence}/visits",
    "unconfirmed": "/unconfirmed",
    "people-to-tell": "/people-to-tell",
    "requests": "/requests",
    "tasks": "/tasks",
    "tasks-done": "/tasks?show=done",
    "running-late": "/running-late",
    "day-lists": "/day-lists",
    "day-lists-rooms": "/day-lists?by=room",
    "day-lists-people": "/day-lists?by=practitioner",
    "messages": "/messages",
    "messages-sent": "/messages?state=sent",
    "message": "/messages/{message}",
    "message-sent": "/messages/{sent}",
    "letter": "/messages/{letter}/letter",
    "protocols": "/protocols",
    "protocol": "/protocols/rfmn_laxity",
    "difference": "/protocols/rfmn_laxity/difference?before=1&after=1",
    "translations": "/setup/translations",
    "own-password": "/account/password",
    "own-digest": "/account/digest",
}
_PRACTITIONER = {
    "my-day": "/my-day",
    "interval": "/courses/{course}/interval",
    "newer-version": "/courses/{outdated}/version",
    "resume": "/courses/{resting}/resume",
    "translated-protocol": "/setup/translations/de/protocols/mn_rejuvenation",
}
_MANAGER = {
    "messages-waiting": "/messages/waiting",
    "figures": "/figures?from=2027-01&to=2027-03",
    "set-up": "/setup",
    "clinics": "/setup/clinics",
    "new-clinic": "/setup/clinics/new",
    "edit-clinic": "/setup/clinics/{clinic}/edit",
    "closures": "/setup/clinics/{clinic}/closures",
    "holidays": "/setup/clinics/{clinic}/holidays",
    "travel": "/setup/clinics/{clinic}/travel",
    "people": "/setup/people",
    "person": "/setup/people/{practitioner}",
    "new-person": "/setup/people/new",
    "edit-person": "/setup/people/{practitioner}/edit",
    "person-out": "/setup/people/{practitioner}/out-of-use",
    "new-rota": "/setup/people/{practitioner}/rota/new",
    "rota": "/setup/people/{practitioner}/rota/{rota}",
    "which-date": "/setup/people/{practitioner}/day",
    "hours-of-a-date": "/setup/people/{practitioner}/day?on={later}",
    "swap": "/setup/people/{practitioner}/swap",
    "outside-calendars": "/setup/people/{practitioner}/calendars",
    "absences": "/setup/absences",
    "new-absence": "/setup/absences/new?of={practitioner}",
    "rooms": "/setup/rooms",
    "new-room": "/setup/rooms/new",
    "room": "/setup/rooms/{room}",
    "devices": "/setup/devices",
    "new-device": "/setup/devices/new",
    "device": "/setup/devices/{device}",
    "treatments": "/setup/treatments",
    "new-treatment": "/setup/treatments/new",
    "treatment": "/setup/treatments/{treatment}",
    "new-version": "/protocols/combo_mn_peel/new-version",
    "rules": "/setup/rules",
    "rules-of-a-course": "/setup/rules?protocol=mn_rejuvenation",
    "texts": "/setup/texts",
    "text": "/setup/texts/confirmation/de",
    "text-history": "/setup/texts/every-message/en/history",
    "translated-messages": "/setup/translations/de/messages",
    "newsletter": "/setup/newsletter",
    "new-edition": "/setup/newsletter/new",
    "edition": "/setup/newsletter/{edition}",
    "edit-edition": "/setup/newsletter/{edition}/edit",
    "approve-edition": "/setup/newsletter/{edition}/approve",
    "readers": "/setup/newsletter/readers",
    "health": "/setup/health",
}
_ADMINISTRATOR = {
    "accounts": "/setup/accounts",
    "new-account": "/setup/accounts/new",
    "account": "/setup/accounts/{account}",
    "rights": "/setup/rights",
}
_OWNER = {"move-in": "/setup/import", "export": "/setup/export"}
_PUBLIC = {
    "sign-in": "/sign-in",
    "newsletter-sign-up": "/newsletter",
    "newsletter-archive": "/newsletter/archive",
    "newsletter-edition": "/newsletter/archive/{archived}",
    "newsletter-opt-in": "/newsletter/opt-in/{reader}",
    "newsletter-stop": "/newsletter/stop/{reader}",
}
_PATIENT = {
    "my-page": "/my",
    "my-move": "/my/dates/{my_date}/move",
    "my-cancel": "/my/dates/{my_date}/cancel",
    "my-unprepared": "/my/dates/{my_date}/unprepared",
    "my-symptom": "/my/symptom",
    "my-emergency": "/my/symptom/emergency",
    "my-settings": "/my/settings",
}

SCREENS: dict[str, Screen] = {
    name: Screen(address, role)
    for role, addresses in (
        ("receptionist", _DESK), ("practitioner", _PRACTITIONER), ("manager", _MANAGER),
        ("administrator", _ADMINISTRATOR), ("owner", _OWNER), ("public", _PUBLIC), ("patient", _PATIENT))
    for name, address in addresses.items()
} | {
    "diary-view": Screen(_DAY, "receptionist", then=open_view),
    "diary-booking": Screen(_DAY, "receptionist", then=open_booking),
    "plans": Screen("/courses/new?patient={newcomer}&protocol=mn_rejuvenation", "receptionist", then=ask_plans),
    "new-patient-faults": Screen("/patients/new", "receptionist", 422, save_too_little),
    "not-yours": Screen("/setup/accounts", "receptionist", 403),
    "nothing-here": Screen("/nothing-here", "receptionist", 404),
    "went-wrong": Screen("/broken", "receptionist", 500),
    "my-door": Screen("/l/{secret}", "public"),
    "my-dead-link": Screen("/l/" + "x" * 43, "public", 404),
    "welcome": Screen("/welcome?code={code}", "public"),
    "welcome-faults": Screen("/welcome?code=AAAA-AAAA", "public", 422, fail_to_save),
}

NOT_DRAWN = {
    "health.show": "a line for machines",
    "pages.asset_file": "a style sheet or script",
    "figures.sheet": "a CSV file",
    "messages.calendar": "a calendar file",
    "my.calendar": "a calendar file",
    "moving_in.faults": "a CSV file",
    "moving_out.fetch": "an archive",
    "messages.html": "the message itself, in the frame of its page; tests/browser/test_mail_pictures.py draws them all",
    "texts.letter": "the message itself, in the frame of its page",
    "newsletter.html": "the edition itself, in the frame of its page",
    "diary.matching": "a part of the booking panel while a name is typed",
    "diary.alike_here": "a part of the booking panel while a name is typed",
    "doubles.typed": "a part of the page of a new patient while a name is typed",
    "courses.plans_again": "leads back to the questions of a new course",
    "signin.landed": "leads on to where the role begins",
    "moving_in.show": "needs files that were uploaded: tests/browser/test_moving.py looks at it",
    "moving_in.columns": "needs files that were uploaded: tests/browser/test_moving.py looks at it",
    "moving_out.show": "needs an export that was made: tests/browser/test_moving.py looks at it",
}
"""What has no picture, and why."""
