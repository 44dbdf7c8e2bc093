"""`python -m benchmarks.identity`: labelled records to measure the identity matcher on.

For example:

    generate --children 50000 --seed 101 --setting hard --out F.csv --facts F.json
    latency --children 10000 100000 300000
    baselines --records F.csv --truth-column entity
    baselines --records febrl1.csv --truth febrl1_links.csv --map id=rec_id,family_name=surname,birth_date=date_of_birth,identifier.card=soc_sec_id
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.identity.generate import generate
from benchmarks.identity.settings import SETTINGS, TEST_SEEDS, TUNING_SEEDS


def main() -> None:
    """Do what the first word says."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.identity", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    _generate_arguments(verbs.add_parser("generate", help="records of invented families, with the truth"))
    _latency_arguments(verbs.add_parser("latency", help="how long a decision takes among so many children, in PostgreSQL"))
    _baselines_arguments(verbs.add_parser("baselines", help="Splink and recordlinkage on a labelled file (requirements-bench.txt)"))
    chosen = parser.parse_args()
    chosen.run(chosen)


def _generate_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--children", type=int, default=50_000)
    seeds = f"tuning: {TUNING_SEEDS[0]} to {TUNING_SEEDS[-1]}; figures that are reported: {', '.join(map(str, TEST_SEEDS))}"
    parser.add_argument("--seed", type=int, default=1, help=seeds)
    parser.add_argument("--setting", choices=sorted(SETTINGS), default="realistic")
    parser.add_argument("--out", type=Path, required=True, help="CSV of the records; the columns entity (the truth) and day come last")
    parser.add_argument("--facts", type=Path, help="JSON of what is true of them")
    parser.set_defaults(run=_generate)


def _generate(chosen: argparse.Namespace) -> None:
    facts = json.dumps(generate(chosen.children, seed=chosen.seed, setting=chosen.setting, out=chosen.out), indent=1)
    if chosen.facts:
        chosen.facts.write_text(facts + "\n")
    print(facts)


def _latency_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--children", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--seed", type=int, default=TEST_SEEDS[0])
    parser.add_argument("--setting", choices=sorted(SETTINGS), default="realistic")
    parser.set_defaults(run=_latency)


def _latency(chosen: argparse.Namespace) -> None:
    from benchmarks.identity import latency

    latency.keep(latency.figures(chosen.children, setting=chosen.setting, seed=chosen.seed))


def _baselines_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--records", type=Path, nargs="+", required=True)
    parser.add_argument("--truth", type=Path, help="CSV of pairs of ids")
    parser.add_argument("--truth-label", default="", help="its column that says how sure they are: rows of .5 and more count")
    parser.add_argument("--truth-column", default="", help="instead: the column of the records that says who they are")
    parser.add_argument("--map", default="", help="our fields to the file's columns: id=rec_id,family_name=surname,identifier.card=card_no")
    parser.add_argument("--baseline", choices=("splink", "recordlinkage"), action="append", help="one alone; both otherwise")
    parser.add_argument("--json", action="store_true", help="one line of JSON a run; a table otherwise")
    parser.set_defaults(run=_baselines)


def _baselines(chosen: argparse.Namespace) -> None:
    from benchmarks.identity import baselines, labelled

    found = labelled.read(
        chosen.records, map=labelled.columns(chosen.map), truth_column=chosen.truth_column, truth=chosen.truth, label=chosen.truth_label
    )
    for baseline in chosen.baseline or baselines.BASELINES:
        told = {"file": chosen.records[0].stem, **baselines.figures(found, baseline)}
        print(json.dumps(told) if chosen.json else "\n".join(f"{name:34} {value}" for name, value in told.items()), flush=True)


if __name__ == "__main__":
    main()
