"""A breaking change of the contracts is refused; an optional field is not one."""

from __future__ import annotations

import copy
import subprocess
from pathlib import Path

import pytest

from services.plumbing import breaking

NOW = breaking.read_folder(Path(__file__).parents[2] / "contracts")
EVENT = "events/education/exclusion-recorded.v1.json"
MARKS = "events/education/attendance-recorded.v1.json"
HTTP = "http/socialcare.json"
PROTECTION = "/v1/persons/{id}/protection"
ANSWER = {"content": {"application/json": {"schema": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "events": {"type": "integer"}}}}}}


def changed(path: str, edit, prepare=lambda document: None) -> list[str]:
    """What is refused of an edit, of the document as it is or as `prepare` leaves it."""
    before = {path: copy.deepcopy(NOW[path])}
    prepare(before[path])
    now = copy.deepcopy(before)
    edit(now[path])
    return list(breaking.breaks(before, now))


def field(document, id: str) -> dict:
    return next(one for one in document["fields"] if one["id"] == id)


def reverse(document, name: str) -> None:
    document[name] = dict(reversed(document[name].items())) if isinstance(document[name], dict) else document[name][::-1]


def answer(document) -> dict:
    """The answer of one operation, made so that it has members."""
    return document["paths"][PROTECTION]["put"]["responses"].setdefault("299", copy.deepcopy(ANSWER))["content"]["application/json"]["schema"]


def body(document) -> dict:
    return document["components"]["schemas"]["Protection"]


def test_the_contracts_do_not_break_themselves():
    assert list(breaking.breaks(NOW, NOW)) == []


@pytest.mark.parametrize(
    ("path", "edit"),
    [
        (EVENT, lambda s: s["properties"].update(weather={"type": "string"})),
        (EVENT, lambda s: s["x-entry"].update(another="start_date")),
        (EVENT, lambda s: s["properties"]["school"].update(maxLength=100_000, description="a school")),
        ("codes.yaml", lambda d: d["attendance"].update({"Y9": {"label": "another", "group": "not possible"}})),
        ("codes.yaml", lambda d: d["sex"].update(M="a boy")),
        ("attributes.yaml", lambda d: d["context"]["purpose"]["values"].append("another")),
        ("fields.yaml", lambda d: d["fields"].insert(3, {"id": "weather", "category": "identity", "type": "text", "levels": ["full"]})),
        ("asyncapi.yaml", lambda d: d["channels"].update(health={"address": "health.events"})),
        (HTTP, lambda d: d["paths"].update({"/v1/another": {"get": {}}})),
        (HTTP, lambda d: body(d)["properties"].update(more={"type": "string"})),
    ],
)
def test_what_is_optional_may_be_added(path, edit):
    assert changed(path, edit) == []


