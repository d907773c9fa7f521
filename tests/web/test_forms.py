"""Reading a form: what is taken, what is refused and in which words."""
from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from clinic.planning.findings import Finding, Weight
from clinic.web.forms import Form

_TWELVE = "Sessions must be a whole number from 1 to 12."


def test_text_is_trimmed_and_composed() -> None:
    form = Form({"name": "  Nova\u0301kova\u0301 "})

    assert form.text("name", "The name") == "Nováková"
    assert form.faults == {}


@pytest.mark.parametrize("typed", [
    "a\x00b", "a\nb", "a\r\nBcc: x@example.org", "a\tb", "a\u202eb", "a\u2028b", "\x7f", "a\x1bb"])
def test_one_line_takes_no_control_characters(typed: str) -> None:
    form = Form({"name": typed})

    assert form.text("name", "The name") == ""
    assert form.faults == {"name": "The name contains characters that cannot be kept. Type it again."}
    assert form.value("name") == typed


def test_several_lines_keep_their_breaks() -> None:
    assert Form({"alerts": "one\r\ntwo"}).text("alerts", "Alerts", lines=True) == "one\ntwo"


@given(st.text(max_size=300))
def test_text_that_is_taken_can_be_kept_anywhere(typed: str) -> None:
    form = Form({"name": typed})

    taken = form.text("name", "The name", most=50, required=False)

    assert len(taken) <= 50
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in taken)


@pytest.mark.parametrize(("read", "typed", "words"), [
    (lambda form: form.text("x", "The name"), "", "Enter the name."),
    (lambda form: form.text("x", "The name", most=3), "Anna", "The name may have at most 3 characters; this has 4."),
    (lambda form: form.date("x", "The birth date"), "", "Enter the birth date."),
    (lambda form: form.date("x", "The date"), "1/3/2027", "The date must be a date, such as 2027-03-01."),
    (lambda form: form.date("x", "The date"), "2027-02-29", "The date must be a date, such as 2027-03-01."),
    (lambda form: form.date("x", "The date"), "20270301", "The date must be a date, such as 2027-03-01."),
    (lambda form: form.date("x", "The date", latest=date(2027, 3, 1)), "2027-03-02",
     "The date cannot be after 1 March 2027."),
    (lambda form: form.date("x", "The date", earliest=date(2027, 3, 1)), "2027-02-28",
     "The date cannot be before 1 March 2027."),
    (lambda form: form.time("x", "The time"), "25:00", "The time must be a time, such as 09:30."),
    (lambda form: form.time("x", "The time"), "٠٩:٣٠", "The time must be a time, such as 09:30."),
    (lambda form: form.number("x", "Sessions", least=1, most=12), "-1", _TWELVE),
    (lambda form: form.number("x", "Sessions", least=1, most=12), "1e1", _TWELVE),
    (lambda form: form.number("x", "Sessions", least=1, most=12), "NaN", _TWELVE),
    (lambda form: form.number("x", "Sessions", least=1, most=12), "9" * 5000,
     _TWELVE),
    (lambda form: form.one_of("x", "A channel", ("email",)), "fax", "Choose a channel."),
    (lambda form: form.some_of("x", "Weekdays", ("0", "1")), "7", "Choose weekdays from the list."),
    (lambda form: form.choice("x", "A plan", int), "junk", "Choose a plan again: what was sent cannot be read."),
])
def test_what_cannot_be_taken_is_said_in_words(read: object, typed: str, words: str) -> None:
    form = Form({"x": typed})

    read(form)  # type: ignore[operator]

    assert form.faults == {"x": words}
    assert form.status == 422


def test_what_can_be_taken_is_read_as_its_kind() -> None:
    form = Form(MultiDict([("on", "2027-03-01"), ("at", "9:05"), ("n", "4"), ("days", "2"), ("days", "0"),
                           ("box", "yes")]))

    read = (form.date("on", "On"), form.time("at", "At"), form.number("n", "N", least=1, most=9),
            form.some_of("days", "Days", ("0", "1", "2")), form.ticked("box"), form.ticked("other"))

    assert read == (date(2027, 3, 1), 545, 4, ("0", "2"), True, False)
    assert (form.faults, form.status) == ({}, 200)


def test_a_finding_goes_to_its_field_or_to_the_top() -> None:
    form = Form({"email": "x"})
    at_field = Finding("a", Weight.BLOCKS, "Not an address.", "email")
    elsewhere = Finding("b", Weight.WARNS, "Late.", "plan")

    form.add((at_field, elsewhere))

    assert (form.faults, form.findings, form.status) == ({"email": "Not an address."}, [elsewhere], 422)


def test_reasons_for_going_past_warnings_are_read_by_their_codes() -> None:
    form = Form({"override-too-late": " The patient was away ", "override-busy": "", "other": "x"})

    assert form.overrides() == {"too-late": "The patient was away"}
