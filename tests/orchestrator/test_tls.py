"""TLS to Redis: who the other end is, is known before it hears the password; on each kind of connection."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from flower.utils.broker import Broker
from kombu.exceptions import OperationalError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from actions.errors import ConfigError
from orchestrator.addresses import Tls, check_redis, tls_of, without_tls
from orchestrator.settings import Settings, load_settings
from orchestrator.store.connection import _client
from orchestrator.store.line import Line
from tls_servers import OPENSSL, make_certificate, tls_server
from umbel.supervisor.wire import Address, ask
from workers.app import create_app

SECRET = "hunter2"


async def by_line(url: str) -> None:
    line = Line(url, timeout=5)
    try:
        assert await line.trip([["PING"]]) == ["PONG"]
    finally:
        await line.close()


async def by_pool(url: str) -> None:
    client = _client(url, 1, 5.0)
    try:
        assert await client.ping()
    finally:
        await client.aclose()
        await client.connection_pool.disconnect()


async def by_wire(url: str) -> None:
    assert await asyncio.to_thread(ask, Address.of(url), "PING") == "PONG"


def _celery(url: str) -> None:
    app = create_app(Settings.model_validate({"redis_url": url}))
    with app.connection_for_write() as connection:
        connection.connect()


async def by_celery(url: str) -> None:
    await asyncio.to_thread(_celery, url)


async def by_flower(url: str) -> None:
    """As Flower's broker page: it takes the URL and the TLS from the app that Celery gives it."""
    app = create_app(Settings.model_validate({"redis_url": url}))
    uri = app.connection().as_uri(include_password=True)
    broker = Broker(
        uri, broker_options=app.conf.broker_transport_options, broker_use_ssl=app.conf.broker_use_ssl
    )
    try:
        await broker.redis.ping()
    finally:
        await broker.redis.aclose()
        await broker.redis.connection_pool.disconnect()


EVERY_WAY = pytest.mark.parametrize("go", [by_line, by_pool, by_wire, by_celery, by_flower])
Go = Callable[[str], object]


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> tuple[Path, Path]:
    if OPENSSL is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no openssl to make certificates with")
    return make_certificate(tmp_path_factory.mktemp("tls"), "server")


@pytest.fixture
def server(pair) -> Iterator[SimpleNamespace]:
    with tls_server(*pair) as made:
        url = f"rediss://:{SECRET}@127.0.0.1:{made.server_address[1]}/0"
        yield SimpleNamespace(url=url, heard=made.heard, ca=f"ssl_ca_certs={pair[0]}")


def told_the_password(server) -> bool:
    return any(SECRET.encode() in words for words in server.heard)


@EVERY_WAY
async def test_a_server_that_nobody_vouches_for_hears_nothing(server, go: Go):
    with pytest.raises((OSError, RedisError, OperationalError), match="CERTIFICATE_VERIFY_FAILED"):
        await go(server.url)
    assert not server.heard


@EVERY_WAY
async def test_a_server_that_we_trust_is_spoken_with(server, go: Go, caplog):
    caplog.set_level(logging.WARNING)
    await go(f"{server.url}?{server.ca}")
    assert told_the_password(server)
    assert "insecure" not in caplog.text


@EVERY_WAY
async def test_who_asks_for_no_verification_gets_none(server, go: Go):
    await go(f"{server.url}?ssl_cert_reqs=none")
    assert told_the_password(server)


@EVERY_WAY
async def test_a_certificate_for_another_host_is_refused_unless_that_is_allowed(pair, tmp_path, go: Go):
    other = make_certificate(tmp_path, "other", host="DNS:other.example")
    with tls_server(*other) as made:
        url = f"rediss://:{SECRET}@127.0.0.1:{made.server_address[1]}/0?ssl_ca_certs={other[0]}"
        with pytest.raises((OSError, RedisError, OperationalError), match="CERTIFICATE_VERIFY_FAILED"):
            await go(url)
        assert not made.heard
        await go(f"{url}&ssl_check_hostname=no")
        assert made.heard


@EVERY_WAY
async def test_our_own_certificate_is_shown_to_a_server_that_asks(pair, tmp_path, go: Go):
    mine, key = make_certificate(tmp_path, "mine")
    with tls_server(*pair, clients=mine) as made:
        url = f"rediss://127.0.0.1:{made.server_address[1]}/0?ssl_ca_certs={pair[0]}"
        await go(f"{url}&ssl_certfile={mine}&ssl_keyfile={key}")
        assert made.heard


async def test_a_line_to_something_without_tls_is_an_error_of_the_connection():
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"-ERR what\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as plain:
        with pytest.raises(RedisConnectionError):
            await by_line(f"rediss://127.0.0.1:{plain.sockets[0].getsockname()[1]}/0")


def test_the_default_is_to_verify():
    assert tls_of("redis://host/0") is None
    assert tls_of("rediss://host/0") == Tls(verify=ssl.CERT_REQUIRED, check_hostname=True)
    assert Tls().context().verify_mode is ssl.CERT_REQUIRED
    assert Tls().context().check_hostname


def test_celery_reads_no_tls_from_the_url():
    assert without_tls("rediss://:p%40@h:1/2?ssl_cert_reqs=none&x=1") == "rediss://:p%40@h:1/2?x=1"
    assert without_tls("redis://h") == "redis://h"


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("rediss://h/0?ssl_cert_reqs=CERT_NONE", "none of required, optional, none"),
        ("rediss://h/0?ssl_cert_reqs=", "none of required, optional, none"),
        ("rediss://h/0?ssl_ca_cert=x", "has ssl_ca_cert; known are ssl_ca_certs"),
        ("rediss://h/0?ssl_ca_certs=nowhere.pem", "file in ssl_ca_certs that cannot be read"),
        ("rediss://h/0?ssl_keyfile=x", "without ssl_certfile"),
        ("redis://h/0?ssl_cert_reqs=required", "write rediss://"),
    ],
)
def test_what_is_wrong_with_the_tls_of_a_url_is_said(url, wrong):
    with pytest.raises(ValueError, match=wrong):
        check_redis(url)
    with pytest.raises(ConfigError, match=f"UMBEL_REDIS_URL .*{wrong}"):
        load_settings({"UMBEL_REDIS_URL": url})
