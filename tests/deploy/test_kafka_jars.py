"""Kafka runs from exactly the jars whose sums are checked in, or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from deploy.local import kafka as local_kafka


def resolved_to(monkeypatch: pytest.MonkeyPatch, jars: list[Path]) -> None:
    """What the resolver gives from now on."""
    monkeypatch.setattr(local_kafka, "_resolved", lambda _: jars)


def test_the_jars_that_are_there_are_the_ones_whose_sums_are_checked_in():
    assert len(local_kafka.jars()) == len(local_kafka.SUMS.read_text().splitlines())


def test_a_jar_with_another_content_is_refused_by_name(monkeypatch, tmp_path):
    found = local_kafka.jars()
    other = Path(shutil.copy(found[3], tmp_path))
    with other.open("ab") as out:
        out.write(b"x")
    resolved_to(monkeypatch, [*found[:3], other, *found[4:]])
    with pytest.raises(local_kafka.JarsDiffer, match=found[3].name):
        local_kafka.jars()


@pytest.mark.parametrize("change", ["one more", "one less", "another name"])
def test_another_set_of_jars_is_refused(monkeypatch, tmp_path, change):
    found = local_kafka.jars()
    extra = Path(shutil.copy(found[0], tmp_path / "extra.jar"))
    resolved_to(monkeypatch, {"one more": [*found, extra], "one less": found[1:], "another name": [extra, *found[1:]]}[change])
    with pytest.raises(local_kafka.JarsDiffer):
        local_kafka.jars()
