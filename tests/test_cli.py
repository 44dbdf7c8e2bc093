"""The command line as scripts use it: exit codes, JSON whatever happens, deliveries of bounded size."""

from __future__ import annotations

import http.server
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from email.parser import BytesParser
from pathlib import Path

import pytest

from deploy.local import client, progress, screen
from deploy.local.demonstration import Loaded
from services import cli
from services.cli import answers, grammar
from services.plumbing.files.watch import Folder
from services.plumbing.settings import port_variable
from tests.journeys.installation import ROOT

VERBS = (
    ["wait"], ["status"], ["personas"], ["token", "teacher"], ["park", "list"], ["demo", "show"], ["demo", "end-involvement"],
    ["import", "education", "/nowhere", "--yes"], ["events", "show", "00000000-0000-4000-8000-000000000000"], ["watch", "/nowhere", "--yes"],
    ["export", "cin", "--year", "2026", "--out", "x.xml"], ["identity", "learn"],
)  # fmt: skip


def run(*verb: str, state: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A verb, where nothing runs unless the environment says so."""
    ports = {port_variable(name): "1" for name in ("issuer", "childview", "education", "kafka", "postgres")}
    changed = {**os.environ, **ports, "CHILDVIEW_STATE": str(state), "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run([sys.executable, "-m", "services.cli", *verb], env=changed, capture_output=True, text=True, timeout=60, cwd=ROOT)


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_verb_answers_in_json_where_nothing_runs(verb, tmp_path):
    done = run(*verb, "--json", state=tmp_path)
    body = json.loads(done.stdout)
    assert done.returncode == 1 and ("error" in body or body["state"] == "down"), done


def test_a_verb_that_needs_the_database_says_what_to_do_where_it_is_not_up(tmp_path):
    assert "`make up`" in run("identity", "learn", state=tmp_path).stderr


@pytest.mark.parametrize("wrong", [["wait", "--timeout", "soon"], ["import", "health", "x"], ["no-such-verb"], []], ids=" ".join)
def test_asked_wrongly_is_failed_and_never_mistaken_for_refusals(wrong, tmp_path):
    done = run(*wrong, state=tmp_path)
    assert (done.returncode, done.stdout) == (1, "") and "--help" in done.stderr
    done = run(*wrong, "--json", state=tmp_path)
    assert done.returncode == 1 and "--help" in json.loads(done.stdout)["error"]


def test_what_is_no_streams_id_is_said_and_where_one_is_found(tmp_path):
    done = run("events", "show", "Jamila", state=tmp_path)
    assert done.returncode == 1 and "/v1/pupils/find" in done.stderr and "Jamila" not in done.stderr


PERSONAS = [
    {"role": "social-worker", "person": "sw-001", "name": "Ada", "title": "Social worker", "purpose": "casework", "try": "Find her."},
    {"role": "clearing-house-officer", "person": "ch-1", "name": "Bo", "title": "Officer", "purpose": "data_quality", "try": "GET it."},
    {"role": "policy-author", "person": "pa-1", "name": "Cy", "title": "Author", "purpose": "", "try": "Later."},
    {"role": "social-worker", "person": "sw-002", "name": "Di", "title": "Social worker", "purpose": "casework", "try": "Ended."},
]
SCENARIOS = [
    {"name": "A clue", "be": "sw-001", "purpose": "casework", "search": {"given_name": "Jamila"}, "see": "`childview park list` names it.", "path": "view"},
    {"name": "A pair", "be": "ch-1", "purpose": "data_quality", "search": None, "see": "Held.", "path": "duplicates"},
]


def test_personas_name_the_person_that_a_token_is_asked_for(tmp_path):
    (tmp_path / "personas.json").write_text(json.dumps(PERSONAS))
    rows = [line.split() for line in run("personas", state=tmp_path).stdout.splitlines()]
    assert rows[0][:3] == ["role", "person", "name"] and ["social-worker", "sw-002", "Di", "Ended."] in rows


def test_a_reader_who_has_seen_enough_is_no_fault(tmp_path):
    (tmp_path / "personas.json").write_text(json.dumps(PERSONAS))
    reading, writing = os.pipe()
    os.close(reading)
    environment = {**os.environ, "CHILDVIEW_STATE": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "services.cli", "personas"]
    done = subprocess.run(command, env=environment, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, cwd=ROOT)
    os.close(writing)
    assert done.stderr == ""


def test_who_has_a_page_who_has_the_api_and_who_reads_no_child_stand_apart():
    lines = screen.who_to_be(PERSONAS, SCENARIOS)
    groups = [[line for line in part.split("\n") if line] for part in "\n".join(lines).split("\n\n")]
    assert [(group[0].split("(")[0].strip(), [line.split()[0] for line in group[1:]]) for group in groups] == [
        ("Who to be on the pages", ["Ada"]), ("Who to be by the API alone", ["Bo"]), ("Who can sign in and reads no child", ["Cy"]),
    ]  # fmt: skip


def test_what_the_api_alone_shows_stands_apart_with_what_to_type():
    before, _, after = "\n".join(screen.what_to_see(PERSONAS, SCENARIOS)).partition("What to see by the API")
    assert "A clue" in before and "A pair" not in before
    assert "A pair" in after and "/v1/duplicates" in after and f"{client.typed()} token ch-1" in after


def test_what_is_loaded_already_is_said_and_how_to_get_another():
    there = Loaded(5000, 1, "2026-11-25", before=True)
    other = screen.instead(there, children=10, seed=1)
    assert "5,000 children, seed 1" in other and "`make reset demo CHILDREN=10 SEED=1`" in other
    assert "reset demo" not in screen.instead(there, children=5000, seed=1)


def test_a_loaded_demonstration_is_told_as_it_is_and_not_as_it_was_asked_for(tmp_path):
    (tmp_path / "demonstration").mkdir()
    (tmp_path / "demonstration" / "loaded.json").write_text(json.dumps({"children": 5000, "seed": 1, "today": "2026-11-25"}))
    done = run("demo", "load", "--children", "10", "--json", state=tmp_path)
    assert json.loads(done.stdout) == {"loaded": True, "children": 5000, "seed": 1, "before": True}


@pytest.mark.parametrize("activated", [True, False])
def test_messages_name_the_command_as_it_can_be_typed(monkeypatch, tmp_path, activated):
    program = tmp_path / ".venv" / "bin" / "childview"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program.with_name("python")))
    monkeypatch.setenv("PATH", str(program.parent) if activated else "/nowhere")
    monkeypatch.chdir(tmp_path)
    assert client.typed() == ("childview" if activated else ".venv/bin/childview")
    said = screen.what_to_see(PERSONAS, SCENARIOS)
    assert f"`{client.typed()} park list`" in "\n".join(said)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert client.typed() == ("childview" if activated else str(program))


def test_a_failure_names_the_command_as_it_can_be_typed(capsys):
    with pytest.raises(SystemExit):
        answers.fail([], "the live view is of another version; `childview rebuild` makes it anew")
    assert f"`{client.typed()} rebuild`" in capsys.readouterr().err


def test_a_policy_file_that_is_no_json_is_named(tmp_path):
    (tmp_path / "broken.json").write_text("{")
    done = run("policy", "lint", str(tmp_path), "--json", state=tmp_path)
    assert done.returncode == 1 and json.loads(done.stdout)["error"].startswith("broken.json is no JSON")


class Service(http.server.BaseHTTPRequestHandler):
    """Gives tokens and takes deliveries, as a service would: for what the client sends, not for what a service does."""

    deliveries: list[list[str]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/token":
            return self._answer({"access_token": "x"})
        names = [part.get_filename() for part in _parts(self.headers["Content-Type"], body)]
        Service.deliveries.append(names)
        counts = dict.fromkeys(("rows", "accepted", "flagged", "refused", "unchanged", "events"), 1) | {"refused": 0}
        why = {name: {"why": f"{name}: it is bad"} if "bad" in name else {} for name in names}
        return self._answer({"files": [{"file": name, "report": "", **counts, **why[name]} for name in names]})

    def _answer(self, body: dict) -> None:
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _parts(content_type: str, body: bytes) -> list:
    message = BytesParser().parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    return list(message.get_payload())


@pytest.fixture
def service(monkeypatch, tmp_path) -> Iterator[type[Service]]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name in ("issuer", "education"):
        monkeypatch.setenv(port_variable(name), str(server.server_port))
    monkeypatch.setenv("CHILDVIEW_STATE", str(tmp_path / "state"))
    Service.deliveries = []
    yield Service
    server.shutdown()


PUPILS = "pupilonrolltableid,NativeId,sourceid,upn,surname,forename,dob\n"
SESSIONS = "pupilonrolltableid,NativeId,sourceid,attendancereason,sessions\n"


def test_a_folder_of_many_files_goes_in_several_deliveries_what_others_rely_on_first(service, tmp_path, capsys):
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(150):
        (folder / f"{number:03d}_a_sessions.csv").write_text(SESSIONS + "P1,9994001,S1,I,1\n")
        (folder / f"{number:03d}_b_pupils.csv").write_text(PUPILS + "P1,9994001,S1,,A,B,2015-01-01\n")
    with pytest.raises(SystemExit) as ended:
        cli.main(["import", "education", "--yes", str(folder)])
    assert ended.value.code == 0
    assert [len(names) for names in service.deliveries] == [200, 100]
    order = [name for names in service.deliveries for name in names]
    assert all("pupils" in name for name in order[:150]) and all("sessions" in name for name in order[150:])
    progress_said = capsys.readouterr().err
    assert "300 of 300: sending" in progress_said and progress_said.count("taken: ") == 300


def test_what_fits_in_one_delivery_goes_in_one_and_standard_output_holds_json_alone(service, tmp_path, capsys):
    for name in ("one.csv", "two.csv"):
        (tmp_path / name).write_text(PUPILS)
    with pytest.raises(SystemExit) as ended:
        cli.main(["import", "education", "--yes", "--json", str(tmp_path / "one.csv"), str(tmp_path / "two.csv")])
    assert ended.value.code == 0
    assert service.deliveries == [["one.csv", "two.csv"]]
    said = capsys.readouterr()
    assert [one["file"] for one in json.loads(said.out)["files"]] == ["one.csv", "two.csv"]
    assert "1 of 2: sending one.csv" in said.err


def test_a_bar_says_how_far_how_fast_and_how_long_still():
    assert progress.line("schools", 5, 20, 10.0).split("]")[1].strip() == "5 of 20, 0.5 a second, 30 s left"
    assert progress.line("schools", 20, 20, 300.0).split("]")[1].strip() == "20 in 5 min"
    out = io.StringIO()
    bar = progress.Bar(out)
    for done in range(1, 1001):
        bar("schools", done, 1000)
    assert len(out.getvalue().splitlines()) == 1, "where nobody watches, a line now and then"


# -- a watched folder ----------------------------------------------------------------------------------------------


def watch(folder: Path, *more: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(["watch", str(folder), *more, "--yes", "--once", "--still", "0.1", "--every", "0.1", "--json"])
    return ended.value.code


def test_a_watched_folder_is_one_delivery_a_subfolder_and_each_file_a_line_of_json(service, tmp_path, capsys):
    for name in ("north/one.csv", "north/two.csv", "three.csv"):
        path = tmp_path / "in" / "education" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PUPILS)
    assert watch(tmp_path / "in") == 0
    assert sorted(map(sorted, service.deliveries)) == [["one.csv", "two.csv"], ["three.csv"]]
    said = capsys.readouterr()
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert {one["from"] for one in lines} == {"education/north/one.csv", "education/north/two.csv", "education/three.csv"}
    assert all((tmp_path / "in" / one["to"]).read_text() == PUPILS and one["to"].startswith("taken/") for one in lines)
    assert "no such subfolder yet" in said.err and "is now taken/" in said.err
    assert watch(tmp_path / "in") == 0 and len(service.deliveries) == 2


def test_a_refused_file_moves_beside_its_reason_and_the_exit_says_so(service, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "bad.csv").write_text("x")
    assert watch(tmp_path / "in", "education") == 1
    assert (tmp_path / "in" / "refused" / "bad.csv").exists()
    assert (tmp_path / "in" / "refused" / "bad.csv.reason.txt").read_text() == "bad.csv: it is bad\n"


def test_a_file_that_becomes_a_link_after_the_look_is_not_sent(service, tmp_path, monkeypatch):
    secret, file = tmp_path / "secret.csv", tmp_path / "in" / "one.csv"
    file.parent.mkdir()
    for path in (secret, file):
        path.write_text(PUPILS)
        os.utime(path, (1_700_000_000, 1_700_000_000))
    look = Folder.ready

    def swapped(folder: Folder, *, now: float):
        found = look(folder, now=now)
        if found:
            file.unlink()
            file.symlink_to(secret)
        return found

    monkeypatch.setattr(Folder, "ready", swapped)
    assert watch(tmp_path / "in", "education") != 0
    assert service.deliveries == [] and secret.exists() and file.is_symlink()


def test_a_delivery_that_no_service_answers_stays_where_it_is(monkeypatch, tmp_path):
    for name in ("issuer", "education"):
        monkeypatch.setenv(port_variable(name), "1")
    monkeypatch.setenv("CHILDVIEW_STATE", str(tmp_path / "state"))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("x")
    assert watch(tmp_path / "in", "education") == 1 and (tmp_path / "in" / "a.csv").exists()


def test_a_folder_that_is_not_there_is_said(tmp_path, capsys):
    assert watch(tmp_path / "nowhere") == 1 and "no such folder" in json.loads(capsys.readouterr().out)["error"]


def test_a_span_of_time_is_not_negative_and_ends():
    for wrong in ("-1", "nan", "inf", "soon"):
        with pytest.raises((SystemExit, client.Failed)):
            cli._parser().parse_args(["watch", "/nowhere", "--every", wrong])
    assert grammar.seconds("0.5") == 0.5


def test_what_is_wrong_is_said_a_line_each():
    body = {"detail": "The body breaks its contract.", "errors": [{"at": "query/authority", "why": "three digits"}]}
    assert client._words("socialcare", 422, body) == "socialcare: The body breaks its contract.\n  query/authority: three digits"
    assert client._words("socialcare", 404, {}) == "socialcare: 404"
