"""The demonstration: its people, its files, what to try."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from deploy.local.client import Client, Failed, state_folder, typed
from services.cli.answers import DONE, say, show
from services.cli.grammar import Verbs

NOT_LOADED = "the demonstration is not loaded yet: `make demo`"


def declare(verbs: Verbs) -> None:
    """The verbs of this module."""
    verbs.verb("personas", "the demonstration's people", personas)
    tokens = verbs.verb("token", "a bearer token for one of the demonstration's people", token)
    tokens.add_argument("role", help="a role, which means the first of its people, or a person")
    demo = verbs.group("demo", "the demonstration")
    generates = demo.verb("generate", "write the invented authority's files", generate)
    generates.add_argument("--out", type=Path, required=True)
    for one in (generates, demo.verb("load", "generate and load the invented authority", load)):
        one.add_argument("--children", type=int, default=5000)
        one.add_argument("--seed", type=int, default=1)
    demo.verb("show", "who to be and what to see", show_screen)
    demo.verb("end-involvement", "end one involvement of the demonstration today", end_involvement)


def personas(options: Any) -> int:
    found = _personas()
    show(options, found, _personas_text(found))
    return DONE


def _personas_text(found: Sequence[dict[str, Any]]) -> str:
    """Role, person id and name of each: `token` takes the role, of its first person, or the id of any."""
    wide = {name: max(len(name), *(len(one[name]) for one in found)) for name in ("role", "person", "name")}
    rows = [dict(zip(wide, wide, strict=True)) | {"try": "what to try"}, *found]
    return "\n".join("  ".join([*(f"{one[name]:{width}}" for name, width in wide.items()), one.get("try", "")]).rstrip() for one in rows)


def _personas() -> list[dict[str, Any]]:
    path = state_folder() / "personas.json"
    if not path.exists():
        raise Failed(NOT_LOADED)
    return json.loads(path.read_text())


def token(options: Any) -> int:
    persona = next((p for p in _personas() if options.role in (p["role"], p["person"])), None)
    if persona is None:
        raise Failed(f"no such role or person: {options.role}; `{typed()} personas` names them")
    with Client() as client:
        made = client.user_token(persona)
    show(options, {"token": made, **persona}, made)
    return DONE


def generate(options: Any) -> int:
    from deploy.local.authority import generate as authority
    from deploy.local.progress import Bar

    manifest = authority.generate(options.out, children=options.children, seed=options.seed, today=date.today(), progress=Bar())
    show(options, manifest, f"{options.out}: {manifest.get('children', options.children)} invented children")
    return DONE


def load(options: Any) -> int:
    from deploy.local import demonstration, screen
    from deploy.local.progress import Bar

    asked = {"children": options.children, "seed": options.seed}
    with Client() as client:
        there = demonstration.load(client, state_folder(), **asked, say=say, progress=Bar())
    if there.before:
        say(screen.instead(there, **asked))
    show(options, {"loaded": True, "children": there.children, "seed": there.seed, "before": there.before}, "")
    return DONE


def show_screen(options: Any) -> int:
    from deploy.local import demonstration, screen

    if not demonstration.loaded(state_folder()):
        raise Failed(NOT_LOADED)
    with Client() as client:
        text = screen.screen(client, state_folder())
    show(options, {"screen": text.splitlines()}, text)
    return DONE


def end_involvement(options: Any) -> int:
    from deploy.local import demonstration

    if not demonstration.loaded(state_folder()):
        raise Failed(NOT_LOADED)
    with Client() as client:
        text = demonstration.end_involvement(client, state_folder())
    show(options, {"done": text}, text)
    return DONE
