"""`umbel parse`: replies as JSON lines on stdin, the calls in them as JSON lines on stdout, in order.

Bad content is an answer with errors, never an end: the exit code is 0 unless the command is used wrongly.
"""

from __future__ import annotations

import os
import sys

import click


@click.command()
@click.option(
    "--json", "_as_json", is_flag=True, help="Change nothing: it prints JSON, an object a line, anyway."
)
def parse(*, _as_json: bool) -> None:
    """Read replies as JSON lines, print the calls in them.

    A line is {"id", "body", "format"?} for a reply as a provider sent it, or {"id", "text"} for a text that
    a model wrote. Its answer {"id", "calls", "text", "provider_calls", "errors"} is written at once.
    """
    from orchestrator.intake.lines import parse_lines

    out = sys.stdout.buffer
    try:
        for answer in parse_lines(sys.stdin.buffer):
            out.write(answer)
            out.flush()
    except BrokenPipeError:
        # Nobody reads on. What is left in the buffer must not be tried again when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
