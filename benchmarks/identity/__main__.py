"""`python -m benchmarks.identity`: labelled records to measure the identity matcher on.

    generate --children 50000 --seed 101 --setting hard --out F.csv --facts F.json
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


if __name__ == "__main__":
    main()
