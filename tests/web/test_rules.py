"""The page of the rules of messages: what goes and when, a made-up course that follows them, the coming 30 days."""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from clinic.access import Role
from clinic.app import Kit
from clinic.care.catalogue import library_documents
from clinic.care.message_kinds import MessageKind
from clinic.care.message_rules import CHOICES, DEFAULTS, EVERY_DAY, OUR_RULES, GivesWay, Rule, Shift, WallClock
from clinic.store.clinics import Clinic, MessageRule
from clinic.web.rule_words import STRETCHES, rule_sentence
from clinic.web.rules_form import chosen_rules, rule_values
from tests.databases import SQLiteFiles
from tests.web import seed
from tests.web.checksums import checksum
from tests.web.conftest import SignedIn, World, post
from tests.web.counting import own_statements
from tests.web.desk import texts

RULES, LOOK = "/setup/rules", "/setup/rules/look"
CODE = "mn_rejuvenation"
FIRST = MessageKind.REMINDER_7D


@pytest.fixture
def database_url(sqlite_files: SQLiteFiles) -> Iterator[str]:
    """SQLite alone: what is kept, and what follows from it, is tried on both in `tests/services`."""
    url = sqlite_files.migrated()
    yield url
    sqlite_files.remove(url)


@pytest.fixture
def library(world: World, rows: Callable[[], Session]) -> World:
    """Three protocols of the library, as drafts."""
    with rows() as db:
        for document in library_documents():
            if document["code"] in (CODE, "peel_superficial", "lhr_face"):
                seed.add_protocol(db, document)
        db.commit()
    return world


def form(changes: dict[str, object] | None = None, **more: str) -> MultiDict[str, object]:
    """The form of the page as it is sent, with some fields changed; a None is not sent at all."""
    values: dict[str, object] = {
        **rule_values(chosen_rules(OUR_RULES)), "most_a_day": "3", "lock_version": "1", "protocol": "",
        "story": "ahead", "shown": CODE, **more, **(changes or {})}
    found: MultiDict[str, object] = MultiDict()
    for name, value in values.items():
        if value not in (None, ""):
            found.setlist(name, list(value) if isinstance(value, tuple) else [value])
    return found


def send(browser: object, url: str, data: MultiDict[str, object]) -> TestResponse:
    return post(browser, url, {name: data.getlist(name) for name in data})  # type: ignore[arg-type]


def text_of(answer: TestResponse) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))))


def test_every_kind_stands_once_on_the_page_in_plain_words(signed_in: SignedIn, library: World) -> None:
    browser = signed_in(Role.MANAGER)

    answer = browser.get(RULES)

    assert sorted(kind for stretch in STRETCHES for kind in stretch.kinds) == sorted(MessageKind)
    names = texts(answer, "rule-name")
    assert len(names) == len(set(names)) == len(MessageKind)
    assert "2 days before the visit, at 09:00; not within a day after the patient heard of the time; not when the " \
        "patient has said that they come" in text_of(answer)
    links = re.findall(r'href="(/setup/texts/[^"]+)"', answer.get_data(as_text=True))
    assert {browser.get(link).status_code for link in links} == {200}
    assert len(links) == len([kind for kind in MessageKind if CHOICES[kind].counted])


def test_a_rule_that_is_saved_is_kept_and_marked_with_ours_beside_it(
    signed_in: SignedIn, library: World, rows: Callable[[], Session]
) -> None:
    browser = signed_in(Role.MANAGER)

    answer = send(browser, RULES, form({f"{FIRST}-when": "5", f"{FIRST}-at": "10:30", "most_a_day": "2"}))

    assert (answer.status_code, answer.location) == (303, f"{RULES}?shown={CODE}&story=ahead")
    with rows() as db:
        kept = db.execute(sa.select(MessageRule.kind, MessageRule.rule, MessageRule.protocol_id)).all()
        assert [tuple(row) for row in kept] == [(FIRST, {"when": {"days": 5, "at": 630}}, None)]
        assert db.get_one(Clinic, library.harbour).most_messages_a_day == 2
    page = browser.get(answer.location)
    assert texts(page, "rule-base") == ["ours: 7 days before the visit, at 09:00; not within a day after the patient "
                                        "heard of the time Back to ours"]
    assert "5 days before the visit, at 10:30" in text_of(page)


