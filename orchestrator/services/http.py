"""`ctx.http`: one httpx client for a process, so that connections are kept and limits are shared.

Connections are all that requests share: the runs of every tenant use this client, so no cookie is kept.
"""

from __future__ import annotations

from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Final

import httpx

from actions.services import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_TIMEOUT: Final = 10.0
"""Seconds for each wait of a request (for a connection, for the next bytes), unless the caller says otherwise; the
action's own timeout is the outer bound."""
BODY_LIMIT: Final = 10 * 1024 * 1024
"""Bytes of an answer's body, unpacked; a longer one is an error, since all runs of a process share its memory."""


class HttpxHttp:
    """`actions.services.Http` over httpx; answers of any status are values, no answer is an OSError."""

    def __init__(
        self, *, timeout: float = DEFAULT_TIMEOUT, connections: int = 200, body_limit: int = BODY_LIMIT
    ) -> None:
        """Prepare; connections are opened when they are needed, at most `connections` at the same time."""
        self._timeout = timeout
        self._body_limit = body_limit
        self._client = httpx.AsyncClient(
            limits=httpx.Limits(max_connections=connections),
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        )

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
            TimeoutError: no answer in time, or no connection was free in time.
            ConnectionError: no connection, or it broke.
            OSError: the answer's body is too large.
        """
        asked = f"{method} {httpx.URL(url).host}"
        wait = timeout or self._timeout
        try:
            async with self._client.stream(
                method, url, json=json, headers=headers, params=params, timeout=wait
            ) as answer:
                text = await self._text(asked, answer)
        except httpx.PoolTimeout as error:
            raise TimeoutError(f"{asked}: no free connection in time") from error
        except httpx.TimeoutException as error:
            raise TimeoutError(f"{asked}: no answer in time") from error
        except httpx.HTTPError as error:
            raise ConnectionError(f"{asked}: {type(error).__name__}") from error
        return HttpResponse(answer.status_code, dict(answer.headers), text)

    async def _text(self, asked: str, answer: httpx.Response) -> str:
        body = bytearray()
        async for piece in answer.aiter_bytes():
            body += piece
            if len(body) > self._body_limit:
                raise OSError(f"{asked}: the answer is larger than {self._body_limit} bytes")
        return body.decode(answer.encoding or "utf-8", errors="replace")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
