"""What a patient tells the clinic, and what they want of it: a symptom, their language, reminders or none."""
from __future__ import annotations

from flask import g, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.care.guidance import RedFlag, Urgency
from clinic.services import my_reports as service
from clinic.services.work import Done
from clinic.web.entry import for_patients
from clinic.web.forms import Form
from clinic.web.kit import kit
from clinic.web.my import found_page, my
from clinic.web.my_dates import MOST_NOTE, acted
from clinic.web.my_pages import my_own_page
from clinic.web.patient_browser import ACTOR, mine

OTHER = "other"
"""What was reported has no red flag in it."""


@my.get("/my/symptom")
@for_patients
def symptom() -> Response:
    """Asks what is not right; says before all else whom to call in an emergency."""
    return _symptom_page(Form())


@my.post("/my/symptom", endpoint="reported")
@for_patients
def reported() -> Response:
    """Opens a task, an urgent one for a red flag, and leads to whom the patient calls now."""
    form = Form(request.form)
    note = form.text("note", "note", most=MOST_NOTE, required=False, lines=True)
    codes = form.some_of("flag", "flag", [flag.code for flag in _flags()])
    if not note and not codes:
        form.fault("note", "empty")
    if form.faults:
        return _symptom_page(form)
    with kit().work(ACTOR) as work:
        outcome = service.report_symptom(work, mine().id_hash, codes=codes, note=note)
    if not isinstance(outcome, Done):
        found = found_page()
        return my_own_page("my/refused.html", 409, language=found.language, page=found, code="many")
    return redirect(url_for("my.whom_to_call", urgency=outcome.value or OTHER), 303)


@my.get("/my/symptom/<urgency>")
@for_patients
def whom_to_call(urgency: str) -> Response:
    """Whom to call, by how urgent it is."""
    found = found_page()
    known = urgency if urgency in {each.value for each in Urgency} else OTHER
    return my_own_page("my/whom_to_call.html", language=found.language, page=found, urgency=known)


@my.get("/my/settings")
@for_patients
def settings() -> Response:
    """The language, and whether reminders come."""
    found = found_page()
    return my_own_page("my/settings.html", language=found.language, page=found)


@my.post("/my/language", endpoint="speak")
@for_patients
def speak() -> Response:
    """From now on in another language."""
    code = request.form.get("language", "")
    answer = acted("language", lambda work: service.choose_language(work, mine().id_hash, code))
    g.pop("my_browser", None)
    return answer


@my.post("/my/reminders", endpoint="remind")
@for_patients
def remind() -> Response:
    """Stops reminders, or begins them again."""
    wanted = request.form.get("wanted") == "yes"
    return acted("reminders", lambda work: service.want_reminders(work, mine().id_hash, wanted))


def _flags() -> tuple[RedFlag, ...]:
    """The signs that can be ticked: they tell of the treatment, so only once the birth date was given."""
    if not mine().is_born:
        return ()
    with kit().read() as db:
        return service.flags_of(db, mine())


def _symptom_page(form: Form) -> Response:
    found = found_page()
    return my_own_page("my/symptom.html", form.status, language=found.language, page=found, mine=mine(), form=form,
                       flags=_flags())
