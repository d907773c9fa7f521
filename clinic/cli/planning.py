"""The planner by itself: a document in, a document out."""
from __future__ import annotations

from typing import BinaryIO

import click


@click.command()
@click.argument("problem", type=click.File("rb"))
@click.option("--starts", "only_starts", is_flag=True, help="List every start of one step that keeps a whole plan.")
@click.option("--step", default=1, show_default=True, type=click.IntRange(1, 60), help="The step that --starts lists.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="End the search after so long.")
def plan(problem: BinaryIO, only_starts: bool, step: int, seconds: float | None) -> None:
    """Answer the planning document PROBLEM (- for standard input); exit code 2 for one that breaks the form."""
    from clinic.planning import plan as planned
    from clinic.planning import starts
    from clinic.planning.document import as_text, document_of, parse
    from clinic.planning.form import MOST_BYTES, Malformed

    try:
        asked = parse(problem.read(MOST_BYTES + 1))
    except Malformed as error:
        for fault in error.faults:
            click.echo(fault, err=True)
        raise SystemExit(2) from error
    if only_starts and step > len(asked.steps):
        raise click.BadParameter(f"the course has {len(asked.steps)} steps", param_hint="--step")
    answer = starts(asked, step) if only_starts else planned(asked, seconds=seconds)
    click.echo(as_text(document_of(answer, asked)))
