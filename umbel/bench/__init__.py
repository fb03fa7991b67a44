"""What the house costs: the same work done by Umbel and by the least that is durable, measured side by side.

In reading order: `actions` (what is run), `workload` (the calls and replies, and how results are checked), `raw`
(one bare connection), `floor_worker` and `floor` (the raw Redis floor: asyncio, hiredis and short scripts in
`lua/`), `ours` (the same work through Umbel on real Celery workers), `meters` (CPU, commands, memory), `stage` (the
server and the processes), `rounds` (what is measured in which order), `figures` (medians, ratios, aims) and `report`
(the table and the JSON document).
"""
