"""What a return holds and what it does not: counts for everybody, each child's for those who may open the report file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from services.plumbing.files.report import Report


@dataclass
class Account:
    """Of one return. rows: by table or module. left: (where, why) -> how often something was left out or blank."""

    report: Report
    children: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    left: Counter[tuple[str, str]] = field(default_factory=Counter)
    left_children: int = 0

    def leave(self, child: str | None, where: str, why: str) -> None:
        """Something of a child does not go out. child: the case system's number, for the report file alone."""
        self.left[where, why] += 1
        self.report.refuse(0, where, child, why)

    def leave_child(self, child: str | None, where: str, why: str) -> None:
        """A child of whom nothing goes out."""
        self.left_children += 1
        self.leave(child, where, why)

    def close(self) -> None:
        """Nothing more is added: the report file is whole."""
        self.report.rows, self.report.accepted = self.children + self.left_children, self.children
        self.report.close()

    def summary(self) -> dict[str, Any]:
        """Counts alone."""
        return {
            "children": self.children,
            "children_left_out": self.left_children,
            "rows": dict(self.rows),
            "left_out": [{"where": where, "why": why, "count": count} for (where, why), count in sorted(self.left.items())],
            "report": self.report.path,
        }
