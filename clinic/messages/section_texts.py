"""The texts of one section of a letter: from the template of its kind and language, placeholders filled in."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from jinja2 import BaseLoader, Environment, FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from clinic import paths
from clinic.care.directions import undirected
from clinic.messages.letters import Letter
from clinic.messages.own_words import own_opening, own_preheader, own_subject
from clinic.messages.styles import StyleSheet, parse_styles
from clinic.messages.views import SectionView


@dataclass(frozen=True, slots=True)
class SectionText:
    """What a section says, in both twins; the subject is the letter's where it is the only one.

    The preheader is the clinic's own, or empty.
    """

    subject: str
    preheader: str
    text: str
    html: Markup


def section_text(view: SectionView, letter: Letter) -> SectionText:
    """A section in the words of the letter's language."""
    env, where = environment(), f"messages/{view.kind}/{letter.language}"
    text = env.get_template(f"{where}/body.txt").render(_placeholders(view, "txt"))
    html = env.get_template(f"{where}/body.html").render(_placeholders(view, "html"))
    subject = undirected(own_subject(view)) or _subject(env, where, view)
    return SectionText(subject, own_preheader(view), text.strip("\n"), Markup(html))


def block(form: str, name: str) -> Callable[..., str]:
    """What puts a piece of a message into a form of it, `txt` or `html`; the pieces stand in `blocks.*`."""
    macro: Callable[..., str] = getattr(environment().get_template(f"messages/blocks.{form}").module, name)
    return macro


def _placeholders(view: SectionView, form: str) -> dict[str, object]:
    """What a text may name. Blocks of several lines come ready made, so that texts hold no logic of their own."""
    return view.plain() | {
        "opening": block(form, "opening")(own_opening(view)),
        "dates": block(form, "dates")(view.dates),
        "other_dates": block(form, "dates")(view.other_dates),
        "checklist": block(form, "checklist")(view.checklist),
        "care": block(form, "care")(view.care),
        "expected": block(form, "expected")(view.expected),
        "red_flags": block(form, "red_flags")(view.red_flags),
    }


def _subject(env: Environment, where: str, view: SectionView) -> str:
    return undirected(" ".join(env.get_template(f"{where}/subject.txt").render(view.plain()).split()))


class _StyledLoader(FileSystemLoader):
    """Loads our own templates with their styles written into them."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        source, name, is_current = super().get_source(environment, template)
        return (styles().inline(source) if template.endswith(".html") else source), name, is_current


@lru_cache(maxsize=1)
def environment() -> Environment:
    """What puts our own templates of messages into words: sandboxed, and every name must be known."""
    loader: BaseLoader = _StyledLoader(paths.templates())
    return ImmutableSandboxedEnvironment(
        loader=loader,
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        cache_size=-1,
    )


@lru_cache(maxsize=1)
def styles() -> StyleSheet:
    """The looks of a message, as they are written into its elements."""
    return parse_styles((paths.templates() / "messages" / "styles.css").read_text("utf-8"))