def test_one_click_puts_a_rule_back_on_the_page_and_the_rest_stays_as_typed(
    signed_in: SignedIn, library: World, kit: Kit
) -> None:
    browser = signed_in(Role.MANAGER)
    typed = form({f"{FIRST}-when": "5", "reminder-2d-when": "1", "reminder-2d-on": None}, back=FIRST)
    before = checksum(kit.engine)

    answer = send(browser, LOOK, typed)

    page = answer.get_data(as_text=True)
    assert re.search(rf'id="{FIRST}-when"[^>]*value="7"', page)
    assert re.search(r'id="reminder-2d-when"[^>]*value="1"', page)
    assert len(texts(answer, "rule-base")) == 1
    assert checksum(kit.engine) == before


def test_a_protocol_keeps_only_what_departs_from_the_clinic(
    signed_in: SignedIn, library: World, rows: Callable[[], Session]
) -> None:
    browser = signed_in(Role.MANAGER)
    send(browser, RULES, form({f"{FIRST}-when": "5"}))

    send(browser, RULES, form({f"{FIRST}-when": "5", "reminder-2d-on": None}, protocol=CODE, lock_version="2"))

    with rows() as db:
        kept = db.execute(sa.select(MessageRule.kind, MessageRule.rule).where(
            MessageRule.protocol_id.is_not(None))).all()
    assert [tuple(row) for row in kept] == [("reminder-2d", {"on": False})]
    page = browser.get(f"{RULES}?protocol={CODE}")
    [base] = texts(page, "rule-base")
    assert base.startswith("the clinic’s: 2 days before the visit")
    assert base.endswith("As the clinic has it")
    assert "(1 rule of its own)" in text_of(page)
    assert 'name="most_a_day"' not in page.get_data(as_text=True)
    assert f'href="{RULES}?protocol={CODE}"' in browser.get(f"/protocols/{CODE}").get_data(as_text=True)


@pytest.mark.parametrize(("changes", "field", "words"), [
    ({f"{FIRST}-when": "31"}, f"{FIRST}-when", "First reminder: choose between 0 and 30 days before the visit."),
    ({f"{FIRST}-when": "soon"}, f"{FIRST}-when", "must be a whole number"),
    ({f"{FIRST}-at": ""}, f"{FIRST}-at", "Enter the time of day of “First reminder”."),
    ({f"{FIRST}-weekdays": None}, f"{FIRST}-weekdays-group", "Choose at least one weekday"),
    ({"check-in-24h-when": "3"}, "check-in-24h-when", "First check-in: choose between 12 hours"),
    ({"most_a_day": "0"}, "most_a_day", "from 1 to 20"),
])
def test_what_cannot_be_kept_is_said_at_its_field_and_the_sequence_is_shown_all_the_same(
    changes: dict[str, object], field: str, words: str, signed_in: SignedIn, library: World, kit: Kit
) -> None:
    browser = signed_in(Role.MANAGER)
    before = checksum(kit.engine)

    for url in (RULES, LOOK):
        answer = send(browser, url, form(changes))

        assert answer.status_code == 422
        assert f'id="{field}-error"' in answer.get_data(as_text=True)
        assert words in text_of(answer)
        assert "Session 1 of 4" in text_of(answer)
    assert checksum(kit.engine) == before


