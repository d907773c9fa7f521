"""Nothing stands in a message that common mail programs drop, but what is readable without it."""
from __future__ import annotations

from tests.messages.everything import everything
from tests.messages.mail_programs import faults_of


def test_every_message_holds_only_what_the_common_mail_programs_show() -> None:
    found = {name: faults for name, rendered in everything().items() if (faults := list(faults_of(rendered.html)))}

    assert found == {}


def test_what_they_do_not_show_is_noticed() -> None:
    html = everything()["en/change"].html
    broken = {
        "<bdi>": html.replace("Hello Ana,", "<bdi>Hello Ana,</bdi>"),
        "font-weight:650 on <h1>": html.replace("font-weight:600;letter", "font-weight:650;letter"),
        "padding:1px on <div>": html.replace('class="date-day" style="', 'class="date-day" style="padding:1px;'),
        "@media (hover: hover)": html.replace("(max-width: 480px)", "(hover: hover)"),
        "selector .card > p": html.replace(" .card {", " .card > p {"),
        "src of <p>": html.replace("<p ", '<p src="x" ', 1),
    }

    assert {fault: fault in list(faults_of(page)) for fault, page in broken.items()} == dict.fromkeys(broken, True)
