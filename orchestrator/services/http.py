"""`ctx.http`: one httpx client for a process, so that connections are kept and limits are shared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import httpx

from actions.services import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_TIMEOUT: Final = 10.0
"""Seconds for one request, unless the caller says otherwise; the action's own timeout is the outer bound."""


class HttpxHttp:
    """`actions.services.Http` over httpx; answers of any status are values, no answer is an OSError."""

    def __init__(self, *, timeout: float = DEFAULT_TIMEOUT) -> None:
        """Prepare; connections are opened when they are needed."""
        self._client = httpx.AsyncClient(timeout=timeout, limits=httpx.Limits(max_connections=200))

    async def request(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> HttpResponse:
        """Send one request and return the answer, whatever its status.

        Raises:
            TimeoutError: no answer in time.
            ConnectionError: no connection, or it broke.
        """
        try:
            answer = await self._client.request(
                method, url, json=json, headers=headers, params=params, timeout=timeout or DEFAULT_TIMEOUT
            )
        except httpx.TimeoutException as error:
            raise TimeoutError(f"{method} {httpx.URL(url).host}: no answer in time") from error
        except httpx.HTTPError as error:
            raise ConnectionError(f"{method} {httpx.URL(url).host}: {type(error).__name__}") from error
        return HttpResponse(answer.status_code, dict(answer.headers), answer.text)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