def test_the_sequence_follows_what_is_typed_and_keeps_nothing(signed_in: SignedIn, library: World, kit: Kit) -> None:
    browser = signed_in(Role.MANAGER)
    before = checksum(kit.engine)

    late = send(browser, LOOK, form({f"{FIRST}-on": None}, story="late"))

    assert "Not sent: the clinic does not send this message" in text_of(late)
    assert "Not sent: the patient has only just heard of the time" in text_of(late)
    assert texts(late, "sequence-mail")[0] == (
        "Mon 1 Mar 10:03 Confirmation Three minutes after dates were booked Pre-care checklist session 1 "
        "2 days before the first thing to do, at 09:00 In one e-mail")
    assert "have not saved yet" in text_of(late)
    assert checksum(kit.engine) == before


def test_the_coming_30_days_are_counted_beside_what_is_kept_and_nothing_is_kept(
    signed_in: SignedIn, library: World, kit: Kit, rows: Callable[[], Session]
) -> None:
    browser = signed_in(Role.MANAGER)
    before = checksum(kit.engine)

    same = send(browser, LOOK, form(show="coming"))
    other = send(browser, LOOK, form({f"{FIRST}-on": None}, show="coming"))

    assert "0 e-mails as things stand, to 0 patients at most" in text_of(same)
    assert "0 with what you typed: as many" in text_of(other)
    assert other.get_data(as_text=True).count('<th role="rowheader"') == 30
    assert checksum(kit.engine) == before


def test_the_second_of_two_managers_sees_both(signed_in: SignedIn, library: World) -> None:
    browser = signed_in(Role.MANAGER)
    send(browser, RULES, form({f"{FIRST}-when": "5"}))

    answer = send(browser, RULES, form({f"{FIRST}-when": "6"}))

    assert answer.status_code == 409
    assert "5 days before the visit" in text_of(answer)
    assert "6 days before the visit" in text_of(answer)


def test_what_is_not_there_is_not_found(signed_in: SignedIn, library: World) -> None:
    browser = signed_in(Role.MANAGER)

    assert [browser.get(f"{RULES}?{query}").status_code for query in ("protocol=none", "shown=none", "story=none")] == [
        404, 404, 404]
    assert signed_in(Role.RECEPTIONIST).get(RULES).status_code == 403


def test_without_a_protocol_the_rules_are_there_and_the_course_is_not(signed_in: SignedIn, world: World) -> None:
    answer = signed_in(Role.MANAGER).get(RULES)

    assert answer.status_code == 200
    assert "There is no protocol yet" in text_of(answer)


def test_the_page_takes_as_many_statements_for_many_protocols_and_rules_as_for_few(
    signed_in: SignedIn, library: World, kit: Kit, rows: Callable[[], Session]
) -> None:
    browser = signed_in(Role.MANAGER)
    few, _ = own_statements(kit, browser, RULES)
    with rows() as db:
        for document in library_documents()[:8]:
            if document["code"] not in (CODE, "peel_superficial", "lhr_face"):
                ident = seed.add_protocol(db, document)
                db.add(MessageRule(clinic_id=library.harbour, protocol_id=ident, kind=FIRST, rule={"on": False},
                                   made_at=seed.NOW))
        db.commit()

    many, _ = own_statements(kit, browser, RULES)

    assert many == few <= 6


def test_a_rule_is_said_in_words_that_name_its_days_hours_and_weekdays() -> None:
    workdays = Rule(when=WallClock(3, 600), weekdays=frozenset(range(5)), shift=Shift.EARLIER)

    said = [rule_sentence(FIRST, rule) for rule in (
        workdays, Rule(when=WallClock(0, 480), weekdays=EVERY_DAY - {6}), Rule(is_on=False, when=WallClock(3)),
        Rule(when=WallClock(1), weekdays=frozenset({0, 3}), gives_way=frozenset(GivesWay)))]

    assert said == [
        "3 days before the visit, at 10:00; Mon – Fri only, else on the chosen day before",
        "On the day of the visit, at 08:00; not on Sun, but on the next chosen day",
        "Not sent",
        "1 day before the visit, at 09:00; Mon, Thu only, else on the next chosen day; not within a day after the "
        "patient heard of the time; not when the patient has said that they come",
    ]
    assert all(rule_sentence(kind, DEFAULTS[kind]) for kind in CHOICES)
