"""The return of children looked after (SSDA903), in whatever form: what one row of each of its modules says of a child.

CHILD is the case system's number of the person. A row has no id of its own: its entry is named by its date. An annual
figure (OC2, OC3) is of the return's year, to 31 March. What tells of adoption (AD1, PlacedAdoption, PrevPerm, a placement
A3 to A6, U2 or U5, an end E11 or E12, a legal status D1 or E1) is restricted by statute, whatever else its row says. URN is
Ofsted's number, never a school's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.plumbing.files import values
from services.plumbing.files.delivery import Options, as_of
from services.plumbing.files.report import FileRefused
from services.plumbing.register.complete import Complete, Taken
from services.plumbing.register.entries import Provenance, Statement
from services.plumbing.register.subjects import Key
from services.socialcare.importers import adopting
from services.socialcare.importers.lines import Line, Row, Says
from services.socialcare.importers.placing import Episode, Placed

UNKNOWN_CHILD = "no header row of this child came in this delivery or before"
SEXES = {"1": "M", "2": "F"}
NO_URN = "XXXXXXX"
SUITABLE = {"1": "yes", "2": "no"}
UNACCOMPANIED = "UASC"
EPISODE = "socialcare.looked-after-recorded.v1"


@dataclass
class Delivery:
    """What the modules of one delivery tell each other: each child's birth date, and where it stands."""

    born: dict[str, tuple[str | None, str, int]] = field(default_factory=dict)


def header(line: Line) -> Says:
    """Who the child is. It holds no names. UN1 to UN5 stand in the place of a UPN."""
    fields = line.days(birth_date="dob", mc_dob="mc_dob") | line.yes_no(mother="mother") | line.codes_of(ethnicity=("ethnic", "ethnicity"))
    if "sex" in line.row:
        sex = values.code(line.row["sex"])
        fields["sex"] = line.checked("sex", "sex", SEXES.get(sex or "", sex))
    fields["identifiers"] = [values.local_id(line.child)]
    upn = values.code(line.row.get("upn"))
    if upn and re.fullmatch(r"UN\d", upn.upper(), re.ASCII):
        fields["upn_unknown"] = line.checked("upn", "upn_unknown", upn.upper())
    elif found := values.upn(upn):
        fields["identifiers"].append(found)
        if not found["valid"]:
            line.report.flag(line.number, "upn", found["value"], f"not a valid number ({found['reason']}); kept and marked")
    return [line.says("person", "R-IDENT", fields)]


def episode(line: Line) -> Says:
    """An episode of care, the placement that it ends or goes on with, and whether it ended by adoption."""
    place = line.place or Placed(line.begun("decom"))
    decom, days = line.begun("decom"), line.days(dec="dec")
    name, placement = line.named(decom), f"903 {place.first}"
    fields = {"episode_id": name, "placement_id": placement, "decom": decom} | days
    fields |= line.codes_of(rne=("rne", "rne"), ls=("ls", "legal_status"), cin=("cin", "need"))
    fields |= line.codes_of(rec=("rec", "rec"), first=days.get("dec") or line.last_day) | line.texts(home_post="home_post")
    said = adopting.episode(line, "rec", fields)
    return [*said, *_placement(line, placement, place, decom, days.get("dec"))] if place.last else said


def _placement(line: Line, name: str, place: Placed, decom: str, dec: str | None) -> Says:
    """The placement as its last episode tells it. What tells of adoption is restricted by statute."""
    fields = {"placement_id": name, "start_date": place.start, "end_date": dec}
    fields |= line.codes_of(place=("place", "placement_type"), first=decom, last=dec or line.last_day)
    fields |= line.codes_of(place_provider=("place_provider", "place_provider"))
    fields |= line.codes_of(reason_place_change=("reason_place_change", "place_change"))
    fields |= line.texts(pl_post="pl_post", urn="urn")
    if fields.get("urn") == NO_URN:
        fields["urn"] = None
    return adopting.placement(line, fields)


