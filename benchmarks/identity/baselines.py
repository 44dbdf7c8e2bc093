"""Splink and recordlinkage on the same files as our matcher, set up as their own guides do it. They are needed by this alone:
`pip install --require-hashes -r requirements-bench.txt`, in an environment of its own.

Both learn without labels. Both see the records all at once, where ours sees them one by one.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from importlib.metadata import version
from time import perf_counter
from typing import Any

from benchmarks.identity.labelled import Labelled
from benchmarks.identity.scores import Pair, measured

SEED = 1
NUMBERS = ("upn", "nhs_number", "uln")
BASELINES = ("splink", "recordlinkage")
SMALL = 10_000
"""Records; in larger files too many share a name."""


def figures(labelled: Labelled, baseline: str) -> dict[str, Any]:
    """One run: what it found, how long it took."""
    began = perf_counter()
    pairs = list((_splink if baseline == "splink" else _recordlinkage)(labelled))
    took = perf_counter() - began
    return {
        "baseline": baseline, "version": version(baseline), **measured(pairs, labelled.truth), "pairs_compared": len(pairs),
        "seconds": round(took, 1), "records_per_s": round(len(labelled.rows) / took),
    }  # fmt: skip


def _numbers(labelled: Labelled) -> list[str]:
    """The identifiers of the file, as columns."""
    return [_column(name) for name in labelled.fields if name in NUMBERS or name.startswith("identifier.")]


def _column(field: str) -> str:
    return field.replace(".", "_")


def _frame(labelled: Labelled) -> Any:
    import pandas

    rows = [{"unique_id": id, **{_column(name): value for name, value in row.items()}} for id, row in labelled.rows.items()]
    frame = pandas.DataFrame(rows).astype("string")
    frame["birth_date"] = frame["birth_date"].str.replace(r"^(\d{4})(\d\d)(\d\d)$", r"\1-\2-\3", regex=True)
    return frame


def _keys(labelled: Labelled) -> list[tuple[str, ...]]:
    """What two records must share to be compared: a number, the birth date, the postcode, both names; in small files one name."""
    names = [("given_name",), ("family_name",)] if len(labelled.rows) <= SMALL else [("given_name", "family_name")]
    alone = [(name,) for name in ("birth_date", "postcode") if name in labelled.fields]
    return [*((number,) for number in _numbers(labelled)), *alone, *names]


# -- Splink ----------------------------------------------------------------------------------------------------------


def _splink(labelled: Labelled) -> Iterator[Pair]:
    """As its guides to deduplication do: u by sampling, m by expectation maximisation over two or more blockings."""
    from splink import Linker, SettingsCreator, block_on
    from splink.backends.duckdb import DuckDBAPI

    logging.getLogger("splink").setLevel(logging.ERROR)
    settings = SettingsCreator(
        link_type="dedupe_only", comparisons=_comparisons(labelled), retain_matching_columns=False,
        blocking_rules_to_generate_predictions=[block_on(*key) for key in _keys(labelled)],
    )  # fmt: skip
    linker = Linker(DuckDBAPI().register(_frame(labelled)), settings, log_level=logging.ERROR)
    _train(linker, labelled)
    found = linker.inference.predict(threshold_match_weight=-15).as_pandas_dataframe()
    yield from zip(found["unique_id_l"], found["unique_id_r"], found["match_weight"].round(6), strict=True)


def _train(linker: Any, labelled: Labelled) -> None:
    from splink import block_on

    certain = [block_on("given_name", "family_name", "birth_date"), *(block_on(number) for number in _numbers(labelled))]
    linker.training.estimate_probability_two_random_records_match(certain, recall=0.8)
    linker.training.estimate_u_using_random_sampling(max_pairs=5e6, seed=SEED)
    for rule in (block_on("given_name", "family_name"), block_on("birth_date")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule, record_sample_proportion=1.0)


def _comparisons(labelled: Labelled) -> list[Any]:
    import splink.comparison_library as library

    adjusted = {"term_frequency_adjustments": True}
    found: list[Any] = [
        library.NameComparison("given_name").configure(**adjusted), library.NameComparison("family_name").configure(**adjusted),
        library.DateOfBirthComparison("birth_date", input_is_string=True),
    ]  # fmt: skip
    for name in labelled.fields:
        column = _column(name)
        if name in ("sex", "town"):
            found.append(library.ExactMatch(column).configure(term_frequency_adjustments=name == "town"))
        elif name in ("middle_names", "address"):
            found.append(library.JaroWinklerAtThresholds(column, [0.9, 0.7]).configure(**adjusted))
        elif name == "postcode":
            found.append(library.DamerauLevenshteinAtThresholds(column, [1, 2]).configure(**adjusted))
        elif column.endswith("_email"):
            found.append(library.EmailComparison(column).configure(**adjusted))
        elif column in _numbers(labelled):
            found.append(library.DamerauLevenshteinAtThresholds(column, [1, 2]))
    return found


# -- recordlinkage ---------------------------------------------------------------------------------------------------


def _recordlinkage(labelled: Labelled) -> Iterator[Pair]:
    """As its guide does: blocks, a similarity a field, and its classifier that learns by expectation conditional maximisation."""
    import recordlinkage

    warnings.simplefilter("ignore")
    frame = _frame(labelled).astype(object).set_index("unique_id")
    frame = frame.where(frame.notna(), None)
    index = recordlinkage.Index()
    for key in _keys(labelled):
        index.block(list(key))
    candidates = _told(frame, _keys(labelled), index.index(frame))
    features = _compared(labelled).compute(candidates, frame)
    classifier = recordlinkage.ECMClassifier(binarize=0.85)
    classifier.fit(features)
    likely = classifier.prob(features)
    yield from ((one, other, round(float(score), 9)) for (one, other), score in likely.items())


def _told(frame: Any, keys: list[tuple[str, ...]], candidates: Any) -> Any:
    """Without pairs that share nothing but blanks."""
    left, right = (frame.loc[candidates.get_level_values(place)].reset_index(drop=True) for place in (0, 1))
    shared = [
        (left[list(key)].notna().all(axis=1) & (left[list(key)] == right[list(key)]).all(axis=1)).to_numpy() for key in keys
    ]  # fmt: skip
    return candidates[[any(one) for one in zip(*shared, strict=True)]]


def _compared(labelled: Labelled) -> Any:
    import recordlinkage

    compare = recordlinkage.Compare()
    for name in labelled.fields:
        column = _column(name)
        if name in ("given_name", "middle_names", "family_name", "address"):
            compare.string(column, column, method="jarowinkler", label=column)
        elif name == "birth_date":
            compare.string(column, column, method="damerau_levenshtein", label=column)
        else:
            compare.exact(column, column, label=column)
    return compare
