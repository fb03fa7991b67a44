"""Requests that a program makes out of the API's own description, good and bad ones: nothing unexpected comes back.

A real server on a real Valkey; every operation but the event streams, which do not end; always the same requests. A
request that the description allows may still be refused for what no schema can say (there is no such action, the
cursor is another list's); never for its shape.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any, Final

import pytest

from api_under_test import api_on_port, make_key
from orchestrator.api.problem_kinds import KINDS
from orchestrator.store.store import Store

EXAMPLES: Final = 4
"""Random requests to each operation, beside those that are made of the description's bounds."""
OF_MEANING: Final = {"value_error", "unknown", "wait", *KINDS}
"""Codes of flaws that are no matter of shape: our own ones, not pydantic's."""


async def _prepare(settings) -> str:
    """A key, and workers that seem to be there: then `/readyz` is a success."""
    store = Store(settings, connections=2)
    later = str(int((time.time() + 2 * 86_400) * 1e6))
    await store.connection.ask(["ZADD", f"{store.connection.prefix}queues", later, "actions", later, "turns"])
    key = await make_key(store, principal="ann")
    await store.close()
    return key


def _findings(url: str, key: str) -> Iterator[tuple[str, ...]]:
    """What is wrong with any answer: the operation, the check, what it says, the request and the answer."""
    import httpx
    import schemathesis
    from schemathesis.config import SchemathesisConfig
    from schemathesis.engine import events, from_schema

    config = SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "base-url": url,
            "headers": {"Authorization": f"Bearer {key}"},
            "continue-on-failure": True,
            "generation": {"max-examples": EXAMPLES, "no-shrink": True, "database": "none"},
            "phases": {"stateful": {"max-steps": 6}},
            "checks": {"ignored_auth": {"enabled": False}},  # test_auth asks that of every route
        }
    )
    told = httpx.get(f"{url}/openapi.json").json()
    schema = schemathesis.openapi.from_dict(told, config=config).exclude(path_regex="/events$")
    asked = 0
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            yield (str(event),)
        if not isinstance(event, events.ScenarioFinished):
            continue
        asked += len(event.recorder.interactions)
        for case, checks in event.recorder.checks.items():
            answer = event.recorder.interactions[case].response
            for check in checks:
                if check.failure_info is None or _of_meaning(check.name, answer):
                    continue
                request = event.recorder.cases[case].value.as_curl_command()
                text = "" if answer is None else f"{answer.status_code} {answer.content[:500]!r}"
                yield event.recorder.label, check.name, str(check.failure_info.failure), request[:500], text
    assert asked > 500, "there were hardly any requests"


def _of_meaning(check: str, answer: Any) -> bool:
    """Whether a request of the right shape was refused for what it means."""
    if check != "positive_data_acceptance" or answer is None or answer.status_code != 422:
        return False
    told = json.loads(answer.content)
    return told["code"] != "validation" or {each["code"] for each in told["errors"]} <= OF_MEANING


@pytest.mark.slow
def test_no_request_is_answered_in_an_unexpected_way(settings):
    key = asyncio.run(_prepare(settings))
    with api_on_port(settings) as url:
        found = list(_findings(url, key))
    assert not found, "\n\n".join("\n    ".join(each) for each in found[:20])
