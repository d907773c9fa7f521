"""What is said of people to tell: why, in which language, and how it went."""
from __future__ import annotations

from clinic.care.states import ContactOutcome, MessageState
from clinic.queries.bounces import CAME_BACK
from clinic.queries.people_to_tell import ToTell

LANGUAGE_NAMES = {"en": "English", "de": "German"}
OUTCOMES = {
    ContactOutcome.TOLD: "Told", ContactOutcome.PRINTED: "Letter printed", ContactOutcome.NO_ANSWER: "No answer",
    ContactOutcome.CALLED: "Called, will call again",
}
TOLD = {
    ContactOutcome.TOLD: "Noted: the patient knows.", ContactOutcome.PRINTED: "Noted: the letter counts as told.",
    ContactOutcome.NO_ANSWER: "Noted: no answer.", ContactOutcome.CALLED: "Noted: called.",
}


def why(each: ToTell) -> str:
    """Why no e-mail told it, as the words of a badge."""
    if each.state is MessageState.FAILED:
        return "E-mail came back" if (each.reason or "").startswith(CAME_BACK) else "E-mail failed"
    if each.state is MessageState.UNCERTAIN:
        return "May not have arrived"
    reason = each.reason or "Not sent"
    return reason[:1].upper() + reason[1:]
