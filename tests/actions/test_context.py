from __future__ import annotations

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
