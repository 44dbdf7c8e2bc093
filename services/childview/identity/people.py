"""What people decide, as decisions: the same, different, undo; and what an adoption parts. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from services.childview.identity.compare import compare
from services.childview.identity.decide import ORDINARY, PROTECTION, Decision, Linked, NewId, Pair, new_child
from services.childview.identity.demographics import Demographics
from services.childview.identity.holds import Open, stand
from services.childview.identity.names import Spelling
from services.childview.identity.resembles import consistent, near


def merge(
    pair: Pair,
    *,
    moving: Mapping[str, Linked],
    into: str,
    staying: Mapping[str, Linked],
    pairs: Iterable[Open] = (),
    shielded: bool = False,
    by: str,
    reason: str,
) -> Decision:
    """People said: the same. Every record of the one child goes to the other.

    pairs: every open pair of the two children. Those with a third child in the protection team's queue stay open, and what
    is withheld for them stays withheld; the other third ones are decided, and stand in the event, so that `unmerge` opens
    them again.
    """
    together = {**moving, **staying}
    outside = [one for one in pairs if not set(one.records) <= together.keys()]
    kept = [one for one in outside if one.pair.queue == PROTECTION]
    closes = [one.pair for one in pairs if set(one.records) <= together.keys()]
    closes += [one.pair for one in outside if one not in kept and one.pair.record in together]
    sets = {record: _merged(record, was, into, kept, shielded) for record, was in together.items()}
    return Decision("merge", sets, closes=tuple(dict.fromkeys((pair, *closes))), by=by, reason=reason)


def _merged(record: str, was: Linked, into: str, kept: Iterable[Open], shielded: bool) -> Linked:
    verified = replace(was, child=into, basis="verified")
    return stand(record, verified, pairs=kept, shielded=shielded, ending=False)[0]


def keep_apart(
    pair: Pair,
    *,
    links: Mapping[str, Linked],
    pairs: Sequence[Open],
    shielded: Collection[str] = (),
    by: str,
    reason: str,
) -> Decision:
    """People said: different. It sticks for the two children's records; each is free when nothing else holds it.

    links: how the records in these pairs are linked. pairs: every open pair of the two children. shielded: the children
    among them that are protected.
    """
    one, other = links[pair.record].child, links[pair.candidate].child
    closes = [found.pair for found in pairs if found.between(one, other)]
    rest = [found for found in pairs if not found.between(one, other)]
    freed = {name for found in (pair, *closes) for name in (found.record, found.candidate)}
    sets = {
        name: stand(name, links[name], pairs=rest, shielded=links[name].child in shielded)[0] for name in sorted(freed)
    }
    return Decision(
        "not-same",
        {name: to for name, to in sets.items() if name == pair.record or to != links[name]},
        closes=tuple(dict.fromkeys((pair, *closes))),
        not_same=((pair.record, pair.candidate),),
        by=by,
        reason=reason,
    )


@dataclass(frozen=True)
class Parting:
    """What an unmerge parts: the records that go back, those that stay, and those that came later.

    pairs: every open pair of the child. reopens: pairs with third children that the merge had decided. shields: for each
    record the records of protected children it resembles. protected: the records that a protection names today.
    had: the child that a later one was before it came to this one.
    """

    number: int
    back: Mapping[str, Linked]
    stayed: Mapping[str, Linked]
    later: Mapping[str, Linked]
    pairs: Sequence[Open] = ()
    reopens: Sequence[Open] = ()
    shields: Mapping[str, Sequence[str]] | None = None
    protected: Collection[str] = ()
    had: Mapping[str, str] | None = None


def unmerge(parting: Parting, *, by: str, reason: str, new_id: NewId = new_child) -> Decision:
    """Undo a merge: its records go back to the children they had; what came later is held, a child of its own each.

    What is withheld, and in whose queue, is found anew: a hold that came since is never undone by what stood before.
    """
    sides = {**parting.stayed, **parting.back}
    shielded = {was.child for record, was in sides.items() if record in parting.protected}
    sets: dict[str, Linked] = {}
    opens: list[Pair] = [one.pair for one in parting.reopens]
    held = [*parting.pairs, *parting.reopens]
    for record, was in sides.items():
        shields = (parting.shields or {}).get(record, ())
        sets[record], more = stand(record, was, pairs=held, shields=shields, shielded=was.child in shielded)
        opens += more
    for record in parting.later:
        alone = Linked((parting.had or {}).get(record) or new_id(), "new", "held")
        mine = [*held, *_with_sides(record, alone.child, parting, shielded)]
        shields = (parting.shields or {}).get(record, ())
        sets[record], more = stand(record, alone, pairs=mine, shields=shields, shielded=record in parting.protected)
        queue = PROTECTION if sets[record].withheld or record in parting.protected else ORDINARY
        opens += [replace(one.pair, queue=queue) for one in mine if one.pair.record == record]
        opens += more
    apart = tuple((one, other) for one in sorted(parting.back) for other in sorted(parting.stayed))
    return Decision("unmerge", sets, opens=_once(opens), not_same=apart, by=by, reason=reason, undoes=parting.number)


def _once(opens: Iterable[Pair]) -> tuple[Pair, ...]:
    """Each pair once, whichever of the two it is of: two sides that are both protected each resemble the other. The protection
    team's where any is."""
    found: dict[frozenset[str], Pair] = {}
    for pair in opens:
        first = found.setdefault(frozenset((pair.record, pair.candidate)), pair)
        if pair.queue == PROTECTION or pair.record == first.record:
            found[frozenset((pair.record, pair.candidate))] = replace(first, queue=pair.queue)
    return tuple(found.values())


