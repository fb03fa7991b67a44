"""`ctx.model` and what leads turns: a model behind any server that speaks OpenAI's chat API."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, cast

from actions.errors import ConfigError, Fail, TryAgain
from orchestrator.retry_after import retry_after

if TYPE_CHECKING:
    from actions.services import Http
    from orchestrator.settings import Settings

_TIMEOUT: Final = 120.0


class ChatModel:
    """`actions.services.Model`: one POST to `<model_url>/chat/completions` for each question."""

    def __init__(self, http: Http, settings: Settings) -> None:
        """Ask through this client the server that the settings name."""
        self._http = http
        self._url = settings.model_url
        self._key = settings.model_key

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the raw reply, in whatever wire format the server answers.

        Raises:
            ConfigError: no model is configured.
            TryAgain: the server is away, busy (429) or broken (5xx); after as long as its `Retry-After` says.
            Fail: it refused the request (other 4xx), which asking again does not mend.
        """
        if self._url is None:
            raise ConfigError("no model is configured", fix="Set UMBEL_MODEL_URL, or post replies instead")
        headers = {} if self._key is None else {"Authorization": f"Bearer {self._key.get_secret_value()}"}
        try:
            async with asyncio.timeout(_TIMEOUT):  # the client's own bound is one for each piece that arrives
                answer = await self._http.request(
                    "POST", f"{self._url}/chat/completions", json=request, headers=headers, timeout=_TIMEOUT
                )
        except OSError as error:
            raise TryAgain(reason=f"the model does not answer ({error})") from error
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            wait = retry_after(answer.headers)
            busy = answer.status == HTTPStatus.TOO_MANY_REQUESTS and wait is not None
            raise TryAgain(wait or None, f"the model's server answered {answer.status}", cool=busy)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise Fail(f"the model's server refused the request with {answer.status}")
        try:
            return cast("dict[str, Any]", answer.json())
        except ValueError:
            raise TryAgain(reason="the model's server answered something that is not JSON") from None
