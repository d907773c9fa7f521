"""What a patient reads of what they asked for, in their language: on their own page, and beforehand at the desk."""
from __future__ import annotations

from dataclasses import dataclass

from clinic.queries.my_answers import MyAnswer
from clinic.services.dates_said import day_said, moment_said
from clinic.web.my_words import my_words, said


@dataclass(frozen=True, slots=True)
class AnswerSaid:
    """What was asked and when, what became of it, and on which day that was said; the last may be empty."""

    asked: str
    answer: str
    answered: str


def answer_said(found: MyAnswer, language: str) -> AnswerSaid:
    """The answer in one of `my_languages`; what the clinic wrote stands beside it as it is."""
    words = my_words(language)["asked"]
    answer = words[f"{found.answer}_{found.kind}"] if f"{found.answer}_{found.kind}" in words else words[found.answer]
    return AnswerSaid(
        said(words[found.kind], day=day_said(found.asked_on, language)),
        said(answer, when=moment_said(found.local_start, language)),
        said(words["answered"], day=day_said(found.answered_on, language)) if found.answered_on else "")
