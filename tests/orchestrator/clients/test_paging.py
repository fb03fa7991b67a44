"""A list comes page by page, as far as it is read, and its end is where no cursor is."""

from __future__ import annotations

import httpx
import pytest

from client_under_test import Service, json, problem, run_standing, value
from orchestrator.clients.errors import Invalid

PAGES = {
    "": ["run_a5", "run_a4"],
    "one": [],  # a page may be empty and not the last
    "two": ["run_a3", "run_a2"],
    "three": ["run_a1"],
}
NEXT = {"": "one", "one": "two", "two": "three", "three": None}


def page(request: httpx.Request) -> httpx.Response:
    cursor = request.url.params.get("cursor", "")
    assert request.url.params["status"] == "failed"
    return json(200, {"runs": [run_standing(each) for each in PAGES[cursor]], "next": NEXT[cursor]})


async def test_all_pages_are_one_list():
    service = Service(page)
    for client in service.both():
        found = [each.run for each in await value(client.runs(status="failed"))]
        assert found == ["run_a5", "run_a4", "run_a3", "run_a2", "run_a1"]
    assert len(service.heard) == 8


@pytest.mark.parametrize(("limit", "requests"), [(0, 0), (1, 1), (2, 1), (3, 3), (99, 4)])
async def test_no_more_is_asked_for_than_is_wanted(limit, requests):
    for kind in ("client", "async_client"):
        service = Service(page)
        found = await value(getattr(service, kind)().runs(status="failed", limit=limit))
        assert len(found) == min(limit, 5)
        assert len(service.heard) == requests


def test_pages_are_fetched_as_they_are_read():
    service = Service(page)
    found = service.client().runs(status="failed")
    assert not service.heard
    assert next(found).run == "run_a5"
    assert len(service.heard) == 1


def test_an_error_of_a_later_page_is_heard_after_what_came_before():
    service = Service(page, problem(400, "invalid_cursor"))
    found = service.client().runs(status="failed")
    assert [next(found).run, next(found).run] == ["run_a5", "run_a4"]
    with pytest.raises(Invalid):
        next(found)
