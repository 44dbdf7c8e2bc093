"""The labelled families on which the identity matcher is measured: they are what they promise to be, and the same each time."""

from __future__ import annotations

import csv
import hashlib
import os
import random
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.identity.generate import generate
from benchmarks.identity.mistakes import birth_date, half, respelled, unaccented
from benchmarks.identity.names import lookalikes, short_forms, spellings
from benchmarks.identity.numbers import DEFAULT_NHS, DEFAULT_UPN
from benchmarks.identity.population import Child, wards
from benchmarks.identity.records import COLUMNS
from benchmarks.identity.settings import CENSUS, HARD, REALISTIC, SETTINGS, TEST_SEEDS, TUNING_SEEDS
from services.plumbing.files import values

COUNT, SEED = 5_000, 3
FROZEN = {
    "realistic": "47a669e3b87505aa72a436f565cbe93d1fe3d804a45b0f54121963e38865acfe",
    "hard": "491dfaf7bfdd17858c30cce1733f5254a881225fe2b99335e9e0b5da5f0edb52",
}


class Made:
    """One file of five thousand children."""

    def __init__(self, folder: Path, setting: str) -> None:
        self.setting = SETTINGS[setting]
        self.path = folder / "records.csv"
        self.facts = generate(COUNT, seed=SEED, setting=setting, out=self.path)
        with self.path.open(newline="", encoding="utf-8") as file:
            self.rows = list(csv.DictReader(file))
        self.children = {child.entity: child for ward in wards(COUNT, seed=SEED, setting=self.setting) for child in ward}
        self.of: dict[str, list[dict[str, str]]] = defaultdict(list)
        for row in self.rows:
            self.of[row["entity"]].append(row)

    def share_known_to(self, source: str) -> float:
        return sum(any(row["source"] == source for row in rows) for rows in self.of.values()) / COUNT


@pytest.fixture(scope="module", params=sorted(SETTINGS))
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp(request.param), request.param)


def test_the_file_has_the_columns_that_are_promised_and_an_id_of_its_own_for_each_record(made: Made) -> None:
    assert tuple(made.rows[0]) == COLUMNS
    assert len({row["id"] for row in made.rows}) == len(made.rows) == made.facts["records"]


def test_sources_cover_the_shares_of_children_that_are_promised(made: Made) -> None:
    assert made.share_known_to("school") == pytest.approx(0.85, abs=0.03)
    assert made.share_known_to("social_care") == pytest.approx(0.25, abs=0.03)
    assert made.share_known_to("health") == pytest.approx(0.60, abs=0.03)
    assert made.share_known_to("second_school") == pytest.approx(0.31, abs=0.03)


def test_a_child_has_none_to_five_records_and_some_have_none(made: Made) -> None:
    assert set(Counter(map(len, made.of.values()))) == {1, 2, 3, 4, 5}
    assert 0.93 < len(made.of) / COUNT < 0.97
    assert made.facts["expected_children"] == COUNT


def test_the_roster_comes_first_then_the_others_by_day_then_the_deliveries(made: Made) -> None:
    keys = [(int(row["day"]), 0 if _roster(row) else 1, row["recorded"]) for row in made.rows]
    assert keys == sorted(keys)
    assert sum(row["day"] != "0" for row in made.rows) / len(made.rows) == pytest.approx(0.03, abs=0.006)


def _roster(row: dict[str, str]) -> bool:
    return row["source"] == "school" and row["recorded"] == CENSUS.isoformat()


def test_nothing_but_the_truth_column_says_who_is_who(made: Made) -> None:
    """Ids and local ids of siblings are no nearer to each other than those of strangers."""
    place = {row["entity"]: number for number, row in enumerate(made.rows) if _roster(row)}
    apart = [abs(place[one] - place[other]) for one, other in _siblings(made) if one in place and other in place]
    assert sum(apart) / len(apart) > 0.25 * len(place)


def _siblings(made: Made) -> list[tuple[str, str]]:
    children = list(made.children.values())
    return [(one.entity, other.entity) for one, other in pairwise(children) if one.household == other.household]


