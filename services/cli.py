"""The command line `childview`. The one module that may import every service's verbs.

Every verb takes --json, and then answers in JSON on standard output, also where it fails; progress goes to standard error;
exit 0 done, 1 failed (also where it was asked wrongly), 2 done with refusals.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import IO, Any, NoReturn

import httpx

from deploy.local.client import Client, Failed, state_folder
from services.plumbing.settings import port_of

ROOT = Path(__file__).parents[1]
DONE, FAILED, REFUSALS = 0, 1, 2
MOST_AT_ONCE = 200
"""Files in one delivery: a service takes no more."""
SOURCES = ("education", "socialcare")
LONGEST_PAUSE = 300.0
"""Seconds between two tries of a delivery that a service did not answer, at most."""
NOT_LOADED = "the demonstration is not loaded yet: `make demo`"


def say(line: str) -> None:
    """Progress, for people."""
    print(line, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one verb."""
    asked = sys.argv[1:] if arguments is None else list(arguments)
    from deploy.local.supervisor import CannotStart

    try:
        options = _parser().parse_args(asked)
        sys.exit(options.run(options))
    except (Failed, CannotStart) as error:
        _fail(asked, str(error))
    except httpx.HTTPError as error:
        _fail(asked, f"a service cannot be reached ({type(error).__name__}); is it up? `make up`")
    except OSError as error:
        _fail(asked, _os_text(error))
    except KeyboardInterrupt:
        sys.exit(130)


def _os_text(error: OSError) -> str:
    return f"{error.filename or 'a file or connection'}: {error.strerror or type(error).__name__}"


def _fail(asked: Sequence[str], why: str) -> NoReturn:
    """Say why and end: as JSON on standard output where JSON was asked for, for people on standard error."""
    if "--json" in asked:
        print(json.dumps({"error": why}, ensure_ascii=False))
    else:
        print(f"childview: {why}", file=sys.stderr)
    sys.exit(FAILED)


class _Parser(argparse.ArgumentParser):
    """Asked wrongly is failed, like any other failure: argparse itself would exit with 2, which says `refusals` here."""

    def error(self, message: str) -> NoReturn:
        """Raises Failed."""
        raise Failed(f"{message}; see `{self.prog} --help`")


def _seconds(text: str) -> float:
    """A span of time. Raises ArgumentTypeError for what is none, such as a negative one."""
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found < 86_400:
        raise argparse.ArgumentTypeError("give seconds, 0 or more and less than a day")
    return found


