"""Every contract is whole: its examples pass by an independent validator and by ours."""

from pathlib import Path

import jsonschema
import pytest
import yaml

from services.plumbing.contracts import SchemaRefused, Schemas, channels, common_name

CONTRACTS = Path(__file__).parents[2] / "contracts"
SCHEMAS = Schemas.load(CONTRACTS)


@pytest.mark.parametrize("name", sorted(SCHEMAS.contracts))
def test_examples_keep_their_contract_by_two_validators(name: str) -> None:
    contract = SCHEMAS.contracts[name]
    validator = jsonschema.Draft202012Validator(dict(contract.schema))
    validator.check_schema(dict(contract.schema))
    for example in contract.schema["examples"]:
        validator.validate(example)
        SCHEMAS.validate(name, example)


@pytest.mark.parametrize("name", sorted(n for n, c in SCHEMAS.contracts.items() if c.entry))
def test_an_event_without_its_key_is_refused_and_the_refusal_holds_no_value(name: str) -> None:
    contract = SCHEMAS.contracts[name]
    broken = {key: value for key, value in contract.schema["examples"][0].items() if key != "provenance"}
    with pytest.raises(SchemaRefused) as refused:
        SCHEMAS.validate(name, broken)
    assert "Invented" not in str(refused.value)


def test_a_common_contract_answers_for_every_service() -> None:
    assert SCHEMAS.of("health.person-recorded.v1") is SCHEMAS.contracts["common.person.v1"]
    assert SCHEMAS.of("audit.access-recorded.v1") is SCHEMAS.contracts["common.access-recorded.v1"]
    assert common_name("socialcare.involvement-recorded.v1") == "common.involvement.v1"
    assert common_name("education.sen-recorded.v1") == "education.sen-recorded.v1"
    assert SCHEMAS.of("health.visit-recorded.v1") is None


def test_every_publishing_service_has_a_channel_for_its_events_and_its_access_records() -> None:
    found = {channel.topic: channel for channel in channels(CONTRACTS)}
    for service in ("education", "socialcare", "policy"):
        assert {f"{service}.events", f"{service}.access"} <= found.keys()
    assert found["childview.identity"].partitions == 1


def test_every_code_and_every_label_is_text() -> None:
    """YAML reads a bare Yes, No or 10 as something else."""
    lists = yaml.safe_load((CONTRACTS / "codes.yaml").read_text())
    labels = {(name, code): what["label"] if isinstance(what, dict) else what for name, codes in lists.items() for code, what in codes.items()}
    assert [key for key, label in labels.items() if not isinstance(key[1], str) or not isinstance(label, str)] == []
