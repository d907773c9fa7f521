"""Reasons: chosen from a list, or in one's own words."""
from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from clinic.web.forms import Form
from clinic.web.reasons import CANCELLATION, read_reason, reason_words


@pytest.mark.parametrize(("typed", "reason"), [
    ({"reason": "The patient is ill"}, "The patient is ill"),
    ({"reason": "The patient is ill", "details": " fever "}, "The patient is ill: fever"),
    ({"reason": "Another reason", "details": "The train stood still"}, "The train stood still"),
])
def test_a_reason_is_kept_with_what_was_typed_beside_it(typed: dict[str, str], reason: str) -> None:
    form = Form(MultiDict(typed))

    assert (read_reason(form, CANCELLATION), form.faults) == (reason, {})


@pytest.mark.parametrize(("typed", "faults"), [
    ({}, {"reason": "Choose the reason."}),
    ({"reason": "because"}, {"reason": "Choose the reason."}),
    ({"reason": "Another reason", "details": " "}, {"details": "Say which reason."}),
])
def test_a_reason_that_says_nothing_is_a_fault(typed: dict[str, str], faults: dict[str, str]) -> None:
    form = Form(MultiDict(typed))

    read_reason(form, CANCELLATION)

    assert form.faults == faults


def test_a_reason_that_the_house_gave_is_told_in_words() -> None:
    assert [reason_words(each) for each in ("course-stopped", "fever", None)] == [
        "The course was stopped", "fever", ""]
