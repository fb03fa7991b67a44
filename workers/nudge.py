"""A nudge as Celery writes it: made by Celery itself, once, as a template in which the store fills in the id."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from celery import Celery

PLACE: Final = "@NUDGE@"
"""Where the store's scripts put the id."""


def celery_key(app: Celery, queue: str) -> str:
    """The Redis list of a Celery queue."""
    options: dict[str, Any] = app.conf.broker_transport_options
    return f"{options.get('global_keyprefix', '')}{queue}"


def nudge_message(app: Celery, queue: str) -> str:
    """The message of `umbel.pump` for this queue, as it would stand in that list.

    Built from the parts that Celery's own producer puts together (`app.amqp`) in the form that kombu's virtual
    transports store: body, headers, properties.
    """
    from workers.tasks import PUMP

    message = app.amqp.as_task_v2(PLACE, PUMP, (), {})
    return json.dumps(
        {
            "body": json.dumps(message.body),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {"lang": "py", "task": PUMP, **message.headers},
            "properties": {
                **message.properties,
                "delivery_mode": 1,
                "delivery_info": {"exchange": "", "routing_key": queue},
                "priority": 0,
                "delivery_tag": PLACE,
            },
        }
    )
