"""The daily extract as Standard Safeguarding Dataset tables in CSV: one file a table, recognised by its columns.

The tables of one delivery belong together: persons give relations their names, professionals give involvements theirs, legal
statuses go into the episodes they lie in. An adult (25 or over at the extract; or 18 or over and marked a mother) is no
child's record: adults only fill relations. A care leaver up to 25 keeps the record that began in childhood.
A column that a file does not have is not spoken of, and a blank id joins nobody to anybody.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from services.plumbing.contracts import Codes
from services.plumbing.files import coded, values
from services.plumbing.files.delivery import Options, Source, as_of
from services.plumbing.files.report import FileRefused, Report
from services.plumbing.files.tables import CUT, open_table
from services.plumbing.register.entries import Provenance, Statement
from services.plumbing.register.said import Said
from services.plumbing.register.subjects import key
from services.socialcare.importers import adopting, ssd_assessments, ssd_child, ssd_front_door, ssd_numbers, ssd_plans, ssd_send, telling
from services.socialcare.importers.dataset import Delivery, Reading, Row, RowRefused, each, kind_of, required
from services.socialcare.importers.lines import Line
from services.socialcare.importers.ssd_numbers import flag

ADULT, GROWN = 25, 18
MOST_CODE = 20
EPISODE_CODES = {
    "clae_cla_episode_start_reason": ("rne", "rne"),
    "clae_cla_primary_need_code": ("cin", "need"),
    "clae_cla_episode_ceased_reason": ("rec", "rec"),
}
"""Coded columns: column -> (field, code list)."""

ROLES = {
    "allocated": ("allocated case worker", "allocated worker", "social worker", "allocated social worker", "key worker"),
    "case_team": ("core group member", "family support worker", "case team", "support worker"),
    "reviewing": ("independent reviewing officer", "iro", "reviewing officer", "conference chair"),
    "health_named": ("health visitor", "school nurse"),
    "centre_registered": ("children's centre worker", "childrens centre worker"),
    "welfare_officer": ("education welfare officer", "attendance officer"),
    "virtual_school": ("virtual school officer", "virtual school"),
}
"""How case systems name roles, and which relationship each is evidence of."""
PLACED = (
    "placement", "placed", "foster", "care", "residential", "children s home", "childrens home", "secure", "respite", "adopt",
    "supported", "independent", "lodging", "refuge", "kinship", "connected", "looked after", " lac ", "hostel", " unit ", "custod",
)  # fmt: skip
"""Words by which systems tell that an address is that of a placement."""
AGENCIES = {"health_named": "health", "centre_registered": "childrens_centre", "welfare_officer": "education", "virtual_school": "education"}


def recognise(path: Path, name: str, options: Options, codes: Codes, delivery: Delivery) -> Source:
    """One table of the dataset, checked whole. Raises FileRefused."""
    table = open_table(path, name=name)
    found = next((one for one in _TABLES if one.needs <= set(table.columns)), None)
    if found is None:
        raise FileRefused(name, "the columns are those of no table of the Standard Safeguarding Dataset that is read")
    provenance = Provenance(as_of(name, options), name, table.sha256, options.authority)
    ignored = tuple(column for column in table.columns if column not in found.reads)

    def read(report: Report) -> Iterator[Said]:
        return found.read(Reading(table, provenance, delivery, report, codes))

    return Source(found.order, table.count, read, ignored, table.sha256, ((table.last_row, CUT),) if table.cut else ())


def _person(reading: Reading, number: int, row: Row) -> Said | None:
    local = row["pers_person_id"]
    names = (("given_name", "pers_forename"), ("family_name", "pers_surname"), ("gender", "pers_gender"))
    fields: dict[str, Any] = {name: values.text(row[column]) for name, column in names if column in row}
    fields |= reading.codes_of(number, row, {
        "pers_sex": ("sex", "sex"), "pers_ethnicity": ("ethnicity", "ethnicity"), "pers_upn_unknown": ("upn_unknown", "upn_unknown"),
    })  # fmt: skip
    fields |= reading.days(row, birth_date="pers_dob", expected_birth_date="pers_expected_dob", death_date="pers_death_date")
    reading.delivery.persons[local] = fields
    if _is_adult(fields.get("birth_date"), row, reading.provenance.extracted):
        reading.delivery.adults.add(local)
        reading.note()
        return None
    fields["identifiers"] = [values.local_id(local)]
    nhs = values.nhs_number(row.get("pers_common_child_id"))
    if nhs:
        flag(reading.report, number, "pers_common_child_id", nhs)
        fields["identifiers"].append(nhs)
    statements = [Statement("socialcare.person-recorded.v1", "R-IDENT", fields, row=number)]
    statements += ssd_send.flag_of(reading, number, row.get("pers_send_flag", ""))
    return reading.said(local, statements, must_exist=False)


def _is_adult(born: str | None, row: Row, extracted: str) -> bool:
    if born is None:
        return False
    day, at = date.fromisoformat(born), date.fromisoformat(extracted)
    age = at.year - day.year - ((at.month, at.day) < (day.month, day.day))
    mother = (row.get("pers_is_mother") or "").lower() in ("y", "yes", "1", "true")
    return age >= ADULT or (age >= GROWN and mother)


def _address(reading: Reading, number: int, row: Row) -> Said | None:
    person = row["addr_person_id"]
    fields: dict[str, Any] = {"address_id": row["addr_table_id"]}
    if "addr_address_type" in row:
        fields["address_kind"] = _address_kind(row["addr_address_type"])
    if "addr_address_json" in row:
        fields["lines"] = _lines(row["addr_address_json"])
    if "addr_address_postcode" in row:
        fields["postcode"] = reading.postcode(number, row, "addr_address_postcode")
    fields |= reading.days(row, start_date="addr_address_start_date", end_date="addr_address_end_date")
    if fields.get("end_date") is None and fields.get("address_kind") == "home" and (fields.get("lines") or fields.get("postcode")):
        reading.delivery.homes[person] = f"{(fields.get('lines') or [])[:1]}{fields.get('postcode')}"
    if person in reading.delivery.adults:
        return reading.note()
    return reading.said(person, [Statement("socialcare.address-recorded.v1", "R-IDENT", fields, row=number)])


def _address_kind(type: str) -> str:
    """Where a child lives with somebody else is no home of its family: it is hidden from all who may not see placements."""
    plain = f" {normal_words(type)} "
    return "placement" if any(word in plain for word in PLACED) else "home"


def normal_words(text: str) -> str:
    """A text in small letters, with one space for whatever else stands between words."""
    return re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", text).casefold()).strip()


def _lines(text: str) -> list[str]:
    """The lines of an address given as a JSON object or list, or as plain text."""
    try:
        found = msgspec.json.decode(text)
    except RecursionError as error:
        raise RowRefused("addr_address_json", "the JSON is nested too deep") from error
    except (msgspec.DecodeError, UnicodeError):
        return [text] if text else []
    parts = list(found.values()) if isinstance(found, dict) else found if isinstance(found, list) else [found]
    if any(isinstance(part, (dict, list)) for part in parts):
        raise RowRefused("addr_address_json", "expected lines of text, not lists or objects within the address")
    return [str(part) for part in parts if part]


def _professional(reading: Reading, number: int, row: Row) -> Said | None:
    reading.delivery.professionals[row["prof_professional_id"]] = row
    return reading.note()


def _department(reading: Reading, number: int, row: Row) -> Said | None:
    reading.delivery.teams[row["dept_team_id"]] = row.get("dept_team_name", "")
    return reading.note()


def _status(reading: Reading, number: int, row: Row) -> Said | None:
    """A legal status and its days: it is told in the episodes of care that it lies in."""
    status = _status_code(reading, number, row["lega_legal_status"])
    days = reading.days(row, start="lega_legal_status_start_date", end="lega_legal_status_end_date")
    if days.get("start") is None:
        raise RowRefused("lega_legal_status_start_date", "a legal status without its first day cannot be told")
    reading.delivery.statuses.setdefault(row["lega_person_id"], []).append((days["start"], days.get("end"), status))
    reading.delivery.knows_statuses = True
    return reading.note()


def _status_code(reading: Reading, number: int, value: str) -> str | None:
    """`C2`, also from `C2 - Full care order`; words without a code are wider than the code list and left out, but for those that
    tell of adoption: they mean their code."""
    found = values.code(value)
    if order := telling.status_of(found):
        return order
    if found and found.split()[0] in reading.codes["legal_status"]:
        return found.split()[0]
    if found and len(found) > MOST_CODE:
        reading.report.flag(number, "lega_legal_status", found, "words where a code is expected; left out")
        return None
    return coded.check(reading.codes, reading.report, number, "lega_legal_status", found, "legal_status")


def _involvement(reading: Reading, number: int, row: Row) -> Said | None:
    fields: dict[str, Any] = {"involvement_id": row["invo_involvements_id"]}
    ids = (("professional_id", "invo_professional_id"), ("team_id", "invo_professional_team"), ("referral_id", "invo_referral_id"))
    fields |= {name: values.code(row[column]) for name, column in ids if column in row}
    if "invo_professional_role_id" in row:
        fields |= _role(reading, number, row["invo_professional_role_id"])
    fields |= reading.days(row, start_date="invo_involvement_start_date", end_date="invo_involvement_end_date")
    worker = reading.delivery.professionals.get(fields.get("professional_id") or "")
    if worker is not None and "prof_professional_name" in worker:
        fields["professional_name"] = values.text(worker["prof_professional_name"])
    if fields.get("team_id") in reading.delivery.teams:
        called = reading.delivery.teams[fields["team_id"]]
        fields["team_name"] = None if telling.WORD in called.upper() else called
    return reading.said(row["invo_person_id"], [Statement("socialcare.involvement-recorded.v1", "R-CASE", fields, row=number)])


def _role(reading: Reading, number: int, role: str) -> dict[str, Any]:
    """A role as the case system names it, and which relationship it is evidence of."""
    kind = next((kind for kind, names in ROLES.items() if role.strip().lower() in names), "other")
    if kind == "other":
        reading.report.flag(number, "invo_professional_role_id", role, "a role that opens nothing; kept as it is")
    return {"involvement_kind": kind, "role": values.code(role), "organisation_kind": AGENCIES.get(kind, "social_care")}


def _episode(reading: Reading, number: int, row: Row) -> Said | None:
    person = row["clae_person_id"]
    fields: dict[str, Any] = {"episode_id": row["clae_cla_episode_id"]}
    fields |= reading.days(row, decom="clae_cla_episode_start_date", dec="clae_cla_episode_ceased_date")
    fields |= reading.codes_of(number, row, EPISODE_CODES, fields.get("decom"))
    if reading.delivery.knows_statuses and fields.get("decom"):
        statuses = reading.delivery.statuses.get(person, [])
        fields["ls"] = _legal_status(statuses, fields["decom"], fields.get("dec") or reading.provenance.extracted)
    names = (("cla_id", "clae_cla_id"), ("placement_id", "clae_cla_placement_id"), ("referral_id", "clae_referral_id"))
    fields |= {name: values.code(row[column]) for name, column in names if column in row}
    fields |= reading.days(row, entered_care_date="clae_entered_care_date", last_iro_contact_date="clae_cla_last_iro_contact_date")
    line = Line(number, row, reading.report, reading.codes, authority=reading.provenance.authority)
    said = reading.said(person, adopting.episode(line, "clae_cla_episode_ceased_reason", fields))
    return replace(said, aliases=(key("cla", fields["cla_id"]),)) if fields.get("cla_id") else said


def _legal_status(statuses: list[tuple[str, str | None, str | None]], first: str, last: str) -> str | None:
    """The status in force at an episode's end, or the last one before that: a change of status begins a new episode, on the day
    that the one before ended."""
    within = [(start, code) for start, end, code in statuses if (start < last or start <= first) and (end is None or end > first) and code]
    return max(within)[1] if within else None


def _mother(reading: Reading, number: int, row: Row) -> Said | None:
    child, mother = row["moth_childs_person_id"], row["moth_person_id"]
    born, told = reading.delivery.persons.get(child, {}).get("birth_date"), row.get("moth_childs_dob")
    if born and told and reading.day(row, "moth_childs_dob") != born:
        reading.report.flag(number, "moth_childs_dob", told, "not the child's date of birth among the persons; that one stands")
    return reading.said(child, [_relation(reading, child, mother, "mother", number)])


def _member(reading: Reading, number: int, row: Row) -> tuple[str, str]:
    return required(row, "fami_family_id"), required(row, "fami_person_id")


def _family(reading: Reading) -> Iterator[Said]:
    """Everybody with the same family id is related; the table says not how. Children of a family are siblings.

    A family's rows may lie in several files of one delivery.
    """
    rows: dict[str, dict[str, list[int]]] = {}
    for number, row in reading.rows():
        try:
            family, person = _member(reading, number, row)
        except RowRefused as refused:
            reading.report.refuse(number, refused.column, row.get(refused.column), refused.why)
            continue
        rows.setdefault(family, {}).setdefault(person, []).append(number)
        reading.delivery.families.setdefault(family, {})[person] = None
    for family, found in rows.items():
        yield from _relatives(reading, list(reading.delivery.families[family]), found)


def _relatives(reading: Reading, members: list[str], rows: Mapping[str, list[int]]) -> Iterator[Said]:
    """Every child of a family with each of the others. rows: the rows of this file that name a member."""
    last = max(number for numbers in rows.values() for number in numbers)
    for child in members:
        places = tuple((reading.report, number) for number in rows.get(child, ()))
        others = [other for other in members if other != child]
        if child in reading.delivery.persons and child not in reading.delivery.adults and others:
            number = places[0][1] if places else last
            statements = [_relation(reading, child, other, _kind(reading, other), number) for other in others]
            yield replace(reading.said(child, statements), rows=places)
        else:
            reading.report.accepted += len(places)


def _kind(reading: Reading, other: str) -> str:
    if other in reading.delivery.adults:
        return "family member"
    person = reading.delivery.persons.get(other, {})
    return "unborn sibling" if person.get("expected_birth_date") and not person.get("birth_date") else "sibling"


def _relation(reading: Reading, child: str, other: str, relationship: str, number: int) -> Statement:
    delivery = reading.delivery
    fields: dict[str, Any] = {"other_local_id": other, "relationship": relationship}
    person = delivery.persons.get(other, {})
    for name in ("given_name", "family_name", "birth_date", "expected_birth_date"):
        if person.get(name):
            fields[name] = person[name]
    if child in delivery.homes and other in delivery.homes:
        fields["lives_with_child"] = "yes" if delivery.homes[child] == delivery.homes[other] else "no"
    return Statement("socialcare.relation-recorded.v1", "R-IDENT", fields, row=number)


_TABLES = (
    kind_of(0, "pers_person_id pers_dob", "pers_forename pers_surname pers_sex pers_gender pers_ethnicity pers_upn_unknown pers_expected_dob pers_death_date pers_is_mother pers_common_child_id pers_send_flag", each(_person, "pers_person_id")),
    kind_of(1, "addr_table_id addr_person_id", "addr_address_json addr_address_type addr_address_postcode addr_address_start_date addr_address_end_date", each(_address, "addr_person_id", "addr_table_id")),
    kind_of(1, "lega_person_id lega_legal_status", "lega_legal_status_id lega_legal_status_start_date lega_legal_status_end_date", each(_status, "lega_person_id")),
    kind_of(1, "prof_professional_id", "prof_professional_name", each(_professional, "prof_professional_id")),
    kind_of(1, "dept_team_id dept_team_name", "", each(_department, "dept_team_id")),
    kind_of(2, "invo_involvements_id invo_person_id", "invo_professional_id invo_professional_role_id invo_professional_team invo_involvement_start_date invo_involvement_end_date invo_referral_id", each(_involvement, "invo_person_id", "invo_involvements_id")),
    kind_of(2, "fami_family_id fami_person_id", "", _family),
    kind_of(2, "moth_person_id moth_childs_person_id", "moth_table_id moth_childs_dob", each(_mother, "moth_childs_person_id", "moth_person_id")),
    kind_of(2, "clae_cla_episode_id clae_person_id", "clae_cla_episode_start_date clae_cla_episode_ceased_date clae_cla_episode_start_reason clae_cla_primary_need_code clae_cla_episode_ceased_reason clae_cla_id clae_cla_placement_id clae_referral_id clae_entered_care_date clae_cla_last_iro_contact_date", each(_episode, "clae_person_id", "clae_cla_episode_id")),
    *ssd_numbers.TABLES,
    *ssd_front_door.TABLES,
    *ssd_assessments.TABLES,
    *ssd_plans.TABLES,
    *ssd_child.TABLES,
    *ssd_send.TABLES,
)  # fmt: skip
