"""Named children, one for every promise: who to be, whom to look for, what is to be seen."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random
from typing import Any

from deploy.local.authority import earlier
from deploy.local.authority.calendar import marked_days
from deploy.local.authority.people import Authority, Case, Child, nhs_number, upn

SOCIAL_WORKER, ENDED, RELATIVE, UNTRAINED = "sw-001", "sw-002", "sw-003", "sw-004"
"""The first four social workers are people one can be."""


@dataclass
class Story:
    """Everything the scenarios add to the authority and to what is told of it."""

    children: dict[str, Child] = field(default_factory=dict)
    protections: list[dict[str, Any]] = field(default_factory=list)
    adoption_pairs: list[dict[str, str]] = field(default_factory=list)
    conflicts: list[dict[str, Any]] = field(default_factory=list)
    scenarios: list[dict[str, Any]] = field(default_factory=list)
    parked: dict[str, Any] = field(default_factory=dict)

    def tell(self, name: str, be: str, see: str, *, child: Child | None, purpose: str = "casework", path: str = "view") -> None:
        """One scenario, as `make demo` prints it."""
        self.scenarios.append({"name": name, "be": be, "purpose": purpose, "search": search(child) if child else None, "see": see, "path": path})


def search(child: Child) -> dict[str, Any]:
    """What to type to find a child."""
    if child.born is None:
        return {"identifier": {"type": "local_child_id", "value": child.local_id}}
    return {"family_name": child.family, "given_name": child.given, "birth_date": child.born.isoformat()}


def add(authority: Authority) -> Story:
    """Put the named children into the authority."""
    story = Story()
    maker = _Maker(authority, story)
    for part in (
        _clue, _protected, _in_care, _left_care, _helped, _twins, _shielded, _adopted, _ended, _relative, _untrained, _two_dates,
        _unborn, _parked, _corrected, _ending,
    ):  # fmt: skip
        part(maker, story)
    authority.children.extend(story.children.values())
    return story


class _Maker:
    """Makes named children: numbers follow the authority's own."""

    def __init__(self, authority: Authority, story: Story) -> None:
        self.today = authority.today
        self.school = authority.schools[0]
        self.luck = Random(f"{authority.seed} scenarios")
        self._story = story
        self._next = max(child.number for child in authority.children) + 1
        self._household = max(child.household for child in authority.children)

    def child(self, name: str, given: str, family: str, age: float, *, worker: str | None = None, **changes: Any) -> Child:
        """A child of the demonstration's school, known to both services, and in need if someone works with them."""
        number, self._next = self._next, self._next + 1
        self._household += "household" not in changes
        born = self.today - timedelta(days=int(age * 365.25))
        case = Case("need", self.today - timedelta(days=90), "N1", self.workers(worker)) if worker else None
        made = Child(
            number=number, given=given, family=family, born=born, sex="F", household=self._household, upn=upn(number),
            nhs=nhs_number(number), school=self.school, case=case, social_care=True, social_upn=upn(number), story=True,
        )  # fmt: skip
        made = replace(made, **changes)
        self._story.children[name] = made
        return made

    def change(self, name: str, **changes: Any) -> Child:
        """A child made before, otherwise."""
        made = replace(self._story.children[name], **changes)
        self._story.children[name] = made
        return made

    @staticmethod
    def workers(worker: str) -> tuple[tuple[str, str, str], ...]:
        """One allocated worker, of the first team."""
        return (("Allocated Social Worker", worker, "team-1"),)


def _clue(make: _Maker, story: Story) -> None:
    child = make.child("clue", "Jamila", "Scherbenfeld", 9, worker=SOCIAL_WORKER, falling=True, absence=0.18)
    case = Case("need", make.today - timedelta(days=16), "N1", child.case.workers if child.case else ())
    story.children["clue"] = replace(child, case=case)
    story.tell("The clue across files", SOCIAL_WORKER, "Attendance falls from week to week while a referral is open: both stand in one chronology, with the contact it came of, an assessment that has begun, visits, and her own answers.", child=child)
    story.tell("The same child, as her teacher", "teacher", "Her attendance and school life, and nothing that says that social care is involved.", child=child)
    story.tell("The same child, with no relation", "health-visitor", "Who she is and whom to ask: no attendance, no referral.", child=child, purpose="enquiry")