def _parser() -> _Parser:
    parser = _Parser(prog="childview", description="Childview, an open Integrated Children's System.")
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    def verb(name: str, help: str, run: Callable[[Any], int], where=verbs) -> argparse.ArgumentParser:
        made = where.add_parser(name, help=help, description=help)
        made.add_argument("--json", action="store_true", help="print JSON")
        made.set_defaults(run=run)
        return made

    verb("up", "start every process", up)
    verb("down", "stop every process", down)
    verb("reset", "stop every process and forget everything", reset)
    verb("status", "how things stand", status)
    took = verb("import", "take files of education or social care", import_files)
    took.add_argument("service", choices=SOURCES)
    took.add_argument("paths", nargs="+", type=Path)
    took.add_argument("--authority", help="the local authority's code")
    took.add_argument("--collection", help="which census, such as 2025-spring")
    took.add_argument("--extracted", help="as of when the files speak (YYYY-MM-DD)")
    took.add_argument("--yes", action="store_true", help="what is imported is invented")
    watches = verb("watch", "take what arrives in a folder, and put it away", watch)
    watches.add_argument("folder", type=Path, help="its subfolders education and socialcare are looked at")
    watches.add_argument("service", nargs="?", choices=SOURCES, help="whose files these are, where the folder has no such subfolders")
    watches.add_argument("--authority", help="the local authority's code")
    watches.add_argument("--every", type=_seconds, default=5, metavar="SECONDS", help="between two looks (5)")
    watches.add_argument("--still", type=_seconds, default=10, metavar="SECONDS", help="without any change before a file is taken (10)")
    watches.add_argument("--once", action="store_true", help="take what is there now, and end")
    watches.add_argument("--yes", action="store_true", help="what is imported is invented")
    exports = verb("export", "write a return of a year from the register of social care", export)
    exports.add_argument("what", choices=("cin", "ssda903"))
    exports.add_argument("--year", type=int, required=True, help="of 31 March: 2026 is 1 April 2025 to 31 March 2026")
    exports.add_argument("--out", type=Path, required=True, help="the file to write: XML (cin) or a zip of CSV (ssda903)")
    exports.add_argument("--authority", help="the local authority's code, three digits")
    waits = verb("wait", "wait until everything recorded is visible", wait)
    waits.add_argument("--timeout", type=float, default=300)
    verb("personas", "the demonstration's people", personas)
    tokens = verb("token", "a bearer token for one of the demonstration's people", token)
    tokens.add_argument("role")
    rebuilds = verb("rebuild", "make the view again from the log beside the live one", rebuild)
    rebuilds.add_argument("--verify", action="store_true", help="compare only, and exit 1 if they differ")
    demo = verbs.add_parser("demo", help="the demonstration").add_subparsers(required=True, metavar="VERB")
    generate = verb("generate", "write the invented authority's files", demo_generate, demo)
    generate.add_argument("--out", type=Path, required=True)
    loads = verb("load", "generate and load the invented authority", demo_load, demo)
    for one in (generate, loads):
        one.add_argument("--children", type=int, default=5000)
        one.add_argument("--seed", type=int, default=1)
    verb("show", "who to be and what to see", demo_show, demo)
    verb("end-involvement", "end one involvement of the demonstration today", demo_end, demo)
    park = verbs.add_parser("park", help="streams that wait").add_subparsers(required=True, metavar="VERB")
    verb("list", "the parked streams", park_list, park)
    for action in ("retry", "skip"):
        let = verb(action, f"{action} the record that a stream is parked at", park_release, park)
        let.add_argument("place", help="topic/partition/offset, as `park list` says")
        let.add_argument("--reason", required=True)
        let.set_defaults(action=action)
    events = verbs.add_parser("events", help="the log").add_subparsers(required=True, metavar="VERB")
    shows = verb("show", "the headers of one stream's events; their data stays sealed", events_show, events)
    shows.add_argument("stream", help="the stream's id")
    policy = verbs.add_parser("policy", help="access policies").add_subparsers(required=True, metavar="VERB")
    lint = verb("lint", "check policy files", policy_lint, policy)
    lint.add_argument("folder", type=Path, nargs="?", default=ROOT / "services/policy/starter_policies")
    return parser


def show(options: Any, body: Any, text: str) -> None:
    """The answer, as JSON or as text."""
    if options.json or text:
        print(json.dumps(body, ensure_ascii=False) if options.json else text)


# -- processes ---------------------------------------------------------------------------------------------------


def up(options: Any) -> int:
    from deploy.local import supervisor

    supervisor.up(state_folder(), say=say)
    show(options, {"state": "running"}, "everything is ready")
    return DONE


def down(options: Any) -> int:
    from deploy.local import supervisor

    supervisor.down(state_folder())
    show(options, {"state": "down"}, "nothing is running")
    return DONE


def reset(options: Any) -> int:
    import shutil

    from deploy.local import supervisor

    supervisor.down(state_folder())
    shutil.rmtree(state_folder(), ignore_errors=True)
    show(options, {"state": "down", "forgotten": True}, "nothing is running, and everything is forgotten")
    return DONE


def status(options: Any) -> int:
    from deploy.local import supervisor

    found = supervisor.read_status(state_folder())
    processes = [{"name": p["name"], "pid": p["pid"], "restarts": p["restarts"]} for p in found.get("processes", [])]
    body: dict[str, Any] = {"state": found.get("state", "down"), "processes": processes}
    if body["state"] == "running":
        try:
            body |= _counted()
        except (Failed, httpx.HTTPError) as error:
            body["why"] = f"something does not answer now: {error if isinstance(error, Failed) else type(error).__name__}"
    show(options, body, _status_text(body, found))
    return DONE if body["state"] == "running" and "why" not in body else FAILED


