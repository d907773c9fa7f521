"""The rules of messages as the rows of their page, in the order of a patient's way."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from clinic.care.message_kinds import MessageKind
from clinic.care.message_rules import CHOICES, Choice, MessageRules, Rule
from clinic.queries.rules_page import RulesPage
from clinic.web.forms import Form
from clinic.web.rule_words import ONLY_WHERE, STRETCHES, WAYS, Stretch, rule_sentence
from clinic.web.words import MESSAGE_KINDS


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One kind: what its rule says, and what its base says where the two differ; `ways` are what it may give way to.
    Without `choice` it cannot be changed."""

    kind: MessageKind
    name: str
    choice: Choice | None
    sentence: str
    is_on: bool
    ways: tuple[tuple[str, str], ...]
    base: str
    only_where: str
    is_wrong: bool


def rule_rows(
    found: RulesPage, rules: Mapping[MessageKind, Rule], form: Form
) -> tuple[tuple[Stretch, tuple[RuleRow, ...]], ...]:
    """Every kind once, by the stretch of the way that it belongs to."""
    return tuple((stretch, tuple(_row(kind, rules, found.base, form) for kind in stretch.kinds))
                 for stretch in STRETCHES)


def _row(kind: MessageKind, rules: Mapping[MessageKind, Rule], base: MessageRules, form: Form) -> RuleRow:
    ours = base.of(kind)
    rule = rules.get(kind, ours)
    departs = kind in rules and rule != ours
    return RuleRow(
        kind, MESSAGE_KINDS[kind], CHOICES[kind] if kind in rules else None, rule_sentence(kind, rule), rule.is_on,
        tuple((str(way), WAYS[way]) for way in CHOICES[kind].gives_way),
        rule_sentence(kind, ours) if departs else "", ONLY_WHERE.get(kind, ""),
        any(name.startswith(f"{kind}-") for name in form.faults))
