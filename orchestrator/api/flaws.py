"""What is wrong with calls that were submitted: errors of ours in, a problem with a JSON pointer for each flaw out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from actions.errors import ForbiddenAction, InvalidArguments, UnknownAction
from actions.order_refusals import ChainOnly, MissingDependency
from orchestrator.api.problems import Problem, pointer

if TYPE_CHECKING:
    from actions.root import UmbelError
    from orchestrator.batches import RefusedBatch

_OF_THE_NAME: Final = (UnknownAction, ForbiddenAction, ChainOnly, MissingDependency)
_OF_ONE: Final = 4
"""Flaws of one call of a batch that are told, so that there is room for those of the others."""


def of_call(error: UmbelError) -> Problem:
    """The problem of a call that cannot run."""
    return Problem(error.code, " ".join(str(error).split()), errors=list(_flaws((), error)))


def of_batch(error: RefusedBatch) -> Problem:
    """The problem of a batch: the flaws of each of its bad calls."""
    found = [flaw for at, each in error.flaws for flaw in list(_flaws(("runs", at), each))[:_OF_ONE]]
    return Problem(error.code, str(error), errors=found)


def _flaws(place: Sequence[int | str], error: UmbelError) -> Iterable[dict[str, Any]]:
    if isinstance(error, InvalidArguments) and error.flaws:
        for way, text in error.flaws:
            yield _flaw((*place, "arguments", *way), text, error.code)
    elif isinstance(error, InvalidArguments):
        yield _flaw((*place, "arguments"), str(error), error.code)
    elif isinstance(error, _OF_THE_NAME):
        yield _flaw((*place, "action"), str(error), error.code)
    else:
        yield _flaw(place, str(error), error.code)


def _flaw(place: Sequence[int | str], text: str, code: str) -> dict[str, str]:
    return {"pointer": pointer(place), "detail": " ".join(text.split())[:500], "code": code}
