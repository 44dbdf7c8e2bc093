"""The return of children looked after of a year: what the register holds of a child as rows of its twelve tables.

A child is in the return when it was in care on a day of the year, or when an earlier return told something of that year. Who is
in it brings what has no date of its own: the order before, the decision and the match for adoption, UASC.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from services.plumbing.register.entries import Held
from services.socialcare.returns import ssda903_rows as cells_of
from services.socialcare.returns.account import Account
from services.socialcare.returns.holding import Holding, once
from services.socialcare.returns.ssda903_rows import Cells, Fields
from services.socialcare.returns.year import Year

TABLES: dict[str, tuple[str, ...]] = {
    name: tuple(columns.split())
    for name, columns in {
        "Header": "CHILD SEX DOB ETHNIC UPN MOTHER MC_DOB",
        "Episodes": "CHILD DECOM RNE LS CIN PLACE PLACE_PROVIDER DEC REC REASON_PLACE_CHANGE HOME_POST PL_POST URN",
        "Reviews": "CHILD DOB REVIEW REVIEW_CODE",
        "UASC": "CHILD SEX DOB DUC",
        "OC2": "CHILD DOB SDQ_SCORE SDQ_REASON CONVICTED HEALTH_CHECK IMMUNISATIONS TEETH_CHECK HEALTH_ASSESSMENT SUBSTANCE_MISUSE "
        "INTERVENTION_RECEIVED INTERVENTION_OFFERED",
        "OC3": "CHILD DOB IN_TOUCH ACTIV ACCOM",
        "AD1": "CHILD DOB DATE_INT DATE_MATCH FOSTER_CARE NB_ADOPTR SEX_ADOPTR LS_ADOPTR",
        "PlacedAdoption": "CHILD DOB DATE_PLACED DATE_PLACED_CEASED REASON_PLACED_CEASED",
        "PrevPerm": "CHILD DOB PREV_PERM LA_PERM DATE_PERM",
        "Missing": "CHILD DOB MISSING MIS_START MIS_END",
        "SWEpisodes": "CHILD DOB SW_ID SW_DECOM SW_DEC SW_REASON",
        "DoLo": "CHILD DOB DOLO_START DOLO_END",
    }.items()
}
LETTERS_SINCE, WORKERS_SINCE = 2025, 2024
SEXES = {"M": "1", "F": "2"}
"""Sex as returns before 2025 wrote it: there was no code for what is not known."""
REASONS_FOR_NO_UPN = frozenset({"UN1", "UN2", "UN3", "UN4", "UN5"})
OWN = "903 "
"""So begin the names of entries that a return told."""
UNACCOMPANIED = "UASC"
NO_DATE = "left out: it has no date"
NOT_IN_CARE = "left out: the child was not in care at that time"
NO_FIGURE = "left out: the daily extract tells of single checks, or of today, and not of the year"
NO_NUMBER = "left out: the daily extract does not hold the number by which the return names a worker"
Row = tuple[str, tuple[str, ...]]
"""(table, cells in the order of its columns)"""


def rows(held: Holding, year: Year, account: Account) -> list[Row]:
    """Everything of one child in the return of a year; nothing of a child that is not in it."""
    child = _Child(held, year)
    local, dated = held.number("local_child_id"), list(child.dated())
    if dated and local is None:
        account.leave_child(None, "Header/CHILD", "left out: the register holds no number of the case system")
        return []
    found = [("Header", child.header()), *dated, *child.undated()] if dated else []
    for where, why in child.left:
        if found or where == "Episodes":
            account.leave(local, where, why)
    account.children += bool(found)
    account.rows.update(table for table, _ in found)
    return [child.row(table, cells) for table, cells in found]


@dataclass
class _Child:
    """One child being written. left: (where, why) of what does not go out."""

    held: Holding
    year: Year
    left: list[tuple[str, str]] = field(default_factory=list)

    def row(self, table: str, cells: Cells) -> Row:
        """A row with whose it is."""
        born = cells_of.day(self.held.person.get("birth_date"))
        found = {"CHILD": self.held.number("local_child_id"), "DOB": born, "SEX": self._sex(), **cells}
        return table, tuple(found.get(column) or "" for column in TABLES[table])

    def header(self) -> Cells:
        """Who the child is. What the register does not hold is blank, and is said."""
        who = self.held.person
        why = who.get("upn_unknown")
        upn = self.held.number("upn") or (why if why in REASONS_FOR_NO_UPN else None)
        told = {"SEX": self._sex(), "DOB": who.get("birth_date"), "ETHNIC": who.get("ethnicity"), "UPN": upn}
        for column in (column for column, value in told.items() if value is None):
            self.left.append((f"Header/{column}", "left blank: the register holds nothing that the return of this year can say"))
        return {"ETHNIC": told["ETHNIC"], "UPN": upn, "MOTHER": cells_of.flag(who.get("mother")), "MC_DOB": cells_of.day(who.get("mc_dob"))}

    def _sex(self) -> str | None:
        found = self.held.person.get("sex")
        return found if self.year.number >= LETTERS_SINCE else SEXES.get(found or "")

    # -- what puts a child in the return

    def dated(self) -> Iterator[tuple[str, Cells]]:
        """The rows that are of the year."""
        care = self._stood("Episodes", "looked-after", "episode_id", "decom", "dec")
        yield from (("Episodes", self._episode(one)) for one in care)
        for table, event, id, begun, ended, write in (
            ("Reviews", "care-review", "review_id", "review", None, cells_of.review),
            ("Missing", "missing", "missing_id", "mis_start", "mis_end", cells_of.missing),
            ("DoLo", "deprivation-of-liberty", "dolo_id", "dolo_start", "dolo_end", cells_of.liberty),
        ):
            yield from ((table, write(one, self.year)) for one in self._stood(table, event, id, begun, ended, care))
        yield from self._yearly()
        yield from self._workers(care)
        yield from (("PlacedAdoption", cells_of.placed(one, self.year)) for one in self._placed() if self._of_the_year(one))

    def _stood(self, table: str, event: str, id: str, begun: str, ended: str | None, care: list[Fields] | None = None) -> list[Fields]:
        """The entries that stood in the year (ended None: that happened in it), none told twice, in the order of their dates.

        care: what the daily extract tells goes out where it fell into one of these episodes; it tells of other children too.
        """
        found = []
        for one in self.held.of(event):
            first = one.fields.get(begun)
            if first is None:
                self.left.append((table, NO_DATE))
            elif self.year.meets(first, one.fields.get(ended) if ended else first):
                if care is None or _own(one, id) or _met(care, first, one.fields.get(ended) if ended else first):
                    found.append(one)
                else:
                    self.left.append((table, NOT_IN_CARE))
        return self._once(table, found, id, begun)

    def _once(self, table: str, found: list[Held], id: str, begun: str) -> list[Fields]:
        kept = once(
            found, same=lambda one: one.fields[begun], own=lambda one: _own(one, id), left=lambda _, why: self.left.append((table, why))
        )
        return sorted((one.fields for one in kept), key=lambda fields: (fields[begun], len(fields[id]), fields[id]))

    def _episode(self, fields: Fields) -> Cells:
        placements = {one.fields["placement_id"]: one.fields for one in self.held.of("placement")}
        apart = {one.fields["adoption_id"]: one.fields for one in self.held.of("adoption")}
        placement = placements.get(fields.get("placement_id"))
        if placement is None:
            self.left.append(("Episodes/PLACE", "left blank: the register knows of no placement in this episode"))
        names = (f"adopted {fields['episode_id']}", f"status {fields['episode_id']}", f"placement {fields.get('placement_id')}")
        told = {name: entry[name] for one in names for entry in [apart.get(one, {})] for name in cells_of.APART if name in entry}
        return cells_of.episode({**fields, **told}, {**(placement or {}), **told}, self.year)

    def _yearly(self) -> Iterator[tuple[str, Cells]]:
        """The figures of the year, as a return told them."""
        name = f"{OWN}{self.year.number}"
        checks, score, leaver = (
            self._figure(*where, name) for where in (("health", "health_id"), ("sdq", "sdq_id"), ("care-leaving", "care_leaving_id"))
        )
        if checks or score:
            yield "OC2", cells_of.health(checks or {}, score or {})
        if leaver:
            yield "OC3", cells_of.care_leaving(leaver)

    def _figure(self, event: str, id: str, name: str) -> Fields | None:
        for one in self.held.of(event):
            if not _own(one, id) and self.year.has(one.fields.get("effective")):
                self.left.append(("OC3" if event == "care-leaving" else "OC2", NO_FIGURE))
        return next((one.fields for one in self.held.of(event) if one.fields[id] == name), None)

    def _workers(self, care: list[Fields]) -> Iterator[tuple[str, Cells]]:
        """Social workers' times, as a return told them. One that goes on puts no child in a later return."""
        for one in sorted(self.held.of("involvement"), key=lambda one: (one.fields.get("start_date") or "", one.fields["involvement_id"])):
            begun, ended = one.fields.get("start_date"), one.fields.get("end_date")
            if begun is None or not self.year.meets(begun, ended):
                continue
            if not _own(one, "involvement_id") or self.year.number < WORKERS_SINCE:
                why = "left out: the return of this year has no such table" if _own(one, "involvement_id") else NO_NUMBER
                self.left += [("SWEpisodes", why)] if one.fields.get("organisation_kind") == "social_care" else []
            elif care or self.year.has(begun) or self.year.has(ended):
                yield "SWEpisodes", cells_of.worker(one.fields, self.year)

    # -- what goes along

    def undated(self) -> Iterator[tuple[str, Cells]]:
        """The rows that a child brings who is in the return."""
        yield from (("UASC", cells_of.uasc(one, self.year)) for one in self._unaccompanied())
        adoptions = sorted((one.fields for one in self.held.of("adoption")), key=lambda fields: fields["adoption_id"])
        yield from (("AD1", cells) for one in adoptions if (cells := cells_of.adopters(one, self.year)))
        yield from (("PlacedAdoption", cells_of.placed(one, self.year)) for one in self._placed() if not self._of_the_year(one))
        for one in sorted((one.fields for one in self.held.of("previous-permanence")), key=lambda fields: fields["permanence_id"]):
            yield "PrevPerm", cells_of.permanence(one, self.year)

    def _unaccompanied(self) -> list[Fields]:
        """The last time that a child was unaccompanied, if it was in the year: the return has room for one."""
        found = [one.fields for one in self.held.of("immigration-status") if one.fields.get("immigration_status") == UNACCOMPANIED]
        stood = [one for one in found if self.year.meets(one.get("start_date") or self.year.first, one.get("end_date"))]
        return sorted(stood, key=lambda fields: (fields.get("end_date") or "9999", fields["status_id"]))[-1:]

    def _placed(self) -> list[Fields]:
        """The placements for adoption that stood in the year."""
        dated = [one for one in self.held.of("adoption") if (day := one.fields.get("date_placed")) and self._stands(one.fields, day)]
        return self._once("PlacedAdoption", dated, "adoption_id", "date_placed")

    def _stands(self, fields: Fields, placed: str) -> bool:
        return self.year.meets(placed, fields.get("date_placed_ceased"))

    def _of_the_year(self, fields: Fields) -> bool:
        return self.year.has(fields["date_placed"]) or self.year.has(fields.get("date_placed_ceased"))


def _own(one: Held, id: str) -> bool:
    """Whether a return told this entry."""
    return str(one.fields[id]).startswith(OWN)


def _met(care: list[Fields], first: str, last: str | None) -> bool:
    """Whether something fell on a day of one of these episodes."""
    return any(one["decom"] <= (last or "9999") and first <= (one.get("dec") or "9999") for one in care)
