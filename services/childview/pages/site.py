"""The pages of childview: sign in, find a child, the child. Rendered by the server from the same functions as the API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import httpx
from fastapi import APIRouter, FastAPI, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles

from services.childview.pages import problems, rendering, sections, words
from services.childview.pages import session as sessions
from services.childview.pages.chronology import chronology
from services.childview.pages.session import Session
from services.childview.reading import asking, lists, road, search
from services.childview.reading.asking import Asker, Reading
from services.plumbing import telemetry
from services.plumbing.problems import Problem
from services.plumbing.tokens import Principal

FOLDER = Path(__file__).parent
router = APIRouter(include_in_schema=False)
_log = telemetry.log("pages")
TYPED = ("family_name", "given_name", "birth_date", "postcode")
NUMBERS = {"upn": "Unique pupil number", "nhs_number": "NHS number", "uln": "Unique learner number", "local_child_id": "Case system number"}


class SignIn(Exception):
    """Nobody is signed in; what was asked for follows after the sign-in."""


def mount(app: FastAPI) -> None:
    """Add what the pages need to the application."""
    app.mount("/static", StaticFiles(directory=FOLDER.parent / "static"), name="static")
    app.state.templates = rendering.templates()
    app.add_middleware(problems.Readable)


def page(request: Request, template: str, *, session: Session | None = None, **context: Any) -> HTMLResponse:
    """A page, and with it the session of who is signed in."""
    response = rendering.page(request, template, session=session, **context)
    if session is not None:
        sessions.keep(request, response, session)
    return response


def problem_page(request: Request, problem: Problem, session: Session | None) -> HTMLResponse:
    """A problem as a page, for somebody who is signed in or nobody."""
    response = problems.problem_page(request, problem.body, session=session)
    if session is not None:
        sessions.keep(request, response, session)
    return response


async def signed_in(request: Request) -> tuple[Session, Principal]:
    """The session and who it is. Raises SignIn."""
    session = await sessions.current(request)
    if session is None:
        raise SignIn
    try:
        return session, await request.app.state.verifier.verify(session.token)
    except Problem as problem:
        if problem.status == 401:
            raise SignIn from None
        raise


def sign_in(request: Request, following: str) -> RedirectResponse:
    """To the sign-in, and back to what was asked for."""
    return RedirectResponse(f"/sign-in?following={quote(following, safe='/')}", status_code=303)


def checked(session: Session, csrf: str) -> None:
    """Raises Problem when a form did not come from a page of ours."""
    if not sessions.same(session.csrf, csrf):
        raise Problem("token", "The form did not come from this page. Load the page again.", status=403)


async def permitted(reading: Reading, who: Principal) -> tuple[str, list[str]]:
    """(name of the post's holder, purposes this post may work for), as policy says. Raises Problem."""
    try:
        lease = await reading.leases.lease(who, "enquiry")
    except Problem as problem:
        purposes = problem.body.get("permitted")
        if purposes is None:
            raise
        if not purposes:
            return "", []
        lease = await reading.leases.lease(who, purposes[0])
    return lease.name, list(lease.purposes)


# -- signing in --------------------------------------------------------------------------------------------------


@router.get("/")
async def start(request: Request) -> Response:
    """The first page."""
    return page(request, "start.html", session=await sessions.current(request))


@router.get("/sign-in")
async def to_issuer(request: Request, following: str = "/find") -> Response:
    """To the issuer."""
    response = RedirectResponse("/", status_code=303)
    response.headers["Location"] = sessions.start(request, response, following=following)
    return response


@router.post("/see-as")
async def see_as(
    request: Request, csrf: Annotated[str, Form()], person: Annotated[str, Form()], following: Annotated[str, Form()]
) -> Response:
    """The demonstration's other eyes: a real sign-in as somebody else, back to the same page."""
    session = await sessions.current(request)
    if session is None or not request.app.state.settings.demonstration:
        return sign_in(request, following)
    try:
        checked(session, csrf)
    except Problem as problem:
        return problem_page(request, problem, session)
    response = RedirectResponse("/", status_code=303)
    response.headers["Location"] = sessions.start(request, response, following=following, hint=person)
    return response


@router.get("/signed-in")
async def from_issuer(request: Request, code: str = "", state: str = "") -> Response:
    """Back from the issuer."""
    try:
        session, following = await sessions.finish(request, code=code, state=state)
    except Problem as problem:
        return problem_page(request, problem, None)
    response = RedirectResponse(following, status_code=303)
    sessions.keep(request, response, session)
    return response


@router.post("/sign-out")
async def sign_out(request: Request, csrf: Annotated[str, Form()]) -> Response:
    """Nobody is signed in: the session is over here, and a copy of its cookie opens nothing."""
    session = await sessions.current(request)
    response = RedirectResponse("/", status_code=303)
    if session is None:
        return response
    try:
        checked(session, csrf)
    except Problem as problem:
        return problem_page(request, problem, session)
    await sessions.end(request, response, session)
    return response


# -- finding a child ---------------------------------------------------------------------------------------------


@router.get("/find")
async def ask(request: Request) -> Response:
    """The form."""
    return await _found(request, "/find", _form)


@router.post("/find")
async def find(request: Request) -> Response:
    """What was found. It is a POST: nothing that was typed stands in an address."""
    return await _found(request, "/find", _results)


async def _found(request: Request, following: str, work) -> Response:
    """A page for somebody who is signed in; problems become pages."""
    try:
        session, who = await signed_in(request)
    except SignIn:
        return sign_in(request, following)
    except Problem as problem:
        return problem_page(request, problem, None)
    try:
        return await work(request, session, who)
    except Problem as problem:
        return problem_page(request, problem, session)


async def _form(request: Request, session: Session, who: Principal, **more: Any) -> Response:
    name, allowed = await permitted(request.app.state.reading, who)
    context = {"typed": {}, "errors": [], "items": None, "access": None, **more}
    return page(request, "find.html", session=session, name=name, allowed=allowed, numbers=NUMBERS, **context)


async def _results(request: Request, session: Session, who: Principal) -> Response:
    form = {name: str(text).strip() for name, text in (await request.form()).items()}
    checked(session, form.get("csrf", ""))
    typed = {name: form.get(name, "") for name in (*TYPED, "number", "number_type", "purpose")}
    body: dict[str, Any] = {name: typed[name] for name in TYPED if typed[name]}
    if typed["number"]:
        body["identifier"] = {"type": typed["number_type"], "value": typed["number"]}
    reading: Reading = request.app.state.reading
    try:
        answer = await search.search(reading, _asker(who, typed["purpose"]), body)
    except Problem as problem:
        if problem.kind != "validation":
            raise
        return await _form(request, session, who, typed=typed, errors=[problem.body["detail"]])
    items = [_item(reading, one) for one in json.loads(answer.body)["items"]]
    for item in items:
        session.visit(item["id"], typed["purpose"])
    return await _form(request, session, who, typed=typed, items=items, access=answer.access_id)


def _asker(who: Principal, purpose: str) -> Asker:
    return asking.asker(who, purpose, "pages")


def _item(reading: Reading, one: Mapping[str, Any]) -> dict[str, Any]:
    fields = one["fields"]
    born = words.day(fields["birth_date"]["value"]) if "birth_date" in fields else ""
    return {"id": one["id"], "name": words.name_of(fields), "born": born, "age": fields.get("age", {}).get("value")}


# -- one child ---------------------------------------------------------------------------------------------------


@router.get("/children/{id}")
async def child(request: Request, id: str) -> Response:
    """The child with chronology, for the purpose chosen for this visit."""

    async def work(request: Request, session: Session, who: Principal) -> Response:
        if not road.is_id(id):
            raise Problem("not-found", road.NOT_FOUND)
        name, allowed = await permitted(request.app.state.reading, who)
        if session.visits.get(id) not in allowed:
            if len(allowed) != 1:
                return page(request, "purpose.html", session=session, id=id, allowed=allowed)
            session.visit(id, allowed[0])
        return await _child(request, session, who, id, name=name, allowed=allowed)

    return await _found(request, f"/children/{quote(id)}", work)


@router.post("/children/{id}/purpose")
async def choose_purpose(request: Request, id: str, csrf: Annotated[str, Form()], purpose: Annotated[str, Form()]) -> Response:
    """What this visit is for, from now on."""

    async def work(request: Request, session: Session, who: Principal) -> Response:
        checked(session, csrf)
        if not road.is_id(id) or purpose not in asking.PURPOSES:
            raise Problem("not-found", road.NOT_FOUND)
        session.visit(id, purpose)
        response = RedirectResponse(f"/children/{quote(id)}", status_code=303)
        sessions.keep(request, response, session)
        return response

    return await _found(request, f"/children/{quote(id)}", work)


async def _child(request: Request, session: Session, who: Principal, id: str, *, name: str, allowed: list[str]) -> Response:
    reading: Reading = request.app.state.reading
    asked = _asker(who, session.visits[id])
    answer = await road.read_child(reading, asked, id)
    dated = await lists.chronology(reading, asked, id)
    body = json.loads(answer.body)
    return page(
        request, "child.html", session=session, id=id, name=name, allowed=allowed, purpose=asked.purpose,
        child=words.name_of(body["fields"]), sections=sections.sections(reading.catalogue, body), noted=body["noted"], ask=body["ask"],
        late=[words.SOURCES.get(one, one) for one in body.get("may_be_out_of_date", [])],
        under_review=body.get("under_review", False), chronology=chronology(reading.catalogue, json.loads(dated.body)["items"]),
        access=answer.access_id, as_of=words.moment(answer.as_of), people=await _people(request),
    )  # fmt: skip


async def _people(request: Request) -> list[dict[str, str]]:
    """Whom one may see as: in the demonstration alone."""
    settings = request.app.state.settings
    if not settings.demonstration:
        return []
    try:
        answer = await request.app.state.http.get(f"{settings.issuer}/people", timeout=5)
    except httpx.HTTPError:
        return []  # the sign-in is away: the page is whole without it
    return answer.json() if answer.is_success else []


@router.get("/children/{id}/entries/{category}")
async def entries(request: Request, id: str, category: str, cursor: str | None = None) -> Response:
    """Further entries of one category, a page at a time. One of which nothing is shown and one that is not there are the same."""

    async def work(request: Request, session: Session, who: Principal) -> Response:
        reading: Reading = request.app.state.reading
        if not road.is_id(id) or category not in reading.catalogue.categories:
            raise Problem("not-found", road.NOT_FOUND)
        purpose = session.visits.get(id)
        if purpose is None:
            return RedirectResponse(f"/children/{quote(id)}", status_code=303)
        answer = await lists.entries(reading, _asker(who, purpose), id, category, cursor)
        shown = sections.section(reading.catalogue, category, json.loads(answer.body))
        return page(request, "entries.html", session=session, id=id, section=shown, access=answer.access_id)

    return await _found(request, f"/children/{quote(id)}", work)


@router.get("/caseload")
async def caseload(request: Request, cursor: str | None = None) -> Response:
    """The children this post works with, a page at a time."""

    async def work(request: Request, session: Session, who: Principal) -> Response:
        reading: Reading = request.app.state.reading
        _, allowed = await permitted(reading, who)
        purpose = next((one for one in ("casework", "attendance", "review") if one in allowed), allowed[0] if allowed else "casework")
        answer = await lists.caseload(reading, _asker(who, purpose), cursor)
        body = json.loads(answer.body)
        items = [_item(reading, one) | {"how": words.relationship(reading.catalogue, **one["relationship"])} for one in body["items"]]
        return page(request, "caseload.html", session=session, items=items, following=body["next"], access=answer.access_id)

    return await _found(request, "/caseload", work)
