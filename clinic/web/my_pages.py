"""Rendering the patient's own pages: their words, their language, whom to call."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Flask, g
from werkzeug.wrappers import Response

from clinic.care.dialling import dial_address
from clinic.services.dates_said import day_said, hours_said, moment_said
from clinic.services.my_page import unbroken
from clinic.web.my_answers import answer_said
from clinic.web.my_words import my_language, my_languages, my_words, said
from clinic.web.pages import bare_page, page


def install(app: Flask) -> None:
    """Gives the templates dates as patients read them."""
    app.jinja_env.filters.update(
        day_said=day_said, moment_said=moment_said, hours_said=_hours_said, answer_said=answer_said)


def _hours_said(span: tuple[datetime, datetime], language: str) -> str:
    return hours_said(*span, language)


def my_own_page(template: str, status: int = 200, *, language: str | None, **context: Any) -> Response:
    """A page of the patient's, in that language where we speak it."""
    spoken = my_language(language)
    return page(template, status, language=spoken, say=my_words(spoken), said=said,
                languages=[(code, my_words(code)["language"]) for code in my_languages()], **context)


def sorry(code: int, headers: Mapping[str, str]) -> Response:
    """Says that something is not possible, in the patient's words, and whom to call where that is known; asks the
    database nothing."""
    found, clinic = g.get("my_browser"), g.get("my_clinic")
    spoken = my_language(found.language if found else None)
    words = my_words(spoken)
    known = words["sorry"].get(str(code)) or words["sorry"]["400" if code < 500 else "500"]
    response = bare_page("my/sorry.html", code, language=spoken, say=words, sorry=known, is_in=found is not None,
                         clinic=clinic, said=said, call_href=dial_address, unbroken=unbroken)
    response.headers.update(headers)
    return response
