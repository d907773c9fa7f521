"""Addresses of our own."""
from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask import Flask, url_for

from clinic.web.addresses import address_of, is_own


@pytest.mark.parametrize("address", ["/", "/patients", "/patients?q=anna&page=2", "/?day=2027-03-01", "/a/b-c_d.e~f"])
def test_a_path_is_our_own(address: str) -> None:
    assert is_own(address)


@pytest.mark.parametrize("address", [
    "", "patients", "//evil.example", "/\\evil.example", "http://evil.example", "https:/evil", "/a\nb", "/a\r\nX: y",
    "/a b", "/\tevil", "/ä", "/" + "a" * 2000, "/a\\b",
])
def test_everything_else_is_not(address: str) -> None:
    assert not is_own(address)


def test_an_address_of_any_shape_is_what_the_routes_say_it_is() -> None:
    app = Flask("clinic")
    app.add_url_rule("/patients/<int:patient_id>", "show")
    app.add_url_rule("/messages/<int:message_id>/<int:number>", "calendar")
    asked: list[tuple[str, dict[str, Any]]] = [
        ("show", {"patient_id": 1}), ("show", {"patient_id": 20}), ("show", {"patient_id": 20, "next": "/?day=1"}),
        ("show", {"patient_id": 3, "next": None}), ("show", {"patient_id": 3, "day": date(2027, 3, 1)}),
        ("show", {"patient_id": 3, "q": "987654321"}), ("show", {"patient_id": 3, "only": [1, 2]}),
        ("show", {"patient_id": 3, "is_new": True}), ("show", {"patient_id": 3, "_anchor": "notes"}),
        ("calendar", {"message_id": 1, "number": 2}), ("calendar", {"message_id": 2, "number": 1}),
    ]

    with app.test_request_context():
        found = [address_of(endpoint, **named) for endpoint, named in asked * 2]
        wanted = [url_for(endpoint, **named) for endpoint, named in asked * 2]

    assert found == wanted
