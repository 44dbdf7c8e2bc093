"""The words that identity's questions share, as SQL."""

from __future__ import annotations

SCHEMA = "identity"
MINE = f"""
    select $1::uuid as id union select other.stream_id from {SCHEMA}.links mine join {SCHEMA}.links other using (child_id)
    where mine.stream_id = $1"""
"""The records of the child that record $1 belongs to, and that record."""


def protected_today(stream: str) -> str:
    """Whether the record in this SQL name is shielded or adopted today. The end date is the last day it holds."""
    return (
        f"exists (select from {SCHEMA}.protected s where s.stream_id = {stream} and s.kind in ('shielded', 'adopted')"
        " and (s.end_date is null or s.end_date >= current_date))"
    )


def any_record(child: str, condition: str) -> str:
    """Whether some record of the child in this SQL name is so."""
    return f"exists (select from {SCHEMA}.links fellow where fellow.child_id = {child} and {condition})"


def apart_by_adoption(one: str, other: str) -> str:
    """Whether some record of the one child is the other half of an adoption to some record of the other child."""
    return (
        f"exists (select from {SCHEMA}.links a join {SCHEMA}.adoption_pairs p on p.stream_id = a.stream_id"
        f" join {SCHEMA}.links b on b.stream_id = p.other where a.child_id = {one} and b.child_id = {other})"
    )