def _counted() -> dict[str, Any]:
    """How much there is, and how fresh. Raises Failed or an HTTPError while a part is away."""
    with Client() as client:
        counted = client.ask("GET", "childview", "/v1/status")
        body = {name: counted[name] for name in ("children", "parked", "records", "fresh_as_of", "held")}
        ledger = client.ask("GET", "audit", "/v1/ledger")
        body["topics"] = {topic: sum(parts.values()) for topic, parts in ledger["next"].items()}
        body["events"] = sum(n for topic, n in body["topics"].items() if topic.endswith(".events"))
        return body | _heard(client)


def _heard(client: Client) -> dict[str, Any]:
    """Which kinds of files are silent for longer than their rhythm, and how many rows wait; a source that is away says neither."""
    silent: list[dict[str, Any]] = []
    waiting: dict[str, int] = {}
    for service in SOURCES:
        try:
            found = client.ask("GET", service, "/v1/deliveries")
        except (Failed, httpx.HTTPError) as error:
            say(f"{service} cannot say what it has heard ({type(error).__name__})")
            continue
        waiting[service] = found["waiting"]["rows"]
        silent += [_silence(service, one) for one in found["deliveries"] if one["silent"]]
    return {"silent": silent, "waiting": waiting}


def _silence(service: str, one: dict[str, Any]) -> dict[str, Any]:
    return {"service": service, "kind": one["kind"], "last": one["silent_since"], "organisations": len(one["silent_organisations"])}


def _status_text(body: dict[str, Any], found: dict[str, Any]) -> str:
    lines = [f"state: {body['state']}" + (f" ({found['why']})" if found.get("why") else "")]
    last = {one["name"]: one.get("last", "") for one in found.get("processes", [])}
    lines += [f"  {p['name']:18} {p['pid'] or 'down':>8}  restarts {p['restarts']}  {last[p['name']]}".rstrip() for p in body["processes"]]
    lines += [body["why"]] if "why" in body else []
    told = ("children", "records", "held", "parked", "events", "fresh_as_of", "waiting")
    lines += [f"{name}: {_told(body[name])}" for name in told if name in body]
    lines += [f"SILENT: {one['kind']} ({one['service']}), last came {one['last']}" for one in body.get("silent", [])]
    return "\n".join(lines)


def _told(value: Any) -> str:
    """A number, or several by name; of a time nothing below the second."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_told(one)}" for name, one in value.items()) or "none"
    return f"{value:,}" if isinstance(value, int) else str(value)[:19]


# -- importing --------------------------------------------------------------------------------------------------


def import_files(options: Any) -> int:
    _ask_invented(options)
    paths = _files([path.absolute() for path in options.paths])
    with Client() as client:
        files = [one for _, one in _deliver(client, options.service, paths, _said(options))]
    show(options, {"files": files}, "\n".join(_file_text(one) for one in files))
    return _exit(files)


def _exit(files: Sequence[dict[str, Any]]) -> int:
    if any("why" in one for one in files):
        return FAILED
    return REFUSALS if any(one["refused"] for one in files) else DONE


def _deliver(
    client: Client, service: str, paths: Sequence[Path], said: dict[str, str], *, opening: Callable[[Path], IO[bytes]] | None = None
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Send files, in as few deliveries as may be; say each as it goes, and what became of it."""
    how: Any = {} if opening is None else {"opening": opening}
    place = {path: number for number, path in enumerate(paths, 1)}
    for delivery in _deliveries(service, paths):
        files = client.send_files(
            service, delivery, tell=lambda path: say(f"{place[path]} of {len(place)}: sending {path.name}"), **how, **said
        )
        for path, one in zip(delivery, files, strict=True):
            say(_file_text(one) if "why" in one else f"taken: {_file_text(one)}")
            yield path, one


def _deliveries(service: str, paths: Sequence[Path]) -> list[list[Path]]:
    """All files at once where a service takes so many; else what others rely on first, as the service's readers have it."""
    if len(paths) <= MOST_AT_ONCE:
        return [list(paths)]
    ordered = sorted(paths, key=_order(service))
    return [ordered[start : start + MOST_AT_ONCE] for start in range(0, len(ordered), MOST_AT_ONCE)]


