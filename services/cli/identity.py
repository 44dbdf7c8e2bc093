"""The matcher, tried on files whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deploy.local.client import Failed
from services.cli.answers import DONE, say, show
from services.cli.grammar import Verbs


def declare(verbs: Verbs) -> None:
    """The verbs of this module."""
    tried = verbs.group("identity", "which records are one child").verb(
        "evaluate", "run the live matcher over labelled records, its weights learned from them without the labels", evaluate
    )
    tried.add_argument("--records", type=Path, action="append", required=True, help="a CSV of records; more than one may be given")
    truth = tried.add_mutually_exclusive_group(required=True)
    truth.add_argument("--truth", type=Path, help="a CSV of pairs that are the same: its first two columns are ids")
    truth.add_argument("--truth-column", metavar="NAME", help="the column that says of whom a record is")
    tried.add_argument("--truth-label", metavar="COLUMN", help="of --truth, only rows with .5 or more in this column")
    tried.add_argument(
        "--map", action="append", metavar="FIELD=COLUMN,...", help="our field to the file's column; COLUMN+COLUMN joins two"
    )
    tried.add_argument("--expected-children", type=int, default=0, metavar="N", help="how many there are to be known")
    tried.add_argument("--out", type=Path, help="a folder for the picture and the table of thresholds")


def evaluate(options: Any) -> int:
    """What the matcher links, holds and misses on labelled records."""
    from services.childview.identity import evaluate as evaluation
    from services.childview.identity import labelled, picture

    try:
        fields = labelled.mapping(",".join(options.map or ()))
        records = labelled.read(options.records, fields=fields, truth_column=options.truth_column)
        if options.truth:
            same = labelled.truth(options.truth, [one.id for one in records], label=options.truth_label)
        else:
            same = {one.id: one.entity or f"alone {one.id}" for one in records}
    except labelled.FileRefused as error:
        raise Failed(str(error)) from None
    if not records:
        raise Failed("there are no records in these files")
    say(f"{len(records)} records; learning weights without their labels")
    done = evaluation.run(
        [one.who for one in records], [same[one.id] for one in records], expected=options.expected_children, progress=_progress
    )
    figures, rows = evaluation.figures(done), evaluation.thresholds(done)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "thresholds.svg").write_text(picture.draw(rows))
        (options.out / "thresholds.csv").write_text(picture.table(rows))
    show(options, figures, "\n".join([*(_line(name, value) for name, value in figures.items()), "", picture.table(rows)]))
    return DONE


def _progress(done: int, whole: int) -> None:
    if done and done % 10_000 == 0:
        say(f"{done} of {whole} records")


def _line(name: str, value: float) -> str:
    return f"{name:20} {value:.4f}" if isinstance(value, float) else f"{name:20} {value}"
