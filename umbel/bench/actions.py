"""What the benchmark runs: two actions that do nothing, so that only the way to them and back is measured."""

from __future__ import annotations

from actions.definition import action

NOTE = "BENCH_NOTE"
"""The action of W1, and of each call of W2."""
CONTINUED = "BENCH_CONTINUED"
"""What follows the results of a W2 turn."""


@action(NOTE, timeout="30s")
async def note(text: str, count: int, urgent: bool) -> dict[str, int]:  # noqa: FBT001 - a model names all its arguments; async is what is measured
    """Take a note.

    Args:
        text: what to note.
        count: how many times.
        urgent: whether it matters now.
    """
    del text, urgent
    return {"noted": count}


@action(CONTINUED)
async def continued() -> str:
    """Stand for the model's next round."""
    return "continued"
