"""One's own account: the password."""
from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.queries.account_list import email_of_account
from clinic.queries.accounts import credentials_of
from clinic.services import account_changes, passwords
from clinic.services.accounts import admit_attempt
from clinic.services.work import Done
from clinic.web import browser
from clinic.web.entry import here, signed_in
from clinic.web.forms import Form
from clinic.web.kit import kit
from clinic.web.pages import page

own_account = Blueprint("own_account", __name__)


@own_account.get("/account/password")
@signed_in
def password() -> Response:
    """The form for another password."""
    return page("accounts/own_password.html", form=Form())


@own_account.post("/account/password")
@signed_in
def change() -> Response:
    """Changes the password of whoever is signed in, and signs all their other browsers out."""
    form = Form(request.form)
    present, wanted = request.form.get("present", ""), request.form.get("password", "")
    for name, given, words in (("present", present, "Enter your present password."),
                               ("password", wanted, "Enter a new password.")):
        if not given:
            form.fault(name, words)
    if wanted and request.form.get("again", "") != wanted:
        form.fault("again", "Type the new password the same way twice.")
    if not form.faults and not _fits(present[: passwords.LONGEST + 1]):
        form.fault("present", "This is not your present password, or there were too many tries. Check it, or wait 15 "
                              "minutes.")
    if not form.faults:
        id_hash = browser.signed_in_account().id_hash
        with kit().work(here().actor) as work:
            outcome = account_changes.change_own_password(work, here().account_id, wanted, id_hash=id_hash)
        if isinstance(outcome, Done):
            flash("Your password was changed. Everywhere else you are signed out.", "ok")
            return redirect(url_for("signin.landed"), 303)
        form.add(outcome.findings)
    return page("accounts/own_password.html", form.status, form=form)


def _fits(given: str) -> bool:
    """Whether this is the present password; tries are counted as those at the door are."""
    with kit().read() as db:
        email = email_of_account(db, here().account_id)
        credentials = credentials_of(db, email)
    with kit().work(here().actor) as work:
        admitted = admit_attempt(work, email=email, network=request.remote_addr or "unknown")
    return admitted and passwords.fits(credentials.password_hash if credentials else None, given)
