"""What one delivery says of one subject, and what a file was complete for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from services.plumbing.files.report import Report
from services.plumbing.register.entries import Provenance, Statement
from services.plumbing.register.subjects import LONGEST, Key, Naming, unfit, valid_upns

Place = tuple[Report, int]
"""One row of one file."""


@dataclass(frozen=True)
class Said:
    """Everything one delivery says of one subject.

    keys: its own ids, joins: keys that may name another system's record of it, aliases: names that later rows use
    (see `subjects`). must_exist: without a known key the subject is not made: what is said waits for it (see `waiting`), with
    `otherwise` as the reason.
    rows: every row that this comes from; None: the one row of the first statement.
    """

    keys: tuple[Key, ...]
    statements: tuple[Statement, ...]
    report: Report
    provenance: Provenance
    must_exist: bool = False
    otherwise: str = ""
    joins: tuple[Key, ...] = ()
    aliases: tuple[Key, ...] = ()
    rows: tuple[Place, ...] | None = None

    @property
    def places(self) -> tuple[Place, ...]:
        """Every row that this comes from."""
        return ((self.report, self.statements[0].row or 0),) if self.rows is None else self.rows

    @property
    def names(self) -> tuple[Key, ...]:
        """The keys that name the subject here, the surest first."""
        return (*self.keys, *self.joins)

    def naming(self) -> Naming:
        """How this names its subject."""
        return Naming(self.keys, self.joins, self.aliases, valid_upns(one.fields for one in self.statements))


def keys_fit(one: Said) -> bool:
    """Whether the subject's keys can be stored; if not, its rows are refused."""
    bad = next((value for _, value in one.naming().all if unfit(value) or len(value) > LONGEST), None)
    if bad is not None:
        refuse(one, None, bad, "an id with a character that cannot be stored, or too long")
    return bad is None


def refuse(one: Said, column: str | None, value: Any, why: str) -> None:
    """Refuse every row that this comes from."""
    for report, row in one.places:
        report.refuse(row, column, value, why)


def unfit_field(statement: Statement) -> tuple[str, Any] | None:
    """(field, value) of what cannot be stored; None when all can."""
    return next(((name, value) for name, value in statement.fields.items() if unfit(value)), None)
