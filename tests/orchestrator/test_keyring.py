"""API keys: made once, kept as a digest, verified in constant time, revoked at once."""

import re
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from actions.errors import ConfigError, InvalidId, StoreRefused, UnreadableRecord
from orchestrator import keyring
from orchestrator.store import api_keys
from orchestrator.store.api_keys import StoredKey
from orchestrator.store.store import Store

GIVEN = {"scopes": ("submit",), "by": "ann"}


@pytest.fixture
async def store(settings):
    made = Store(settings, connections=2)
    yield made
    await made.close()


async def test_a_key_is_kept_as_a_digest_and_nothing_else_of_it(store):
    key, whole = await keyring.create(
        store, **GIVEN, tenant="acme", permissions=("trade",), note="for billing"
    )
    assert re.fullmatch(r"umb_[A-Za-z0-9]{12}_[A-Za-z0-9_-]{43}", whole)
    key_id, secret = keyring.parse(whole)
    assert key.id == key_id
    assert key.digest == sha256(secret.encode()).hexdigest()
    (stored,) = await store.connection.ask(["HGETALL", f"{store.connection.prefix}keys"])
    everything = " ".join(stored) + repr([line.fields for line in await store.audit.read()]) + repr(key)
    assert secret not in everything
    assert key.digest not in repr(key)
    assert await store.api_keys.get(key_id) == key
    assert await store.api_keys.list() == [key]


async def test_the_principal_is_the_key_itself_if_nobody_is_named(store):
    key, _ = await keyring.create(store, **GIVEN)
    assert key.principal == f"key:{key.id}"
    named, _ = await keyring.create(store, **GIVEN, principal="ann")
    assert keyring.caller_of(named).principal == "ann"


async def test_only_the_right_secret_matches(store):
    key, whole = await keyring.create(store, **GIVEN)
    _, secret = keyring.parse(whole)
    assert keyring.matches(secret, key)
    assert not keyring.matches(secret[:-1] + ("a" if secret[-1] != "a" else "b"), key)
    assert not keyring.matches(secret, None)
    assert not keyring.matches("", key)


async def test_a_comparison_is_made_for_a_key_that_is_not_there(monkeypatch):
    compared = []

    def compare(one, other):
        compared.append((len(one), len(other)))
        return False

    monkeypatch.setattr("hmac.compare_digest", compare)
    assert not keyring.matches("x", None)
    assert compared == [(64, 64)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "umb__",
        "umb_abcdefghijkl",
        "umb_abcdefghijkl_" + "x" * 42,
        "umb_abcdefghijkl_" + "x" * 44,
        "umb_abcdefghijk_" + "x" * 43,
        "umb_abcdefghijk\u00e9_" + "x" * 43,
        "umb_abcdefghijkl_" + "\u0661" * 43,
        "UMB_abcdefghijkl_" + "x" * 43,
        " umb_abcdefghijkl_" + "x" * 43,
        "umb_abcdefghijkl_" + "x" * 43 + "\n",
    ],
)
def test_what_has_not_the_form_of_a_key_is_none(text):
    assert keyring.parse(text) is None


def test_a_secret_may_hold_the_mark_that_parts_a_key():
    secret = "_-" * 21 + "_"
    assert keyring.parse(f"umb_abcdefghijkl_{secret}") == ("abcdefghijkl", secret)


def test_scopes_include_others():
    assert keyring.granted(["admin"]) == set(keyring.SCOPES)
    assert keyring.granted(["operate"]) == {"operate", "read"}
    assert keyring.granted(["submit"]) == {"submit", "read"}
    assert keyring.granted(["read"]) == {"read"}


async def test_a_revoked_key_is_gone_and_both_deeds_are_in_the_audit(store):
    key, _ = await keyring.create(store, **GIVEN)
    assert await keyring.revoke(store, key.id, by="bob")
    assert not await keyring.revoke(store, key.id, by="bob")
    assert await store.api_keys.get(key.id) is None
    told = [(line.fields["what"], line.fields["by"], line.fields["key"]) for line in await store.audit.read()]
    assert told == [("key_created", "ann", key.id), ("key_revoked", "bob", key.id)]


