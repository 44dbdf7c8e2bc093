"""The list of channels is an AsyncAPI 3.0 document: every reference leads somewhere, every channel says what lies in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.plumbing import contracts

ROOT = Path(__file__).parents[2] / "contracts"
DOCUMENT = yaml.safe_load((ROOT / "asyncapi.yaml").read_text())
TOP = {"asyncapi", "id", "info", "servers", "defaultContentType", "channels", "operations", "components"}
CHANNEL = {"address", "messages", "title", "summary", "description", "servers", "parameters", "tags", "externalDocs", "bindings"}
MESSAGE = {"headers", "payload", "correlationId", "contentType", "name", "title", "summary", "description", "tags", "bindings", "traits", "examples"}
OPERATION = {"action", "channel", "title", "summary", "description", "security", "tags", "bindings", "traits", "messages", "reply"}


def references(node: Any):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for below in node.values():
            yield from references(below)
    elif isinstance(node, list):
        for below in node:
            yield from references(below)


def resolved(reference: str) -> Any:
    file, _, pointer = reference.partition("#")
    found = json.loads((ROOT / file).read_text()) if file else DOCUMENT
    for part in pointer.strip("/").split("/") if pointer else ():
        found = found[part]
    return found


def unknown(node: dict, known: set[str]) -> set[str]:
    return {name for name in node if name not in known and not name.startswith("x-")}


def test_its_parts_are_those_of_asyncapi_three():
    assert DOCUMENT["asyncapi"] == "3.0.0" and {"title", "version"} <= DOCUMENT["info"].keys()
    assert unknown(DOCUMENT, TOP) == set()
    for server in DOCUMENT["servers"].values():
        assert {"host", "protocol"} <= server.keys()
    for channel in DOCUMENT["channels"].values():
        assert unknown(channel, CHANNEL) == set() and isinstance(channel["address"], str)
    for message in DOCUMENT["components"]["messages"].values():
        assert unknown(message, MESSAGE) == set() and "payload" in message
    for operation in DOCUMENT["operations"].values():
        assert unknown(operation, OPERATION) == set() and operation["action"] in ("send", "receive")


def test_every_reference_leads_somewhere():
    found = list(references(DOCUMENT))
    assert len(found) > 50
    for reference in found:
        assert resolved(reference), reference


def test_an_operations_channel_and_a_channels_messages_are_references_as_the_standard_asks():
    for operation in DOCUMENT["operations"].values():
        assert operation["channel"]["$ref"].startswith("#/channels/")
    for channel in DOCUMENT["channels"].values():
        assert channel["messages"] and all(one["$ref"].startswith("#/components/messages/") for one in channel["messages"].values())


@pytest.mark.parametrize("folder", ["education", "socialcare", "policy", "childview"])
def test_every_event_of_a_service_is_a_message_of_its_channel(folder):
    channel = DOCUMENT["channels"]["identity" if folder == "childview" else folder]
    files = {resolved(one["$ref"])["payload"]["schema"]["$ref"] for one in channel["messages"].values()}
    assert {f"events/{folder}/{path.name}" for path in (ROOT / "events" / folder).glob("*.json")} <= files


def test_a_channel_whose_data_is_sealed_names_the_service_that_has_the_keys_and_where_there():
    for channel in DOCUMENT["channels"].values():
        assert ("x-keys" in channel) == ("x-key-address" in channel)
        if "x-keys" in channel:
            described = json.loads((ROOT / "http" / f"{channel['x-keys']}.json").read_text())
            assert "post" in described["paths"][channel["x-key-address"]]


def test_what_the_processes_read_of_it_is_what_it_says():
    held = {one.topic: one for one in contracts.channels(ROOT)}
    assert (held["education.events"].partitions, held["childview.identity"].partitions, len(held)) == (4, 1, 10)
    assert [topic for topic, one in held.items() if one.urgent] == ["socialcare.events", "policy.events", "childview.identity"]
