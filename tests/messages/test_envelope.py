"""The bytes that travel: valid for any name, the same for the same message, and never more than asked for."""
from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage, MIMEPart
from email.utils import parseaddr, parsedate_to_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.care.directions import undirected
from clinic.care.mail_address import check_address
from clinic.messages.envelope import EnvelopeHeader, build_mime, message_id
from clinic.messages.rendering import Rendered, render
from tests.messages.samples import LETTERS, NOW

HEADER = EnvelopeHeader(
    sender_name="Harbour Clinic",
    sender_email="hello@harbour.example",
    to="ana@home.example",
    message_id=message_id("message 1, generation 1", "mail.harbour.example"),
    sent_at=NOW,
    language="en",
)
NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=120)
BODIES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00"), max_size=400)


def calendar(method: str) -> bytes:
    """A calendar file, as far as an envelope looks into it."""
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:{method}\r\nEND:VCALENDAR\r\n".encode()


def parsed(mime: bytes) -> EmailMessage:
    """The message as a mail program understands it."""
    message = message_from_bytes(mime, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def structure(part: MIMEPart) -> object:
    """The types of a message's parts, as they are nested."""
    if part.is_multipart():
        return {part.get_content_type(): [structure(each) for each in part.iter_parts()]}
    return part.get_content_type()


def test_the_headers_say_who_and_when_and_that_a_machine_wrote() -> None:
    message = parsed(build_mime(render(LETTERS["reminder-7d"]), HEADER))

    assert dict(message.items()) | {"Content-Type": ""} == {
        "From": "Harbour Clinic <hello@harbour.example>",
        "To": "ana@home.example",
        "Subject": "Your appointment on Tuesday 2 March at 10:00",
        "Date": "Mon, 01 Mar 2027 09:00:00 +0000",
        "Message-ID": HEADER.message_id,
        "Content-Language": "en",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
        "MIME-Version": "1.0",
        "Content-Type": "",
    }


@pytest.mark.parametrize(("methods", "shape"), [
    ((), {"multipart/alternative": ["text/plain", "text/html"]}),
    (("REQUEST",), {"multipart/mixed": [
        {"multipart/alternative": ["text/plain", "text/html", "text/calendar"]}, "application/ics"]}),
    (("CANCEL",), {"multipart/mixed": [
        {"multipart/alternative": ["text/plain", "text/html", "text/calendar"]}, "application/ics"]}),
    (("PUBLISH",), {"multipart/mixed": [{"multipart/alternative": ["text/plain", "text/html"]}, "text/calendar"]}),
    (("REQUEST", "CANCEL"), {"multipart/mixed": [
        {"multipart/alternative": ["text/plain", "text/html"]}, "text/calendar", "text/calendar"]}),
])
def test_calendar_files_sit_where_mail_programs_look_for_them(methods: tuple[str, ...], shape: object) -> None:
    rendered = Rendered("s", "p", "text\n", "<p>html</p>", tuple(map(calendar, methods)))

    message = parsed(build_mime(rendered, HEADER))

    assert structure(message) == shape
    assert [part.get_content_type() for part in message.walk() if part.defects] == []
    files = {part.get_filename(): part.get_payload(decode=True) for part in message.walk() if part.get_filename()}
    assert files == {
        f"invite{f'-{number}' if number > 1 else ''}.ics": calendar(method)
        for number, method in enumerate(methods, start=1)
    }
    said = [part.get_param("method") for part in message.walk() if part.get_content_type() == "text/calendar"]
    assert said == list(methods)


def test_the_same_message_is_the_same_bytes() -> None:
    rendered = replace(render(LETTERS["change"]), calendars=(calendar("REQUEST"),))

    assert build_mime(rendered, HEADER) == build_mime(rendered, replace(HEADER))


def test_a_repeat_at_another_hour_is_not_the_same_bytes() -> None:
    rendered = render(LETTERS["change"])

    assert build_mime(rendered, HEADER) != build_mime(rendered, replace(HEADER, sent_at=NOW + timedelta(hours=1)))


def test_the_date_is_the_instant_whatever_zone_it_is_given_in() -> None:
    tokyo = NOW.astimezone(timezone(timedelta(hours=9)))

    message = parsed(build_mime(render(LETTERS["recall"]), replace(HEADER, sent_at=tokyo)))

    assert parsedate_to_datetime(message["Date"]) == datetime(2027, 3, 1, 9, 0, tzinfo=UTC)


@given(NAMES, NAMES)
def test_any_name_and_subject_travel_whole_and_name_nobody_else(name: str, subject: str) -> None:
    mime = build_mime(Rendered(subject, "", "t", "h"), replace(HEADER, sender_name=name))

    # The decoder of whole headers: the one of the parsed form leaves a space between two encoded words of a name.
    raw = message_from_bytes(mime)
    unfolded = {key: value.replace("\r\n", "") for key, value in raw.items()}
    read_name, address = parseaddr(unfolded["From"])
    assert address == "hello@harbour.example"
    assert str(make_header(decode_header(read_name))) == undirected(" ".join(name.split()))
    assert str(make_header(decode_header(unfolded["Subject"]))) == undirected(subject)
    assert [each.addr_spec for each in parsed(mime)["From"].addresses] == ["hello@harbour.example"]
    assert [key for key, _ in raw.items()].count("To") == 1
    assert max(map(len, mime.split(b"\r\n"))) <= 78


@given(BODIES)
def test_any_text_travels_whole(text: str) -> None:
    message = parsed(build_mime(Rendered("s", "p", text, f"<p>{text}"), HEADER))

    part = message.get_body(("plain",))
    assert part is not None
    sent = part.get_payload(decode=True)
    assert isinstance(sent, bytes)
    assert sent.decode() == (text if text.endswith("\n") else f"{text}\n").replace("\n", "\r\n")


@pytest.mark.parametrize("bad", ["a\r\nBcc: x@y.example", "a\nb", "a\x00b", "a\x7fb", "a\x85b", "a\N{LINE SEPARATOR}b"])
def test_control_characters_never_enter_a_header(bad: str) -> None:
    with pytest.raises(ValueError):
        replace(HEADER, sender_name=bad)
    with pytest.raises(ValueError):
        build_mime(Rendered(bad, "", "t", "h"), HEADER)


@pytest.mark.parametrize(("typed", "normal"), [
    (" ana@Home.Example ", "ana@home.example"), ("o'neil+x@a-b.example", "o'neil+x@a-b.example"),
    ("ana@bücher.example", "ana@xn--bcher-kva.example"), ("Ana@home.example", "Ana@home.example"),
])
def test_an_address_has_one_normal_form(typed: str, normal: str) -> None:
    assert check_address(typed) == normal
    assert check_address(normal) == normal


@pytest.mark.parametrize("typed", [
    "", "ana", "@home.example", "ana@", "a b@home.example", "ana@home..example", "ana@-home.example",
    "ána@home.example", "ana@home.example\r\nRCPT TO:<x@y.example>", "ana@home.example>", "a,b@home.example",
    ".ana@home.example",
    f"{'a' * 65}@home.example", f"ana@{'a' * 64}.example", "ana@home.example,bob@home.example", "<ana@home.example>",
])
def test_what_is_no_address_is_said_in_plain_words(typed: str) -> None:
    with pytest.raises(ValueError, match=r"^(An e-mail address|The part)[^{}]*\.$"):
        check_address(typed)


@given(st.text(max_size=60))
def test_an_address_never_holds_what_would_end_a_command(typed: str) -> None:
    try:
        address = check_address(typed)
    except ValueError:
        return

    assert set(address).isdisjoint(" <>\r\n\t\0,;:\"")


def test_a_message_id_tells_nothing_and_stays_the_same() -> None:
    first, again, other = (message_id(key, "mail.example") for key in ("ana 1", "ana 1", "ana 2"))

    assert first == again != other
    assert "ana" not in first
    assert first.endswith("@mail.example>")


def test_a_calendar_file_without_its_method_is_refused() -> None:
    with pytest.raises(ValueError):
        build_mime(Rendered("s", "p", "t", "h", (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",)), HEADER)


@pytest.mark.parametrize("wrong", [
    {"to": "Ana <ana@home.example>"}, {"message_id": "<a b@c>"}, {"language": "en\r\n"}, {"reply_to": "nobody"},
    {"sent_at": datetime(2027, 3, 1, 9)},  # noqa: DTZ001 - that is the point
])
def test_a_wrong_header_cannot_be_built(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        replace(HEADER, **wrong)


def test_what_goes_to_many_can_be_stopped_by_a_machine_and_nothing_else_says_so() -> None:
    link = f"https://clinic.example/newsletter/stop/{'s' * 43}"
    news, service = (parsed(build_mime(render(LETTERS["recall"]), replace(HEADER, stop_link=each)))
                     for each in (link, None))

    assert news["List-Unsubscribe"] == f"<{link}>"
    assert news["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert news["List-Id"] == "<newsletter.harbour.example>"
    assert not [name for name in service if name.startswith("List-")]


@pytest.mark.parametrize("link", [
    "javascript:alert(1)", "https://clinic.example/a>\r\nBcc: x@y.example", "https://clinic.example/a b", "/newsletter",
    "https://clinic.example/" + "a" * 500,
])
def test_a_stop_link_that_is_no_address_is_refused(link: str) -> None:
    with pytest.raises(ValueError, match="not a web address"):
        replace(HEADER, stop_link=link)
