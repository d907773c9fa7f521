"""Every text that a patient reads of the library is there in German, and says the same."""
from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest

from clinic.care.catalogue import TRANSLATED, library_translation, load_catalogue
from clinic.care.protocols import Protocol
from clinic.care.translations import (
    ClinicalText,
    Place,
    Translated,
    clinical_texts,
    fingerprint,
    translated,
    translations,
)

CATALOGUE = load_catalogue()
GERMAN = translations("de")
UNITS = {"minute": "minute", "hour": "stunde", "day": "tag", "week": "woche", "month": "monat", "spf": "lsf"}
NUMBER_WORDS = {"two": "zwei", "six": "sechs"}
MEDICINE = re.compile(
    r"retinoid|säure|benzoyl|aknemittel|wirkstoff|entzündungshemm|blutverdünner|tablette|antibiotikum|antiviral|"
    r"johanniskraut")
LEAVES_OFF = re.compile(r"\b(?:verzicht\w*|kein\w*|nicht|weder|vermeid\w*|absetz\w*|aufhör\w*|weglass\w*|ohne)\b")
ENGLISH = re.compile(
    r"\b(?:the|and|or|with|without|your?|for|of|if|skin|area|days?|weeks?|months?|hours?|use|avoid|after|until|from|"
    r"swelling|redness|sunscreen|pain)\b", re.IGNORECASE)


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_for_patients_is_translated_and_no_translation_is_left_over(language: str) -> None:
    wanted = {text for protocol in CATALOGUE for text in clinical_texts(protocol)}

    assert wanted == set(translations(language))
    assert all(not translated(protocol, language).missing for protocol in CATALOGUE)


@pytest.mark.parametrize("text", GERMAN, ids=lambda text: text.text[:40])
def test_a_translation_has_the_numbers_and_units_of_what_it_translates(text: ClinicalText) -> None:
    said = GERMAN[text].lower()

    assert Counter(re.findall(r"\d+", said)) == Counter(re.findall(r"\d+", text.text))
    assert _units(said, tuple(UNITS.values())) == [UNITS[unit] for unit in _units(text.text.lower(), tuple(UNITS))]
    assert [word for english, word in NUMBER_WORDS.items() if re.search(rf"\b{english}\b", text.text)] == re.findall(
        r"\b(?:zwei|sechs)\b", said.replace("sechsen", "sechs"))


def _units(text: str, units: tuple[str, ...]) -> list[str]:
    """The units of time and strength that a text names, in the order of `units`; plural or not, as often as they come.
    """
    return [unit for unit in units for _ in re.findall(rf"\b{unit}(?:s|en?|n)?\b", text.replace("wochen", "woche"))]


@pytest.mark.parametrize("text", GERMAN, ids=lambda text: text.text[:40])
def test_a_translation_is_german_from_its_capital_to_its_stop(text: ClinicalText) -> None:
    said = GERMAN[text]

    assert ENGLISH.findall(said) == []
    assert said[0].isupper()
    assert said.endswith(".") is text.text.endswith(".")
    assert not re.search(r"\b(?:du|dein\w*|dich|dir)\b", said, re.IGNORECASE)
    assert not re.search(r"[\"'<>{}]|  ", said)


@pytest.mark.parametrize("text", GERMAN, ids=lambda text: text.text[:40])
def test_no_patient_is_told_in_german_to_stop_a_prescribed_medicine(text: ClinicalText) -> None:
    said = GERMAN[text].lower()

    leaves_off = text.place is Place.AVOID or LEAVES_OFF.search(said)
    about_medicine = bool(leaves_off and MEDICINE.search(said))

    assert not about_medicine or re.search(r"verordnet|selbst kaufen|weiter ein", said), said
    assert ("prescri" in text.text) is ("verordn" in said)
    assert "absetz" not in said


@pytest.mark.parametrize(("english", "german"), [
    ("Go on taking", "weiter ein"), ("Go on with", "weiter"), ("before you change", "bevor sie"),
    ("buy yourself", "selbst kaufen"), ("ask us", "fragen sie"), ("pacemaker", "herzschrittmacher"),
    ("fever", "fieber"), ("Trouble breathing", "atemnot"), ("isotretinoin", "isotretinoin"), ("vision", "seh"),
    ("blister", "bl"), ("pregnancy", "schwangerschaft"), ("numb", "t"), ("sedative", "beruhigungsmittel"),
    ("cold sore", "herpes"), ("antiviral", "antivirale"), ("blood thinner", "blutverdünner"), ("pus", "eiter"),
])
def test_what_matters_most_is_said_in_both(english: str, german: str) -> None:
    meant = [text for text in GERMAN if re.search(rf"\b{english}", text.text, re.IGNORECASE)]

    assert meant
    assert [text.text for text in meant if german not in GERMAN[text].lower()] == []


def test_only_the_texts_for_patients_change() -> None:
    protocol = CATALOGUE[0]

    german = translated(protocol, "de").protocol

    assert german != protocol
    assert german.red_flags[0].text == GERMAN[ClinicalText(Place.RED_FLAG, protocol.red_flags[0].text)]
    assert replace(german, precare=protocol.precare, aftercare=protocol.aftercare,
                   red_flags=protocol.red_flags) == protocol
    assert [each.key for each in german.precare] == [each.key for each in protocol.precare]


def test_a_text_of_a_clinics_own_stands_in_english_and_is_named() -> None:
    protocol = _with_own_text(CATALOGUE[0])

    found = translated(protocol, "de")

    assert found.missing == (ClinicalText(Place.PRECARE, "Bring your own towel."),)
    assert found.protocol.precare[0].text == "Bring your own towel."
    assert found.protocol.precare[1].text != protocol.precare[1].text


def test_english_is_the_protocol_itself_and_an_unknown_language_misses_everything() -> None:
    protocol = CATALOGUE[0]

    assert translated(protocol, "en") == Translated(protocol, ())
    assert translated(protocol, "xx").protocol == protocol
    assert translated(protocol, "xx").missing == clinical_texts(protocol)
    assert library_translation("../de") == {}


def test_a_fingerprint_moves_with_either_text_and_with_its_place() -> None:
    text = ClinicalText(Place.DO, "Rest")

    pairs = [(text, "Ruhen"), (text, "Rasten"), (replace(text, text="Res"), "tRuhen"),
             (replace(text, text="Resting"), "Ruhen"), (replace(text, place=Place.AVOID), "Ruhen")]

    assert len({fingerprint(*pair) for pair in pairs}) == len(pairs)


def _with_own_text(protocol: Protocol) -> Protocol:
    first, *others = protocol.precare
    return replace(protocol, precare=(replace(first, text="Bring your own towel."), *others))
