"""What a telephone dials where a phone number stands."""
from __future__ import annotations


def dial_address(phone: str) -> str:
    """The number as an address that dials it: digits and a leading plus.

    The nought of `+44 (0)20 …` is for who dials without the country's code, and would reach nobody.
    """
    number = phone.strip()
    if number.startswith("+"):
        number = number.replace("(0)", "", 1)
    return "tel:" + "".join(sign for sign in number if sign.isascii() and (sign.isdigit() or sign == "+"))
