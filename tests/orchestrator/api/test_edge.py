"""What is written down of requests: a line each, and never a key, wherever somebody puts one."""

import logging
import re
from urllib.parse import quote

import pytest

from api_under_test import api_in_process, bearer, make_key, registry_of
from orchestrator import keyring


@pytest.fixture(scope="module")
def registry():
    return registry_of()


def encoded(text: str) -> str:
    """Percent-encoded in full, as no client would."""
    return "".join(f"%{ord(each):02X}" for each in text)


PLACES = {
    "a path": lambda key: (f"/v1/runs/{key}", {}),
    "the whole path": lambda key: (f"/{key}", {}),
    "a path behind a run's id": lambda key: (f"/v1/runs/run_{key}/cancel", {}),
    "a long path": lambda key: (f"/{'x' * 150}/{key}", {}),
    "an encoded path": lambda key: (f"/v1/runs/{encoded(key)}", {}),
    "a path that was encoded twice": lambda key: (f"/v1/runs/{quote(encoded(key))}", {}),
    "two in a path": lambda key: (f"/{key}/{encoded(key)}", {}),
    "a query": lambda key: (f"/v1/runs?key={key}&status={key}", {}),
    "the request's id": lambda key: ("/v1/runs", {"X-Request-Id": key}),
    "a part of the request's id": lambda key: ("/v1/runs", {"X-Request-Id": f"a-{key[:50]}"}),
    "the key of a repetition": lambda key: ("/v1/runs", {"Idempotency-Key": key}),
}


@pytest.mark.parametrize("place", PLACES)
async def test_a_key_in_the_wrong_place_is_not_logged(settings, registry, caplog, place):
    caplog.set_level("DEBUG", logger="umbel.api.access")
    async with api_in_process(settings, registry) as api:
        key = await make_key(api.store)
        key_id, secret = keyring.parse(key)
        path, headers = PLACES[place](key)
        for shown in (headers, headers | bearer(key)):
            answer = await api.client.get(path, headers=shown)
            assert answer.status_code in {200, 401, 404, 405, 422}
            assert key not in answer.headers["x-request-id"]
    lines = [record.getMessage() for record in caplog.records if record.name == "umbel.api.access"]
    assert len(lines) == 2
    for line in lines:
        for piece in (secret, secret[:20], encoded(secret), quote(encoded(secret))[:60]):
            assert piece not in line
    if place == "a path":
        assert f" /v1/runs/umb_{key_id}_*** " in lines[0]


async def test_what_is_no_key_is_logged_as_it_came(settings, registry, caplog):
    caplog.set_level(logging.INFO, logger="umbel.api.access")
    async with api_in_process(settings, registry) as api:
        for path in ("/v1/runs/run_a%20b", "/umb_x", "/v1/actions/umb_ADD"):
            await api.client.get(path, headers={"X-Request-Id": "umb_7"})
            line = caplog.records[-1].getMessage()
            assert re.match(rf"GET {re.escape(path)} 40[14] [\d.]+ ms request=umb_7 key=$", line), line
