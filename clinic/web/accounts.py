"""Accounts and rights: who signs in, as what, and where."""
from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import GRANTS, Right, Role, clinics_where
from clinic.queries.account_list import AccountCard, account_card, account_list, clinic_names, practitioners_to_link
from clinic.services import account_changes as service
from clinic.services.account_changes import AccountDetails
from clinic.services.work import Done, Refused, Stale
from clinic.web.account_form import compared, initial_of, read_details
from clinic.web.entry import allowed, here
from clinic.web.forms import Form
from clinic.web.kit import kit
from clinic.web.numbers import page_number
from clinic.web.pages import page, stale_page
from clinic.web.right_words import RIGHTS
from clinic.web.words import ROLES

accounts = Blueprint("accounts", __name__)


@accounts.get("/setup/accounts")
@allowed(Right.MANAGE_ACCOUNTS)
def index() -> Response:
    """Every account with its roles."""
    with kit().read() as db:
        found = account_list(db, number=page_number())
        clinics = clinic_names(db)
    return page("accounts/index.html", found=found, clinics=clinics, roles=ROLES)


@accounts.get("/setup/rights")
@allowed(Right.MANAGE_ACCOUNTS)
def rights() -> Response:
    """What each role may do."""
    rows = [(words, [right in GRANTS[role] for role in Role]) for right, words in RIGHTS.items()]
    return page("accounts/rights.html", rows=rows, roles=ROLES)


@accounts.get("/setup/accounts/new")
@allowed(Right.MANAGE_ACCOUNTS)
def new() -> Response:
    """The form for a new account, at the clinic where one works now."""
    return _new_page(Form(initial={f"roles-{here().clinic_id}": [Role.RECEPTIONIST.value]}))


@accounts.post("/setup/accounts")
@allowed(Right.MANAGE_ACCOUNTS)
def add() -> Response:
    """Makes an account and shows its password, this once; or shows what to correct."""
    form, manages = Form(request.form), _manages()
    email = form.text("email", "The e-mail address", most=254)
    details = read_details(form, manages)
    if not form.faults:
        with kit().work(here().actor) as work:
            outcome = service.add_account(work, email, details, manages=manages)
        if isinstance(outcome, Done):
            account_id, password = outcome.value
            return _password_page(_card(account_id), password, is_new=True)
        form.add(outcome.findings)
    return _new_page(form)


@accounts.get("/setup/accounts/<int:account_id>")
@allowed(Right.MANAGE_ACCOUNTS)
def show(account_id: int) -> Response:
    """One account, to be changed."""
    card = _card(account_id)
    return _show_page(card, Form(initial=initial_of(card)))


@accounts.post("/setup/accounts/<int:account_id>")
@allowed(Right.MANAGE_ACCOUNTS)
def save(account_id: int) -> Response:
    """Keeps the changes, or shows what to correct, or what someone else made of it meanwhile."""
    card, form, manages = _card(account_id), Form(request.form), _manages()
    details, version = read_details(form, manages), form.version()
    if form.faults:
        return _show_page(card, form)
    try:
        with kit().work(here().actor) as work:
            outcome = service.edit_account(
                work, account_id, details, manages=manages, lock_version=version)
    except Stale as error:
        again = url_for("accounts.show", account_id=account_id)
        return stale_page(error, title=card.name, rows=_compared(_card(account_id), details), again=again)
    if isinstance(outcome, Refused):
        form.add(outcome.findings)
        return _show_page(card, form)
    flash("The changes were saved.", "ok")
    return redirect(url_for("accounts.index"), 303)


@accounts.post("/setup/accounts/<int:account_id>/password")
@allowed(Right.MANAGE_ACCOUNTS)
def password(account_id: int) -> Response:
    """Gives the account a new password and shows it, this once."""
    card = _card(account_id)
    with kit().work(here().actor) as work:
        outcome = service.give_password(work, account_id, manages=_manages())
    if isinstance(outcome, Refused):
        return _refused(card, outcome)
    return _password_page(card, outcome.value, is_new=False)


@accounts.post("/setup/accounts/<int:account_id>/end")
@allowed(Right.MANAGE_ACCOUNTS)
def end(account_id: int) -> Response:
    """Keeps the account out from now on."""
    card = _card(account_id)
    with kit().work(here().actor) as work:
        outcome = service.end_use(work, account_id, manages=_manages())
    return _told(card, outcome, "The account cannot sign in any more, and its browsers are signed out.")


@accounts.post("/setup/accounts/<int:account_id>/begin")
@allowed(Right.MANAGE_ACCOUNTS)
def begin(account_id: int) -> Response:
    """Lets the account in again."""
    card = _card(account_id)
    with kit().work(here().actor) as work:
        outcome = service.begin_use(work, account_id, manages=_manages())
    return _told(card, outcome, "The account can sign in again, with the password that it had.")


def _manages() -> tuple[int, ...]:
    """The clinics whose accounts the one who asks may change."""
    return clinics_where(here().grants, Right.MANAGE_ACCOUNTS)


def _card(account_id: int) -> AccountCard:
    with kit().read() as db:
        card = account_card(db, account_id)
    if card is None:
        abort(404)
    return card


def _told(card: AccountCard, outcome: Done[Any] | Refused, words: str) -> Response:
    if isinstance(outcome, Refused):
        return _refused(card, outcome)
    flash(words, "ok")
    return redirect(url_for("accounts.index"), 303)


def _refused(card: AccountCard, outcome: Refused) -> Response:
    form = Form(initial=initial_of(card))
    form.add(outcome.findings)
    return _show_page(card, form)


def _new_page(form: Form) -> Response:
    return page("accounts/new.html", form.status, form=form, card=None, **_choices(None))


def _show_page(card: AccountCard, form: Form) -> Response:
    return page("accounts/show.html", form.status, form=form, card=card, own=card.id == here().account_id,
                **_choices(card))


def _password_page(card: AccountCard, words: str, *, is_new: bool) -> Response:
    return page("accounts/password.html", card=card, password=words, is_new=is_new)


def _choices(card: AccountCard | None) -> dict[str, Any]:
    """The clinics with what may be ticked there, those whose accounts others manage, and who may be linked."""
    with kit().read() as db:
        clinics, practitioners = clinic_names(db), practitioners_to_link(db, card.id if card else None)
    manages = _manages()
    if card and card.practitioner_id and card.practitioner_id not in {each for each, _ in practitioners}:
        practitioners = ((card.practitioner_id, card.practitioner or ""), *practitioners)
    return {
        "managed": [each for each in clinics if each[0] in manages],
        "elsewhere": [(name, card.roles_at(clinic_id)) for clinic_id, name in clinics
                      if card and clinic_id not in manages and card.roles_at(clinic_id)],
        "practitioners": practitioners, "roles": ROLES,
    }


def _compared(card: AccountCard, wanted: AccountDetails) -> list[tuple[str, str, str]]:
    with kit().read() as db:
        return compared(card, wanted, clinic_names(db), dict(practitioners_to_link(db, card.id)))
