"""What holds of every message: it travels well, its twins say the same, and nobody reads over a shoulder what it is."""
from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from email import message_from_bytes, policy
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from clinic.care.directions import undirected
from clinic.messages.discretion import discreet, telling_words
from clinic.messages.envelope import EnvelopeHeader, build_mime, message_id
from clinic.messages.letters import Kind, Letter, OwnWords
from clinic.messages.news import render_question
from clinic.messages.rendering import calendar_words, render
from tests.messages.everything import everything
from tests.messages.samples import CLINIC, EVERY_LETTER, LETTERS
from tests.messages.test_envelope import HEADER, NAMES, parsed
from tests.messages.test_news import QUESTION

TIMES = re.compile(r"\d\d:\d\d")
DAYS = re.compile(r"\w+day \d+ \w+(?: \d{4})?|(?:\w+tag|mittwoch), \d+\. \w+(?: \d{4})?")
PHONES = re.compile(r"\+\d[\d ]+\d")
LINKS = re.compile(r"https?://\S+")
SAID_WHOLE = {"date-day", "date-off", "date-line", "date-old", "mark", "mark-off", "step-title", "flag-title",
              "alarm-title", "note"}
HEADERS = ["From", "To", "Subject", "Date", "Message-ID", "Content-Language", "Auto-Submitted",
           "X-Auto-Response-Suppress", "MIME-Version", "Content-Type"]
LISTED = ["List-Unsubscribe", "List-Unsubscribe-Post", "List-Id"]
STAFF_MAIL = {"digest.en"}
TELLING = "Laser- und Akne-Klinik: Botox, Filler & hair removal"


