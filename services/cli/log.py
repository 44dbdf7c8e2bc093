"""The log as an operator sees it: headers of events, and streams that wait."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from deploy.local.client import Client, Failed, contract_folders, typed
from services.cli.answers import DONE, show
from services.cli.grammar import Verbs

STREAM = (
    "a stream is one person in one register, and its id is what the register calls the person (POST /v1/pupils/find of education,"
    " POST /v1/persons of social care); the id of a child on the pages is another"
)


def declare(verbs: Verbs) -> None:
    """The verbs of this module."""
    park = verbs.group("park", "streams that wait")
    park.verb("list", "the parked streams", park_list)
    for action in ("retry", "skip"):
        let = park.verb(action, f"{action} the record that a stream is parked at", park_release)
        let.add_argument("place", help="topic/partition/offset, as `park list` says")
        let.add_argument("--reason", required=True)
        let.set_defaults(action=action)
    shows = verbs.group("events", "the log").verb("show", "the headers of one stream's events; their data stays sealed", events_show)
    shows.add_argument("stream", help="the stream's id: a person as one register calls them; a child's id is another")


def events_show(options: Any) -> int:
    from aiokafka.errors import KafkaError

    from deploy.local import events, installation
    from services.plumbing import contracts

    if not _is_id(options.stream):
        raise Failed(f"this is no stream's id; {STREAM}")
    topics = [channel.topic for channel in contracts.channels(*contract_folders()) if channel.kind != "heartbeats"]
    try:
        found = asyncio.run(events.of_stream(installation.bootstrap(), topics, options.stream))
    except KafkaError as error:
        raise Failed(f"Kafka cannot be reached ({type(error).__name__}); is it up? `make up`") from None
    if not found:
        raise Failed(f"no topic holds a record of a stream with this id; {STREAM}")
    show(options, {"stream": options.stream, "events": found}, "\n".join(map(_event_text, found)))
    return DONE


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _event_text(one: dict[str, Any]) -> str:
    if "unreadable" in one:
        return f"{one['place']}: cannot be read ({one['unreadable']}), {one['bytes']} bytes"
    about = f"{one['type']}  {one['recordclass'] or 'not sealed'}, {one['bytes']} bytes"
    return f"{one['place']}  version {one['streamversion']}  {one['time']}  {about}"


def park_list(options: Any) -> int:
    with Client() as client:
        found = client.ask("GET", "childview", "/v1/parked")["items"]
    lines = [f"{one['place']}  {one['process']:11} since {one['since']}: {one['reason']}" for one in found]
    show(options, found, "\n".join(lines) or "no stream is parked")
    return DONE


def park_release(options: Any) -> int:
    try:
        topic, partition, offset = options.place.split("/")
        int(partition), int(offset)
    except ValueError:
        raise Failed(f"the place is topic/partition/offset, as `{typed()} park list` says") from None
    body = {"action": options.action, "topic": topic, "partition": int(partition), "offset": int(offset), "reason": options.reason}
    with Client() as client:
        found = client.ask("POST", "childview", "/v1/parked", json=body)
    show(options, found, f"{options.action}: the stream goes on (release {found['release']})")
    return DONE
