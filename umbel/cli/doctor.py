"""`umbel doctor`: this machine, the settings, the server and the service in; one line for each finding out.

Changes nothing and starts nothing. Ends with 0 when work can start, 78 when a setting is in the way, 69
when the server is. A warning (no append-only file, an unknown variable) does not change the exit code.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import Final

import click

_SIGNS: Final = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red")}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
@click.pass_context
def doctor(ctx: click.Context, *, as_json: bool) -> None:
    """Check this machine, the settings, the server and the service, and say what to do."""
    from umbel.checkup.examination import examine

    code = 0
    findings = []
    for finding in examine(os.environ):
        findings.append(finding)
        code = max(code, finding.exit_code)
        if not as_json:
            sign, colour = _SIGNS[finding.state]
            click.echo(f"{click.style(sign, fg=colour)} {finding.name:<10} {finding.text}")
    if as_json:
        click.echo(json.dumps({"ok": not code, "findings": [asdict(finding) for finding in findings]}))
    ctx.exit(code)
