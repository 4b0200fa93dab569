"""What is sent: an event put together from an incident alone, whatever the SDK or a program had put into it.

Each key is written here, so what is not named here can't be sent. Source: Sentry developer documentation, "Event
Payloads" and "Transaction Payloads".
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from trueup.observe.incident import UNNAMED, Fault, Frame, Incident, layer, name

HEXADECIMAL = re.compile(r"[0-9a-f]{16}([0-9a-f]{16})?")
OPERATIONS = re.compile(r"db|db\.(query|transaction|pool)|http\.server|function|task|queue\.task")
OUR_MODULES = ("trueup", "ai_admin")
SPANS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Is what every event of a process says: which code, where."""

    release: str | None
    environment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Is one operation and how long it took."""

    span_id: str
    parent_id: str | None
    component: str
    operation: str
    table: str | None
    started: float
    """Seconds since 1970."""
    ended: float


def event_of(incident: Incident, event_id: str, origin: Origin, at: float) -> dict[str, Any]:
    """Return an incident as an event."""
    whole = head(event_id, origin, at) | {
        "level": incident.level,
        "logger": f"trueup.{incident.component}",
        "fingerprint": ["trueup", *incident.fingerprint],
        "tags": tags(incident),
        "extra": dict(incident.measures),
    }
    if incident.faults:
        # The protocol wants the innermost cause first.
        whole["exception"] = {"values": [exception(fault) for fault in reversed(incident.faults)]}
        return whole
    whole["logentry"] = {"formatted": incident.title, "message": incident.title}
    if incident.frames:
        whole["threads"] = {"values": [{"current": True, "stacktrace": stacktrace(incident.frames)}]}
    return whole


def head(event_id: str, origin: Origin, at: float) -> dict[str, Any]:
    """Return what every event begins with."""
    whole = {
        "event_id": event_id,
        "timestamp": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "platform": "python",
        "environment": origin.environment,
        "sdk": {"name": "trueup.observe", "version": "1"},
    }
    return whole | ({"release": origin.release} if origin.release else {})


def tags(incident: Incident) -> dict[str, str]:
    """Return what events can be searched by."""
    found: dict[str, str | None] = {
        "component": incident.component,
        "operation": incident.operation,
        "table": incident.table,
    }
    if incident.faults:
        first = incident.faults[0]
        found |= {"sqlstate": first.sqlstate, "constraint": first.constraint, "outcome": first.outcome}
    return {key: value for key, value in found.items() if value}


def exception(fault: Fault) -> dict[str, Any]:
    """Return one exception; its text is what the database named, never what anybody wrote."""
    whole: dict[str, Any] = {"type": fault.kind, "module": fault.module, "value": str(fault)}
    return whole | ({"stacktrace": stacktrace(fault.frames)} if fault.frames else {})


def stacktrace(frames: Sequence[Frame]) -> dict[str, Any]:
    """Return places in the code, without paths, source lines and variables."""
    return {
        "frames": [
            {
                "module": frame.module,
                "filename": frame.module.replace(".", "/") + ".py",
                "function": frame.function,
                "lineno": frame.line,
                "in_app": frame.module.split(".")[0] in OUR_MODULES,
            }
            for frame in frames
        ]
    }


def transaction_of(spans: Sequence[Span], trace_id: str, event_id: str, origin: Origin) -> dict[str, Any]:
    """Return the durations of an operation and of those inside it; the first span is the outermost."""
    spans = [cleaned(span) for span in spans[:SPANS]]
    root = spans[0]
    return head(event_id, origin, root.ended) | {
        "type": "transaction",
        "transaction": described(root),
        "transaction_info": {"source": "custom"},
        "start_timestamp": root.started,
        "timestamp": root.ended,
        "tags": {
            key: value
            for key, value in (("component", root.component), ("operation", root.operation), ("table", root.table))
            if value
        },
        "contexts": {
            "trace": {"trace_id": trace_id, "span_id": root.span_id, "op": f"db.{root.component}", "status": "ok"}
        },
        "spans": [
            {
                "trace_id": trace_id,
                "span_id": span.span_id,
                "parent_span_id": span.parent_id,
                "op": f"db.{span.component}",
                "description": described(span),
                "start_timestamp": span.started,
                "timestamp": span.ended,
            }
            for span in spans[1:]
        ],
    }


def cleaned(span: Span) -> Span:
    """Return a span whose names are names."""
    return replace(
        span,
        component=layer(span.component),
        operation=name(span.operation) or UNNAMED,
        table=name(span.table),
    )


def described(span: Span) -> str:
    """Return what a span did."""
    return f"{span.operation} {span.table}" if span.table else span.operation


def foreign_transaction(event: Mapping[str, Any], origin: Origin) -> dict[str, Any] | None:
    """Return the durations of a transaction that another part of the program made, without its names and data.

    None when it is not well-formed.
    """
    trace = event.get("contexts", {}).get("trace", {})
    times = moments(event)
    event_id = event.get("event_id")
    if times is None or not is_id(event_id) or not (is_id(trace.get("trace_id")) and is_id(trace.get("span_id"))):
        return None
    return (
        head(str(event_id), origin, 0.0)
        | times
        | {
            "type": "transaction",
            "transaction": "unnamed",
            "contexts": {"trace": links(trace)},
            "spans": [
                links(span) | found for span in event.get("spans", ())[:SPANS] if (found := moments(span)) is not None
            ],
        }
    )


def links(span: Mapping[str, Any]) -> dict[str, str]:
    """Return how a span hangs together with others, and its kind if it is a known one."""
    found = {key: str(span[key]) for key in ("trace_id", "span_id", "parent_span_id") if is_id(span.get(key))}
    kind = span.get("op")
    return found | ({"op": kind} if isinstance(kind, str) and OPERATIONS.fullmatch(kind) else {})


def moments(span: Mapping[str, Any]) -> dict[str, float] | None:
    """Return when a span began and ended, in seconds since 1970."""
    found = {key: seconds(span.get(key)) for key in ("start_timestamp", "timestamp")}
    return {key: value for key, value in found.items() if value is not None} if all(found.values()) else None


def seconds(moment: object) -> float | None:
    """Return a moment as seconds since 1970."""
    if isinstance(moment, str):
        try:
            return datetime.fromisoformat(moment).timestamp()
        except ValueError:
            return None
    return moment if isinstance(moment, float) else None


def is_id(text: object) -> bool:
    """Return whether a text is the number of an event, a trace or a span."""
    return isinstance(text, str) and HEXADECIMAL.fullmatch(text) is not None
