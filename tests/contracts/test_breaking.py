"""A breaking change of the contracts is refused; an optional field is not one."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from services.plumbing import breaking

NOW = breaking.read_folder(Path(__file__).parents[2] / "contracts")
EVENT = "events/education/exclusion-recorded.v1.json"


def changed(path: str, edit) -> list[str]:
    now = copy.deepcopy(NOW)
    edit(now[path])
    return list(breaking.breaks(NOW, now))


def test_the_contracts_do_not_break_themselves():
    assert list(breaking.breaks(NOW, NOW)) == []


def test_an_optional_field_may_be_added():
    assert changed(EVENT, lambda schema: schema["properties"].update(weather={"type": "string"})) == []


@pytest.mark.parametrize(
    ("path", "edit", "said"),
    [
        (EVENT, lambda s: s["properties"].pop("start_date"), "start_date: the field is gone"),
        (EVENT, lambda s: s.update(required=[*s.get("required", []), "start_date"]), "now required"),
        (EVENT, lambda s: s["x-entry"].update(key=["start_date"]), "x-entry"),
        ("fields.yaml", lambda s: s["fields"].pop(0), "fields.yaml: the field"),
        ("asyncapi.yaml", lambda s: s["channels"].pop("heartbeats"), "the channel heartbeats is gone"),
    ],
)
def test_what_others_rely_on_stays(path, edit, said):
    found = changed(path, edit)
    assert any(said in sentence for sentence in found), found


def test_an_event_that_is_gone_is_named():
    now = {path: document for path, document in NOW.items() if path != EVENT}
    assert list(breaking.breaks(NOW, now)) == [f"{EVENT}: the event is gone"]