def review(line: Line) -> Says:
    """A review that was held. Two of one day are two."""
    held = line.begun("review")
    fields = {"review_id": line.named(held), "effective": held, "review": held} | line.codes_of(review_code=("review_code", "review_code"))
    return [line.says("care-review", "R-CARE", fields)]


def uasc(line: Line) -> Says:
    """An unaccompanied asylum seeker, until DUC."""
    fields = {"status_id": f"903 {UNACCOMPANIED}", "immigration_status": UNACCOMPANIED} | line.days(end_date="duc")
    return [line.says("immigration-status", "R-CARE", fields)]


def health(line: Line) -> Says:
    """OC2: the year's checks; and the score, or why there is none, which is taken or refused apart from them."""
    name = {"effective": line.last_day}
    checks = line.yes_no(
        convicted="convicted", health_check="health_check", immunisations="immunisations", teeth_check="teeth_check",
        health_assessment="health_assessment", substance_misuse="substance_misuse", intervention_received="intervention_received",
        intervention_offered="intervention_offered",
    )  # fmt: skip
    score = line.numbers(sdq_score="sdq_score") | line.codes_of(sdq_reason=("sdq_reason", "sdq_reason"))
    return [
        line.says("health", "R-CARE", {"health_id": f"903 {line.year}"} | name | checks, withdrawn=_blank(checks)),
        line.says("sdq", "R-CARE", {"sdq_id": f"903 {line.year}"} | name | score, withdrawn=_blank(score), part=1),
    ]


def _blank(fields: Mapping[str, Any]) -> bool:
    return all(value is None for value in fields.values())


def care_leaving(line: Line) -> Says:
    """OC3: how a care leaver stands. K1 is accommodation K, suitable; K2 the same, not suitable."""
    fields = {"care_leaving_id": f"903 {line.year}", "effective": line.last_day}
    fields |= line.codes_of(in_touch=("in_touch", "in_touch"))
    fields |= line.codes_of(activ=("activ", "activity"), first=f"{line.year - 1}-04-01", last=line.last_day)
    if "accom" in line.row:
        found = values.code(line.row["accom"])
        parts = re.fullmatch(r"([A-Z])([12])", found or "")
        fields["accom"] = line.checked("accom", "accommodation", parts[1] if parts else found)
        fields["accom_suitable"] = SUITABLE[parts[2]] if parts else None
    return [line.says("care-leaving", "R-LEAVER", fields)]


def adopters(line: Line) -> Says:
    """AD1: the decision, the match and the adopters."""
    fields = line.days(date_int="date_int", date_match="date_match") | line.yes_no(foster_care="foster_care")
    fields |= line.numbers(nb_adoptr="nb_adoptr")
    fields |= line.codes_of(sex_adoptr=("sex_adoptr", "adopter_sex"), ls_adoptr=("ls_adoptr", "adopter_status"))
    return [adopting.adoption(line, "903", fields.get("date_match") or fields.get("date_int"), fields)]


def placed_for_adoption(line: Line) -> Says:
    """PlacedAdoption: placed with adopters, until the order or until it ceased."""
    placed = line.begun("date_placed")
    fields = {"date_placed": placed} | line.days(date_placed_ceased="date_placed_ceased")
    fields |= line.codes_of(reason_placed_ceased=("reason_placed_ceased", "placed_ceased"))
    return [adopting.adoption(line, line.named(placed), placed, fields)]


def previous_permanence(line: Line) -> Says:
    """PrevPerm: whether care ended before by adoption or another order. zz stands for a day or a month that is not known."""
    return [adopting.permanence(line, "903", prev_perm="prev_perm", la_perm="la_perm", date_perm="date_perm")]


