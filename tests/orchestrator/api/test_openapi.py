"""The description of the API: what is committed is what the app says, and it leaves nothing unsaid.

UMBEL_TEST_WRITE_OPENAPI=1 writes docs/openapi.json anew. Look at the difference: it is what clients have to live with.
"""

import json
import os
import re
from pathlib import Path

import pytest

from api_under_test import registry_of
from orchestrator.api import openapi
from orchestrator.api.app import create_app
from orchestrator.api.problem_kinds import KINDS
from orchestrator.api.reference import page
from orchestrator.assembly import build
from orchestrator.keyring import SCOPES
from orchestrator.settings import Settings

FILE = Path(__file__).parents[3] / "docs" / "openapi.json"


@pytest.fixture(scope="module")
def app():
    return create_app(build(Settings.model_validate({"redis_url": "redis://127.0.0.1:1"}), registry_of()))


@pytest.fixture(scope="module")
def told(app):
    return app.openapi()


def operations(told):
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in told["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_committed_description_is_the_apps(told):
    text = json.dumps(told, indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("UMBEL_TEST_WRITE_OPENAPI"):
        FILE.write_text(text)
    assert json.loads(FILE.read_text()) == told, "UMBEL_TEST_WRITE_OPENAPI=1 writes it anew"
    assert FILE.read_text() == text


def test_it_is_openapi_3_1(told):
    assert told["openapi"].startswith("3.1.")
    assert told["info"]["title"] == "Umbel"
    assert told["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


def test_every_reference_leads_somewhere(told):
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(told))):
        found = told
        for part in reference.split("/"):
            found = found[part]
        assert found


def test_every_operation_has_a_name_a_tag_and_its_words(told):
    ids = [operation["operationId"] for _, operation in operations(told)]
    assert len(ids) == len(set(ids))
    tags = {tag["name"] for tag in told["tags"]}
    for name, operation in operations(told):
        assert operation["summary"], name
        assert operation["description"], name
        assert set(operation["tags"]) <= tags, name
        assert operation["tags"], name
        for parameter in operation.get("parameters", []):
            assert parameter.get("description") or parameter["schema"].get("description"), (
                name,
                parameter["name"],
            )
    assert tags == {tag for _, operation in operations(told) for tag in operation["tags"]}


def test_every_guarded_operation_says_its_scope_and_its_problems(app, told):
    for name, operation in operations(told):
        if "/v1/" not in name:
            assert "security" not in operation
            continue
        for need in operation["security"]:  # any of them
            ((scheme, scopes),) = need.items()
            assert scheme == "key"
            assert len(scopes) == 1
            assert set(scopes) <= set(SCOPES)
        assert {"401", "403", "429", "500", "503"} <= set(operation["responses"]), name
        for status, response in operation["responses"].items():
            if status >= "400":
                assert response == {"$ref": f"#/components/responses/Problem{status}"}, name


def test_every_field_of_every_model_has_a_sentence(told):
    for name, schema in told["components"]["schemas"].items():
        for field, described in schema.get("properties", {}).items():
            assert described.get("description"), f"{name}.{field}"


def test_every_code_has_a_status_a_title_and_a_meaning():
    for code, kind in KINDS.items():
        assert re.fullmatch(r"[a-z][a-z_]*", code)
        assert 400 <= kind.status < 600
        assert kind.title
        assert kind.meaning.endswith("."), code


def test_the_page_for_people_needs_nothing_from_elsewhere(told):
    text = page(told)
    assert not re.findall(r"(?:src|href)=[\"']?(?:https?:)?//", text)
    assert "<script" not in text
    assert told["info"]["version"] == openapi.VERSION


def test_the_page_for_people_tells_of_each_route_what_a_client_needs(told):
    text = page(told)
    for name, operation in operations(told):
        method, path = name.split(" ")
        assert f"<details id='{operation['operationId']}'><summary><b>{method}</b><code>{path}</code>" in text
        part = text.partition(f"<details id='{operation['operationId']}'>")[2].partition("</details>")[0]
        assert "<pre>curl" in part, name
        for need in operation.get("security", ()):
            assert f"<code>{need['key'][0]}</code>" in part, name
        for parameter in operation.get("parameters", ()):
            assert f"<code>{parameter['name']}</code>" in part, name
    submit = text.partition("<details id='submit'>")[2].partition("</details>")[0]
    assert "<code>action</code> (text, <b>required</b>) Name or simile of an action." in submit
    assert text.index("id='submit'") < text.index("id='open_conversation'") < text.index("id='livez'")
    assert "`" not in text


def test_the_page_for_people_says_nothing_twice_and_leads_nowhere_else(told):
    text = page(told)
    sentences = re.findall(r"<li><code>(\w[\w-]*)</code> \([^)]*\) ([A-Z][^<]{25,})", text)
    assert len(sentences) == len(set(sentences))
    anchors = re.findall(r"id='?([\w-]+)", text)
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r"href='#([\w-]+)'", text)) <= set(anchors)
