"""An invented authority, written as the files that schools and social care deliver. Everyone in it is invented."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from deploy.local.authority import casework, earlier, mis, protecting, scenarios, schooling, staff, transfers
from deploy.local.authority.people import Authority, Child, invent
from deploy.local.authority.scenarios import Story
from services.plumbing.files import values

Progress = Callable[[str, int, int], None]


def generate(out: Path, *, children: int, seed: int, today: date, progress: Progress = lambda what, done, total: None) -> dict[str, Any]:
    """Write everything below `out` and return the manifest. The same bytes for the same arguments.

    education/ (a folder a delivery) and socialcare/ hold what the importers take; later/ two files of the next day, one that
    corrects a mark and one that deletes a contact; returns/ what the authority returns of the last year; staff.csv and personas.json say who works here; truth.csv says which records are one child; the other files tell the loader what to
    protect, pair, declare and park, and `make demo` what to print.
    """
    out.mkdir(parents=True, exist_ok=True)
    authority = invent(children, seed=seed, today=today)
    earlier.add(authority)
    story = scenarios.add(authority)
    workers = casework.workforce(authority)
    casework.allocate(authority, workers)
    protecting.add(authority, story)
    pupils = schooling.write(out / "education", authority, progress)
    transfers.write(out / "education", authority)
    known = casework.write(out, authority, workers)
    members = staff.write(out, authority, workers)
    _truth(out / "truth.csv", authority.children)
    for name in ("protections", "adoption_pairs", "conflicts", "scenarios", "parked"):
        _json(out / f"{name}.json", getattr(story, name))
    manifest = _manifest(authority, story, children) | {
        "counts": {
            "children": sum(child.known for child in authority.children), "schools": len(authority.schools), "pupils": pupils,
            "social_care_children": known, "practitioners": len(members), **_levels(authority), **_protected(story),
        },
    }  # fmt: skip
    manifest["correction"] = _correction(out, authority, story.children["corrected"])
    manifest["deletion"] = _deletion(out, authority, story.children["corrected"])
    manifest["files"] = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    _json(out / "manifest.json", manifest)
    return manifest


def _manifest(authority: Authority, story: Story, children: int) -> dict[str, Any]:
    ending = story.children["ending"]
    see = f"{ending.given} {ending.family}: as her worker, what the open case showed is gone."
    return {
        "children": children, "seed": authority.seed, "today": authority.today.isoformat(), "invented": True,
        "ending": {"local_id": ending.local_id, "involvement_id": f"I{ending.number}-0", "see": see},
    }  # fmt: skip


def _levels(authority: Authority) -> dict[str, int]:
    cases = [child.case for child in authority.children if child.case]
    levels = [case.level for case in cases if case.open]
    return {
        "in_need": len(levels), "plans": levels.count("protection"), "looked_after": levels.count("looked_after"),
        "care_leavers": sum(case.level == "care_leaver" for case in cases),
        "early_help": sum(child.early_help for child in authority.children),
    }  # fmt: skip


def _protected(story: Story) -> dict[str, int]:
    kinds = [one["protection_kind"] for one in story.protections]
    return {kind: kinds.count(kind) for kind in ("shielded", "adopted", "risk_linked")}


def _correction(out: Path, authority: Authority, child: Child) -> dict[str, Any]:
    """One file of a later day that makes one present mark an absence."""
    told = scenarios.correction(authority, child)
    row = {"student_id": child.number, "date": told["date"], "session": told["session"], "attendance_code_id": schooling.CODES[told["after"]]}
    path = out / "later" / "marks-correction.json"
    schooling.write_marks(path, child.school or "", [child], [row], extracted=authority.today)
    return told | {"file": str(path.relative_to(out))}


def _deletion(out: Path, authority: Authority, child: Child) -> dict[str, Any]:
    """One file of a later day in which the school's system deleted a grandparent."""
    path = out / "later" / "contact-deletion.json"
    mis.write(path, child.school or "", authority.today, deletions=[mis.deletion(child, 2, authority.today)])
    return {"file": str(path.relative_to(out)), "search": scenarios.search(child)}


def _truth(path: Path, children: list[Child]) -> None:
    """Which records are one child: service, the record's key there and of what kind it is, the child's number.

    A pupil without a good number may come to two records, one from the census and one from the school's own system.
    """
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(["service", "record", "child", "kind"])
        for child in children:
            if child.school:
                writer.writerow(["education", child.pupil_id, child.number, "census"])
            if child.school and not (child.upn and values.upn(child.upn)["valid"]):
                writer.writerow(["education", f"{child.school}|{child.number}", child.number, "mis"])
            if child.came_from:
                writer.writerow(["education", child.leaver_id, child.number, "census"])
            if child.social_care:
                writer.writerow(["socialcare", child.local_id, child.number, "local_id"])


def _json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
