"""The key, taken out of what others said: texts and errors in, the same without it out.

A service, or a proxy before it, may repeat what it was sent. What it says is masked before it is cut to a length: half
a key would be found no more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr

if TYPE_CHECKING:
    from orchestrator.clients.errors import ApiError

MASKED: Final = "***"
"""What stands in its place."""
_SHORTEST: Final = 8
"""Characters of a secret that is looked for by itself; a shorter one is found in any text."""


class Mask:
    """Knows one key, and shows it to nobody."""

    def __init__(self, key: SecretStr | None) -> None:
        """Look for this key and for its secret, which is what follows its second underscore."""
        text = key.get_secret_value() if key is not None else ""
        secret = text.split("_", 2)[-1]
        self._hidden = [SecretStr(text)] if text else []
        if len(secret) >= _SHORTEST:
            self._hidden.append(SecretStr(secret))

    def text(self, text: str) -> str:
        """The text without the key."""
        for each in self._hidden:
            text = text.replace(each.get_secret_value(), MASKED)
        return text

    def value(self, found: Any) -> Any:
        """What was read from JSON, its texts without the key."""
        if isinstance(found, dict):
            return {name: self.value(value) for name, value in found.items()}
        if isinstance(found, list):
            return [self.value(each) for each in found]
        return self.text(found) if isinstance(found, str) else found

    def error(self, error: ApiError) -> None:
        """Take it out of an error."""
        error.detail = self.text(error.detail)
        error.args = (error.detail,)
        error.code = self.text(error.code)
        error.request_id = self.text(error.request_id)
        error.errors = tuple(
            replace(
                each,
                pointer=self.text(each.pointer),
                detail=self.text(each.detail),
                code=self.text(each.code),
            )
            for each in error.errors
        )