def _order(service: str) -> Callable[[Path], int]:
    """Which files come first: pupils before their marks. What the readers refuse comes last."""
    from services.education import importing as education
    from services.plumbing.contracts import code_lists
    from services.plumbing.files.delivery import Options
    from services.plumbing.files.report import FileRefused
    from services.socialcare import importing as socialcare

    recognise = {"education": education, "socialcare": socialcare}[service].recognise(code_lists(*_contracts()))

    def order(path: Path) -> int:
        try:
            return recognise(path, path.name, Options(collection="2000-autumn", extracted="2000-01-01")).order
        except FileRefused:
            return sys.maxsize

    return order


def _ask_invented(options: Any) -> None:
    """A demonstration's database is for invented people only."""
    if options.yes or not sys.stdin.isatty():
        return
    if input("This is a demonstration. Is everything in these files invented? (yes/no) ").strip().lower() != "yes":
        raise Failed("nothing was imported")


def _said(options: Any) -> dict[str, str]:
    """What the command line says of the files."""
    names = ("authority", "collection", "extracted")
    return {name: found for name in names if (found := getattr(options, name, None))}


def _files(paths: Sequence[Path]) -> list[Path]:
    from services.plumbing.files import delivery

    found = delivery.files_of(paths)
    missing = [path for path in found if not path.exists()]
    if missing or not found:
        raise Failed(f"there is no such file: {missing[0] if missing else paths[0]}")
    return found


def _file_text(one: dict[str, Any]) -> str:
    if "why" in one:
        return f"refused   {one['why']}"
    names = ("rows", "accepted", "flagged", "refused", "unchanged", "events", "waiting", "waited")
    counts = ", ".join(f"{name} {one[name]}" for name in names if name in one)
    nothing = "  NO ROWS: nothing was taken, and nothing was ended" if one["rows"] == 0 else ""
    return f"{one['file']}: {counts}{nothing}"


# -- a watched folder --------------------------------------------------------------------------------------------


def watch(options: Any) -> int:
    from services.plumbing.files.watch import Folder, Watched

    _ask_invented(options)
    root = options.folder.absolute()
    if not root.is_dir():
        raise Failed(f"there is no such folder: {options.folder}")
    services = {options.service: root} if options.service else {name: root / name for name in SOURCES}
    folder = Folder(root, services, options.still)
    if missing := [name for name, place in services.items() if not place.is_dir()]:
        say(f"nothing is taken for {' and '.join(missing)}: {root} has no such subfolder yet")
    try:
        with folder.watched():
            folder.go_on()
            return _watch_once(folder, options) if options.once else _watch_on(folder, options)
    except Watched as error:
        raise Failed(str(error)) from None


def _watch_once(folder: Any, options: Any) -> int:
    """Take what is there, once it stands still; what does not in all that time stays."""
    from services.plumbing.files.watch import PATIENCE

    files: list[dict[str, Any]] = []
    ends = time.monotonic() + PATIENCE + 2 * options.still
    while True:
        arrived = folder.ready(now=time.monotonic())
        files += [file for one in arrived for file in _take_arrived(folder, one, options)]
        if not folder.pending() or time.monotonic() > ends:
            return _exit(files)
        time.sleep(min(options.every, max(0.05, options.still)))


def _watch_on(folder: Any, options: Any) -> NoReturn:
    """Take what arrives, for ever."""
    say(f"watching {folder.root}")
    pause = options.every
    while True:
        went = [_try_arrived(folder, one, options) for one in folder.ready(now=time.monotonic())]
        if all(went):
            pause = options.every
        else:
            pause = min(max(1.0, pause * 2), LONGEST_PAUSE)
            say(f"will try again in {pause:.0f} s")
        time.sleep(pause)


def _try_arrived(folder: Any, arrived: Any, options: Any) -> bool:
    """Take one delivery; False where a service did not answer or a file could not be read: it stays and is tried again."""
    try:
        _take_arrived(folder, arrived, options)
    except (Failed, httpx.HTTPError, OSError) as error:
        why = _os_text(error) if isinstance(error, OSError) else str(error) if isinstance(error, Failed) else type(error).__name__
        say(f"not taken now: {why}")
        show(options, {"error": why}, "")
        return False
    return True