def _with_sides(record: str, child: str, parting: Parting, shielded: Collection[str]) -> list[Open]:
    """A pair of a later record with each side: which of the two it belongs to is for people to say."""
    met = {one.other(record) for one in parting.pairs if record in one.records}
    firsts = [(name, side[name].child) for side in (parting.back, parting.stayed) for name in sorted(side)[:1]]
    return [
        Open(Pair(record, name, ORDINARY), child, other, candidate_protected=other in shielded)
        for name, other in firsts
        if name not in met
    ]


def sides(
    record: str, other: str, members: Collection[str], who: Mapping[str, Demographics], spelling: Spelling
) -> tuple[list[str], list[str]]:
    """Of one child's records, those that go with `other` when an adoption parts it from `record`, and those that nobody
    can tell: what is the same as the one, or alike to it alone, is the one's."""
    going, unclear = [other], []
    for name in sorted(set(members) - {record, other}):
        former, new = (_strength(who, name, half, spelling) for half in (record, other))
        if new > former:
            going.append(name)
        elif new == former:
            unclear.append(name)
    return going, unclear


def _strength(who: Mapping[str, Demographics], one: str, other: str, spelling: Spelling) -> int:
    """2: a number agrees and nothing speaks against it. 1: much alike. 0: not."""
    if one not in who or other not in who:
        return 0
    found = compare(who[one], who[other], spelling)
    return 2 if found.shared and consistent(found) else int(near(found))


def part(
    record: str,
    going: Mapping[str, Linked],
    unclear: Mapping[str, Linked],
    *,
    pairs: Sequence[Open],
    shields: Mapping[str, Sequence[str]],
    protected: Collection[str],
    former_protected: bool,
    new_id: NewId = new_child,
) -> Decision:
    """An adoption makes two children: one side leaves, with no trace of why; what nobody can tell is held against the
    former child. What is withheld for a third child stays withheld."""
    child = new_id()
    sets: dict[str, Linked] = {}
    opens: list[Pair] = []
    shielded = any(name in protected for name in going)
    for name, was in going.items():
        to = replace(was, child=child, basis="new" if name == next(iter(going)) else "automatic")
        sets[name], more = stand(name, to, pairs=pairs, shields=shields.get(name, ()), shielded=shielded, ending=False)
        opens += more
    for name, was in unclear.items():
        alone = Linked(new_id(), "new", "held", was.withheld)
        queue = PROTECTION if former_protected or name in protected or was.withheld else ORDINARY
        mine = Open(Pair(name, record, queue), alone.child, "", candidate_protected=former_protected)
        sets[name], more = stand(
            name, alone, pairs=[*pairs, mine], shields=shields.get(name, ()), shielded=name in protected, ending=False
        )
        opens += [mine.pair, *more]
    return Decision("move", sets, opens=tuple(opens))
