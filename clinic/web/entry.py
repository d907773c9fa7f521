"""Who may enter: every view carries one mark, and a view without one lets nobody in."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar

from flask import Flask, abort, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Grant, Right, may
from clinic.planning.local import day_of
from clinic.queries.accounts import ClinicCard, SignedIn, grants_by_clinic, has_accounts
from clinic.queries.undated import Horizon
from clinic.services.work import Actor
from clinic.web import browser, patient_browser
from clinic.web.addresses import sign_in_address
from clinic.web.kit import kit, now

View = TypeVar("View", bound=Callable[..., Any])

_MARK = "entry"


@dataclass(frozen=True, slots=True)
class Entry:
    """Who may enter a view: everybody, everybody signed in, or who holds a right, here or at every clinic there is.

    A view `for_patients` is entered by browsers that came in by a link, and by no account; a public one of them is the
    door itself.
    """

    right: Right | None = None
    is_public: bool = False
    everywhere: bool = False
    for_patients: bool = False


@dataclass(frozen=True, slots=True)
class Here:
    """The signed-in account of this request, and the clinic it works at."""

    account_id: int
    name: str
    clinic: ClinicCard
    clinics: tuple[ClinicCard, ...]
    grants: tuple[Grant, ...]
    practitioner_id: int | None = None

    @property
    def clinic_id(self) -> int:
        """The clinic at which the account works now."""
        return self.clinic.id

    @property
    def actor(self) -> Actor:
        """Who acts, for a unit of work."""
        return Actor("account", self.account_id)

    def may(self, right: Right, clinic_id: int | None = None) -> bool:
        """Whether the account holds the right at that clinic; none named: at the current one."""
        return may(self.grants, right, self.clinic_id if clinic_id is None else clinic_id)


def allowed(right: Right) -> Callable[[View], View]:
    """Marks a view that asks for this right at the current clinic."""
    return _marker(Entry(right=right))


def allowed_everywhere(right: Right) -> Callable[[View], View]:
    """Marks a view that asks for this right at every clinic: what it shows or changes is of all of them."""
    return _marker(Entry(right=right, everywhere=True))


def signed_in(view: View) -> View:
    """Marks a view for every account that is signed in, such as the sign-out."""
    return _marker(Entry())(view)


def public(view: View) -> View:
    """Marks a view that everybody may enter."""
    return _marker(Entry(is_public=True))(view)


def for_patients(view: View) -> View:
    """Marks a view for a patient whose browser came in by a link: it shows what that link is for, and nothing else."""
    return _marker(Entry(for_patients=True))(view)


def patients_door(view: View) -> View:
    """Marks a view that everybody may enter who holds an address with a secret in it."""
    return _marker(Entry(is_public=True, for_patients=True))(view)


def entry_of(view: Callable[..., Any]) -> Entry | None:
    """The mark of a view; none: nobody may enter."""
    return getattr(view, _MARK, None)


def install(app: Flask) -> None:
    """Stands at the door of every view of the app."""
    app.before_request(_guard)


def here() -> Here:
    """The account and clinic of this request; only in views that are not public."""
    if "here" not in g:
        g.here = _here_of(browser.signed_in_account())
    found: Here = g.here
    return found


def today() -> date:
    """The date at the current clinic."""
    return day_of(now(), here().clinic.zone)


def horizon() -> Horizon:
    """The date at the current clinic, and the last one that it books."""
    return Horizon(today(), today() + timedelta(days=here().clinic.horizon_days - 1))


def first_run_is_due() -> bool:
    """Whether nobody has an account yet."""
    with kit().read() as db:
        return not has_accounts(db)


def may_everywhere(right: Right) -> bool:
    """Whether the account holds the right at every clinic that there is."""
    if "grants_by_clinic" not in g:
        with kit().read() as db:
            g.grants_by_clinic = grants_by_clinic(db, here().account_id)
    return all(may(grants, right) for grants in g.grants_by_clinic.values())


def check_clinic(clinic_id: int | None) -> None:
    """Answers 404 where the right of this view is not held at the clinic of the thing that was asked for."""
    entry = _entry_here()
    if clinic_id is None or entry is None or entry.right is None or not here().may(entry.right, clinic_id):
        abort(404)


def _marker(entry: Entry) -> Callable[[View], View]:
    def mark(view: View) -> View:
        setattr(view, _MARK, entry)
        return view

    return mark


def _entry_here() -> Entry | None:
    view = current_app.view_functions.get(request.endpoint or "")
    return entry_of(view) if view else None


def _guard() -> Response | None:
    if request.routing_exception is not None:
        return None
    entry = _entry_here()
    if entry is None:
        abort(403)
    if entry.for_patients:
        g.for_patients = True
        if not entry.is_public and not patient_browser.is_in():
            patient_browser.note_whom_to_call()
            abort(401)
        return None
    if entry.is_public:
        return None
    if not browser.is_signed_in():
        return _to_sign_in()
    if entry.right is not None and not here().may(entry.right):
        abort(403)
    if entry.right is not None and entry.everywhere and not may_everywhere(entry.right):
        abort(403)
    return None


def _to_sign_in() -> Response:
    if request.method not in ("GET", "HEAD") or "X-Fragment" in request.headers:
        abort(401)
    return redirect(url_for("welcome.form") if first_run_is_due() else sign_in_address(), 303)


def _here_of(account: SignedIn) -> Here:
    return Here(account.account_id, account.name, account.clinic, account.clinics, account.grants,
                account.practitioner_id)
