"""What mail systems report is read right in every dress, and nothing that arrives can do harm."""
from __future__ import annotations

import time
import tracemalloc
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.interchange.bounce_reports import BounceReport, NoReport, read_report
from clinic.interchange.bounce_words import WORDS, Cause, in_words, is_dead
from tests.interchange.bounce_samples import (
    HARD,
    LATE,
    MESSAGE_ID,
    NONE,
    PATIENT,
    RETURN_PATH,
    SOFT,
    Sample,
    report,
    samples,
)


@cache
def all_samples() -> tuple[Sample, ...]:
    return tuple(samples())


def verdict(found: BounceReport | NoReport) -> str:
    """What a report says of our message to the patient."""
    if isinstance(found, NoReport) or MESSAGE_ID not in found.message_ids:
        return NONE
    named = [fate for fate in found.fates if PATIENT in fate.addresses]
    if not named:
        return NONE
    if not any(fate.is_over for fate in named):
        return LATE
    return HARD if any(fate.is_over and is_dead(fate.status, fate.said) for fate in named) else SOFT


def test_every_sample_is_read_as_what_it_is() -> None:
    found = {sample.name: verdict(read_report(sample.data)) for sample in all_samples()}

    assert found == {sample.name: sample.expected for sample in all_samples()}
    assert len(found) == len(all_samples()) >= 390


def test_a_report_names_where_it_was_sent_and_what_it_is_about() -> None:
    found = read_report(report())

    assert isinstance(found, BounceReport)
    assert (found.message_ids, found.arrived_at) == ((MESSAGE_ID,), (RETURN_PATH, *found.arrived_at[1:]))
    assert (found.fates[0].status, in_words(found.fates[0].status, found.fates[0].said)) == (
        "5.1.1", "there is no such mailbox")


def test_the_same_report_has_the_same_mark_on_every_way_and_another_one_has_another() -> None:
    first, again = read_report(report()), read_report(b"Received: from a by b\r\n" + report().replace(b"\n", b"\r\n"))
    other, nameless = read_report(report(own_id="9")), report().replace(b"Message-ID: <1@mx.clinic.example>\n", b"")
    twice = read_report(nameless), read_report(b"Delivered-To: x@clinic.example\n" + nameless)

    digests = [each.digest for each in (first, again, other, *twice) if isinstance(each, BounceReport)]
    assert digests[0] == digests[1] != digests[2]
    assert digests[3] == digests[4] not in digests[:3]


def test_no_sample_takes_much_memory_or_time() -> None:
    worst_memory, worst_time = 0, 0.0
    large = [sample for sample in all_samples() if len(sample.data) > 100_000]
    storms = [b"From: MAILER-DAEMON@mx\nContent-Type: multipart/report; boundary=b\n\n--b\n" + storm for storm in (
        b"\n" * 5_000_000, b"<a" * 2_500_000, b"a@" * 2_500_000, b"--b\nx\n" * 800_000, b"\r" * 5_000_000,
        b"Content-Transfer-Encoding: base64\n\n" + b"=A" * 2_500_000, b"final-recipient:\n" * 300_000,
        b"Content-Type: message/delivery-status\n\n" + b"Final-Recipient: rfc822; a@b.example\n" * 130_000)]
    for data in (*(sample.data for sample in large), *storms):
        tracemalloc.start()
        began = time.process_time()  # what else a busy machine does meanwhile is not ours
        read_report(data)
        worst_time = max(worst_time, time.process_time() - began)
        worst_memory = max(worst_memory, tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert worst_memory < 50_000_000
    assert worst_time < 10


TEARS = st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=6), st.integers(0, 40)), max_size=8)


@given(st.integers(0, 10**6), TEARS)
def test_whatever_is_torn_out_or_put_in_it_is_read_without_an_error(
    which: int, tears: list[tuple[float, bytes, int]]
) -> None:
    small = [sample for sample in all_samples() if len(sample.data) < 20_000]
    data = small[which % len(small)].data
    for where, put_in, torn in tears:
        at = int(where * len(data))
        data = data[:at] + put_in + data[at + torn:]

    found = read_report(data)

    assert isinstance(found, NoReport) or all("\0" not in fate.said and fate.said.isprintable() for fate in found.fates)


@given(st.binary(max_size=400))
def test_bytes_of_no_meaning_are_no_report(data: bytes) -> None:
    assert isinstance(read_report(data), NoReport)


@pytest.mark.parametrize(("status", "said", "cause"), [
    ("5.1.1", "", Cause.NO_MAILBOX), ("5.1.2", "", Cause.NO_DOMAIN), ("5.1.3", "", Cause.BAD_ADDRESS),
    ("5.7.27", "null MX of the sender", Cause.REFUSED), ("5.0.0", "550 host unknown", Cause.NO_DOMAIN),
    ("5.0.0", "550 Recipient address rejected: Greylisted", Cause.REFUSED), ("", "whatever", Cause.UNKNOWN),
    ("5.4.4", "Host not found, try again", Cause.UNREACHABLE), ("5.9.9", "", Cause.UNKNOWN),
    ("4.7.1", "Greylisting in action", Cause.REFUSED), ("5.3.0", "554 system error", Cause.TROUBLE),
])
def test_codes_and_words_mean_the_same_thing(status: str, said: str, cause: Cause) -> None:
    assert in_words(status, said) == WORDS[cause]


def test_no_address_is_dead_by_what_is_said_for_now() -> None:
    assert not is_dead("4.1.1", "450 user unknown")
    assert is_dead("5.1.1", "550 user unknown")
