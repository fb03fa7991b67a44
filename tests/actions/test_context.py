from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from actions.context import ActionContext
from actions.errors import ConfigError
from actions.services import HttpResponse, Services


def test_services_are_found_by_name():
    http, cache = object(), object()
    ctx = ActionContext("run_a1", "X", services=Services({"http": http, "cache": cache}))

    assert ctx.http is http
    assert ctx.service("cache") is cache
    assert "cache" in ctx.services


@pytest.mark.parametrize("name", ["http", "model", "secrets"])
def test_a_missing_service_is_named_never_none(name):
    ctx = ActionContext("run_a1", "X", services=Services({"cache": object()}))

    with pytest.raises(ConfigError, match=rf"there is no service '{name}' \(services here: cache\)"):
        getattr(ctx, name)
    with pytest.raises(ConfigError):
        ctx.service(name)


def test_an_optional_service_may_be_missing():
    ctx = ActionContext("run_a1", "X")

    assert ctx.service("cache", None) is None
    assert ctx.service("cache", default=5) == 5


def test_a_setting_is_found_or_named():
    services = Services(settings={"url": "http://x"})

    assert services.setting("url") == "http://x"
    assert services.setting("other", None) is None
    with pytest.raises(ConfigError, match=r"there is no setting 'other' \(settings here: url\)"):
        services.setting("other")


def test_contexts_share_no_services():
    assert ActionContext("run_a1", "X").services is not ActionContext("run_a2", "X").services


def test_an_answer_is_read_as_json():
    assert HttpResponse(200, text='{"a": 0}').json() == {"a": 0}
    with pytest.raises(ValueError):  # noqa: PT011 - json's own error
        HttpResponse(200, text="<html>").json()


def test_a_heartbeat_reaches_who_listens_and_harms_nobody_else():
    heard: list[int] = []
    ActionContext("run_a1", "X").heartbeat()
    ActionContext("run_a1", "X", pulse=lambda: heard.append(1)).heartbeat()

    assert heard == [1]


def test_what_remains_is_never_less_than_nothing():
    now = datetime.now(UTC)

    assert ActionContext("run_a1", "X").remaining() is None
    assert ActionContext("run_a1", "X", deadline=now - timedelta(hours=1)).remaining() == timedelta(0)
    left = ActionContext("run_a1", "X", deadline=now + timedelta(hours=1)).remaining()
    assert left is not None
    assert timedelta(minutes=59) < left <= timedelta(hours=1)


def test_what_was_spent_adds_up_for_each_limit():
    ctx = ActionContext("run_a1", "X")
    ctx.spent(10)
    ctx.spent(2.1)
    ctx.spent(5, limit="tokens")

    assert ctx.spending == {"": 13, "tokens": 5}
    assert ActionContext("run_a2", "X").spending == {}


@pytest.mark.parametrize("amount", [-1, float("nan"), float("inf")])
def test_what_is_no_number_of_units_cannot_be_spent(amount):
    with pytest.raises(ValueError, match="no number of units"):
        ActionContext("run_a1", "X").spent(amount)