EVENTS = [
    (EVENT, lambda s: s["properties"].pop("start_date"), "start_date: the field is gone"),
    (EVENT, lambda s: s.update(required=[*s["required"], "start_date"]), "now required: start_date"),
    (EVENT, lambda s: s["required"].remove("exclusion_id"), "no longer always there: exclusion_id"),
    (EVENT, lambda s: s["properties"]["start_date"].update(type="string"), "start_date: type was"),
    (EVENT, lambda s: s["properties"]["exclusion_id"].update(type=["string", "null"]), "exclusion_id: type was"),
    ("events/common/protection.v1.json", lambda s: s["properties"]["protection_kind"]["enum"].remove("adopted"), "no longer allowed: ['adopted']"),
    (EVENT, lambda s: s["properties"]["school"].update(enum=["9994001"]), "no longer allowed: any but"),
    (EVENT, lambda s: s["properties"]["school"].update(pattern="^9"), "pattern was None"),
    (EVENT, lambda s: s["properties"]["start_date"].update(pattern="^20"), "pattern was"),
    (EVENT, lambda s: s["properties"]["school"].update(maxLength=7), "maxLength was 500 and is 7"),
    (EVENT, lambda s: s["properties"]["school"].update(minLength=7), "minLength was None and is 7"),
    (EVENT, lambda s: s["properties"]["sessions"].update(minimum=1), "minimum was None and is 1"),
    (EVENT, lambda s: s["properties"]["reasons"]["items"].update(type="integer"), "reasons/*: type was"),
    (EVENT, lambda s: s.update(additionalProperties=False), "additionalProperties were free"),
    (EVENT, lambda s: s["properties"]["school"].update(format="date"), "format was None"),
    (EVENT, lambda s: s.update({"x-record-class": "R-OTHER"}), "x-record-class was"),
    (EVENT, lambda s: s["x-entry"].update(category="other"), "x-entry: category was"),
    (EVENT, lambda s: s["x-entry"].update(kind="other"), "x-entry: kind was"),
    (EVENT, lambda s: s["x-entry"].update(key=["start_date"]), "x-entry: key was"),
    (EVENT, lambda s: s["x-entry"].update(effective="other"), "x-entry: effective was"),
    (EVENT, lambda s: s["x-entry"].update(items="rows"), "x-entry: items was None"),
    (EVENT, lambda s: s["x-entry"].pop("organisation"), "x-entry: organisation was 'school'"),
    (MARKS, lambda s: s["x-entry"].pop("items"), "x-entry: items was 'marks'"),
    (EVENT, lambda s: s.pop("x-entry"), "x-entry was"),
]
OTHERS = [
    ("fields.yaml", lambda d: d["fields"].pop(0), "the field 'given_name' is gone"),
    ("fields.yaml", lambda d: field(d, "given_name").update(id="first_name"), "the field 'given_name' is gone"),
    ("fields.yaml", lambda d: field(d, "given_name").update(type="code"), "given_name: type was"),
    ("fields.yaml", lambda d: field(d, "given_name").update(category="contact"), "given_name: category was"),
    ("fields.yaml", lambda d: field(d, "given_name").update(levels=["full"]), "given_name: the level 'masked' is gone"),
    ("fields.yaml", lambda d: field(d, "given_name").update(sources=[]), "given_name: the source 'common.person"),
    ("fields.yaml", lambda d: field(d, "plan_period")["parts"].pop("end"), "plan_period: the source end was"),
    ("fields.yaml", lambda d: field(d, "exclusion_category").update(codes="sex"), "exclusion_category: codes was"),
    ("fields.yaml", lambda d: reverse(d, "fields"), "the order of field is another"),
    ("fields.yaml", lambda d: reverse(d, "categories"), "the order of category is another"),
    ("fields.yaml", lambda d: d["categories"].pop("attendance"), "the category 'attendance' is gone"),
    ("codes.yaml", lambda d: d.pop("sex"), "the list 'sex' is gone"),
    ("codes.yaml", lambda d: d["attendance"].pop("L"), "attendance: the code 'L' is gone"),
    ("codes.yaml", lambda d: d["attendance"]["L"].update(group="authorised"), "L was of the group 'present'"),
    ("attributes.yaml", lambda d: d["context"].pop("purpose"), "context: the attribute 'purpose' is gone"),
    ("attributes.yaml", lambda d: d["context"]["purpose"].update(type="set"), "context.purpose: type was"),
    ("attributes.yaml", lambda d: d["context"]["purpose"]["values"].remove("sen"), "context.purpose: the value 'sen' is gone"),
    ("asyncapi.yaml", lambda d: d["channels"].pop("heartbeats"), "the channel heartbeats is gone"),
    ("asyncapi.yaml", lambda d: d["channels"]["education"].update(address="other"), "education: address was"),
    ("asyncapi.yaml", lambda d: d["channels"]["education"].update({"x-partitions": 8}), "education: x-partitions was 4"),
    ("asyncapi.yaml", lambda d: d["channels"]["heartbeats"].update({"x-retention-ms": 1}), "heartbeats: x-retention-ms was"),
    ("asyncapi.yaml", lambda d: d["channels"]["education"].update({"x-retention-ms": 1}), "education: x-retention-ms was None"),
    ("asyncapi.yaml", lambda d: d["channels"]["education"].pop("x-keys"), "education: x-keys was"),
    ("asyncapi.yaml", lambda d: d["channels"]["education"].update({"x-key-address": "/v2/keys"}), "education: x-key-address was"),
    ("asyncapi.yaml", lambda d: d["channels"]["socialcare"].pop("x-urgent"), "socialcare: x-urgent was True"),
    ("asyncapi.yaml", lambda d: d["channels"]["policy"].update({"x-service": "other"}), "policy: x-service was"),
    ("asyncapi.yaml", lambda d: d["channels"]["policy"].update({"x-kind": "events"}), "policy: x-kind was"),
    ("asyncapi.yaml", lambda d: d["channels"]["education"]["messages"].popitem(), "education: the message"),
]
ADDRESSES = [
    (HTTP, lambda d: d["paths"].pop(PROTECTION), f"the path {PROTECTION} is gone"),
    (HTTP, lambda d: d["paths"][PROTECTION].pop("put"), "the method is gone"),
    (HTTP, lambda d: body(d)["required"].append("end_date"), "now required: end_date"),
    (HTTP, lambda d: body(d)["properties"].pop("end_date"), "end_date: the field is gone"),
    (HTTP, lambda d: body(d)["properties"]["protection_kind"]["enum"].remove("adopted"), "no longer allowed: ['adopted']"),
    (HTTP, lambda d: d["paths"][PROTECTION]["put"]["parameters"].pop(0), "the parameter"),
    (HTTP, lambda d: d["paths"][PROTECTION]["put"]["parameters"].append({"in": "query", "name": "x", "required": True}), "is required now"),
    (HTTP, lambda d: d["paths"][PROTECTION]["put"]["responses"].pop("299"), "the answer 299 is gone"),
    (HTTP, lambda d: d["paths"][PROTECTION]["put"]["responses"]["299"].update(content={}), "the media type application/json is gone"),
    (HTTP, lambda d: answer(d)["properties"].pop("events"), "events: the field is gone"),
    (HTTP, lambda d: answer(d).update(required=[]), "no longer always there: id"),
    (HTTP, lambda d: answer(d)["properties"]["events"].update(type="string"), "events: type was"),
]


