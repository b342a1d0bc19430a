"""Set-up makes an environment once, again when it has to, and says in one sentence why it cannot."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import set_up

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note what set-up would do to make environments, and let it succeed."""
    done: list[str] = []

    def make(path: Path) -> None:
        done.append("make")
        path.mkdir()

    monkeypatch.setattr(set_up, "ROOT", tmp_path)
    monkeypatch.setattr(set_up, "make_with_uv", make)
    monkeypatch.setattr(set_up, "run", lambda command: done.append(" ".join(map(str, command[1:3]))))
    (tmp_path / "app.txt").write_text("one==1")
    (tmp_path / "tests.txt").write_text("two==2")
    return done


def environment(tmp_path: Path, *names: str) -> None:
    set_up.environment(tmp_path / "env", list(names), make=set_up.make_with_uv)


def test_an_environment_is_made_once(tmp_path: Path, workshop: list[str]) -> None:
    environment(tmp_path, "app.txt")
    environment(tmp_path, "app.txt")
    assert workshop == ["make", "pip install"]


@pytest.mark.parametrize(("purposes", "made"), [([], False), (["postgresql"], True)])
def test_postgresql_is_made_when_it_is_asked_for_and_then_alone(
    tmp_path: Path, workshop: list[str], monkeypatch: pytest.MonkeyPatch, purposes: list[str], made: bool
) -> None:
    others: list[Path] = []
    real = set_up.environment
    (tmp_path / ".environments").mkdir()
    (tmp_path / "requirements-postgresql.txt").write_text("one==1")

    def environment_of(path: Path, *words: list[str], **_: object) -> None:
        if path.name == "postgresql":
            real(path, *words, make=set_up.make_with_uv)
        else:
            others.append(path)

    monkeypatch.setattr(set_up, "environment", environment_of)
    monkeypatch.setattr(set_up, "node_modules", lambda _: None)
    set_up.make_environments(purposes)

    assert (workshop == ["make", "pip install"]) is made
    assert bool(others) is not made
    # What is there is kept up to date with the others.
    set_up.make_environments([])
    assert workshop == (["make", "pip install"] if made else [])


def test_the_packages_of_the_tests_come_on_top_of_the_apps(tmp_path: Path, workshop: list[str]) -> None:
    environment(tmp_path, "app.txt")
    environment(tmp_path, "app.txt", "tests.txt")
    environment(tmp_path, "app.txt")  # `make lab` after `make test`
    assert workshop == ["make", "pip install", "pip install"]


def test_changed_requirements_make_it_anew(tmp_path: Path, workshop: list[str]) -> None:
    environment(tmp_path, "app.txt", "tests.txt")
    (tmp_path / "app.txt").write_text("one==2")
    environment(tmp_path, "app.txt", "tests.txt")
    assert workshop == ["make", "pip install"] * 2


def test_an_interrupted_environment_is_made_anew(
    tmp_path: Path, workshop: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(set_up, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            environment(tmp_path, "app.txt")
    (tmp_path / "env" / "half").touch()
    environment(tmp_path, "app.txt")
    assert workshop == ["make", "make", "pip install"]
    assert not (tmp_path / "env" / "half").exists()


def test_another_python_makes_it_anew(tmp_path: Path, workshop: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    environment(tmp_path, "app.txt")
    monkeypatch.setattr(sys, "version", "3.99")
    environment(tmp_path, "app.txt")
    assert workshop == ["make", "pip install"] * 2


def test_a_second_set_up_waits_for_the_first(tmp_path: Path) -> None:
    shutil.copy(ROOT / "set_up.py", tmp_path)
    program = (
        "import set_up; set_up.make_environments = lambda purposes: print('made', purposes); set_up.main(['test'])"
    )
    (tmp_path / ".lab").mkdir()
    first = sqlite3.connect(tmp_path / ".lab" / "set-up.lock", isolation_level=None)
    first.execute("BEGIN EXCLUSIVE")
    second = subprocess.Popen(
        [sys.executable, "-c", program], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert second.stderr
    assert "waiting" in second.stderr.readline()
    assert second.poll() is None
    first.close()
    assert second.communicate(timeout=30)[0] == "made ['test']\n"


def test_an_old_python_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 18))
    monkeypatch.setattr(sys, "version", "3.9.18 (main)")
    with pytest.raises(set_up.SetUpError, match=r"Python 3\.10 or newer is needed, and this is 3\.9\.18"):
        set_up.main([])


def test_without_a_package_index_it_is_one_sentence(tmp_path: Path) -> None:
    checkout = tmp_path / "a checkout"
    checkout.mkdir()
    for name in ("set_up.py", "requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, checkout)
    nowhere = "http://127.0.0.1:9/simple"
    environ = {
        **os.environ, "PIP_INDEX_URL": nowhere, "PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": "", "PIP_RETRIES": "0",
        "PIP_NO_CACHE_DIR": "1", "PIP_CONFIG_FILE": os.devnull,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "set_up.py"], cwd=checkout, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "is there a network, with a package index" in done.stderr
    assert "Traceback" not in done.stderr
    assert "uv==" in (checkout / ".lab" / "set-up.log").read_text()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    shutil.copy(ROOT / "set_up.py", tmp_path)
    (tmp_path / ".lab").touch()
    done = subprocess.run([sys.executable, tmp_path / "set_up.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
