"""`umbel keys`: who may use the HTTP API, and for what.

In: what a key is to open. Out: the key, once, on stdout; then its id, under which it is listed and revoked. No other
command and no log shows the secret again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from umbel.cli import options

if TYPE_CHECKING:
    from orchestrator.store.api_keys import StoredKey

_NO_SUCH = 1
"""Exit code of a revoke that found no such key."""


class _End(options.Moment):
    """A point in time to come: in how long ("12h", "90d"), or a date."""

    name = "time"
    wanted = "how long from now (12h, 90d)"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read it: a duration counts from now on."""
        from actions.errors import DeclarationError
        from actions.policy import duration

        if isinstance(value, str):
            try:
                return datetime.now(UTC) + _bounded(duration(value))
            except (DeclarationError, OverflowError):
                pass
        return super().convert(value, param, ctx)


def _bounded(span: timedelta) -> timedelta:
    return min(span, timedelta(days=36_600))


@click.group()
def keys() -> None:
    """Make, list and revoke keys of the HTTP API.

    A key is `umb_<id>_<secret>`. What it opens is decided here and nowhere else: its tenant, its principal, its scopes
    and its permissions; no request can ask for more.
    """


@keys.command()
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    help="submit (hand in work), read, operate (approve, cancel, replay), admin (everything); may be repeated.",
)
@click.option("--tenant", default="", help="Whose things it reaches; the default tenant when not given.")
@click.option("--principal", help="On whose behalf it makes runs; key:<id> when not given.")
@click.option(
    "--permission", "permissions", multiple=True, help="What its principal may do; may be repeated."
)
@click.option("--expires", type=_End(), metavar="TIME", help="When it ends: 12h or 90d from now, or a date.")
@click.option("--rate", default="", metavar="N/WINDOW", help="Requests that it may make: 100/1s, 6000/1m.")
@click.option("--note", default="", help="What it is for.")
@options.by
@options.as_json
def create(
    scopes: tuple[str, ...],
    tenant: str,
    principal: str | None,
    permissions: tuple[str, ...],
    expires: datetime | None,
    rate: str,
    note: str,
    by: str,
    *,
    as_json: bool,
) -> None:
    """Make a key and show it, this once."""
    made, secret = asyncio.run(
        _create(
            tenant=tenant,
            principal=principal,
            scopes=scopes,
            permissions=permissions,
            note=note,
            expires=expires,
            rate=rate,
            by=by,
        )
    )
    if as_json:
        click.echo(json.dumps({"key": secret, **_told(made)}))
        return
    click.echo(secret)
    click.echo(f"Keep it: it is shown this once. Its id is {made.id}.", err=True)


@keys.command("list")
@options.as_json
def show(*, as_json: bool) -> None:
    """Show all keys, the oldest first, without their secrets."""
    found = asyncio.run(_list())
    if as_json:
        click.echo(json.dumps([_told(key) for key in found], indent=2))
        return
    if not found:
        click.echo("There are no keys: umbel keys create --scope submit")
    for number, key in enumerate(found):
        click.echo("\n".join([*[""][: bool(number)], *_lines(key)]))


@keys.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@options.by
@options.as_json
@click.pass_context
def revoke(ctx: click.Context, ids: tuple[str, ...], by: str, *, as_json: bool) -> None:
    """Let keys open nothing any more: no request after a second, no open wait or stream after two.

    A whole key serves as its ID.
    """
    told = asyncio.run(_revoke(ids, by))
    if as_json:
        click.echo(json.dumps(told))
    else:
        for key_id, said in told.items():
            click.echo(f"{key_id}  {'revoked' if said == 'revoked' else 'no such key'}")
    ctx.exit(0 if set(told.values()) == {"revoked"} else _NO_SUCH)


async def _create(**what: Any) -> tuple[StoredKey, str]:
    from orchestrator import keyring
    from umbel.cli.stores import opened

    async with opened() as store:
        return await keyring.create(store, **what)


async def _list() -> list[StoredKey]:
    from umbel.cli.stores import opened

    async with opened() as store:
        return await store.api_keys.list()


async def _revoke(given: tuple[str, ...], by: str) -> dict[str, str]:
    from orchestrator import keyring
    from umbel.cli.plain import plain
    from umbel.cli.stores import opened

    told: dict[str, str] = {}
    async with opened() as store:
        for each in given:
            whole = keyring.parse(each)
            key_id = each if whole is None else whole[0]
            there = await keyring.revoke(store, key_id, by=by)
            told[plain(key_id[:80])] = "revoked" if there else "missing"
    return told


def _told(key: StoredKey) -> dict[str, Any]:
    """The key for programs."""
    return {
        "id": key.id,
        "tenant": key.tenant,
        "principal": key.principal,
        "scopes": list(key.scopes),
        "permissions": list(key.permissions),
        "note": key.note,
        "by": key.by,
        "created": _moment(key.created_ms).isoformat(),
        "expires": None if key.expires_ms is None else _moment(key.expires_ms).isoformat(),
        "rate": key.rate,
    }


def _lines(key: StoredKey) -> Iterator[str]:
    """The key for people."""
    from umbel.cli.layout import moment, moment_or_none, pairs
    from umbel.cli.plain import plain

    over = key.expires_ms is not None and _moment(key.expires_ms) <= datetime.now(UTC)
    yield f"{key.id}  {', '.join(key.scopes)}{'  (over)' if over else ''}"
    yield from pairs(
        {
            "tenant": key.tenant,
            "principal": plain(key.principal),
            "permissions": plain(", ".join(key.permissions)),
            "rate": key.rate,
            "note": plain(key.note),
            "made": f"{moment(_moment(key.created_ms))} by {plain(key.by)}",
            "expires": moment_or_none(None if key.expires_ms is None else _moment(key.expires_ms)),
        }
    )


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1_000, UTC)
