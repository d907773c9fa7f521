"""Reads the reports of mail systems that write to people only: by who writes, and by what they say."""
from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from clinic.interchange.bounce_fates import ADDRESS, MOST_ADDRESSES, Fate, addresses_in, code_in, one_line
from clinic.interchange.bounce_words import Cause, cause_of
from clinic.interchange.mime_parts import Mail, Part

_MOST_READ = 20_000


def _any(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words), re.IGNORECASE | re.MULTILINE)


_MAIL_SYSTEM = _any(
    "mailer[-_ ]?daemon", "post-?master", "mail[- ]delivery", "delivery (?:sub)?system", "mail system",
    "mail administrator", r"\bmdaemon\b")
_FAILED = _any(
    "could ?n[o']t (?:be )?deliver", "(?:unable|not able|wasn't able) to deliver", "undeliver", "not delivered",
    r"delivery (?:\w+ ){0,2}(?:fail|delayed|error)", "giv(?:en|ing) up", "(?:did|does) not reach", "error delivering",
    "retry timeout", "incorrectly constructed")
_DELAYED = _any(
    r"\bdelayed\b", "still trying", "(?:will|we'll) (?:continue|keep|be retried|retry)", "not yet been delivered",
    "no action is required", "delivery attempts will continue", "only a warning", "do not need to resend")
_GAVE_UP = _any(
    "giv(?:en|ing) up", "permanent", "will not (?:be )?retr", r"could not be delivered (?:to|for \d+ days)")
_COPY = _any(
    r"^[> \t]{0,20}(?:return-path|received|message-id|dkim-signature):",
    r"^[> \t]{0,20}-{2,80}.{0,60}(?:copy|original|unsent|returned|below|headers?)\b")
_TAG = re.compile(r"<(?![^<>\s]{1,200}@)[^<>]*>")


def fates_told(mail: Mail) -> tuple[Fate, ...]:
    """What became of the message for each address that is named; none where this tells of no failure."""
    failed = addresses_in(mail.fields.every("x-failed-recipients"))
    if not failed and _MAIL_SYSTEM.search(mail.fields.first("from")) is None:
        return ()
    text = _said_before_the_copy(mail.parts)
    is_over = _DELAYED.search(f"{mail.fields.first('subject')}\n{text}") is None or _GAVE_UP.search(text) is not None
    found = [Fate((address,), is_over, code_in(words) or code_in(text), one_line(words))
             for address, words in _sections(text).items() if not address.startswith("mailer-daemon@")]
    if failed and not any(set(fate.addresses) & set(failed) for fate in found):
        found.append(Fate(failed, is_over, code_in(text), one_line(text)))
    says_so = failed or _FAILED.search(text) or _DELAYED.search(text) or any(map(_says_why, found))
    return tuple(found) if says_so else ()


def _says_why(fate: Fate) -> bool:
    return bool(fate.status) or cause_of("", fate.said) is not Cause.UNKNOWN


def _said_before_the_copy(parts: Sequence[Part]) -> str:
    """What the mail system itself says: plain text, or the words of a page."""
    kinds = ("text/plain", "text/html")
    text = next((part.text for kind in kinds for part in parts if part.fields.kind == kind and part.body.strip()), "")
    text = _TAG.sub(" ", text)
    copy = _COPY.search(text)
    return (text[:copy.start()] if copy else text)[:_MOST_READ]


def _sections(text: str) -> Mapping[str, str]:
    """Each address with the words from it to the next one, or all words where it is the only one."""
    found = list(ADDRESS.finditer(text))[:MOST_ADDRESSES]
    words: dict[str, str] = {}
    for each, end in zip(found, [*(after.start() for after in found[1:]), len(text)], strict=False):
        name = each[0].lower()
        words[name] = f"{words.get(name, '')} {text[each.start():end]}"
    return words if len(words) != 1 else dict.fromkeys(words, text)
