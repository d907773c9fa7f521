"""Colours can be read by everyone: the contrasts of WCAG 2.2 AA, computed from the tokens themselves."""
from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

import clinic

CSS = Path(clinic.__file__).parent / "assets" / "css"
SURFACES = ("canvas", "surface", "raised", "sunk", "hover")
TONES = ("accent", "info", "ok", "warn", "bad", "violet", "pink", "orange", "olive", "slate")
READ = [
    *[(ink, surface) for ink in ("ink", "ink-soft", "accent", "bad", "warn") for surface in SURFACES],
    *[(tone, f"{tone}-soft") for tone in TONES],
    *[(ink, f"{tone}-soft") for ink in ("ink", "ink-soft") for tone in TONES],
    *[(f"on-{tone}", f"{tone}-{fill}") for tone in ("accent", "bad") for fill in ("fill", "fill-hover")],
]
SEEN = list(product(("line-strong", "focus", "accent-fill", "bad-fill"), ("canvas", "surface", "raised")))


def colours(theme: int) -> dict[str, str]:
    """Each colour token of a theme: 0 is light, 1 is dark."""
    found = re.findall(r"--([a-z-]+): light-dark\((#\w{6}), (#\w{6})\)", (CSS / "tokens.css").read_text())
    return {name: pair[theme] for name, *pair in found}


def luminance(colour: str) -> float:
    """The relative luminance of a colour."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """How far two colours are apart, from 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_black_on_white_is_as_far_apart_as_it_gets() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_words_stand_out_from_what_they_are_written_on(theme: int) -> None:
    known = colours(theme)

    apart = {(ink, on): contrast(known[ink], known[on]) for ink, on in READ}

    assert {pair: ratio for pair, ratio in apart.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_borders_of_fields_and_the_focus_stand_out_from_what_is_around(theme: int) -> None:
    known = colours(theme)

    apart = {(mark, on): contrast(known[mark], known[on]) for mark, on in SEEN}

    assert {pair: ratio for pair, ratio in apart.items() if ratio < 3} == {}


def test_colours_are_named_in_the_tokens_only() -> None:
    others = [path for path in sorted(CSS.glob("*.css")) if path.name != "tokens.css"]

    loose = {path.name: re.findall(r"#[0-9a-f]{3,8}\b(?=[;, )])|rgb\(|hsl\(", path.read_text()) for path in others}

    assert {name: found for name, found in loose.items() if found} == {}


def test_every_token_that_is_used_exists() -> None:
    text = "\n".join(path.read_text() for path in sorted(CSS.glob("*.css")))

    used, made = set(re.findall(r"var\(--([a-z0-9-]+)", text)), set(re.findall(r"--([a-z0-9-]+):", text))

    assert used - made == set()
    assert made - used == set()
