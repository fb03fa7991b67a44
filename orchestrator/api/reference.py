"""The API for people: its OpenAPI description in, one HTML page out by which a client can be written.

Routes by their noun, each folded up with its scope, parameters, body, answers and a curl; then the objects that they
speak of. It needs no script and nothing from elsewhere. What was told once is linked to where it stands, not repeated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from orchestrator.api.reference_parts import (
    CODE,
    STREAM,
    Schema,
    anchor_of,
    curl,
    inline,
    named,
    prose,
    type_of,
    value,
)

_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}"
    "code,pre{font:14px/1.45 ui-monospace,monospace}pre{padding:.6rem;overflow-x:auto;border:1px solid #8886}"
    "details{border-top:1px solid #8884;padding:.3rem 0}summary{cursor:pointer}summary span{opacity:.75}"
    "summary b{display:inline-block;min-width:4.5rem;font:700 13px ui-monospace,monospace}"
    "details>:not(summary){margin-left:1.1rem}h4{margin:.8rem 0 .2rem}ul{margin:.2rem 0;padding-left:1.2rem}"
    "nav a{margin-right:.8rem}:target{outline:2px solid #48f}"
)
_SUCCESS: Final = "300"
"""Statuses below this one are answers; the others are problems."""

_NULL: Final = " or null"
"""Said of what may be left out, too; in requests that is all that it means."""


def page(told: Mapping[str, Any]) -> str:
    """The page of this description."""
    return "".join(_Page(told).parts())


class _Page:
    """One page in the making: it knows what it has told already."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self._told = told
        self._schemas: Mapping[str, Schema] = told["components"]["schemas"]
        self._said: dict[tuple[str, str], tuple[str, str]] = {}
        """Of a name and its sentence: the anchor and the title of where they stand."""
        self._shown: set[str] = set()
        """Objects whose fields stand somewhere."""

    def parts(self) -> Iterator[str]:
        info, groups = self._told["info"], self._groups()
        title = escape(info["title"])
        yield f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}: the HTTP API</title>"
        yield "<meta name=viewport content='width=device-width'>"
        yield f"<style>{_STYLE}</style><h1>{title}: the HTTP API</h1>{prose(info['description'])}"
        yield "<p>For programs: <a href=openapi.json>openapi.json</a>. The commands below take the service and the key "
        yield "from <code>UMBEL_API_URL</code> and <code>UMBEL_API_KEY</code>.<nav>"
        yield from (f"<a href='#{anchor_of(name)}'>{escape(name)}</a>" for name, _, _ in groups)
        yield "<a href='#objects'>objects</a><a href='#problems'>problems</a></nav>"
        for name, text, operations in groups:
            yield f"<h2 id='{anchor_of(name)}'>{escape(name.capitalize())}</h2>{prose(text)}"
            for method, path, operation in operations:
                yield from self._operation(method, path, operation)
        yield "<h2 id=objects>Objects</h2><p>What answers and bodies hold."
        yield from self._objects()
        yield from self._problems()

    def _groups(self) -> list[tuple[str, str, list[tuple[str, str, Schema]]]]:
        """Tags in their order, each with its words and its operations."""
        every = [
            (method, path, operation)
            for path, methods in self._told["paths"].items()
            for method, operation in methods.items()
        ]
        return [
            (tag["name"], tag["description"], [each for each in every if tag["name"] in each[2]["tags"]])
            for tag in self._told["tags"]
        ]

    def _operation(self, method: str, path: str, operation: Schema) -> Iterator[str]:
        name = operation["operationId"]
        yield f"<details id='{name}'><summary><b>{method.upper()}</b><code>{escape(path)}</code> "
        yield f"<span>{inline(operation['summary'])}</span></summary>{prose(operation['description'])}"
        scopes = [scope for need in operation.get("security", ()) for each in need.values() for scope in each]
        asked = " or ".join(f"<code>{scope}</code>" for scope in scopes)
        yield f"<p>Scope: {asked}." if asked else "<p>Open: no key is needed."
        where = (name, operation["summary"])
        if parameters := operation.get("parameters"):
            yield "<h4>Parameters</h4><ul>"
            yield from (self._parameter(each, where) for each in parameters)
            yield "</ul>"
        yield from self._body(operation.get("requestBody"))
        yield "<h4>Answers</h4><ul>"
        yield from self._answers(operation["responses"])
        yield f"</ul><pre>{escape(curl(method, path, operation))}</pre></details>"

    def _parameter(self, given: Schema, where: tuple[str, str]) -> str:
        schema = given["schema"]
        text = given.get("description") or schema.get("description", "")
        kind = f"{type_of(schema).removesuffix(_NULL)}, in the {given['in']}"
        return self._row(given["name"], kind, text, schema, where, required=given.get("required", False))

    def _body(self, body: Schema | None) -> Iterator[str]:
        if body is None:
            return
        yield f"<h4>Body{'' if body.get('required') else ' (may be left out)'}</h4>{prose(body.get('description', ''))}"
        for media, content in body["content"].items():
            schema = content.get("schema", {})
            yield f"<p><code>{escape(media)}</code>: {type_of(schema).removesuffix(_NULL)}"
            for name in named(schema):
                if name not in self._shown:
                    yield from self._object(name, asked=True)

    def _answers(self, responses: Mapping[str, Schema]) -> Iterator[str]:
        for status, response in responses.items():
            if status >= _SUCCESS:
                continue
            kinds = " or ".join(
                "events (Server-Sent Events)" if media == STREAM else type_of(content.get("schema", {}))
                for media, content in response.get("content", {}).items()
            )
            text = response["description"].removesuffix("Successful Response")
            yield f"<li><code>{status}</code> {kinds or 'without a body'}{f': {inline(text)}' if text else ''}"
        problems = [f"<a href='#problem-{each}'>{each}</a>" for each in responses if each >= _SUCCESS]
        if problems:
            yield f"<li>Problems: {', '.join(problems)}"

    def _objects(self) -> Iterator[str]:
        for name in sorted(self._schemas):
            if name not in self._shown:
                yield f"<details><summary><code>{escape(name)}</code></summary>"
                yield from self._object(name)
                yield "</details>"

    def _object(self, name: str, *, asked: bool = False) -> Iterator[str]:
        self._shown.add(name)
        schema = self._schemas[name]
        yield f"<div id='{escape(name)}'>{prose(schema.get('description', ''), f'<b>{escape(name)}</b>: ')}"
        if "properties" not in schema:
            yield f"<p>{type_of(schema)}"
        yield "<ul>"
        required = schema.get("required", ())
        for field, told in schema.get("properties", {}).items():
            text = told.get("description", "")
            kind = type_of(told).removesuffix(_NULL) if asked else type_of(told)
            yield self._row(field, kind, text, told, (name, name), required=field in required)
        yield "</ul></div>"

    def _row(
        self, name: str, kind: str, text: str, schema: Schema, where: tuple[str, str], *, required: bool
    ) -> str:
        """A parameter or a field: its sentence, or where that stands already."""
        anchor, title = self._said.setdefault((name, text), where) if text else where
        told = (
            inline(text) if anchor == where[0] else f"as in <a href='#{escape(anchor)}'>{escape(title)}</a>."
        )
        default = schema.get("default")
        more = (
            ", <b>required</b>"
            if required
            else ""
            if default in (None, "", [], {})
            else f", else {value(default)}"
        )
        such = ", ".join(value(each) for each in schema.get("examples", ()))
        return f"<li><code>{escape(name)}</code> ({kind}{more}) {told}{f' Such as {such}.' if such else ''}"

    def _problems(self) -> Iterator[str]:
        yield "<h2 id=problems>Problems</h2><p>Each is a <a href='#Problem'>Problem</a>; its code leads to its meaning."
        for name, response in self._told["components"]["responses"].items():
            status = name.removeprefix("Problem")
            codes = CODE.findall(response["description"])
            links = ", ".join(f"<a href='problems/{code}'><code>{code}</code></a>" for code in codes)
            yield f"<p id='problem-{status}'><b>{status}</b> {links}"
