"""What several commands take: who gives the command, and since when or before when something happened.

In: words of a command line. Out: a name for the audit, and points in time.
"""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    _Time = click.ParamType[datetime]
    _Seconds = click.ParamType[float]
else:
    _Time = _Seconds = click.ParamType  # generic since click 8.4; 8.1 is enough


def user() -> str:
    """The name of who is logged in at this terminal; "unknown" where the machine knows no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no such user: a container that runs under a bare number
        return "unknown"


by = click.option(
    "--by",
    metavar="NAME",
    default=user,
    show_default="who is logged in",
    help="Who does this, for the audit.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


class Moment(_Time):
    """A point in time: how long ago ("90s", "2h", "7d"), or a date, with a time and a zone if need be."""

    name = "time"
    wanted = "how long ago (90s, 2h, 7d)"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read it; a time without a zone is one of this machine's zone."""
        from actions.errors import DeclarationError
        from actions.policy import duration

        if isinstance(value, datetime):
            return value
        try:
            return datetime.now(UTC) - duration(value)
        except (DeclarationError, OverflowError):
            pass
        try:
            return datetime.fromisoformat(value).astimezone()
        except (ValueError, OverflowError, OSError):
            self.fail(
                f"{value!r} is no time: write {self.wanted} or a date (2026-03-01, 2026-03-01T14:30)",
                param,
                ctx,
            )


class Span(_Seconds):
    """A length of time ("500ms", "30s", "5m", or plain seconds), read as seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read it."""
        from actions.errors import DeclarationError
        from actions.policy import duration

        try:
            return duration(value).total_seconds()
        except (DeclarationError, OverflowError) as error:
            self.fail(str(error), param, ctx)


since = click.option(
    "--since", type=Moment(), metavar="TIME", help="What happened then or later: 2h (ago), or a date."
)
before = click.option("--before", type=Moment(), metavar="TIME", help="What happened before that.")
