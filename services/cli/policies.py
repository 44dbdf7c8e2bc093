"""Access policies as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from deploy.local.client import ROOT, Failed
from services.cli.answers import DONE, FAILED, show
from services.cli.grammar import Verbs


def declare(verbs: Verbs) -> None:
    """The verbs of this module."""
    lint = verbs.group("policy", "access policies").verb("lint", "check policy files", policy_lint)
    lint.add_argument("folder", type=Path, nargs="?", default=ROOT / "services/policy/starter_policies")


def policy_lint(options: Any) -> int:
    from services.disclosure import language
    from services.policy.main import vocabulary

    documents = [_document(path) for path in sorted(options.folder.glob("*.json"))]
    if not documents:
        raise Failed(f"there are no policies in {options.folder}")
    wrong = language.lint(documents, vocabulary(ROOT / "contracts"))
    body = {"policies": len(documents), "wrong": [{"policy": w.uid, "at": w.path, "why": w.help} for w in wrong]}
    show(options, body, "\n".join([*map(str, wrong), f"{len(documents)} policies, {len(wrong)} wrong"]))
    return FAILED if wrong else DONE


def _document(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise Failed(f"{path.name} is no JSON ({error})") from None