def missing(line: Line) -> Says:
    """Missing from care, or away without authorisation."""
    begun, kind = line.begun("mis_start"), line.codes_of(missing=("missing", "missing"))
    fields = {"missing_id": f"903 {begun} {kind.get('missing') or ''}".strip(), "mis_start": begun} | kind | line.days(mis_end="mis_end")
    return [line.says("missing", "R-CARE", fields)]


def social_worker(line: Line) -> Says:
    """A social worker's time with the child. A yearly return is no evidence of who works with a child today: it opens nothing."""
    worker, begun = line.required("sw_id"), line.begun("sw_decom")
    fields = {
        "involvement_id": f"903 {worker} {begun}", "professional_id": worker, "involvement_kind": "other", "role": "Social worker (903)",
        "organisation_kind": "social_care", "start_date": begun,
    }  # fmt: skip
    fields |= line.days(end_date="sw_dec") | line.codes_of(sw_reason=("sw_reason", "sw_reason"))
    return [line.says("involvement", "R-CASE", fields)]


def deprivation_of_liberty(line: Line) -> Says:
    """An order that lets a child be deprived of liberty."""
    begun = line.begun("dolo_start")
    fields = {"dolo_id": line.named(begun), "dolo_start": begun} | line.days(dolo_end="dolo_end")
    return [line.says("deprivation-of-liberty", "R-CARE", fields)]


@dataclass
class Named:
    """What a return names of each child: its episodes and placements. An episode whose start was corrected is no longer named,
    and another takes its time; one that is left out for another reason stays until a person withdraws it."""

    year: int
    episodes: dict[Key, set[tuple[str]]] = field(default_factory=dict)
    placements: dict[Key, set[tuple[str]]] = field(default_factory=dict)

    def add(self, child: Key, said: Iterable[Statement]) -> None:
        """What was said of a child."""
        for one in said:
            if one.type == EPISODE:
                self.episodes.setdefault(child, set()).add((one.fields["episode_id"],))
                self.placements.setdefault(child, set()).add((one.fields["placement_id"],))

    def complete(self, provenance: Provenance) -> list[Complete]:
        """What the return was complete for."""
        return [
            self._complete(provenance, EPISODE, self.episodes, "decom", "dec"),
            self._complete(provenance, "socialcare.placement-recorded.v1", self.placements, "start_date", "end_date"),
        ]

    def _complete(self, provenance: Provenance, type: str, held: Mapping[Key, set[tuple[str]]], start: str, end: str) -> Complete:
        taken = Taken("903 ", start, end, since=f"{self.year - 1}-04-01")
        found = {child: frozenset(names) for child, names in held.items()}
        return Complete(type, "R-CARE", provenance, "", {}, (start, "", provenance.extracted), found, taken)


@dataclass(frozen=True)
class Module:
    """One module: the columns it is recognised by, those read besides, what a row says, and the column whose date names its
    entries (where a date may come twice)."""

    needs: frozenset[str]
    also: frozenset[str]
    says: Callable[[Line], Says]
    dated: str | None = None

    @property
    def reads(self) -> frozenset[str]:
        """Every column of which something is taken or compared."""
        return self.needs | self.also | {"child", "dob"}

    @property
    def own(self) -> frozenset[str]:
        """The columns that no other module has."""
        return self.reads - {"child", "dob", "sex"}


def _module(needs: str, also: str, says: Callable[[Line], Says], dated: str | None = None) -> Module:
    return Module(frozenset(needs.split()), frozenset(also.split()), says, dated)