class _Facts(HTMLParser):
    """The lines of a page that its text must have, word for word: those of lists, and those of dates and boxes."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.items: list[str] = []
        self.links: set[str] = set()
        self.dials: set[str] = set()
        self._open: list[tuple[str, list[str] | None]] = []
        self._heads: int | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag == "a":
            address = known["href"] or ""
            (self.dials if address.startswith("tel:") else self.links).add(address.removeprefix("tel:"))
        found = self.items if tag == "li" else self.lines
        if tag in {"li", "h3"} or SAID_WHOLE & set((known.get("class") or "").split()):
            self._heads = len(self.lines) if tag == "h3" else self._heads
            found.append("")
            self._open.append((tag, found))
        elif tag == "br" and self._open and (lines := self._open[-1][1]) is not None:
            lines.append("")
        elif tag not in {"br", "meta"}:
            self._open.append((tag, None))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag
        if tag == "li" and self._heads is not None:
            # A short heading, such as what to do and what to avoid, counts by what stands under it.
            self.lines[self._heads] += f":- {self.items[-1]}"
            self._heads = None

    def handle_data(self, data: str) -> None:
        for _, lines in reversed(self._open):
            if lines is not None:
                lines[-1] += data
                return


def facts_of(html: str) -> _Facts:
    """The facts of a page; an element that is not closed is an error."""
    page = _Facts()
    page.feed(re.sub(r"<!--.*?-->|<div class=\"preheader\".*?</div>", "", html).replace("\N{NO-BREAK SPACE}", " "))
    assert page._open == []
    return page


def squeezed(text: str) -> str:
    """A text for comparing: no spaces, one case."""
    return re.sub(r"\s+", "", text).casefold()


def test_every_message_travels_whole_in_short_plain_lines() -> None:
    faults = []
    for name, rendered in everything().items():
        mime = build_mime(rendered, HEADER)
        message = message_from_bytes(mime, policy=policy.default)
        read = [part.get_content().replace("\r\n", "\n") for subtype in ("plain", "html")
                if (part := message.get_body((subtype,)))]
        faults += [(name, why) for why, is_fault in {
            "not 7 bit": not mime.isascii(),
            "a longer line than RFC 5322 wants": max(map(len, mime.split(b"\r\n"))) > 78,
            "a bare line end": bool(re.search(rb"\r(?!\n)|(?<!\r)\n", mime)),
            "defects": any(part.defects for part in message.walk()),
            "changed on the way": read != [rendered.text, rendered.html],
            "another subject": message["Subject"] != rendered.subject,
            "too large": len(mime) > 102_000,  # Gmail cuts off what is longer
        }.items() if is_fault]

    assert faults == []


def test_both_twins_of_every_message_say_the_same_dates_numbers_links_and_lines() -> None:
    differing: dict[tuple[str, str], object] = {}
    for name, rendered in everything().items():
        page, text = facts_of(rendered.html), rendered.text
        words = re.sub(r"<head>.*?</head>|<div class=\"preheader\".*?</div>|<[^>]*>", " ", rendered.html,
                       flags=re.DOTALL).replace("\N{NO-BREAK SPACE}", " ")
        pairs = {
            "times": (set(TIMES.findall(text)), set(TIMES.findall(words))),
            "days": (set(DAYS.findall(text.casefold())), set(DAYS.findall(words.casefold()))),
            "phones": (set(PHONES.findall(text)), set(PHONES.findall(words))),
            "dialled": ({each.replace(" ", "") for each in PHONES.findall(text)}, page.dials),
            "links": (set(LINKS.findall(text)), page.links),
            "list lines": (set(re.findall(r"(?<=^- ).*", text, re.MULTILINE)), set(page.items))
            if name not in STAFF_MAIL else (set(), set()),
            "lines": ([], [line for line in page.lines if squeezed(line) not in squeezed(text)]),
        }
        differing |= {(name, what): pair for what, pair in pairs.items() if pair[0] != pair[1]}

    assert differing == {}


def _telling(letter: Letter) -> Letter:
    """The same from a clinic whose name, people, places, texts and notes all tell what it treats."""
    nasty = replace(CLINIC, name=TELLING, sender_name=TELLING, address=("Laser Street 1",), own=OwnWords(
        (TELLING,), (TELLING,), (TELLING,)))
    return replace(letter, clinic=nasty, note=(TELLING,), sections=tuple(replace(
        section, note=TELLING,
        visits=tuple(replace(line, practitioner=TELLING, place=TELLING) for line in section.visits),
        instructions=tuple(replace(each, text=TELLING) for each in section.instructions),
        phases=tuple(replace(each, expect=(TELLING,)) for each in section.phases),
        red_flags=tuple(replace(each, text=TELLING) for each in section.red_flags)) for section in letter.sections))


def test_no_subject_or_preview_tells_what_a_patient_is_treated_for_whatever_the_clinic_wrote() -> None:
    rendered = {name: render(_telling(letter)) for name, letter in EVERY_LETTER.items()}
    rendered |= {language: render_question(replace(QUESTION, language=language, business=TELLING,
                                                   clinic=replace(CLINIC, name=TELLING))) for language in ("en", "de")}

    told = {name: telling_words(f"{each.subject}\n{each.preheader}") for name, each in rendered.items()}

    assert {name: words for name, words in told.items() if words} == {}
    assert telling_words(rendered["en/recall"].text)  # otherwise nothing was written that could tell


def test_what_goes_into_a_calendar_tells_nothing_either() -> None:
    for language in ("en", "de"):
        words = calendar_words(language, replace(CLINIC, name=TELLING))
        assert telling_words(f"{words.summary} {words.description}") == ()
        assert words.summary == {"en": "Appointment", "de": "Termin"}[language]
    assert discreet(TELLING) == ""
    assert discreet("Harbour Clinic") == "Harbour Clinic"


@given(NAMES.filter(str.strip), NAMES, st.sampled_from([*Kind, "stop"]))
def test_whatever_anybody_is_called_a_message_has_these_headers_once_and_one_reader(
    clinic: str, patient: str, what: str
) -> None:
    stop = "https://clinic.example/newsletter/stop/7Qp2mXv0aK" if what == "stop" else None
    card = replace(CLINIC, name=clinic, sender_name=clinic, address=(clinic,))
    rendered = render(replace(LETTERS["recall" if stop else "reminder-2d"], first_name=patient, clinic=card))
    header = EnvelopeHeader(sender_name=clinic, sender_email=CLINIC.sender_email, to="ana@home.example", language="en",
                            message_id=message_id(f"{what} {clinic}", "harbour.example"), sent_at=HEADER.sent_at,
                            stop_link=stop)

    mime = build_mime(rendered, header)

    message = parsed(mime)
    assert Counter(message.keys()) == Counter([*HEADERS, *(LISTED if stop else [])])
    assert [str(each) for each in message["To"].addresses] == ["ana@home.example"]
    assert message["From"].addresses[0].addr_spec == CLINIC.sender_email
    assert message["Date"].datetime == HEADER.sent_at
    assert message["Auto-Submitted"] == "auto-generated"
    assert re.fullmatch(r"<[0-9a-f]{40}@harbour\.example>", message["Message-ID"])
    assert undirected(f"{message['From']} {message['Subject']}") == f"{message['From']} {message['Subject']}"
    assert mime == build_mime(rendered, header)
