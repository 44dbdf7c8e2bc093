"""How the figures of other matchers are worked out, so that they are comparable with ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.identity.labelled import columns, read
from benchmarks.identity.scores import Clusters, measured

TRUTH = {"a": "one", "b": "one", "c": "one", "d": "two", "e": "two", "f": "three"}


def test_recall_counts_every_true_pair_also_those_never_compared() -> None:
    found = measured([("a", "b", 9.0), ("d", "e", 8.0)], TRUTH)
    assert found["true_pairs"] == 4
    assert (found["pair_precision"], found["pair_recall"], found["recall_at_zero_wrong"]) == (1.0, 0.5, 0.5)


def test_recall_at_zero_wrong_ends_before_the_first_wrong_link_and_before_those_of_its_score() -> None:
    found = measured([("a", "b", 9.0), ("d", "e", 8.0), ("a", "d", 8.0), ("b", "c", 1.0)], TRUTH)
    assert found["recall_at_zero_wrong"] == 0.25


def test_clusters_count_the_pairs_that_links_imply() -> None:
    found = measured([("a", "b", 9.0), ("b", "c", 8.0)], TRUTH)
    assert found["pair_recall"] == 0.5
    assert found["clustered_recall_at_zero_wrong"] == 0.75


def test_a_wrong_link_between_clusters_makes_every_pair_across_them_wrong() -> None:
    clusters = Clusters(TRUTH)
    for one, other in (("a", "b"), ("b", "c"), ("d", "e"), ("c", "d"), ("e", "a")):
        clusters.join(one, other)
    assert (clusters.pairs, clusters.right) == (10, 4)


def test_wrong_pairs_are_told_where_enough_are_found_and_left_out_where_they_never_are() -> None:
    right = [("a", "b", 9.0), ("b", "c", 9.0), ("d", "e", 9.0)]
    assert measured(right, TRUTH)["wrong_per_10000_at_recall_0.82"] == 0.0
    assert measured([*right, ("e", "f", 9.0)], TRUTH)["wrong_per_10000_at_recall_0.82"] == pytest.approx(10_000 * 2 / 6, abs=0.01)
    assert measured(right[:1], TRUTH)["wrong_per_10000_at_recall_0.82"] is None


def test_nothing_found_is_no_error() -> None:
    assert measured([], TRUTH)["pair_f1"] == 0.0


def test_a_labelled_file_is_read_by_a_map_and_its_pairs_lead_on_to_others(tmp_path: Path) -> None:
    records = _write(tmp_path / "records.csv", "no,first,card\n1,Zoë,7\n2,ZOE ,\n3,,8\n4,Ann,9\n")
    truth = _write(tmp_path / "truth.csv", "one,other\n1,2\n3,2\n")
    found = read([records], map=columns("id=no,given_name=first,identifier.card=card"), truth=truth)
    assert found.fields == ("given_name", "identifier.card")
    assert found.rows["1"]["given_name"] == found.rows["2"]["given_name"] == "zoe"
    assert found.rows["2"]["identifier.card"] is None
    assert found.truth["1"] == found.truth["2"] == found.truth["3"] != found.truth["4"]


def test_labels_under_a_half_and_a_column_between_the_ids_are_passed_over(tmp_path: Path) -> None:
    records = _write(tmp_path / "records.csv", "id,given_name\n1,A\n2,B\n3,C\n")
    truth = _write(tmp_path / "truth.csv", "id_l,source_l,id_r,source_r,sure\n1,f,2,f,1.0\n1,f,3,f,0.2\n")
    found = read([records], map={}, truth=truth, label="sure")
    assert found.truth["1"] == found.truth["2"] != found.truth["3"]


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
