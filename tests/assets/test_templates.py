"""What the shared templates may not contain, and what their macros promise."""
from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError

import clinic
from clinic import paths
from clinic.care.states import AppointmentState, CourseState, MessageState, SessionState
from clinic.care.windows import Window
from clinic.planning.findings import Finding, Weight
from tests.assets.gallery import environment, page

ROOT = paths.templates()

def is_page(path: Path) -> bool:
    """Whether a template is shown by our own pages; an e-mail is not, its readers know inline styles only."""
    return path.relative_to(ROOT).parts[0] != "messages" or '{% extends "layout/' in path.read_text()


PAGES = sorted(path for path in ROOT.rglob("*.html") if is_page(path))
FORBIDDEN = {
    "an inline style": r"\sstyle\s*=",
    "a style element": r"<style",
    "an inline script": r"<script(?![^>]*\ssrc=)",
    "an inline handler": r"\son[a-z]+\s*=\s*[\"']",
    "an address of another host": r"(?:src|href|action)=[\"']?(?:https?:)?//",
    "a javascript: address": r"javascript:",
}
TODAY = date(2027, 3, 1)


def rendered(source: str, **given: Any) -> str:
    """What a line of template says, white space made single."""
    return re.sub(r"\s+", " ", environment().from_string(source).render(**given)).strip()


