"""A part of a file that cannot be taken."""

from __future__ import annotations


class Refused(Exception):
    """Where it stands, what stands there, and why it is not taken."""

    def __init__(self, path: str, value: str | None, why: str) -> None:
        super().__init__(why)
        self.path, self.value, self.why = path, value, why
