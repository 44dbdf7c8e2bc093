"""The matcher, tried on files whose truth is known."""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from deploy.local.client import Failed
from services.cli import view
from services.cli.answers import DONE, say, show
from services.cli.grammar import Verbs


def declare(verbs: Verbs) -> None:
    """The verbs of this module."""
    group = verbs.group("identity", "which records are one child")
    learns = group.verb("learn", "learn a new model from everybody who is known; it decides nothing yet", learn)
    learns.add_argument(
        "--expected-children", type=_children, default=0, metavar="N", help="how many there are to be known, known or not"
    )
    rehearses = group.verb("rehearse", "run a model over everybody beside the live one: what would merge, part, be held", rehearse)
    rehearses.add_argument("version")
    lives = group.verb("use", "let a model that was rehearsed decide from now on", use)
    lives.add_argument("version")
    group.verb("models", "the models that are kept", models)
    tried = group.verb(
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
    tried.add_argument(
        "--expected-children", type=_children, default=0, metavar="N", help="how many there are to be known, known or not"
    )
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
    unread = Counter(name for one in records for name in one.unread)
    for name, times in unread.items():
        say(f"{name}: {times} of {len(records)} records hold something that is none; it is not compared")
    if options.out and options.out.exists() and not options.out.is_dir():
        raise Failed(f"--out {options.out} is no folder")
    say(f"{len(records)} records; learning weights without their labels")
    done = evaluation.run(
        [one.who for one in records], [same[one.id] for one in records], expected=options.expected_children, progress=_progress
    )
    ignored = labelled.ignored(records, done.population.model.ignored)
    if ignored["numbers_ignored"]:
        say("numbers that are nobody's and ignored: {numbers_ignored}, on {records_with_ignored} records".format(**ignored))
    figures, rows = {**evaluation.figures(done), **ignored}, evaluation.thresholds(done)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "thresholds.svg").write_text(picture.draw(rows))
        (options.out / "thresholds.csv").write_text(picture.table(rows))
    show(options, figures, "\n".join([*(_line(name, value) for name, value in figures.items()), "", picture.table(rows)]))
    return DONE


def learn(options: Any) -> int:
    """A new model, kept beside the live one."""
    from services.childview.identity import shadow

    found = _there(lambda conn: shadow.learn_anew(conn, expected=options.expected_children, made="learned"))
    body = {"version": found.version, "records": found.names.records, "expected_children": found.expected, "twins": found.twins,
            "numbers_ignored": len(found.ignored)}  # fmt: skip
    learned = f"{found.version}: learned from {found.names.records} records; numbers that are nobody's: {len(found.ignored)}"
    show(options, body, f"{learned}; `identity rehearse {found.version}` comes next")
    return DONE


def rehearse(options: Any) -> int:
    """What a model would change."""
    from services.childview.identity import shadow

    found = _there(lambda conn: shadow.rehearse(conn, options.version, say=lambda done, whole: _progress(done, whole)))
    lines = [f"{found.records} records under {found.model} beside {found.live}"]
    lines += [f"children that would merge: {len(found.merges)}, part: {len(found.splits)}"]
    lines += [f"records that would be held: {found.held}, held no more: {found.released}"]
    lines += [f"  {what}: {' '.join(group)}" for what, groups in (("merge", found.merges), ("part", found.splits)) for group in groups[:20]]
    show(options, asdict(found), "\n".join(lines))
    return DONE


def use(options: Any) -> int:
    """Another model decides from now on."""
    from services.childview.identity import shadow

    _there(lambda conn: shadow.go_live(conn, options.version))
    show(options, {"live": options.version}, f"{options.version} decides from now on; what was decided stays")
    return DONE


def models(options: Any) -> int:
    """The models that are kept."""
    from services.childview.identity import models as kept

    found = _there(kept.known)
    rows = [
        f"{one['version']} {one['made'][:16]:16} children {one['expected'] or 'not said':8}"
        f" {'rehearsed' if one['rehearsed'] else '':10}{'live' if one['live'] else ''}".rstrip()
        for one in found
    ]
    show(options, {"models": found}, "\n".join(rows))
    return DONE


def _children(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of children: 1 or more")
    return int(text)


def _there(work: Callable[[Any], Awaitable[Any]]) -> Any:
    """Work in childview's own database."""
    from services.childview.identity.shadow import NotRehearsed
    from services.plumbing import database

    async def run() -> Any:
        pool = await database.connect(view.settings_of("identity").database, name="childview-identity", size=1)
        try:
            async with pool.acquire() as conn:
                return await work(conn)
        finally:
            await pool.close()

    try:
        return asyncio.run(run())
    except NotRehearsed as error:
        raise Failed(str(error)) from None


def _progress(done: int, whole: int) -> None:
    if done and done % 10_000 == 0:
        say(f"{done} of {whole} records")


def _line(name: str, value: float) -> str:
    return f"{name:20} {value:.4f}" if isinstance(value, float) else f"{name:20} {value}"
