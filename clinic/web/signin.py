"""Signing in and out, and the clinic and colours that a browser works with."""
from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.queries.accounts import credentials_of
from clinic.services import accounts, passwords
from clinic.services.work import Actor
from clinic.web import browser
from clinic.web.addresses import safe_next
from clinic.web.entry import first_run_is_due, here, public, signed_in
from clinic.web.forms import Form
from clinic.web.kit import kit
from clinic.web.pages import landing, page

signin = Blueprint("signin", __name__)

_NOT_FOUND = ("This e-mail address and password do not go together, or there were too many tries. Check both, or wait "
              "15 minutes.")
_THEMES = ("", "light", "dark")
_A_YEAR = 31_536_000
_ANONYMOUS = Actor("visitor")


@signin.get("/sign-in")
@public
def form() -> Response:
    """The form; who is signed in already goes on."""
    if browser.is_signed_in():
        return redirect(safe_next(landing(here())), 303)
    if first_run_is_due():
        return redirect(url_for("welcome.form"), 303)
    return page("signin/form.html", form=Form(), next=safe_next(""))


@signin.post("/sign-in")
@public
def enter() -> Response:
    """Signs in, or gives every failure the same answer."""
    form = Form(request.form)
    email = form.text("email", "Your e-mail address", most=254)
    password = request.form.get("password", "")
    if not password:
        form.fault("password", "Enter your password.")
    account_id = None if form.faults else _account_that_fits(email, password[: passwords.LONGEST + 1])
    if account_id is None:
        if not form.faults:
            form.fault("email", _NOT_FOUND)
        return page("signin/form.html", form.status, form=form, next=safe_next(""))
    with kit().work(Actor("account", account_id)) as work:
        secret = accounts.sign_in(work, account_id, password=password, email=email, network=_network())
    response = redirect(safe_next(url_for("signin.landed")), 303)
    browser.give(response, secret)
    return response


@signin.get("/signed-in")
@signed_in
def landed() -> Response:
    """Leads to the first place that the account may see."""
    return redirect(landing(here()), 303)


@signin.post("/sign-out")
@public
def out() -> Response:
    """Ends the browser session on the server, then in the browser."""
    secret = browser.secret()
    if secret is not None:
        with kit().work(_ANONYMOUS) as work:
            accounts.sign_out(work, accounts.hash_of(secret))
    response = redirect(url_for("signin.form"), 303)
    browser.take(response)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@signin.post("/switch-clinic")
@signed_in
def switch() -> Response:
    """Works at another clinic from now on."""
    form = Form(request.form)
    clinic_id = form.number("clinic_id", "A clinic", least=1, most=999_999_999)
    if clinic_id is None:
        flash(form.faults["clinic_id"], "error")
        return redirect(landing(here()), 303)
    with kit().work(here().actor) as work:
        accounts.switch_clinic(work, browser.signed_in_account().id_hash, clinic_id)
    return redirect(url_for("signin.landed"), 303)


@signin.post("/theme")
@signed_in
def theme() -> Response:
    """Keeps light, dark or the device's own colours in this browser."""
    form = Form(request.form)
    chosen = form.one_of("theme", "The colours", _THEMES, required=False)
    response = redirect(safe_next(url_for("signin.landed")), 303)
    response.set_cookie("theme", chosen, max_age=_A_YEAR, secure=kit().settings.secure, httponly=True, samesite="Lax")
    return response


def _account_that_fits(email: str, password: str) -> int | None:
    with kit().work(_ANONYMOUS) as work:
        admitted = accounts.admit_attempt(work, email=email, network=_network())
    if not admitted:
        return None
    with kit().read() as db:
        credentials = credentials_of(db, accounts.normal_email(email))
    fits = passwords.fits(credentials.password_hash if credentials else None, password)
    return credentials.account_id if credentials and fits else None


def _network() -> str:
    return request.remote_addr or "unknown"