def _take_arrived(folder: Any, arrived: Any, options: Any) -> list[dict[str, Any]]:
    """Send one delivery, put its files away, and say of each what became of it and where it is."""
    with Client() as client:
        opening = partial(folder.open, arrived)
        found = dict(_deliver(client, arrived.service, list(arrived.files), _said(options), opening=opening))
    refused = {path: one["why"] for path, one in found.items() if "why" in one}
    moved = folder.put_away(arrived, refused, day=date.today().isoformat())
    lines = []
    for path, one in found.items():
        place = {"from": str(path.relative_to(folder.root)), "to": str(moved[path].relative_to(folder.root)) if path in moved else None}
        lines.append({"service": arrived.service, **one, **place})
        show(options, lines[-1], "")
        sys.stdout.flush()
        say(f"{place['from']} is now {place['to']}" if place["to"] else f"{place['from']} changed meanwhile and stays")
    return lines


def export(options: Any) -> int:
    """A return of a year. What is left out of it is said, and makes it done with refusals."""
    from services.socialcare.returns.api import REPORT

    params = {"year": options.year} | ({"authority": options.authority} if options.authority else {})
    with Client() as client:
        found = client.fetch("socialcare", f"/v1/returns/{options.what}", options.out.absolute(), said=REPORT, **params)
    for line in _return_lines(found):
        say(line)
    show(options, {"out": str(options.out), **found}, "")
    return REFUSALS if found["left_out"] else DONE


def _return_lines(found: dict[str, Any]) -> list[str]:
    rows = ", ".join(f"{name} {count}" for name, count in found["rows"].items())
    lines = [f"children: {found['children']}, left out: {found['children_left_out']}", f"rows: {rows}"]
    lines += [f"  {one['count']} x {one['where']}: {one['why']}" for one in found["left_out"]]
    return [*lines, f"which children: {found['report']}"] if found["left_out"] else lines


def wait(options: Any) -> int:
    with Client() as client:
        children = client.wait(options.timeout)
    show(options, {"visible": True, "children": children}, f"everything is visible: {children} children")
    return DONE


def personas(options: Any) -> int:
    found = _personas()
    show(options, found, "\n".join(f"{p['role']:28} {p['name']}: {p.get('try', '')}" for p in found))
    return DONE


def _personas() -> list[dict[str, Any]]:
    path = state_folder() / "personas.json"
    if not path.exists():
        raise Failed(NOT_LOADED)
    return json.loads(path.read_text())


def token(options: Any) -> int:
    persona = next((p for p in _personas() if options.role in (p["role"], p["person"])), None)
    if persona is None:
        raise Failed(f"no such role or person: {options.role}; see `.venv/bin/childview personas`")
    with Client() as client:
        made = client.user_token(persona)
    show(options, {"token": made, **persona}, made)
    return DONE


