"""A folder is taken when it has come to rest, one delivery a subfolder; its files move and are never lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from services.plumbing.files.watch import OWN, Folder, Watched

ROOT = Path(__file__).parents[2]
STILL = 10.0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("education", "socialcare"):
        (tmp_path / name).mkdir()
    return tmp_path


def folder(root: Path) -> Folder:
    return Folder(root, {name: root / name for name in ("education", "socialcare")}, STILL)


def put(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def names(arrived) -> list[tuple[str, list[str]]]:
    return [(one.service, sorted(path.name for path in one.files)) for one in arrived]


def below(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and OWN not in path.parts}


def test_a_file_is_taken_when_it_has_stood_still_and_not_while_it_grows(root):
    watched, file = folder(root), put(root / "education" / "a.csv")
    assert watched.ready(now=0) == [] and watched.ready(now=9) == []
    file.write_text("longer")
    assert watched.ready(now=11) == [] and names(watched.ready(now=21)) == [("education", ["a.csv"])]


def test_files_of_one_subfolder_are_one_delivery_that_waits_for_its_last_file(root):
    watched = folder(root)
    put(root / "education" / "school" / "a.csv"), put(root / "education" / "b.csv"), put(root / "socialcare" / "c.csv")
    watched.ready(now=0)
    put(root / "education" / "school" / "deep" / "late.csv")
    assert names(watched.ready(now=10)) == [("education", ["b.csv"]), ("socialcare", ["c.csv"])]
    assert ("education", ["a.csv", "late.csv"]) in names(watched.ready(now=20))


def test_a_file_that_never_stands_still_keeps_its_neighbours_no_longer_than_ten_minutes(root):
    watched, file = folder(root), put(root / "education" / "grows.csv")
    put(root / "education" / "a.csv")
    for now in range(0, 600, 9):
        file.write_text("x" * (now + 2))
        assert watched.ready(now=now) == []
    file.write_text("y" * 1000)
    assert names(watched.ready(now=600)) == [("education", ["a.csv"])]


def test_what_is_hidden_half_written_or_a_link_out_of_the_folder_is_left_alone(root, tmp_path_factory):
    elsewhere = put(tmp_path_factory.mktemp("elsewhere") / "secret.csv")
    (root / "education" / "link.csv").symlink_to(elsewhere)
    (root / "education" / "way-out").symlink_to(elsewhere.parent)
    for name in (".hidden.csv", "a.csv.part", "b.tmp"):
        put(root / "education" / name)
    watched = folder(root)
    assert watched.ready(now=0) == watched.ready(now=100) == []


def rested(watched: Folder):
    (watched.root / OWN).mkdir(exist_ok=True)
    watched.ready(now=0)
    return watched.ready(now=STILL)[0]


def test_taken_files_move_to_their_day_and_refused_ones_stand_beside_their_reason_and_nothing_is_written_over(root):
    watched = folder(root)
    for _ in range(2):
        good, bad = put(root / "education" / "s" / "good.csv"), put(root / "education" / "s" / "bad.csv")
        moved = watched.put_away(rested(watched), {bad: "bad.csv: the file is empty"}, day="2026-11-24")
        assert set(moved) == {good, bad}
    assert below(root) == {
        "taken/2026-11-24/education/s/good.csv", "taken/2026-11-24/education/s/good-2.csv", "refused/education/s/bad.csv",
        "refused/education/s/bad.csv.reason.txt", "refused/education/s/bad-2.csv", "refused/education/s/bad-2.csv.reason.txt",
    }  # fmt: skip
    assert (root / "refused/education/s/bad.csv.reason.txt").read_text() == "bad.csv: the file is empty\n"
    assert watched.ready(now=99) == []


def test_a_file_that_changed_while_it_was_sent_stays_and_is_taken_again(root):
    watched, file = folder(root), put(root / "education" / "a.csv")
    arrived = rested(watched)
    file.write_text("changed")
    assert watched.put_away(arrived, {}, day="2026-11-24") == {} and file.read_text() == "changed"
    watched.ready(now=50)
    assert names(watched.ready(now=60)) == [("education", ["a.csv"])]


@pytest.mark.parametrize("after", [0, 1, 2])
def test_killed_between_two_moves_it_goes_on_where_it_was(root, after):
    for name in ("a.csv", "b.csv", "c.csv"):
        put(root / "education" / name, name)
    script = f"""
import os
from pathlib import Path
from services.plumbing.files.watch import Folder
root, rename, count = Path({str(root)!r}), Path.rename, 0
def killed(path, target):
    global count
    if path.suffix == ".csv":
        if count == {after}:
            os.kill(os.getpid(), 9)
        count += 1
    return rename(path, target)
Path.rename = killed
watched = Folder(root, {{"education": root / "education"}}, 0)
(root / "{OWN}").mkdir()
watched.put_away(watched.ready(now=0)[0], {{root / "education/c.csv": "c.csv: why"}}, day="2026-11-24")
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True)
    assert done.returncode == -9, done.stderr
    again = folder(root)
    again.go_on()
    assert again.go_on() == {}
    assert below(root) == {"taken/2026-11-24/education/a.csv", "taken/2026-11-24/education/b.csv", "refused/education/c.csv", "refused/education/c.csv.reason.txt"}


def test_two_processes_never_watch_one_folder(root):
    with folder(root).watched(), pytest.raises(Watched), folder(root).watched():
        raise AssertionError("both watch")
    with folder(root).watched():
        assert json.dumps(sorted(below(root))) == "[]"


# -- between the look and the sending ----------------------------------------------------------------------------------


def _becomes_a_link(file: Path, secret: Path) -> None:
    file.unlink()
    file.symlink_to(secret)


def _folder_becomes_a_link(file: Path, secret: Path) -> None:
    file.parent.rename(file.parent.with_name("moved"))
    file.parent.symlink_to(secret.parent)


def _becomes_another(file: Path, secret: Path) -> None:
    file.write_text("other")


def _becomes_a_pipe(file: Path, secret: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def _goes(file: Path, secret: Path) -> None:
    file.unlink()


@pytest.mark.parametrize("swapped", [_becomes_a_link, _folder_becomes_a_link, _becomes_another, _becomes_a_pipe, _goes])
def test_what_was_swapped_after_it_was_looked_at_is_not_opened(root, tmp_path_factory, swapped):
    watched, file = folder(root), put(root / "education" / "north" / "a.csv", "x" * 9)
    secret = put(tmp_path_factory.mktemp("elsewhere") / "a.csv", "s" * 9)
    os.utime(secret, ns=(file.stat().st_mtime_ns, file.stat().st_mtime_ns))
    arrived = rested(watched)
    with watched.open(arrived, file) as opened:
        assert opened.read() == b"x" * 9
    swapped(file, secret)
    with pytest.raises(OSError):
        watched.open(arrived, file)


def test_an_open_file_is_sent_as_it_was_opened_whatever_its_name_names_now(root, tmp_path_factory):
    watched, file = folder(root), put(root / "education" / "a.csv", "x" * 9)
    with watched.open(rested(watched), file) as opened:
        _becomes_a_link(file, put(tmp_path_factory.mktemp("elsewhere") / "a.csv", "secret"))
        assert opened.read() == b"x" * 9
