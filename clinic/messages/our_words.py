"""What we say where a clinic has no words of its own, with placeholders: what it reads before it writes its own."""
from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from clinic.care.message_kinds import MessageKind
from clinic.care.own_text import Part, parts_of
from clinic.care.placeholders import placeholders_of
from clinic.messages.letters import Kind
from clinic.messages.section_texts import environment
from clinic.messages.views import AHEAD
from clinic.messages.words import labels

_NAMES: Mapping[str, object] = {
    "clinic": "{clinic}", "phone": "{phone}", "day": "{date}", "short_day": "{date}", "time": "{time}",
    "treated_day": "{date}", "offer_from": "{from_date}", "offer_to": "{to_date}", "held_until": "{held_until}",
    "only_new": False,
}
_OPENING = "our_opening"


@lru_cache(maxsize=64)
def our_words(kind: MessageKind, language: str) -> Mapping[Part, str]:
    """Each part of that kind in our words; the opening is empty where all that we say at the beginning are facts."""
    found = {part: _said(kind, part, language) for part in parts_of(kind)}
    return MappingProxyType(found)


def _said(kind: MessageKind, part: Part, language: str) -> str:
    if part is Part.PREHEADER:
        words = labels(language)
        is_dated = Kind(kind.value) in AHEAD and "time" in placeholders_of(kind, part)
        pattern = words.preheader_with_date if is_dated else words.preheader
        return pattern.format(day="{date}", time="{time}", phone="{phone}")
    folder = f"messages/{kind}/{language}"
    if part is Part.OPENING:
        template = environment().get_template(f"{folder}/body.txt")
        block = template.blocks.get(_OPENING)
        said = "".join(block(template.new_context({**_NAMES, "count": 1}))).strip() if block else ""
        return said if not said or said.endswith((".", "!", "?")) else f"{said}."
    subject = environment().get_template(f"{folder}/subject.txt")
    return " ".join(subject.render({**_NAMES, "count": "{count}" if part is Part.SEVERAL else 1}).split())
