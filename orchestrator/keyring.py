"""API keys: `umb_<id>_<secret>` made, read and verified.

In: what an operator grants. Out: a key that is shown once and kept as a digest; later, of a key that somebody sends,
a `Caller` or nothing. Tenant, principal, scopes and permissions come from here alone, never from a request's body.
"""

from __future__ import annotations

import hmac
import re
import secrets
import string
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from actions.errors import ConfigError, StoreRefused
from actions.messages import mended
from orchestrator import auditing, ids, rates
from orchestrator.store.api_keys import MOST_KEYS, StoredKey

if TYPE_CHECKING:
    from orchestrator.store.store import Store

SCOPES: Final = ("submit", "read", "operate", "admin")
"""What a key may do with the API: hand in work, look, decide for people, change what concerns the whole house."""

_INCLUDES: Final = {"submit": {"read"}, "operate": {"read"}, "admin": set(SCOPES)}
_LETTERS: Final = string.ascii_letters + string.digits
_FORM: Final = re.compile(r"umb_([A-Za-z0-9]{12})_([A-Za-z0-9_-]{43})", re.ASCII)
_SHOWN: Final = re.compile(r"umb_(?:([A-Za-z0-9]{12})_)?[A-Za-z0-9_-]{8,}", re.ASCII)
_PRINCIPAL: Final = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]{0,118}[^\s\x00-\x1f\x7f])?")
_NOBODYS: Final = sha256(b"a key that nobody has").hexdigest()
_LONGEST_NOTE: Final = 200


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf a request is made, and what it may do."""

    key_id: str
    """The id of its key; empty on an open API (`--insecure`)."""
    tenant: str
    """Whose things it reaches; empty: the default tenant."""
    principal: str | None
    """On whose behalf its conversations and runs are made."""
    scopes: frozenset[str]
    """What it may do with the API, those that others include among them."""
    permissions: frozenset[str]
    """What its principal may do, as actions ask for it."""
    rate: str = ""
    """Requests that it may make ("100/1s"); empty: as the settings say."""

    @property
    def name(self) -> str:
        """Who it is, for the audit."""
        return self.principal or f"key:{self.key_id}"


def granted(scopes: Iterable[str]) -> frozenset[str]:
    """The scopes with those that they include."""
    given = set(scopes)
    return frozenset(given.union(*(_INCLUDES.get(scope, ()) for scope in given)))


def parse(text: str) -> tuple[str, str] | None:
    """The id and the secret of a key, or None for what has not its form."""
    match = _FORM.fullmatch(text)
    return None if match is None else (match[1], match[2])


def masked(text: str) -> str:
    """The text without the secrets of what looks like keys, for the log: people put keys where none belong.

    Where one is percent-encoded, even twice, the whole text comes back decoded.
    """
    plain = unquote(unquote(text))
    return _SHOWN.sub(_mask, plain if _SHOWN.search(plain) else text)


def _mask(found: re.Match[str]) -> str:
    return f"umb_{found[1]}_***" if found[1] else "umb_***"


def digest(secret: str) -> str:
    """What is kept of a secret. It is random (256 bits), so a plain hash is enough: there is nothing to guess."""
    return sha256(secret.encode()).hexdigest()


def matches(secret: str, key: StoredKey | None) -> bool:
    """Whether it is the key's secret, in the same time whether it is, is not, or there is no such key."""
    return hmac.compare_digest(digest(secret), _NOBODYS if key is None else key.digest)


def is_over(key: StoredKey, now_s: float) -> bool:
    """Whether its time has ended at `now_s` (seconds since the epoch)."""
    return key.expires_ms is not None and key.expires_ms <= now_s * 1_000


def caller_of(key: StoredKey) -> Caller:
    """Who calls with this key."""
    return Caller(
        key_id=key.id,
        tenant=key.tenant,
        principal=key.principal,
        scopes=granted(key.scopes),
        permissions=frozenset(key.permissions),
        rate=key.rate,
    )


async def create(
    store: Store,
    *,
    tenant: str = "",
    principal: str | None = None,
    scopes: Iterable[str],
    permissions: Iterable[str] = (),
    note: str = "",
    expires: datetime | None = None,
    rate: str = "",
    by: str,
) -> tuple[StoredKey, str]:
    """Make a key; returns its record and the key itself, which is nowhere to be had again.

    Args:
        store: where it is kept.
        tenant: whose things it reaches.
        principal: on whose behalf runs are made with it; `key:<id>` if None.
        scopes: of `SCOPES`, at least one.
        permissions: what its principal may do.
        note: what it is for.
        expires: from when it opens nothing any more (aware of its zone).
        rate: requests that it may make, "100/1s"; "": as the settings say.
        by: who makes it, for the audit.

    Raises:
        ConfigError: a scope, the principal, the rate or the time is not usable.
        InvalidId: the tenant or a permission has not the form that it needs.
        StoreRefused: there are too many keys.
    """
    key_id = "".join(secrets.choice(_LETTERS) for _ in range(12))
    secret = secrets.token_urlsafe(32)
    key = StoredKey(
        id=key_id,
        digest=digest(secret),
        tenant=tenant,
        principal=f"key:{key_id}" if principal is None else principal,
        scopes=tuple(scope for scope in SCOPES if scope in set(scopes)),
        permissions=tuple(sorted(set(permissions))),
        note=mended(note)[:_LONGEST_NOTE],
        by=mended(by),
        created_ms=int(time.time() * 1_000),
        expires_ms=None if expires is None else int(expires.timestamp() * 1_000),
        rate=rate,
    )
    _check(key, scopes)
    line = auditing.line(
        "", "key_created", by=by, key=key.id, principal=key.principal, scopes=" ".join(key.scopes)
    )
    if not await store.api_keys.put(key, line):
        await _forget_old(store, by=by)
        if not await store.api_keys.put(key, line):
            raise StoreRefused(
                f"there are {MOST_KEYS} API keys already", fix="Revoke those that are not needed"
            )
    return key, f"umb_{key.id}_{secret}"


async def revoke(store: Store, key_id: str, *, by: str) -> bool:
    """Let a key open nothing any more; whether there was one.

    Processes of the API hear of it within a second; waits and event streams that are open end within two.
    """
    return await store.api_keys.remove(key_id, auditing.line("", "key_revoked", by=by, key=key_id))


async def _forget_old(store: Store, *, by: str) -> None:
    """Make room: those whose time is over are of no use to anybody."""
    now = time.time()
    for key in await store.api_keys.list():
        if is_over(key, now):
            await revoke(store, key.id, by=by)


def _check(key: StoredKey, scopes: Iterable[str]) -> None:
    ids.check_tenant(key.tenant)
    ids.check_permissions(key.permissions)
    if unknown := sorted(set(scopes) - set(SCOPES)):
        raise ConfigError(f"there is no scope {unknown[0]!r:.80}", fix=f"Scopes are {', '.join(SCOPES)}")
    if not key.scopes:
        raise ConfigError("a key needs a scope", fix=f"Scopes are {', '.join(SCOPES)}")
    if _PRINCIPAL.fullmatch(key.principal) is None:
        raise ConfigError(
            f"{key.principal!r:.82} is no principal",
            fix="Write 1 to 120 characters in one line, such as ann or billing",
        )
    if key.expires_ms is not None and key.expires_ms <= key.created_ms:
        raise ConfigError("a key whose time is over already would open nothing", fix="Take a time to come")
    try:
        rates.read(key.rate)
    except ValueError as error:
        raise ConfigError(f"the rate {key.rate!r:.40} {error}") from None