@pytest.mark.parametrize(("path", "edit", "said"), [*EVENTS, *OTHERS, *ADDRESSES])
def test_what_others_rely_on_stays(path, edit, said):
    found = changed(path, edit, prepare=answer if path == HTTP else lambda document: None)
    assert len(found) >= 1 and any(said in sentence for sentence in found), found


def test_an_answer_may_hold_more_and_a_request_may_ask_for_less():
    more = changed(HTTP, lambda d: answer(d).update(required=["id", "events"]), prepare=answer)
    less = changed(HTTP, lambda d: body(d).update(required=["protection_kind"]))
    assert (more, less) == ([], [])


def test_an_event_that_is_gone_is_named():
    now = {path: document for path, document in NOW.items() if path != EVENT}
    assert list(breaking.breaks(NOW, now)) == [f"{EVENT}: the document is gone"]


def git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), "-c", "user.name=invented", "-c", "user.email=invented@example.org", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_before_the_first_release_the_last_commit_on_main_that_changed_the_contracts_counts(tmp_path):
    assert breaking.baseline(tmp_path) is None
    git(tmp_path, "init", "-q", "-b", "main")
    assert breaking.baseline(tmp_path) is None
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "codes.yaml").write_text("sex: {M: Male}\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "contracts")
    wanted = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "other").touch()
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "another thing")
    assert breaking.baseline(tmp_path)[0] == wanted
    assert breaking.read_commit(tmp_path, wanted) == {"codes.yaml": {"sex": {"M": "Male"}}}
    git(tmp_path, "tag", "v0.1.0")
    assert breaking.baseline(tmp_path) == ("v0.1.0", "the release v0.1.0")
