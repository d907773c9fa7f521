"""Whether messages go out as they should: what is well, what is worth a look, and what cannot wait."""
from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from clinic.care.mail_health import MailFacts, Tone, WorkerFacts, mail_health, needs_a_person

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
WORKER = WorkerFacts("w", "here", NOW - timedelta(days=2), NOW - timedelta(seconds=5), NOW - timedelta(minutes=1))
WELL = MailFacts(workers=(WORKER,))


def ago(**span: float) -> datetime:
    """An instant before now."""
    return NOW - timedelta(**span)


def tones(facts: MailFacts) -> dict[str, Tone]:
    """The worst tone of each kind of check."""
    found: dict[str, Tone] = {}
    for check in reversed(mail_health(facts, now=NOW)):
        found[check.code] = check.tone
    return found


def test_where_all_is_well_every_check_says_so() -> None:
    assert set(tones(WELL).values()) == {Tone.OK}


@pytest.mark.parametrize(("facts", "code", "tone"), [
    (replace(WELL, mail_is_on=False), "mail", Tone.WARN),
    (replace(WELL, held_back_since=NOW), "mail", Tone.WARN),
    (replace(WELL, due=1, oldest_due_at=ago(minutes=4)), "due", Tone.OK),
    (replace(WELL, due=1, oldest_due_at=ago(minutes=6)), "due", Tone.WARN),
    (replace(WELL, due=1, oldest_due_at=ago(minutes=31)), "due", Tone.BAD),
    (replace(WELL, due=1, oldest_due_at=ago(days=3), mail_is_on=False), "due", Tone.OK),
    (replace(WELL, workers=()), "workers", Tone.WARN),
    (replace(WELL, workers=(), due=1, oldest_due_at=ago(minutes=6)), "workers", Tone.BAD),
    (replace(WELL, workers=(replace(WORKER, heartbeat_at=ago(seconds=61)),)), "workers", Tone.WARN),
    (replace(WELL, workers=(replace(WORKER, trouble="refused", trouble_since=ago(minutes=9)),)), "trouble", Tone.WARN),
    (replace(WELL, workers=(replace(WORKER, trouble="refused", trouble_since=ago(minutes=11)),)), "trouble", Tone.BAD),
    (replace(WELL, workers=(replace(WORKER, swept_at=ago(minutes=16)),)), "sweep", Tone.WARN),
    (replace(WELL, workers=(replace(WORKER, swept_at=None),)), "sweep", Tone.WARN),
    (replace(WELL, failed=3, failed_today=1), "failed", Tone.WARN),
    (replace(WELL, failed=12, failed_today=10), "failed", Tone.BAD),
    (replace(WELL, uncertain=1), "uncertain", Tone.WARN),
    (replace(WELL, held=(("its translation is not approved", 2),)), "held", Tone.WARN),
    (replace(WELL, soft_bounces=2), "bounces", Tone.OK),
    (replace(WELL, hard_bounces=1, blocked_addresses=1), "bounces", Tone.WARN),
    (replace(WELL, workers=(replace(WORKER, folder_trouble="Permission denied"),)), "bounce-folder", Tone.BAD),
    (replace(WELL, hard_bounces=10, bounced_today=10, blocked_addresses=10), "bounces", Tone.BAD),
])
def test_each_thing_that_goes_wrong_has_its_tone_and_says_what_to_do(facts: MailFacts, code: str, tone: Tone) -> None:
    checks = mail_health(facts, now=NOW)

    assert tones(facts)[code] == tone
    assert all(check.to_do for check in checks if check.tone is not Tone.OK)
    assert (needs_a_person(checks) != ()) == (tone is Tone.BAD)
    assert [check.tone for check in checks] == sorted((check.tone for check in checks), key=list(Tone)[::-1].index)


def test_a_worker_that_began_just_now_need_not_have_swept_yet() -> None:
    young = replace(WORKER, started_at=ago(minutes=2), swept_at=None)

    assert "sweep" not in tones(replace(WELL, workers=(young,)))
