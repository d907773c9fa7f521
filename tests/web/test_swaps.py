"""The page on which a visit gets another room or device."""
from __future__ import annotations

from datetime import timedelta

from clinic.app import Kit
from tests.web.conftest import FixedClock, post
from tests.web.desk import open_desk
from tests.web.test_check_out import press
from tests.web.test_visit_ends import visits


def test_a_swap_leads_back_and_what_no_page_sends_or_came_too_late_changes_nothing(
    kit: Kit, clock: FixedClock
) -> None:
    desk = open_desk(kit)
    desk.course()
    desk.later(clock, timedelta(minutes=30))
    url = f"/appointments/{visits(desk)[0]}/swap"
    assert f'href="{url}?next=' in desk.browser.get("/").get_data(as_text=True)

    answers = [
        press(desk, f"{url}?next=/", "Room"),
        post(desk.browser, url, {"instead_of": "1", "take": "2", "lock_version": "1"}),
        post(desk.browser, url, {"instead_of": "x", "take": "2", "lock_version": "2"}),
        post(desk.browser, url, {"instead_of": "1", "take": "2", "lock_version": "2"}),
    ]

    assert [answer.status_code for answer in answers] == [303, 409, 422, 409]
    assert answers[0].location == "/"
    assert "not fit for this visit" in answers[3].get_data(as_text=True)
