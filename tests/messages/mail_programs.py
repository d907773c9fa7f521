"""What the common mail programs show, as facts: only this may stand in a message.

Source: caniemail.com (data of 29 June 2026, MIT), pages named in brackets, looked up for Apple Mail, Gmail (web, iOS,
Android), Outlook (Windows with Word's engine, new Outlook, Mac, web, iOS, Android), Yahoo, GMX, WEB.DE, Thunderbird and
Samsung Email. `FULL` is understood by all of them; after anything else stands what a reader gets where it is not, and
that it is readable is seen by the pictures, on which neither dark colours nor round corners are needed to read.
"""
from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

FULL = ""

ELEMENTS = {
    "html": "html-body: dropped with the head by web mail, so language and direction stand on the outer table too",
    "head": "html-style", "meta": "html-meta-color-scheme: without it the program chooses the colours itself",
    "title": "shown by browsers only", "style": "html-style: dropped by GMX and WEB.DE, so each element has its style",
    "body": "html-body: becomes a div", "div": FULL, "p": FULL, "h1": FULL, "h2": FULL, "h3": FULL, "ul": FULL,
    "li": FULL, "strong": FULL, "br": FULL, "a": FULL, "table": FULL, "tr": FULL, "td": FULL,
}
"""Not `bdi` [html-bdi: not Gmail, Outlook, Yahoo, GMX, WEB.DE], nor `span` made a block [css-display: not Outlook]."""

ATTRIBUTES = {
    "class": FULL, "style": FULL, "href": FULL, "width": FULL, "border": FULL, "cellpadding": FULL, "cellspacing": FULL,
    "colspan": FULL, "align": FULL, "role": "html-role: a reader hears of tables in GMX and WEB.DE",
    "lang": "html-lang: GMX and WEB.DE guess the language", "dir": "html-dir: GMX and WEB.DE take that of the reader",
    "name": "of a meta", "content": "of a meta", "charset": "of a meta",
}

_PX, _COLOUR = r"-?\d+(\.\d+)?px|0", r"#[0-9a-f]{6}"
_ALL = frozenset({"body", "div", "p", "h1", "h2", "h3", "ul", "li", "a", "table", "td"})
_CELL = frozenset({"td"})


@dataclass(frozen=True)
class Property:
    """Which values of a property are understood, on which elements, and what is lost where it is not."""

    values: str
    elements: frozenset[str] = _ALL
    lost: str = FULL


PROPERTIES = {
    "background-color": Property(_COLOUR),
    "color": Property(_COLOUR),
    "border": Property(rf"[0-8]px solid {_COLOUR}", _CELL | {"a"}, "css-border: no wider than 8px in Outlook"),
    "border-top": Property(rf"[0-8]px solid {_COLOUR}", _CELL),
    "border-collapse": Property("separate"),
    "border-spacing": Property("0", frozenset({"table"}), "css-border-spacing: cellspacing says it to Outlook"),
    "border-radius": Property(_PX, lost="css-border-radius: square in Outlook on Windows, GMX and WEB.DE"),
    "display": Property("none|inline-block", frozenset({"div", "a"}), "css-display: Outlook knows none only"),
    "font-family": Property(r"'Segoe UI', [A-Za-z, -]+", lost="the first font is there where the others are not tried"),
    "font-size": Property(r"\d+px|0"),
    "font-weight": Property("600|700", lost="css-font-weight: hundreds only in Yahoo; from 600 on bold in Outlook"),
    "height": Property(_PX, _CELL, "css-height: not on div or p in Outlook, min-height in Yahoo"),
    "letter-spacing": Property(r"-0\.3px"),
    "line-height": Property(_PX, lost="css-line-height: a little more in Outlook unless mso-line-height-rule says it"),
    "margin": Property(r"(\d+px|0)( (\d+px|0|auto)){0,3}", lost="css-margin: none below 0; align centres in Outlook"),
    "margin-bottom": Property(_PX),
    "max-height": Property("0", frozenset({"div"}), "css-max-height: mso-hide hides it in Outlook"),
    "max-width": Property(_PX, frozenset({"table"}), "css-max-width: on tables only in Outlook"),
    "overflow": Property("hidden", frozenset({"div"}), "css-overflow: mso-hide hides it in Outlook"),
    "padding": Property(r"(\d+px|0)( (\d+px|0)){0,3}", _ALL - {"div"}, "css-padding: in Outlook on cells only"),
    "text-align": Property("center", _CELL),
    "text-decoration": Property("underline|none|line-through"),
    "vertical-align": Property("middle", _CELL),
    "width": Property(r"\d+px|100%", _CELL | {"table"}, "css-width: not on div or p in Outlook"),
    "mso-hide": Property("all", lost="of Outlook alone"),
    "mso-line-height-rule": Property("exactly", _CELL, "of Outlook alone"),
    "mso-table-lspace": Property("0", frozenset({"table"}), "of Outlook alone"),
    "mso-table-rspace": Property("0", frozenset({"table"}), "of Outlook alone"),
    "-webkit-text-size-adjust": Property("100%", frozenset({"body"}), "of Apple Mail alone"),
}

MEDIA = ("(prefers-color-scheme: dark)", "(max-width: 480px)")
"""css-at-media-prefers-color-scheme: the light colours stay elsewhere. css-at-media: the wider edges stay elsewhere."""
SELECTORS = re.compile(r"(\.?[a-z][a-z0-9-]*)(, \.?[a-z][a-z0-9-]*)*\Z")
LONGEST_STYLE, LONGEST_PAGE = 8_192, 102_000
"""Gmail leaves a longer style out [html-style: 16 KB, and half as much before], and cuts off a longer message."""


def faults_of(html: str) -> Iterator[str]:
    """What some mail program would not show, each in a few words."""
    page = _Page()
    page.feed(html)
    yield from page.faults
    yield from _style_faults(page.style)
    if len(html.encode()) > LONGEST_PAGE:
        yield f"{len(html.encode())} bytes"


def _style_faults(style: str) -> Iterator[str]:
    if len(style.encode()) > LONGEST_STYLE:
        yield f"a style of {len(style.encode())} bytes"
    rest = style.replace(":root { color-scheme: light dark; supported-color-schemes: light dark; } ", "", 1)
    for query, rules in re.findall(r"@media (\([^{]*\)) \{((?: [^{}]* \{[^{}]*\})*) \}", rest):
        if query not in MEDIA:
            yield f"@media {query}"
        for selector, declarations in re.findall(r" ([^{}]*) \{([^{}]*)\}", rules):
            if not SELECTORS.match(selector):
                yield f"selector {selector}"
            yield from (f"{selector}: {each}" for each in filter(str.strip, declarations.split(";"))
                        if not each.endswith(" !important"))  # with a space before: Outlook and GMX ask for it
        rest = rest.replace(f"@media {query} {{{rules} }}", "")
    if rest.strip():
        yield f"style {rest.strip()[:60]}"


class _Page(HTMLParser):
    """Collects the style sheet, and what may not stand in the elements."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.style = ""
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        if tag not in ELEMENTS:
            self.faults.append(f"<{tag}>")
        self.faults += [f"{name} of <{tag}>" for name, _ in attrs if name not in ATTRIBUTES]
        for each in filter(None, (dict(attrs).get("style") or "").split(";")):
            name, _, value = each.partition(":")
            known = PROPERTIES.get(name)
            if known is None or tag not in known.elements or not re.fullmatch(known.values, value):
                self.faults.append(f"{each} on <{tag}>")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self.style += data
