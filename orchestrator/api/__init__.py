"""The HTTP API: requests of other services in, work handed to the conductor and JSON out. The only home of FastAPI.

What a request passes, from the outside in: `serving` and `protocol` (sockets), `edge` (request id, log, figures),
`bounds` (body cap, deadline, the last except), `guarding` and `auth` (whose key, what it may do), `strictness` (JSON),
then a route. What goes wrong anywhere comes out as one `problems.Problem`, of one of `problem_kinds.KINDS`.

Reading order: `app` (how it is put together), `service` (what requests share), `guarding`, `auth`, `problems`,
`strictness`, `conventions` (headers that routes take), `cursors`, `routes`, then `probes`, `metrics`, `openapi`,
`pages`, `serving`.
"""
