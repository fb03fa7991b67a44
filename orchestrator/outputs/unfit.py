"""Why a text is not the output that was wanted: one error for callers, its kinds for programs."""

from __future__ import annotations

from typing import Any

from actions.root import UmbelError


class UnfitOutput(UmbelError, ValueError):
    """A model's text could not be made into what was wanted; the message is short and may be shown to the model."""

    code = "unfit_output"
    exit_code = 65

    def __init__(self, text: str, found: dict[str, Any] | None = None) -> None:
        super().__init__(text)
        self.args = (text, found)
        self.found = found
        """The object that the text holds, as far as it could be made fit; None: it has none."""

    def __str__(self) -> str:
        return str(self.args[0])


class NoJson(UnfitOutput):
    """There is no JSON value in a text that can be read in one way."""

    code = "no_json"


class UnfitKeys(UnfitOutput):
    """The keys of an object are not those that were expected, and the caller wants to hear of it."""

    code = "unfit_keys"
