"""The HTTP API for Python, written once for programs with and without asyncio.

What a method sends, and how its answer is read, is a value (`requests`: a `Request`; `addresses`, `paths`: where to)
that plain functions make: `submissions`, `decisions`, `conversations`, `house`, `failures`. What takes more than one
request is a talk of the `core` (retries, waits: `talks`) or state that is fed with bytes (`paging`; `sse`, `following`,
`events`; `answers`, which bounds them). None of this does I/O but `answers`, which reads what a shell has opened. The
two shells, `sync` and `aio`, bind these functions as methods (`methods`) and carry out what they say. Answers are
models of `orchestrator.wire`; refusals are `errors`.

It needs httpx and pydantic, nothing of a server: `pip install umbel` is enough.
"""