HEADER = _module("child sex dob ethnic upn", "mother mc_dob", header)
EPISODES = _module(
    "child decom rne ls place dec rec", "cin place_provider reason_place_change home_post pl_post urn", episode, "decom"
)  # fmt: skip
UASC = _module("child sex dob duc", "", uasc)
OTHERS = (
    _module("child review review_code", "", review, "review"),
    _module(
        "child sdq_score sdq_reason",
        "convicted health_check immunisations teeth_check health_assessment substance_misuse intervention_received intervention_offered",
        health,
    ),
    _module("child in_touch activ accom", "", care_leaving),
    _module("child date_int date_match", "foster_care nb_adoptr sex_adoptr ls_adoptr", adopters),
    _module("child date_placed date_placed_ceased", "reason_placed_ceased", placed_for_adoption, "date_placed"),
    _module("child prev_perm", "la_perm date_perm", previous_permanence),
    _module("child missing mis_start mis_end", "", missing),
    _module("child sw_id sw_decom", "sw_dec sw_reason", social_worker),
    _module("child dolo_start dolo_end", "", deprivation_of_liberty, "dolo_start"),
    UASC,
)
MODULES = (HEADER, EPISODES, *OTHERS)


def said_by(line: Line, module: Module, delivery: Delivery) -> Says:
    """What a row says; what is odd about its place among others is flagged. Raises RowRefused."""
    said = module.says(line)
    if module is HEADER:
        delivery.born[line.child] = (said[0].fields["birth_date"], line.report.file, line.number)
    else:
        _compare(line, delivery.born.get(line.child))
    if line.nth > 1:
        line.report.flag(line.number, module.dated, line.row[module.dated or ""], "another row of this child has this date; both are kept")
    if line.place is not None and line.place.odd:
        line.report.flag(line.number, "decom", line.row["decom"], line.place.odd)
    return said


def _compare(line: Line, held: tuple[str | None, str, int] | None) -> None:
    """A birth date beside another module's row is only compared: the header's stands."""
    told = line.row.get("dob", "")
    if held is not None and held[0] is not None and _plain(told) not in ("", held[0]):
        line.report.flag(line.number, "dob", told, f"{held[1]} row {held[2]} says otherwise ({held[0]}); that one stands")


def numbered(rows: Iterable[tuple[int, Row]], dated: str) -> dict[int, int]:
    """Of rows of one child and date the later ones' numbers (2, 3 ...), in the order of what they say."""
    twins: dict[tuple[str | None, str], list[tuple[list[tuple[str, str]], int]]] = {}
    for number, row in rows:
        twins.setdefault((row.get("child"), _plain(row[dated])), []).append((sorted(row.items()), number))
    return {number: nth for found in twins.values() for nth, (_, number) in enumerate(sorted(found), 1) if nth > 1}


def _plain(date: str) -> str:
    """A date however it is written; what is none, as it is."""
    try:
        return values.day(date) or ""
    except values.Unreadable:
        return date


def year_of(name: str, options: Options) -> tuple[int, str]:
    """The return's year (to 31 March), and as of when the file speaks: by the option or the name, or by one of them for both.

    Raises FileRefused when neither says anything, or when the two cannot both be.
    """
    said = options.collection or next(iter(re.findall(r"903[ _-]?(20\d{2})(?!\d)", name)), None)
    if said is not None and not re.fullmatch(r"20\d{2}(-\w+)?", said, re.ASCII):
        raise FileRefused(name, f"the collection {said} is not the year of a return", option="--collection 2026")
    said = said and said[:4]
    extracted = as_of(name, options, otherwise=f"{said}-03-31" if said else None)
    if said is None:
        return int(extracted[:4]) - (extracted[5:] < "03-31"), extracted
    if extracted < f"{int(said) - 1}-04-01":
        raise FileRefused(name, f"the file speaks as of {extracted}, before the year of the return {said} began")
    return int(said), extracted


def episode_of(number: int, row: Row) -> Episode | None:
    """What decides which placement an episode belongs to; None where its dates cannot be read."""
    try:
        decom, dec = values.day(row.get("decom")), values.day(row.get("dec"))
    except values.Unreadable:
        return None
    where = (values.code(row.get("place")) or "", values.code(row.get("pl_post")) or "")
    return Episode(decom, dec, values.code(row.get("rne")) or "", where, number) if decom else None