async def test_a_key_ends_when_its_time_is_over(store):
    at = datetime.now(UTC) + timedelta(hours=1)
    key, _ = await keyring.create(store, **GIVEN, expires=at)
    assert not keyring.is_over(key, at.timestamp() - 0.1)
    assert keyring.is_over(key, at.timestamp())
    forever, _ = await keyring.create(store, **GIVEN)
    assert not keyring.is_over(forever, time.time() + 10**9)


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ({"scopes": ()}, ConfigError),
        ({"scopes": ("submit", "everything")}, ConfigError),
        ({"tenant": "a b"}, InvalidId),
        ({"permissions": ("two words",)}, InvalidId),
        ({"principal": ""}, ConfigError),
        ({"principal": "two\nlines"}, ConfigError),
        ({"principal": "x" * 121}, ConfigError),
        ({"rate": "fast"}, ConfigError),
        ({"expires": datetime(2020, 1, 1, tzinfo=UTC)}, ConfigError),
    ],
)
async def test_what_cannot_be_granted_is_refused_and_nothing_is_kept(store, what, error):
    with pytest.raises(error):
        await keyring.create(store, **GIVEN | what)
    assert await store.api_keys.list() == []


async def test_there_is_a_cap_and_keys_whose_time_is_over_make_room(store, monkeypatch):
    monkeypatch.setattr(api_keys, "MOST_KEYS", 2)
    soon = datetime.now(UTC) + timedelta(seconds=3600)
    old, _ = await keyring.create(store, **GIVEN, expires=soon)
    kept, _ = await keyring.create(store, **GIVEN)
    with pytest.raises(StoreRefused):
        await keyring.create(store, **GIVEN)
    monkeypatch.setattr(keyring, "is_over", lambda key, _now: key.id == old.id)
    new, _ = await keyring.create(store, **GIVEN)
    assert {key.id for key in await store.api_keys.list()} == {kept.id, new.id}


async def test_an_id_is_given_once(store):
    key = StoredKey("abcdefghijkl", "d" * 64, "", "ann", ("read",), (), "", "ann", 1, None, "")
    assert await store.api_keys.put(key, {})
    with pytest.raises(StoreRefused):
        await store.api_keys.put(key, {})


async def test_a_record_of_the_first_version_still_loads_and_so_does_one_of_a_later_one(store):
    record = (
        '{"id":"abcdefghijkl","digest":"d","tenant":"acme","principal":"ann","scopes":["read"],"permissions":["trade"],'
        '"note":"","by":"bob","created_ms":1,"expires_ms":null,"rate":"1/1s"'
    )
    for more in ("}", ',"colour":"red"}'):
        await store.connection.ask(["HSET", f"{store.connection.prefix}keys", "abcdefghijkl", record + more])
        assert await store.api_keys.get("abcdefghijkl") == StoredKey(
            "abcdefghijkl", "d", "acme", "ann", ("read",), ("trade",), "", "bob", 1, None, "1/1s"
        )


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"id": 1}', "\udcff"])
async def test_a_damaged_record_opens_nothing(store, record):
    await store.connection.ask(
        ["HSET", f"{store.connection.prefix}keys", "abcdefghijkl", record.encode("utf-8", "replace")]
    )
    with pytest.raises(UnreadableRecord):
        await store.api_keys.get("abcdefghijkl")


SECRET = "_-" * 21 + "x"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("", ""),
        ("umbel, umb_ and umb_short", "umbel, umb_ and umb_short"),
        (f"umb_abcdefghijkl_{SECRET}", "umb_abcdefghijkl_***"),
        (f"see umb_abcdefghijkl_{SECRET}, or umb_abcdefghijkl_{SECRET[:30]}.",
         "see umb_abcdefghijkl_***, or umb_abcdefghijkl_***."),
        (f"run_umb_abcdefghijkl_{SECRET}/cancel", "run_umb_abcdefghijkl_***/cancel"),
        (f"umb_{SECRET}", "umb_***"),
        (f"/a%20b/umb%5Fabcdefghijkl%5F{SECRET}", "/a b/umb_abcdefghijkl_***"),
        ("/a%20b/umb_c", "/a%20b/umb_c"),
    ],
)  # fmt: skip
def test_what_looks_like_a_key_is_masked(text, masked):
    assert keyring.masked(text) == masked
