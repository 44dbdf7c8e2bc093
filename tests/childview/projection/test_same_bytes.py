"""Whatever the process's hash seed and time zone, and however two streams interleave, a child's bytes are the same."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import msgspec

from services.childview.projection import compose, fold, view
from tests.childview.projection import telling
from tests.childview.projection.test_fold_and_compose import CATALOGUE, KEY, LINKS

ROOT = Path(__file__).parents[3]
PLACES = [("0", "UTC"), ("1", "Pacific/Kiritimati"), ("2", "America/St_Johns"), ("3", "Europe/London"), ("4", "Asia/Kathmandu")]


def told_by_a_process(seed: str, zone: str) -> str:
    """The digest as a process of its own gives it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed, "TZ": zone}
    command = [sys.executable, "-m", "tests.childview.projection.telling"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout


def test_the_view_is_the_same_whatever_the_hash_seed_and_the_time_zone():
    found = {place: told_by_a_process(*place) for place in PLACES}
    assert len(set(found.values())) == 1, found


def test_the_view_is_the_same_however_the_streams_interleave():
    assert len({telling.told(random.Random(seed)) for seed in range(10)}) == 1


def test_the_child_that_is_told_has_of_everything_that_could_stand_in_another_order():
    made, content, terms, references = msgspec.msgpack.decode(telling.bytes_of([*telling.school(), *telling.care()]))
    inputs = view.decode(made).inputs
    lists = [inputs.periods, inputs.referred, inputs.involved, inputs.enrolments, inputs.protections, inputs.related, inputs.local_ids, inputs.homes,
             list(inputs.attendance), list(inputs.exclusions), terms, references, view.decode(made).tombstones, view.decode(made).services]  # fmt: skip
    assert all(len(one) > 1 for one in lists)
    assert len(view.decode_content(content).segments) > 50


def test_the_view_and_the_record_are_the_same_in_whatever_order_entries_stand():
    records = telling.folded([*telling.school(), *telling.care()])
    turned = {one: msgspec.structs.replace(found, entries=dict(reversed(found.entries.items()))) for one, found in records.items()}
    assert [fold.encode(one) for one in turned.values()] == [fold.encode(one) for one in records.values()]
    made = [compose.compose("c", list(found.values()), LINKS, catalogue=CATALOGUE, address_key=KEY) for found in (records, turned)]
    assert made[0] == made[1]
