"""What a provider says in place of a reply: an error's body in, its words out, never many of them.

Which bodies are errors is told by their keys, so that an answer of a model that is an object too (`{"message": ...}`
among other things) is none. Some errors hold what the model wrote (`failed_generation`): the provider refused it, so
no call in it runs, and its beginning is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from actions.strict_json import is_list, is_object

MAX_WORDS: Final = 300
"""Characters of a provider's message that are handed on; of what it refused, a third of that."""

_WORDS: Final = ("message", "Message", "msg", "detail", "error_msg", "errorMessage", "error_description")
"""Where the message of an error stands, the surest first."""
_CODES: Final = ("type", "__type", "code", "status", "error_code")
"""What else names the error."""
_REPLY: Final = ("choices", "content", "candidates", "steps", "outputs", "output", "output_text")
"""Keys of a reply; an error beside one that holds something is an error of that reply (`beside`)."""
_CODE: Final = re.compile(r"[A-Za-z][\w.:/#-]{0,80}+\Z")
_ERROR_NAME: Final = re.compile(r"[\w.:/#-]{0,80}?(?:[Ee]rror|Exception|Fault|NotFound|_exceeded)\Z")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}\Z")


def found_in(body: Any) -> str | None:
    """The words of the error that a body is, alone or as the one entry of a list; None if it is none."""
    if is_list(body) and len(body) == 1:
        body = body[0]
    if not is_object(body):
        return None
    error = _error_in(body)
    return None if error is None else _words(error)


def beside(*holders: Any) -> str | None:
    """The words of the error that stands in one of these objects beside a reply; None if there is none."""
    errors = (one.get("error") for one in holders if is_object(one))
    return next((_words(error) for error in errors if error and (is_object(error) or _is_text(error))), None)


def _words(error: Any) -> str:
    return f"The provider answered with an error: {_told(error)}"


def _error_in(body: dict[str, Any]) -> Any:
    """The object or text that tells the error; None if the body is none."""
    error = body.get("error")
    if body.get("object") == "error" or (body.get("type") == "error" and not error):
        return error or body  # vLLM and Mistral put it flat into the body
    if error and not _is_reply(body):
        if is_object(error):
            return error
        if isinstance(error, str) and all(_goes_with(key, body[key]) for key in body if key != "error"):
            return {**body, "message": error}
    if is_list(errors := body.get("errors")) and errors and body.get("success") is False:
        return errors[0]
    if is_object(base := body.get("base_resp")) and base.get("status_code") and not body.get("choices"):
        return {"code": base["status_code"], "message": base.get("status_msg")}  # MiniMax
    return body if _is_flat(body) else None


def _is_reply(body: dict[str, Any]) -> bool:
    return any(body.get(key) for key in _REPLY) or is_object(body.get("message"))


def _is_flat(body: dict[str, Any]) -> bool:
    """Whether the body is a message of an error and nothing that a reply or an answer of a model would have."""
    told = [key for key in _WORDS if body.get(key)]
    if not told or not all(isinstance(body[key], str) or _is_detail(body[key]) for key in told):
        return False
    return all(_goes_with(key, value) for key, value in body.items())


def _is_detail(value: Any) -> bool:
    """Whether it is a list of what was wrong with the fields of a request."""
    return is_list(value) and is_object(value[0]) and "msg" in value[0]


def _goes_with(key: str, value: Any) -> bool:
    """Whether a key with this value stands beside the words of an error."""
    return key in _WORDS or value is None or (key in _BESIDE and _BESIDE[key](value))


def _is_code(value: Any) -> bool:
    return (type(value) is int and (value >= 400 or value < 0)) or (  # noqa: PLR2004 - HTTP's first error
        isinstance(value, str) and (value.isdecimal() or _CODE.match(value) is not None)
    )


def _is_status(value: Any) -> bool:
    return (type(value) is int and value >= 400) or (  # noqa: PLR2004 - HTTP's first error
        isinstance(value, str)
        and (value in ("error", "fail", "failed") or (value.isupper() and value != "OK"))
    )


def _is_error_name(value: Any) -> bool:
    return isinstance(value, str) and (value.startswith("about:") or _ERROR_NAME.match(value) is not None)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


_BESIDE: Final[dict[str, Callable[[Any], bool]]] = {
    "__type": _is_text,
    "code": _is_code,
    "error": lambda value: value is True,
    "errorType": _is_text,
    "error_code": _is_code,
    "error_type": _is_text,
    "id": lambda value: isinstance(value, str) and _UUID.match(value) is not None,
    "instance": _is_text,
    "path": _is_text,
    "param": _is_text,
    "requestId": _is_text,
    "request_id": _is_text,
    "status": _is_status,
    "statusCode": _is_status,
    "status_code": _is_status,
    "success": lambda value: value is False,
    "timestamp": lambda value: isinstance(value, str | int),
    "type": _is_error_name,
}
"""What may stand beside the words of an error, and how it looks there."""


def _told(error: Any) -> str:
    """The error in words: its codes, its message, and the beginning of what was refused."""
    if not is_object(error):
        return _short(error) or "no reason given"
    message = next((_short(error[key]) for key in _WORDS if error.get(key)), "")
    codes = [_short(error[key])[:80] for key in _CODES if isinstance(error.get(key), str | int)]
    words = ": ".join(dict.fromkeys(each for each in (*codes, message) if each)) or "no reason given"
    refused = error.get("failed_generation")
    if not isinstance(refused, str) or not refused.strip():
        return words
    return f"{words}. The model had written: {refused.strip()[: MAX_WORDS // 3]}"


def _short(value: Any) -> str:
    """A message in words: a text, a list of what was wrong with the fields of a request, or an object with one."""
    if is_list(value):
        return "; ".join(_short(each) for each in value[:3])[:MAX_WORDS]
    if is_object(value):
        return next((_short(value[key]) for key in ("message", "msg") if value.get(key)), "")
    return str(value)[:MAX_WORDS] if isinstance(value, str | int) else ""
