"""Rendering: what every page is given besides its own facts."""
from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import (
    Blueprint,
    Flask,
    g,
    make_response,
    render_template,
    request,
    send_from_directory,
    url_for,
)
from jinja2 import StrictUndefined
from werkzeug.wrappers import Response

from clinic import paths
from clinic.access import Right
from clinic.planning.local import local_of
from clinic.queries.shell import ShellCounts, business_name, shell_counts
from clinic.services.work import Stale
from clinic.web import browser, words
from clinic.web.addresses import address_of
from clinic.web.entry import Here, here, horizon, public, today
from clinic.web.faster import who_was_faster
from clinic.web.forms import form_key
from clinic.web.guide import onward
from clinic.web.help_topics import topic_of
from clinic.web.kit import kit, now

pages = Blueprint("pages", __name__)

ASSETS = "/static/dist"
"""Written out, so that even a request under a foreign host name gets an error page with its looks."""

_HASHED = re.compile(r".+-[A-Z0-9]{8}\.[a-z0-9]+")
_THEMES = ("light", "dark")


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the main navigation, for those who hold its right."""

    label: str
    endpoint: str
    icon: str
    key: str
    right: Right


MY_DAY = Place("My day", "my_day.show", "person", "y", Right.SEE_DIARY)
"""Where accounts of people who treat begin."""
PLACES = (
    Place("Today", "today.show", "today", "t", Right.SEE_DIARY),
    Place("Diary", "diary.show", "columns", "d", Right.SEE_DIARY),
    Place("Patients", "patients.index", "people", "p", Right.SEE_PATIENTS),
    Place("New course", "courses.new", "course-add", "n", Right.BOOK),
    Place("To plan", "undated.index", "calendar", "l", Right.BOOK),
    Place("Messages", "messages.index", "mail", "m", Right.SEE_MESSAGES),
    Place("To tell", "telling.index", "phone", "e", Right.SEE_MESSAGES),
    Place("Tasks", "tasks.index", "tasks", "k", Right.SETTLE_TASKS),
)

_ARRANGING = (
    Place("Set-up", "setup.index", "building", "u", Right.SET_UP),
    Place("Protocols", "protocols.index", "book", "r", Right.SEE_PROTOCOLS),
)
"""In the bar of those who only arrange things; for all others they are looked for less often."""

ACCOUNT_PLACES: tuple[tuple[str, str, Right | None], ...] = (
    ("Protocols", "protocols.index", Right.SEE_PROTOCOLS),
    ("Figures", "figures.index", Right.SEE_FIGURES),
    ("Set-up", "setup.index", Right.SET_UP),
    ("Health", "mail.show", Right.SEE_AUDIT),
    ("Morning digest", "own_account.digest", None),
    ("Password", "own_account.password", None),
)


def install(app: Flask) -> None:
    """Sets up the templates and what they all see."""
    # Set on what is made already: other parts have asked for the environment by now, and options would come too late.
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.globals.update(asset=asset, form_key=form_key, url_for=address_of)
    app.context_processor(_frame)
    words.install(app)


def page(template: str, status: int = 200, **context: Any) -> Response:
    """A page of ours, with what every page is given."""
    return make_response(render_template(template, **context), status)


def bare_page(template: str, status: int, **context: Any) -> Response:
    """A page that asks the database nothing, for when something went wrong."""
    g.bare = True
    return page(template, status, **context)


def stale_page(error: Stale, *, title: str, rows: Sequence[tuple[str, str, str]], again: str) -> Response:
    """Tells the second of two people who was faster, what it is now and what they wanted: (label, now, wanted) a row.
    """
    faster, who = who_was_faster(error)
    return page("errors/stale.html", 409, heading=title, rows=rows, again=again, faster=faster, who=who)


def landing(who: Here) -> str:
    """The first place that this account may see at its clinic; for who only arranges things, the set-up."""
    for place in _places(who):
        return url_for(place.endpoint)
    return url_for("signin.form")


def asset(name: str) -> str:
    """The address of what the browser loads, with its hash in the name."""
    manifest = paths.assets() / "manifest.json"
    return f"{ASSETS}/{_names(manifest, manifest.stat().st_mtime_ns)[name]}"


@pages.get(f"{ASSETS}/<name>")
@public
def asset_file(name: str) -> Response:
    """A built asset; one with a hash in its name never changes."""
    response = send_from_directory(paths.assets(), name, max_age=31_536_000)
    response.cache_control.public = True
    response.cache_control.immutable = _HASHED.fullmatch(name) is not None
    return response


@lru_cache(maxsize=1)
def _names(manifest: Path, _changed_at: int) -> Mapping[str, str]:
    found: dict[str, str] = json.loads(manifest.read_text(encoding="utf-8"))
    return found


def _frame() -> dict[str, Any]:
    if "bare" in g or "for_patients" in g:
        return {"business": "Clinic"}
    if not browser.is_signed_in():
        with kit().read() as db:
            return {"business": business_name(db)}
    who = here()
    with kit().read() as db:
        counts = shell_counts(db, who.clinic_id, horizon(), now())
    return {
        "business": counts.business, "here": who, "today": today(), "may": lambda code: who.may(Right(code)),
        "shell": _shell(who, counts), "onward": lambda: onward(who),
    }


def _shell(who: Here, counts: ShellCounts) -> dict[str, Any]:
    theme = request.cookies.get("theme", "")
    return {
        "business": counts.business,
        "clinic": who.clinic, "clinics": who.clinics,
        "home_href": landing(who), "requests": counts.requests, "to_do": counts.to_do,
        "switch_clinic_href": url_for("signin.switch"),
        "search_href": url_for("finding.show"),
        "help": topic_of(request.endpoint or ""),
        "help_href": url_for("help.index"),
        "sign_out_href": url_for("signin.out"),
        "account": {"name": who.name, "role": _role_words(who)},
        "nav": [_nav(place, counts) for place in _places(who)] or [_nowhere()],
        "account_links": _account_links(who),
        "printed_at": words.moment(local_of(now(), who.clinic.zone)),
        "theme": theme if theme in _THEMES else "",
        "theme_href": url_for("signin.theme"),
    }


def _account_links(who: Here) -> list[dict[str, str]]:
    """The places that are looked for less often than those of the bar."""
    return [{"label": label, "href": url_for(endpoint)} for label, endpoint, right in ACCOUNT_PLACES
            if right is None or who.may(right)]


def _places(who: Here) -> list[Place]:
    arranging = _ARRANGING if who.may(Right.SET_UP) and not who.may(Right.SEE_DIARY) else ()
    own = (MY_DAY,) if who.practitioner_id is not None else ()
    return [place for place in (*own, *arranging, *PLACES) if who.may(place.right)]


def _nav(place: Place, counts: ShellCounts) -> dict[str, Any]:
    waiting = {"messages.index": counts.messages_in_trouble, "tasks.index": counts.tasks,
               "undated.index": counts.sessions_due, "telling.index": counts.people_to_tell}
    noun = (request.endpoint or "").partition(".")[0].replace("requests", "tasks")
    endpoint = "requests.index" if place.endpoint == "tasks.index" and counts.requests else place.endpoint
    current = request.endpoint == place.endpoint or (
        noun == place.endpoint.partition(".")[0] and noun not in ("courses", "appointments")
    )
    return {
        "label": place.label, "href": url_for(endpoint), "icon": place.icon, "key": place.key,
        "current": current, "count": waiting.get(place.endpoint) or None,
    }


def _nowhere() -> dict[str, Any]:
    return {"label": "Sign-in", "href": url_for("signin.form"), "icon": "lock", "key": None, "current": False,
            "count": None}


def _role_words(who: Here) -> str:
    roles = [words.ROLES[grant.role] for grant in who.grants if grant.clinic_id == who.clinic_id]
    return ", ".join(dict.fromkeys(roles))
