"""The first run: the one page of an empty database, which makes a clinic and the account of who begins."""
from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.queries.clinics import clinic_ids_by_name
from clinic.services import accounts, first_run
from clinic.services.clinics import ClinicDetails, Hours
from clinic.services.first_run import ATTEMPTS_OF, FirstRun
from clinic.services.passwords import LONGEST
from clinic.services.work import Actor, Refused
from clinic.web import browser
from clinic.web.clinic_form import read_closing, zone_choices
from clinic.web.entry import first_run_is_due, public
from clinic.web.forms import Form
from clinic.web.kit import kit
from clinic.web.pages import page

welcome = Blueprint("welcome", __name__)

_ANONYMOUS = Actor("visitor")
_WORKDAYS = (0, 1, 2, 3, 4)
_WRONG_CODE = ("This is not the set-up code, or there were too many tries. It stands where the program was started; "
               "after five tries wait 15 minutes.")


@welcome.get("/welcome")
@public
def form() -> Response:
    """Asks for what a clinic cannot do without; not there any more once there is an account."""
    _check_due()
    return _page(Form(initial={"code": request.args.get("code", "")[:40], "opens": "09:00", "closes": "18:00"}))


@welcome.post("/welcome")
@public
def begin() -> Response:
    """Makes the clinic and the account, signs in and leads to the guide, or shows what to correct."""
    _check_due()
    form = Form(request.form)
    if not _code_fits(form.text("code", "The set-up code", most=40)):
        form.fault("code", _WRONG_CODE)
    asked = _read(form)
    if form.faults:
        return _page(form)
    with kit().work(_ANONYMOUS) as work:
        outcome = first_run.begin(work, asked)
    if isinstance(outcome, Refused):
        form.add(outcome.findings)
        return _page(form)
    flash("The clinic is set up, and you are signed in. Here is what comes next.", "ok")
    response = redirect(url_for("setup.index"), 303)
    browser.give(response, outcome.value.secret)
    return response


def _check_due() -> None:
    if not first_run_is_due():
        abort(404)


def _read(form: Form) -> FirstRun:
    clinic = None if _clinics() else _read_clinic(form)
    name, email = form.text("name", "Your name"), form.text("email", "Your e-mail address", most=254)
    password = request.form.get("password", "")[:LONGEST + 1]
    if not password:
        form.fault("password", "Choose a password.")
    return FirstRun(clinic.sender_name if clinic else "", clinic, name, email, password, form.ticked("treats"))


def _read_clinic(form: Form) -> ClinicDetails:
    """Read in the order of the page: so are the faults told."""
    return ClinicDetails(
        sender_name=form.text("business", "The name of the business"),
        name=form.text("clinic", "The name of the clinic"),
        address=form.text("address", "The address", most=500, lines=True),
        phone=form.text("phone", "The phone number", most=40),
        sender_email=form.text("sender_email", "The e-mail address of the clinic", most=254),
        zone=form.text("zone", "The time zone", most=64), hours=_read_hours(form))


def _read_hours(form: Form) -> tuple[Hours, ...]:
    opens, closes = read_closing(form, "opens", "closes", required=True) or (0, 1)
    return (Hours(_WORKDAYS, opens, closes),)


def _clinics() -> list[str]:
    """The clinics that are there already: opened at the command line, or moved in."""
    with kit().read() as db:
        return list(clinic_ids_by_name(db))


def _code_fits(typed: str) -> bool:
    network = request.remote_addr or "unknown"
    with kit().work(_ANONYMOUS) as work:
        admitted = accounts.admit_attempt(work, email=ATTEMPTS_OF, network=network)
    fits = first_run.code_fits(kit().settings.secret_key, typed) and admitted
    if fits:
        with kit().work(_ANONYMOUS) as work:
            accounts.forget_attempts(work, email=ATTEMPTS_OF, network=network)
    return fits


def _page(form: Form) -> Response:
    return page("welcome/form.html", form.status, form=form, zones=zone_choices(form.value("zone")), clinics=_clinics())