def _protected(make: _Maker, story: Story) -> None:
    case = Case("protection", make.today - timedelta(days=260), "N1", make.workers(SOCIAL_WORKER), eventful=True)
    child = make.child("protected", "Tobias", "Schutzplanov", 8, case=case, sex="M")
    story.tell("A child on a protection plan", SOCIAL_WORKER, "How it came to the plan: contact, assessment with its factors, section 47 enquiry, conference; then reviews and visits, and when the next review is due.", child=child)
    story.tell("The same child, as the safeguarding lead of the school", "lead-1", "Which kind of plan there is and when it is reviewed; no category of abuse, no enquiry, no conference.", child=child)


def _in_care(make: _Maker, story: Story) -> None:
    people = (*make.workers(SOCIAL_WORKER), ("Independent Reviewing Officer", "iro-1", ""), ("Virtual School Officer", "vs-1", ""))
    case = Case("looked_after", make.today - timedelta(days=520), "N1", people, eventful=True)
    child = make.child("in care", "Amira", "Pflegekindova", 13, case=case, sen="E", young_carer="S")
    story.tell("A child in care", SOCIAL_WORKER, "Episodes with their legal status, placements, reviews and the next one due, SDQ scores, health checks, two episodes of being missing with their return interviews, an EHC plan.", child=child)
    story.tell("The same child, as the virtual school", "virtual-school-officer", "How school goes, that she is in care and what her reviews were; where she lives is only noted.", child=child, purpose="review")
    story.tell("The same child, as her teacher in school", "teacher", "A pupil with an EHC plan: nothing says that she is in care.", child=child)


def _left_care(make: _Maker, story: Story) -> None:
    child = make.child("left care", "Jonas", "Ausgezogenow", 19, sex="M")
    child = earlier.left_care(make.luck, child, make.today, age=19.3)
    assert child.case is not None
    case = replace(child.case, workers=(("Allocated Worker", SOCIAL_WORKER, "team-1"),), eventful=True)
    child = make.change("left care", born=child.born, school=None, case=case)
    story.tell("A care leaver", SOCIAL_WORKER, "As his adviser: until when he is entitled to support, whether they are in touch, his activity and lodging, when the pathway plan was reviewed. His time in care is noted.", child=child)


def _helped(make: _Maker, story: Story) -> None:
    child = make.child("helped", "Wren", "Fruhhilfova", 6, early_help=True)
    story.tell("Early help", "lead-1", "That early help is open and which kind of agency leads it; not why. No case of social care.", child=child)


def _twins(make: _Maker, story: Story) -> None:
    ada = make.child("twin", "Ada", "Zwillingsson", 11)
    ida = make.child("other twin", "Ida", "Zwillingsson", 11, household=ada.household, born=ada.born)
    story.children["twin"] = replace(ada, social_upn=ida.upn)
    story.children["other twin"] = replace(ida, social_upn=ada.upn)
    story.tell("A twin pair, each with the other's number", "clearing-house-officer", "Nothing was linked by the numbers: the pairs are held. `GET /v1/duplicates` shows them side by side, `POST /v1/duplicates/{id}/decision` decides.", child=ada, purpose="data_quality", path="duplicates")


def _shielded(make: _Maker, story: Story) -> None:
    child = make.child("shielded", "Noor", "Verborgenwald", 8, worker=SOCIAL_WORKER, school=None, upn=None, social_upn=None)
    typed = make.child("mistyped", "Noor", "Verborgenwalt", 8, born=child.born, upn=None, social_upn=None, social_care=False)
    story.protections.append(protection(child, "shielded", make.today, named=[SOCIAL_WORKER]))
    story.tell("A shielded child with a mistyped school record", "teacher", "Nothing, although the school wrote the record: it resembles a shielded child.", child=typed, path="not found")
    story.tell("The same, as the protection team", "protection-officer", "The child, and the school's mistyped record waiting in the protection queue.", child=child, purpose="enquiry")


def _adopted(make: _Maker, story: Story) -> None:
    before = make.child("before adoption", "Mira", "Vormalsberg", 7)
    after = make.child("after adoption", "Maya", "Nachmalsberg", 7, born=before.born)
    make.change("before adoption", school=None, case=earlier.adopted_case(make.luck, make.today))
    after = make.change("after adoption", plaa="A", former_family=before.family)
    story.protections.append(protection(before, "adopted", make.today, named=[]))
    story.adoption_pairs.append({"one": before.local_id, "other": after.local_id})
    story.tell("A child after adoption", "social-worker", "An ordinary child. Nothing leads to who she was before.", child=after, purpose="enquiry")
    story.tell("The same child, as her teacher after adoption", "teacher", "An ordinary pupil, although the school's own file says that she was adopted and how she was called: only the adoption team may see that.", child=after)
    story.tell("The same child before adoption", "adoption-officer", "The record from before: the decision, the match, the placement, the order. Nobody else finds it, and nothing in it names the other.", child=before)