def test_twins_are_three_in_a_hundred_children_or_more_with_one_birth_date_and_home(made: Made) -> None:
    born = defaultdict(list)
    for child in made.children.values():
        if child.twin:
            born[child.twin].append(child)
    together = [group for group in born.values() if len(group) > 1]
    assert sum(map(len, together)) / COUNT >= 0.03
    assert all(len({(child.born, child.household) for child in group}) == 1 for group in together)
    assert all(len({child.called for child in group}) == len(group) for group in together)
    assert sum(any(child.alike for child in group) for group in together) / len(together) > made.setting.alike_twins / 2


def test_strangers_share_name_and_birth_date_as_often_as_promised(made: Made) -> None:
    named = defaultdict(list)
    for child in made.children.values():
        named[child.given, child.called, child.surname, child.born].append(child.household)
    pairs = sum(len(set(homes)) * (len(set(homes)) - 1) // 2 for homes in named.values())
    assert pairs >= made.setting.equal_strangers * COUNT * 0.6
    assert made.facts["pairs_of_equal_name_and_birth_date"] == pairs


def test_surnames_change_as_often_as_promised(made: Made) -> None:
    assert 0.045 <= made.facts["children_with_changed_surname"] / COUNT <= 0.09


def test_two_records_in_a_hundred_have_the_number_of_another_child(made: Made) -> None:
    assert 0.019 <= made.facts["records_with_number_of_another"] / len(made.rows) <= 0.032
    assert made.facts["number_of_twin"] and made.facts["number_of_sibling"] and made.facts["number_of_stranger"]


def test_numbers_of_children_have_good_check_digits_and_belong_to_one_child(made: Made) -> None:
    children = made.children.values()
    assert all(values.nhs_number(child.nhs)["valid"] and values.uln(child.uln)["valid"] for child in children)
    assert all(values.upn(upn)["valid"] for child in children for _, upn in child.upns)
    every = [number for child in children for number in (child.nhs, child.uln, *(upn for _, upn in child.upns))]
    assert len(every) == len(set(every))


def test_a_number_with_a_bad_check_digit_is_one_that_was_mistyped_on_purpose(made: Made) -> None:
    bad = sum(not _valid(row, name) for row in made.rows for name in ("upn", "nhs_number"))
    assert 0 < bad <= made.facts["number_mistyped"] < 0.03 * len(made.rows)


def _valid(row: dict[str, str], name: str) -> bool:
    read = values.upn if name == "upn" else values.nhs_number
    return not row[name] or read(row[name])["valid"]


def test_the_facts_are_those_of_the_file(made: Made) -> None:
    wrong = Counter()
    for row in made.rows:
        child = made.children[row["entity"]]
        own = {"", child.nhs, *(upn for _, upn in child.upns)}
        wrong.update(row[name] in (DEFAULT_NHS, DEFAULT_UPN) for name in ("upn", "nhs_number") if row[name] not in own)
    told = made.facts
    assert wrong[True] == told["number_default"]
    assert wrong[False] == sum(told[f"number_{kind}"] for kind in ("mistyped", "of_twin", "of_sibling", "of_stranger"))


def test_a_child_has_one_local_id_in_a_source_but_for_a_few(made: Made) -> None:
    ids = defaultdict(set)
    owner: dict[tuple[str, str], str] = {}
    for row in made.rows:
        ids[row["entity"], row["source"]].add(row["local_id"])
        assert owner.setdefault((row["source"], row["local_id"]), row["entity"]) == row["entity"]
    assert 0 < sum(len(found) > 1 for found in ids.values()) / len(ids) < 0.03


def test_most_records_agree_with_the_first_of_their_child_and_many_do_not_wholly(made: Made) -> None:
    """Neither so clean that anything would do, nor so spoilt that nobody could tell."""
    pairs = [(rows[0], row) for rows in made.of.values() for row in rows[1:]]
    same = sum(
        all(one[name].lower() == other[name].lower() for name in ("given_name", "family_name", "birth_date")) for one, other in pairs
    )
    assert 0.55 < same / len(pairs) < 0.85
    assert sum(one["birth_date"] == other["birth_date"] for one, other in pairs) / len(pairs) > 0.92


def test_every_date_is_one(made: Made) -> None:
    for row in made.rows:
        assert not row["birth_date"] or date.fromisoformat(row["birth_date"])
        assert date.fromisoformat(row["recorded"])


def test_names_of_one_community_are_common_where_it_lives(made: Made) -> None:
    children = list(made.children.values())
    family = [Counter(child.surname for child in children[start : start + 2000]) for start in (0, 2000)]
    assert family[0].most_common(3) != family[1].most_common(3)
    assert {"Khan", "Smith"} <= {child.surname for child in children}


def test_hard_families_are_harder(tmp_path: Path) -> None:
    easy, hard = (generate(COUNT, seed=SEED, setting=setting, out=tmp_path / setting) for setting in ("realistic", "hard"))
    for what in (
        "twin_children",
        "twin_children_named_alike",
        "records_with_number_of_another",
        "children_with_changed_surname",
        "number_mistyped",
    ):
        assert hard[what] > easy[what], what
    assert HARD.typed > REALISTIC.typed


def test_the_same_seed_gives_the_same_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    assert len({_digest_with(tmp_path, hash_seed) for hash_seed in ("0", "7", "random")}) == 1


def _digest_with(folder: Path, hash_seed: str) -> str:
    out = folder / f"{hash_seed}.csv"
    facts = folder / f"{hash_seed}.json"
    subprocess.run(
        [sys.executable, "-m", "benchmarks.identity", "generate", "--children", "600", "--seed", "1", "--setting", "hard", "--out", out, "--facts", facts],
        check=True, env={**os.environ, "PYTHONHASHSEED": hash_seed}, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return hashlib.sha256(out.read_bytes() + facts.read_bytes()).hexdigest()


@pytest.mark.parametrize("setting", sorted(SETTINGS))
def test_the_generator_is_frozen_so_that_figures_can_be_compared(tmp_path: Path, setting: str) -> None:
    """Who changes it on purpose writes the new digests here, and measures everything again."""
    generate(2_500, seed=1, setting=setting, out=tmp_path / "records.csv")
    assert hashlib.sha256((tmp_path / "records.csv").read_bytes()).hexdigest() == FROZEN[setting]


def test_other_seeds_give_other_children() -> None:
    one, other = (next(wards(200, seed=seed, setting=REALISTIC)) for seed in (1, 101))
    assert [child.given for child in one] != [child.given for child in other]
    assert not set(TUNING_SEEDS) & set(TEST_SEEDS)


def test_wards_are_not_changed_by_how_many_follow() -> None:
    """So that a million children begin as ten thousand do."""

    def first(count: int) -> list[Child]:
        return next(wards(count, seed=5, setting=REALISTIC))

    assert first(2_000) == first(4_000)


def test_names_are_respelled_into_spellings_of_the_same_name_and_twins_named_after_lookalikes() -> None:
    assert "Muhammad" in spellings()["Mohammed"] and "Sarah" not in spellings()["Zara"]
    assert "Sarah" in lookalikes()["Zara"] and "Zahra" in lookalikes()["Zara"]
    assert all(name not in others for name, others in (*spellings().items(), *short_forms().items()))
    assert respelled(random.Random(1), "Nobody") == "Nobody"
    assert half(random.Random(1), "Smith-Jones") in ("Smith", "Jones")
    assert unaccented("Wiśniewska Łukasz Öztürk") == "Wisniewska Lukasz Ozturk"


def test_a_birth_date_that_is_written_is_a_date_or_nothing() -> None:
    rng = random.Random(2)
    told = [birth_date(rng, HARD, date(2016, 2, 29), often_unknown=12) for _ in range(5_000)]
    assert {"", "2016-01-01", "2016-02-29"} <= set(told)
    assert all(not text or date.fromisoformat(text) for text in told)
