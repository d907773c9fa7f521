"""Words that tell whoever looks over a shoulder what a patient is treated for, with, or why."""
from __future__ import annotations

import re

_ENGLISH = re.compile(
    r"\w*(?:needl|laser|peel|\brf\b|radiofreq|scar|acne|hair|lax|skin|face|facial|neck|laxity|ipl|photo|prp|plasma|"
    r"platelet|ultrasound|hifu|lift|rejuven|wrinkle|botox|filler|pigment|texture|pore|rosacea|collagen|derma|cosmetic|"
    r"aesthetic|treatment|therapy|procedure|numb|surgery|bikini|body|legs|axilla|brow|tighten|fraction|resurfac)\w*",
    re.IGNORECASE)
_GERMAN = re.compile(
    r"\w*(?:nadel|peeling|narbe|akne|haar|haut|gesicht|hals|straff|falte|blitzlicht|eigenblut|filler|unterspritz|"
    r"pigment|fleck|rötung|lifting|verjüng|kosmet|ästhet|behandl|therap|eingriff|kur\b|betäub|chirurg|körper|bein|"
    r"achsel|braue|diagnos|heil|beschwerd|wunde|arznei|medikament|nachsorge)\w*",
    re.IGNORECASE)


def discreet(name: str) -> str:
    """The name of a clinic as a subject or a shared calendar may say it; nothing where the name itself would tell."""
    return "" if telling_words(name) else name


def telling_words(text: str) -> tuple[str, ...]:
    """The words of a text that give a patient away to somebody who reads either language, each once."""
    return tuple(dict.fromkeys((*_ENGLISH.findall(text), *_GERMAN.findall(text))))