def protection(child: Child, kind: str, today: date, *, named: list[str]) -> dict[str, Any]:
    """What the protection page is told of a child, as of two months ago."""
    start = (today - timedelta(days=60)).isoformat()
    return {"local_id": child.local_id, "protection_kind": kind, "start_date": start, "named_professional_ids": named}


def _ended(make: _Maker, story: Story) -> None:
    child = make.child("ended", "Theo", "Abschlussmann", 6, worker=ENDED, sex="M")
    assert child.case is not None
    story.children["ended"] = replace(child, case=replace(child.case, ended=make.today - timedelta(days=1)))
    story.tell("An involvement that ended yesterday", ENDED, "What a closing worker may still see for 28 days; it ended by itself.", child=child)


def _relative(make: _Maker, story: Story) -> None:
    child = make.child("relative", "Nia", "Verwandtlova", 10)
    story.conflicts.append({"person": RELATIVE, "search": search(child), "kind": "relative"})
    story.tell("A worker who is a relative", RELATIVE, "No child: she declared that she is a relative. Any other social worker finds her.", child=child, purpose="enquiry", path="not found")


def _untrained(make: _Maker, story: Story) -> None:
    child = make.child("untrained", "Emeka", "Schulungsrest", 12, worker=UNTRAINED, sex="M")
    story.tell("Training that has expired", UNTRAINED, "He is the allocated worker, but his training ended last week: what needs it is not shown.", child=child)


def _two_dates(make: _Maker, story: Story) -> None:
    child = make.child("two dates", "Alba", "Doppeltagova", 10)
    assert child.born is not None
    born = date(child.born.year, 3, 5)
    story.children["two dates"] = child = replace(child, born=born, social_born=date(born.year, 9, 23))
    story.tell("Two sources with different birth dates", "clearing-house-officer", "The number and the names agree, the dates do not, so nothing was linked: a pair in `GET /v1/duplicates`. Decide `same`, and both dates show with their sources.", child=child, purpose="data_quality", path="duplicates")


def _unborn(make: _Maker, story: Story) -> None:
    child = make.child("unborn's sibling", "Mila", "Erwartungsson", 4.6, worker=SOCIAL_WORKER)
    make.child("unborn", "", "", 0, household=child.household, born=None, expected=make.today + timedelta(days=70), school=None, upn=None, social_upn=None, worker=SOCIAL_WORKER)
    story.tell("An unborn sibling", SOCIAL_WORKER, "Her household names a sibling who is expected in ten weeks; that child has a view already.", child=child)


def _parked(make: _Maker, story: Story) -> None:
    child = make.child("parked", "Pip", "Wartemannova", 13, worker=SOCIAL_WORKER, sex="M")
    story.parked = {"service": "education", "local_id": child.pupil_id, "search": search(child)}
    story.tell("A parked stream", SOCIAL_WORKER, "The school's part says that it may be out of date: a record came that nobody can read. `childview park list` names the place.", child=child)


def _corrected(make: _Maker, story: Story) -> None:
    child = make.child("corrected", "Cora", "Korrekturowa", 9, worker=SOCIAL_WORKER, absence=0.0)
    story.tell("A contact deleted later", "lead-1", "Her mother and a grandparent whom the school may ring; the command below deletes the grandparent.", child=child)
    story.tell("A mark corrected later", "teacher", "A present mark of her last school day; the command below makes it an absence.", child=child)


def _ending(make: _Maker, story: Story) -> None:
    child = make.child("ending", "Lena", "Offenbarsson", 8, worker=SOCIAL_WORKER)
    story.tell("An involvement that you end", SOCIAL_WORKER, "Everything of the case; the command below ends the work, and most of it goes.", child=child)


def correction(authority: Authority, child: Child) -> dict[str, Any]:
    """The mark that a later file corrects: the morning of the last school day."""
    day = marked_days(authority.today)[-1]
    return {"date": day.isoformat(), "session": "AM", "before": "/", "after": "O", "search": search(child)}
