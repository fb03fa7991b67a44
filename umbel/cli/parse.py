"""`umbel parse`: replies as JSON lines on stdin, the calls in them as JSON lines on stdout, in order.

Bad content is an answer with errors, never an end: the exit code is 0 unless the command is used wrongly.
"""

from __future__ import annotations

import os
import sys

import click


@click.command()
@click.option(
    "--json",
    "_as_json",
    is_flag=True,
    help="Taken for the sake of scripts: it prints JSON, an object a line, anyway.",
)
@click.option(
    "--dialects",
    metavar="NAMES",
    help='Read calls in texts of these dialects only, comma separated; "none": of none. All when not given; '
    "UMBEL_DIALECTS does not count here.",
)
def parse(*, _as_json: bool, dialects: str | None) -> None:
    """Read replies as JSON lines, print the calls in them.

    A line is {"id", "body", "format"?} for a reply as a provider sent it, or {"id", "text", "format"?} for a text
    that a model wrote. Its answer {"id", "calls", "text", "provider_calls", "errors"} is written at once; a call that
    had to be mended says how in "repaired". docs/formats.md lists the formats and dialects.
    """
    from orchestrator.dialects import check_dialects, read_dialects
    from orchestrator.intake.lines import parse_lines

    wanted = check_dialects(None if dialects is None else [name.strip() for name in dialects.split(",")])
    out = sys.stdout.buffer
    try:
        for answer in parse_lines(sys.stdin.buffer, read_dialects(wanted)):
            out.write(answer)
            out.flush()
    except BrokenPipeError:
        # Nobody reads on. What is left in the buffer must not be tried again when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
