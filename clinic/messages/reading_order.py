"""Keeps names and lines of another direction apart from what stands beside them, in both twins of a message."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from clinic.care.directions import isolated
from clinic.care.newsletter import Block
from clinic.messages.letters import AftercarePhase, ClinicCard, Letter, OwnWords, Section, VisitLine


def letter_in_order(letter: Letter) -> Letter:
    """The letter with everything that people typed kept apart."""
    return replace(
        letter, first_name=isolated(letter.first_name.strip()), clinic=card_in_order(letter.clinic),
        note=_each(letter.note), sections=tuple(map(_section, letter.sections)))


def card_in_order(clinic: ClinicCard) -> ClinicCard:
    """The clinic with its name and lines kept apart."""
    own = OwnWords(_each(clinic.own.directions), _each(clinic.own.cancellation), _each(clinic.own.closing),
                   clinic.own.cancellation_of)
    return replace(clinic, name=isolated(clinic.name), address=_each(clinic.address), own=own)


def blocks_in_order(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """The parts of an edition with their lines kept apart."""
    return tuple(
        replace(each, heading=isolated(each.heading), text="\n\n".join(map(isolated, each.paragraphs)),
                label=isolated(each.label))
        for each in blocks)


def _each(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(map(isolated, lines))


def _section(section: Section) -> Section:
    own = replace(section.own, opening=_each(section.own.opening), preheader=isolated(section.own.preheader))
    return replace(
        section, own=own, visits=tuple(map(_visit, section.visits)),
        note=isolated(section.note) if section.note else None,
        instructions=tuple(replace(each, text=isolated(each.text)) for each in section.instructions),
        phases=tuple(map(_phase, section.phases)),
        red_flags=tuple(replace(each, text=isolated(each.text)) for each in section.red_flags))


def _visit(line: VisitLine) -> VisitLine:
    return replace(line, place=isolated(line.place) if line.place else None,
                   practitioner=isolated(line.practitioner) if line.practitioner else None)


def _phase(phase: AftercarePhase) -> AftercarePhase:
    return replace(phase, expect=_each(phase.expect), do=_each(phase.do), avoid=_each(phase.avoid))
