"""The installation script as it is, with its own paths, by root of a container that has nothing but stand-ins."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.anywhere import installation
from lab.anywhere.activations import Activation

from ..unit import anywhere_stand_ins as stand_ins
from ..unit.anywhere_stand_ins import ACTIVATION, CODE, STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.engine.discovery import Engine

IMAGE = "localhost/serverless-lab-anywhere-test:1"
FOLDER = "/root/ecs-anywhere"
TEMPORARY = "/tmp"  # noqa: S108 - of a container
REGISTRATION = "/var/lib/amazon/ssm/Vault/Store/RegistrationKey"
# What the kernel here may permit less of than an engine asks for by itself.
LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096")


def run(*words: str, status: int | None = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, check=False)
    assert status is None or done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def image(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Make the root of a host out of a static BusyBox, this machine's bash, and the stand-ins."""
    busybox, bash = Path("/bin/busybox"), shutil.which("bash")
    if sys.platform != "linux" or bash is None or not busybox.exists():
        pytest.skip("the host is made of Linux's bash and of BusyBox: `apt install bash busybox-static`")
    context = tmp_path_factory.mktemp("anywhere")
    root = context / "root"
    for folder in ("bin", "etc", "root", "run/systemd/system", "shelf", TEMPORARY[1:], "usr/local/bin"):
        (root / folder).mkdir(parents=True)
    # The loader and the libraries of bash, where bash looks for them.
    for library in re.findall(r"(/\S+) \(0x", run("ldd", bash).stdout):
        (root / library[1:]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(library).resolve(), root / library[1:])
    shutil.copy(Path(bash).resolve(), root / "bin/bash")
    shutil.copy(busybox, root / "bin/busybox")
    for name in {*stand_ins.REAL, "basename", "cp", "id", "ls", "sh", "sleep", "test"} - {"bash"}:
        (root / "bin" / name).symlink_to("busybox")
    made_up = stand_ins.commands(bash="/bin/bash", root="", calls="/calls", shelf="/shelf", folder="/usr/local/bin")
    for name, text in made_up.items():
        if name == "id":
            continue  # which is root's for real
        stand_in = root / ("shelf" if name in stand_ins.INSTALLED_LATER else "usr/local/bin") / name
        stand_in.write_text(text)
        stand_in.chmod(0o755)
    (root / "etc/os-release").write_text(stand_ins.OS_RELEASE)
    made = Activation(ACTIVATION, "us-east-1", "edge", datetime.now(timezone.utc) + timedelta(hours=1), 1)
    installation.prepare(root / FOLDER[1:])
    installation.write(root / FOLDER[1:], made, CODE)
    (context / "Dockerfile").write_text("FROM scratch\nCOPY root /\nENV PATH=/usr/local/bin:/bin\n")
    run(engine.name, "build", "--quiet", "--tag", IMAGE, str(context))
    return IMAGE


class Host:
    """A container of that image."""

    def __init__(self, engine: str, image: str) -> None:
        self.engine = engine
        started = run(engine, "run", "--detach", *LIMITS, image, "/bin/busybox", "sleep", "600")
        self.container = started.stdout.strip()

    def __call__(self, *words: str, status: int | None = 0, **environ: str) -> subprocess.CompletedProcess[str]:
        variables = [word for name, value in environ.items() for word in ("--env", f"{name}={value}")]
        return run(self.engine, "exec", *variables, self.container, *words, status=status)

    def install(self, *options: str, status: int = 0, **environ: str) -> subprocess.CompletedProcess[str]:
        done = self("bash", f"{FOLDER}/{installation.SCRIPT}", *options, status=status, **environ)
        assert CODE not in done.stdout + done.stderr, "the activation code was printed"
        return done

    def has(self, path: str) -> bool:
        return self("test", "-e", path, status=None).returncode == 0

    @property
    def calls(self) -> list[str]:
        return self("cat", "/calls").stdout.splitlines()


@pytest.fixture
def host(engine: Engine, image: str) -> Iterator[Host]:
    made = Host(engine.name, image)
    yield made
    run(engine.name, "kill", made.container)
    run(engine.name, "rm", made.container)


def test_root_installs_verifies_registers_and_starts_in_this_order(host: Host) -> None:
    assert host("stat", "-c", "%a %u", f"{FOLDER}/{installation.CODE}").stdout.split() == ["600", "0"]

    done = host.install()

    assert stand_ins.without_folders(stand_ins.changes(host.calls)) == stand_ins.ORDER
    assert host("cat", "/etc/ecs/ecs.config").stdout == "ECS_CLUSTER=edge\n"
    assert host("cat", "/var/lib/ecs/ecs.config").stdout == "AWS_DEFAULT_REGION=us-east-1\nECS_EXTERNAL=true\n"
    assert "The host is in the cluster edge: arn:aws:ecs:" in done.stdout
    # Nothing of it is left but what was installed: no code, no downloads.
    assert not host.has(f"{FOLDER}/{installation.CODE}")
    assert host("ls", TEMPORARY).stdout == ""


def test_a_second_run_changes_nothing(host: Host) -> None:
    host.install()
    host("rm", "/calls")

    done = host.install()

    assert "The host is registered: mi-0123456789abcdef0." in done.stdout
    again = stand_ins.changes(host.calls)
    assert not [call for call in again if "install" in call or "register" in call or "restart" in call]


@pytest.mark.parametrize("fails", STEPS)
def test_a_step_that_fails_is_named_and_the_next_run_goes_on_from_there(host: Host, fails: str) -> None:
    named, before = STEPS[fails]

    done = host.install(status=1, FAIL=fails)

    assert named in done.stderr
    assert "failed: mend what is said above, then run this again" in done.stderr
    assert host.has(REGISTRATION) == ("registered" in before)
    assert host.has(f"{FOLDER}/{installation.CODE}") == ("registered" not in before)
    assert host.has("/usr/libexec/amazon-ecs-init") == ("ecs" in before)
    assert host("ls", TEMPORARY).stdout == ""
    host.install()
    assert len([call for call in host.calls if "-register" in call]) == (2 if fails == "-register" else 1)


def test_a_host_that_cannot_be_one_is_left_as_it_is(host: Host) -> None:
    host("rm", "-r", "/run/systemd")
    host("chmod", "0644", f"{FOLDER}/{installation.CODE}")

    done = host.install(status=1, MACHINE="riscv64")

    assert "Not started by systemd, which runs both agents." in done.stderr
    assert f"{FOLDER}/{installation.CODE} can be read by others: chmod 0600 it." in done.stderr
    assert "The processor is riscv64" in done.stderr
    assert "Nothing was changed." in done.stderr
    assert stand_ins.changes(host.calls) == []
    assert not host.has("/etc/ecs")


def test_anybody_but_root_is_refused(host: Host) -> None:
    # The code is root's alone, and so is the script: another user has a copy, and a code that it may read.
    for name in (installation.SCRIPT, installation.CODE):
        host("cp", f"{FOLDER}/{name}", f"{TEMPORARY}/{name}")
        host("chmod", "0644", f"{TEMPORARY}/{name}")
    host("touch", "/calls")
    host("chmod", "0666", "/calls")

    done = run(
        host.engine, "exec", "--user", "1000", host.container, "bash", f"{TEMPORARY}/{installation.SCRIPT}", status=1
    )

    assert "It needs root: sudo bash install.sh." in done.stderr
    assert stand_ins.changes(host.calls) == []
