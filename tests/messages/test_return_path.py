"""Every message comes back to an address of its own that nobody can guess."""
from __future__ import annotations

import pytest

from clinic.care.mail_address import check_address
from clinic.messages.return_path import ReturnPath, number_in

PATHS = ReturnPath("returned@clinic.example", "a secret")


def test_it_names_its_message_and_can_be_made_again_only_with_the_secret() -> None:
    path = PATHS.of(1207, "<a@clinic.example>")

    assert (number_in(path), number_in(path.upper()), path) == (1207, 1207, PATHS.of(1207, "<a@clinic.example>"))
    assert len({path, PATHS.of(1208, "<a@clinic.example>"), PATHS.of(1207, "<b@clinic.example>"),
                ReturnPath(PATHS.address, "another").of(1207, "<a@clinic.example>")}) == 4


def test_the_longest_one_is_an_address_still() -> None:
    path = ReturnPath(f"{'r' * 30}@clinic.example", "a secret").of(2**31 - 1, "<a@clinic.example>")

    assert check_address(path) == path
    assert len(path.partition("@")[0]) <= 64


@pytest.mark.parametrize("address", ["returned", "@clinic.example", "re+turned@clinic.example", f"{'r' * 31}@c.org"])
def test_what_it_cannot_be_made_of_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        ReturnPath(address, "a secret")


@pytest.mark.parametrize("address", [
    "returned@clinic.example", "returned+1207@clinic.example", "returned+x-abcdefghijklmnop@clinic.example",
    "returned+1207-abcdefghijklmno@clinic.example", "returned+1207-abcdefghijklmno0@clinic.example", "",
    "returned+2147483648-abcdefghijklmnop@clinic.example",
])
def test_other_addresses_name_no_message(address: str) -> None:
    assert number_in(address) is None
