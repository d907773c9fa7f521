"""Writes the rules of templates/messages/styles.css into the elements of our own mail templates.

Many mail programs ignore style sheets, so each element carries its style itself. This happens to the
templates while they are loaded, before any value is put in: texts stay plain and values are never touched.
"""
from __future__ import annotations

import re
from dataclasses import dataclass

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_RULE = re.compile(r"\s*([^{}]+?)\s*\{([^{}]*)\}")
_SELECTOR = re.compile(r"\.?[a-z][a-z0-9-]*\Z")
_OPENING_TAG = re.compile(r"<([a-z][a-z0-9]*)((?:\s[^<>]*?)?)(/?)>")
_CLASSES = re.compile(r'\sclass="([^"]*)"')


@dataclass(frozen=True, slots=True)
class StyleSheet:
    """Declarations for each selector (a tag or a class), and the media rules that only a <style> can hold."""

    rules: dict[str, str]
    media: str

    def inline(self, source: str) -> str:
        """The template with a style attribute on each element that a rule names."""
        return _OPENING_TAG.sub(self._styled, source)

    def _styled(self, tag: re.Match[str]) -> str:
        name, attributes, closing = tag.groups()
        classes = _CLASSES.search(attributes)
        selectors = [name, *(f".{each}" for each in (classes[1].split() if classes else ()))]
        style = "".join(self.rules.get(selector, "") for selector in selectors)
        if not style or " style=" in attributes:
            return tag[0]
        return f'<{name}{attributes} style="{style}"{closing}>'


def parse_styles(source: str) -> StyleSheet:
    """Read a style sheet of plain tag and class rules, followed by its media rules."""
    plain, at, media = _COMMENT.sub("", source).partition("@media")
    rules: dict[str, str] = {}
    for found in _RULE.finditer(plain):
        for selector in found[1].split(","):
            if not _SELECTOR.match(selector.strip()):
                raise ValueError(f"mail styles know tags and classes only: {selector.strip()!r}")
            rules[selector.strip()] = rules.get(selector.strip(), "") + _declarations(found[2])
    if _RULE.sub("", plain).strip():
        raise ValueError(f"mail styles do not parse: {_RULE.sub('', plain).strip()[:40]!r}")
    return StyleSheet(rules, " ".join((at + media).split()))


def _declarations(block: str) -> str:
    each = (" ".join(part.split()) for part in block.split(";"))
    return "".join(f"{part.replace(': ', ':', 1)};" for part in each if part).replace('"', "'")
