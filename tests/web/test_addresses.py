"""Addresses of our own."""
from __future__ import annotations

import pytest

from clinic.web.addresses import is_own


@pytest.mark.parametrize("address", ["/", "/patients", "/patients?q=anna&page=2", "/?day=2027-03-01", "/a/b-c_d.e~f"])
def test_a_path_is_our_own(address: str) -> None:
    assert is_own(address)


@pytest.mark.parametrize("address", [
    "", "patients", "//evil.example", "/\\evil.example", "http://evil.example", "https:/evil", "/a\nb", "/a\r\nX: y",
    "/a b", "/\tevil", "/ä", "/" + "a" * 2000, "/a\\b",
])
def test_everything_else_is_not(address: str) -> None:
    assert not is_own(address)
