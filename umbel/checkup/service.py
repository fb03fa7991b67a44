"""The HTTP API: UMBEL_API_URL and UMBEL_API_KEY in; whether it is ready and knows the key out.

Without the first nothing is looked at: a machine need not know of a service.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from umbel.checkup.findings import Finding, ok, problem, warning
from umbel.starting import CLIENTS_KEY, CLIENTS_URL

if TYPE_CHECKING:
    import httpx

_TIMEOUT_S: Final = 5.0
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_UNAUTHORISED: Final = 401
_KNOWN: Final = frozenset({200, 403, 429})
"""A key without the scope `read` is known all the same."""
_UNAVAILABLE: Final = 503


def examine(env: Mapping[str, str]) -> Iterator[Finding]:
    """What the service answers that the client of this environment would use."""
    url = env.get(CLIENTS_URL, "").rstrip("/")
    if not url:
        return
    import httpx

    try:
        # A proxy of the environment is for others than this machine.
        with httpx.Client(trust_env=urlsplit(url).hostname not in _LOOPBACK, timeout=_TIMEOUT_S) as client:
            yield _readiness(url, client.get(f"{url}/readyz"))
            if key := env.get(CLIENTS_KEY):
                answer = client.get(f"{url}/v1/runs?limit=1", headers={"Authorization": f"Bearer {key}"})
                yield _key(answer.status_code)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        yield problem(
            "api",
            f"{url} does not answer ({type(error).__name__}): start it (`umbel api`), or correct {CLIENTS_URL}",
        )


def _readiness(url: str, answer: httpx.Response) -> Finding:
    from umbel.installation.gates import refusal

    if answer.is_success:
        return ok("api", f"{url} is ready")
    if answer.status_code == _UNAVAILABLE:
        return warning("api", f"{url} is not ready: {refusal(answer).why}")
    return problem("api", f"{url} answers {answer.status_code}: is that the API? Correct {CLIENTS_URL}")


def _key(status: int) -> Finding:
    if status == _UNAUTHORISED:
        return problem(
            "api key", f"the key of {CLIENTS_KEY} is not known there, or its time is over: umbel keys create"
        )
    if status in _KNOWN:
        return ok("api key", f"the key of {CLIENTS_KEY} is known there")
    return warning("api key", f"a request with the key of {CLIENTS_KEY} is answered with {status}")
