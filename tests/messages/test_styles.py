"""Styles are written into our own templates, and nowhere else."""
from __future__ import annotations

import re

import pytest

from clinic import paths
from clinic.messages.letters import Kind
from clinic.messages.styles import parse_styles

SHEET = parse_styles(
    """/* a comment */ p, .small { margin: 0;  color: #123456 } .small { font-family: "Segoe UI" }
    @media (max-width: 480px) { p { margin: 1px !important; } }"""
)


def test_an_element_gets_the_rules_of_its_tag_and_then_of_its_classes() -> None:
    styled = SHEET.inline('<p>x</p><p class="small">y</p><b>z</b>')

    assert styled == (
        '<p style="margin:0;color:#123456;">x</p>'
        "<p class=\"small\" style=\"margin:0;color:#123456;margin:0;color:#123456;font-family:'Segoe UI';\">y</p>"
        "<b>z</b>"
    )


def test_an_element_with_a_style_of_its_own_keeps_it() -> None:
    assert SHEET.inline('<p style="color:red">x</p>') == '<p style="color:red">x</p>'


def test_media_rules_stay_a_style_sheet() -> None:
    assert SHEET.media == "@media (max-width: 480px) { p { margin: 1px !important; } }"


@pytest.mark.parametrize("source", ["p > a { color: red }", "#id { color: red }", "p { color: red } }"])
def test_rules_that_mail_programs_do_not_know_are_refused(source: str) -> None:
    with pytest.raises(ValueError):
        parse_styles(source)


def test_every_class_of_the_texts_has_a_rule() -> None:
    root = paths.templates() / "messages"
    sheet = parse_styles((root / "styles.css").read_text("utf-8"))
    # The staff's pages about messages lie in the same folder and have a style sheet of their own.
    texts = (file for kind in Kind for file in (root / kind).rglob("*.html"))
    ours = [root / "layout.html", root / "blocks.html", *texts]
    used = {
        name
        for file in ours
        for classes in re.findall(r'class="([^"]*)"', file.read_text("utf-8"))
        for name in classes.split()
    }

    assert {f".{name}" for name in used} <= set(sheet.rules)
    assert {rule for rule in sheet.rules if rule.startswith(".")} == {f".{name}" for name in used}


def _luminance(colour: str) -> float:
    channels = (int(colour[at:at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("paper", "inks"), [
    ("#ffffff", ("#26383a", "#0b665a", "#5c6b6d", "#445659")),
    ("#e5f2ef", ("#0b665a", "#0f3a34")),
    ("#f2f5f4", ("#55686a", "#0b665a")),
    ("#f5f8f7", ("#55686a", "#445659", "#26383a", "#0b665a")),
    ("#eef1f1", ("#5c6b6d",)),
    ("#fdefea", ("#97320f", "#26383a")),
    ("#0b665a", ("#ffffff",)),
    ("#0f1716", ("#9fb0ad", "#7fd6c5")),
    ("#18211f", ("#cfdad7", "#9fb0ad", "#7fd6c5", "#eef4f2", "#ffb8a1")),
    ("#1e3a35", ("#7fd6c5", "#eef4f2")),
    ("#212c2a", ("#9fb0ad", "#cfdad7", "#7fd6c5")),
    ("#3b221b", ("#ffb8a1", "#cfdad7")),
    ("#7fd6c5", ("#0b2420",)),
])
def test_every_ink_can_be_read_on_its_paper(paper: str, inks: tuple[str, ...]) -> None:
    styles = (paths.templates() / "messages" / "styles.css").read_text("utf-8")

    contrasts = {ink: _contrast(ink, paper) for ink in inks}

    assert {ink: found for ink, found in contrasts.items() if found < 4.5} == {}
    assert {paper, *inks} <= set(re.findall(r"#[0-9a-f]{6}", styles))


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)