def rebuild(options: Any) -> int:
    from deploy.local import installation, secrets
    from deploy.local.postgres import Cluster
    from services.childview.projection.rebuild import LogIncomplete, OtherVersion, RebuildRuns
    from services.plumbing.settings import from_environment

    state = state_folder()
    found = secrets.load(state)
    cluster = Cluster(state / "postgres", port_of("postgres"), found.passwords["postgres"])
    environment = os.environ | installation.environment(state, found, cluster, service="childview", identity="projector")
    settings = from_environment("childview", "projector", environment)

    def progress(done: int, total: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{done} of {total} records   ", end="", file=sys.stderr, flush=True)

    try:
        return _verify(options, settings, progress) if options.verify else _flip(options, settings, progress)
    except (RebuildRuns, LogIncomplete, OtherVersion) as error:
        raise Failed(str(error)) from None


def _flip(options: Any, settings: Any, progress: Any) -> int:
    from services.childview import main as childview

    now = asyncio.run(childview.flip_rebuild(settings, progress))
    body = {"flipped": True, "children": now["children"], "records": now["records"], "parked": now["parked"]}
    show(options, body, f"the rebuilt view is live: {now['children']} children; reads go on with the next heartbeats")
    return DONE


def _verify(options: Any, settings: Any, progress: Any) -> int:
    from services.childview import main as childview

    live, beside = asyncio.run(childview.verify_rebuild(settings, progress))
    equal = live == beside
    lines = [f"{table:10} live {live[table]}  rebuilt {beside[table]}" for table in live]
    show(options, {"equal": equal, "live": live, "rebuilt": beside}, "\n".join([*lines, "equal" if equal else "THEY DIFFER"]))
    return DONE if equal else FAILED


# -- the log -----------------------------------------------------------------------------------------------------


def events_show(options: Any) -> int:
    from aiokafka.errors import KafkaError

    from deploy.local import events, installation
    from services.plumbing import contracts

    topics = [channel.topic for channel in contracts.channels(*_contracts()) if channel.kind != "heartbeats"]
    try:
        found = asyncio.run(events.of_stream(installation.bootstrap(), topics, options.stream))
    except KafkaError as error:
        raise Failed(f"Kafka cannot be reached ({type(error).__name__}); is it up? `make up`") from None
    if not found:
        raise Failed("no topic holds a record of this stream")
    show(options, {"stream": options.stream, "events": found}, "\n".join(map(_event_text, found)))
    return DONE


def _contracts() -> list[Path]:
    """The folders of the contracts, as the services have them."""
    return [Path(root) for root in os.environ.get("CHILDVIEW_CONTRACTS", str(ROOT / "contracts")).split(os.pathsep)]


def _event_text(one: dict[str, Any]) -> str:
    if "unreadable" in one:
        return f"{one['place']}: cannot be read ({one['unreadable']}), {one['bytes']} bytes"
    about = f"{one['type']}  {one['recordclass'] or 'not sealed'}, {one['bytes']} bytes"
    return f"{one['place']}  version {one['streamversion']}  {one['time']}  {about}"


# -- parked streams ----------------------------------------------------------------------------------------------


def park_list(options: Any) -> int:
    with Client() as client:
        found = client.ask("GET", "childview", "/v1/parked")["items"]
    lines = [f"{one['place']}  {one['process']:11} since {one['since']}: {one['reason']}" for one in found]
    show(options, found, "\n".join(lines) or "no stream is parked")
    return DONE


def park_release(options: Any) -> int:
    try:
        topic, partition, offset = options.place.split("/")
        int(partition), int(offset)
    except ValueError:
        raise Failed("the place is topic/partition/offset, as `childview park list` says") from None
    body = {"action": options.action, "topic": topic, "partition": int(partition), "offset": int(offset), "reason": options.reason}
    with Client() as client:
        found = client.ask("POST", "childview", "/v1/parked", json=body)
    show(options, found, f"{options.action}: the stream goes on (release {found['release']})")
    return DONE


# -- policies ----------------------------------------------------------------------------------------------------


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


# -- the demonstration -------------------------------------------------------------------------------------------


def demo_generate(options: Any) -> int:
    from deploy.local.authority.generate import generate
    from deploy.local.progress import Bar

    manifest = generate(options.out, children=options.children, seed=options.seed, today=date.today(), progress=Bar())
    show(options, manifest, f"{options.out}: {manifest.get('children', options.children)} invented children")
    return DONE




def demo_load(options: Any) -> int:
    from deploy.local import demonstration
    from deploy.local.progress import Bar

    with Client() as client:
        demonstration.load(client, state_folder(), children=options.children, seed=options.seed, say=say, progress=Bar())
    show(options, {"loaded": True, "children": options.children, "seed": options.seed}, "")
    return DONE


def demo_show(options: Any) -> int:
    from deploy.local import demonstration

    if not demonstration.loaded(state_folder()):
        raise Failed(NOT_LOADED)
    with Client() as client:
        text = demonstration.screen(client, state_folder())
    show(options, {"screen": text.splitlines()}, text)
    return DONE


def demo_end(options: Any) -> int:
    from deploy.local import demonstration

    if not demonstration.loaded(state_folder()):
        raise Failed(NOT_LOADED)
    with Client() as client:
        text = demonstration.end_involvement(client, state_folder())
    show(options, {"done": text}, text)
    return DONE


if __name__ == "__main__":
    main()