def words(source: str, **given: Any) -> str:
    """The same without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", rendered(source, **given))).strip()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_template_holds_nothing_that_the_content_policy_refuses(path: Path) -> None:
    found = [name for name, pattern in FORBIDDEN.items() if re.search(pattern, path.read_text())]

    assert found == []


def test_every_id_of_the_gallery_stands_once() -> None:
    ids = re.findall(r'\sid="([^"]+)"', page("/gallery"))

    assert sorted(ids) == sorted(set(ids))


def test_every_form_that_posts_carries_the_token() -> None:
    posting = [form for form in page("/gallery").split("<form")[1:] if 'method="post"' in form.split(">")[0]]

    without = [form for form in posting if 'name="csrf_token" value="a-token"' not in form.split("</form>")[0]]

    assert len(posting) > 5
    assert without == []


@pytest.mark.parametrize(
    ("macro", "states"),
    [
        ("appointment_state", AppointmentState), ("course_state", CourseState),
        ("session_state", SessionState), ("message_state", MessageState),
    ],
)
def test_every_state_has_a_word_and_an_icon_of_its_own(macro: str, states: Any) -> None:
    source = f'{{% from "macros/badges.html" import {macro} as badge %}}{{{{ badge(state) }}}}'

    shown = [rendered(source, state=state) for state in states]

    assert len({words(source, state=state) for state in states}) == len(states)
    assert [html for html in shown if 'href="#icon-' not in html] == []


def test_an_unknown_icon_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        rendered('{% from "macros/icons.html" import icon %}{{ icon("unicorn") }}')


def test_a_field_keeps_what_was_typed_and_escapes_it() -> None:
    html = rendered('{% from "macros/forms.html" import text %}{{ text("name", "Name", typed) }}', typed='"><b>Ann')

    assert 'value="&#34;&gt;&lt;b&gt;Ann"' in html


def test_a_date_that_is_none_or_was_typed_wrong_stays_as_it_is() -> None:
    source = '{% from "macros/forms.html" import date %}{{ date("on", "Day", typed) }}'

    values = [re.findall(r'value="([^"]*)"', rendered(source, typed=typed)) for typed in (TODAY, None, "31.2.")]

    assert values == [["2027-03-01"], [""], ["31.2."]]


def test_a_wrong_field_names_its_hint_and_its_error() -> None:
    html = rendered('{% from "macros/forms.html" import text %}{{ text("a", "A", hint="H", error="Say more.") }}')

    assert 'aria-describedby="a-hint a-error" aria-invalid="true"' in html
    assert 'id="a-hint"' in html
    assert 'id="a-error"' in html


def test_a_number_chooses_the_option_of_the_same_word() -> None:
    source = '{% from "macros/forms.html" import select %}{{ select("a", "A", [(1, "One"), (2, "Two")], value=2) }}'

    assert re.findall(r'value="(\d)" selected', rendered(source)) == ["2"]


def test_the_summary_of_errors_says_nothing_when_there_are_none() -> None:
    assert rendered('{% from "macros/forms.html" import error_summary %}{{ error_summary({}) }}') == ""


def test_findings_that_block_come_first_and_say_so() -> None:
    items = (Finding("a", Weight.WARNS, "It is late."), Finding("b", Weight.BLOCKS, "Too soon.", until=TODAY))

    said = words('{% from "macros/panels.html" import findings %}{{ findings(items) }}', items=items)

    assert said == "Blocks Too soon. Until 1 Mar 2027. Warns It is late."


@pytest.mark.parametrize(
    ("offset", "said"),
    [
        (-8, "1 day before its window"), (-7, "7 days before ideal"), (-3, "in its ideal days"),
        (0, "on its ideal day"), (3, "in its ideal days"), (4, "4 days after ideal"), (9, "2 days after its window"),
    ],
)
def test_a_session_says_how_it_lies_to_its_window(offset: int, said: str) -> None:
    def day(days: int) -> date:
        return TODAY + timedelta(days=days)

    one = {"earliest_on": day(-7), "ideal_on": TODAY, "latest_on": day(7), "held_on": day(offset),
           "fit": Window(day(-7), TODAY, day(7)).fit(day(offset))}

    assert words('{% from "macros/course.html" import fit %}{{ fit(one) }}', one=one) == said


def drawn(macro: str, sessions: list[dict[str, Any]]) -> str:
    """A course as one of the drawings shows it."""
    source = f'{{% from "macros/course.html" import {macro} as draw %}}{{{{ draw(sessions, today) }}}}'
    return rendered(source, sessions=sessions, today=TODAY)


def _session(number: int, state: str, held_on: date | None) -> dict[str, Any]:
    known = {"earliest_on": None, "ideal_on": held_on, "latest_on": None, "held_on": held_on, "fit": None}
    return {"number": number, "state": state, "when": "", "detail": "", "href": None, **known}


def test_dots_lie_in_the_drawing_in_the_order_of_their_dates() -> None:
    days = (date(2026, 1, 5), date(2026, 12, 31), date(2027, 1, 1), date(2029, 6, 30))
    sessions = [_session(number, "completed", on) for number, on in enumerate(days, 1)]

    html = drawn("course_strip", sessions)

    places = [float(x) for x in re.findall(r'<circle class="mark[^>]* cx="([\d.]+)%"', html)]
    assert places == sorted(places)
    assert (places[0] > 0, places[-1] < 100, len(places)) == (True, True, 4)


@pytest.mark.parametrize("years", [0, 1, 3, 8])
def test_a_course_of_any_length_has_months_that_can_be_read(years: int) -> None:
    sessions = [_session(1, "completed", TODAY), _session(2, "owed", TODAY.replace(year=TODAY.year + years, month=6))]

    html = drawn("course_timeline", sessions)

    assert 2 <= html.count('class="line-words"') <= 9


def test_a_course_without_any_date_is_drawn_around_today() -> None:
    sessions = [_session(1, "owed", None), _session(2, "owed", None)]

    html = drawn("course_timeline", sessions)

    assert html.count("No date yet") == 2


def test_the_plan_that_is_picked_is_chosen_and_holds_what_is_said_of_it() -> None:
    source = ('{% from "macros/plans.html" import plan_lines %}'
              '{% call plan_lines("plan", plans, line, picked) %}<b>said</b>{% endcall %}')
    bare: dict[str, Any] = {"summary": "", "owed": "", "reasons": [], "visits": [], "spoken": ""}
    plans = [bare | {"key": key, "title": key} for key in ("a", "b")]
    drawn_as: dict[str, Any] = {"dots": [], "bands": [], "recovery_x": 0, "recovery_width": 0}
    line: dict[str, Any] = {"months": [], "event_x": None, "event_words": "", "plans": [drawn_as, drawn_as]}

    pages = [rendered(source, plans=plans, line=line, picked=picked) for picked in ("a", "b")]

    assert [re.findall(r'value="(\w)"[^>]*checked', html) for html in pages] == [["a"], ["b"]]
    assert [html.index("<b>said</b>") < html.index('value="b"') for html in pages] == [True, False]


def test_a_comparison_marks_only_what_changes() -> None:
    source = '{% from "macros/course.html" import compare %}{{ compare([("Day", "Mon", "Tue"), ("Room", "1", "1")]) }}'

    assert re.findall(r"<del>(\w+)</del>", rendered(source)) == ["Mon"]
    assert words(source).endswith("Room 1 unchanged")


def test_every_class_of_a_page_is_known_to_the_style_sheet() -> None:
    sheets = (Path(clinic.__file__).parent / "assets" / "css").glob("*.css")
    known = {name for sheet in sheets for name in re.findall(r"\.([a-z][a-z0-9-]*)", sheet.read_text())}
    # names that only mark a place in the page, or the plain one of several states
    plain = {
        "bullets-none", "compare-same", "contraindications", "finding-text", "mark-booked", "refreshing",
        "timeline-rows", "visits",
    }

    used = {
        name
        for path in PAGES
        for words in re.findall(r'class="([a-z0-9 -]+)"', path.read_text())
        for name in words.split()
    }

    assert used - known - plain == set()
