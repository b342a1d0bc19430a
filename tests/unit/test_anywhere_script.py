"""The installation script, on a host of stand-ins: what it checks first, what it does in which order, how it fails."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from lab.anywhere import installation
from lab.anywhere.activations import Activation

#: Of the development environment, so that nothing has to be installed by hand.
SHELLCHECK = Path(sys.executable).with_name("shellcheck")
CODE = "an-activation-code-of-20"
SSM_SIGNER = "1C5B395CBE5E74E2F1CA21592784DBF388D19D46"
ECS_SIGNER = "F34C3DDAE72926B079BEAEC6BCE9D9A42D51784F"
ACTIVATION = "0123abcd-0123-0123-0123-0123456789ab"
REAL = ["bash", "cat", "chmod", "date", "dirname", "grep", "head", "mkdir", "mktemp", "rm", "stat", "tail", "touch"]
#: Notes how it was called, and does what the host's own would; fails when its call begins like $FAIL.
STAND_IN = """#!{bash}
call="$(basename "$0") $*"
call=${{call//{code}/CODE}}
printf '%s\\n' "$call" >>"$CALLS"
if [[ -n ${{FAIL:-}} && $call == *"$FAIL"* ]]; then exit 3; fi
"""
BEHAVIOUR = {
    "id": "echo 0",
    "uname": 'echo "${MACHINE:-x86_64}"',
    "sleep": "",
    "basename": None,
    "curl": r"""
        if [[ $* == *51678* ]]; then echo '{"ContainerInstanceArn":"arn:aws:ecs:us-east-1:1:container-instance/c/1"}'
        fi
        while (($#)); do if [[ $1 == --output && $2 != /dev/null ]]; then echo a package >"$2"; fi; shift; done
        """,
    "gpg": r"""
        if [[ $* == *--verify* ]]; then
            signer=$ECS
            if [[ $* == *amazon-ssm-agent* ]]; then signer=$SSM; fi
            echo "[GNUPG:] ${VERDICT:-GOODSIG} 0123456789ABCDEF AWS"
            echo "[GNUPG:] VALIDSIG 00AA 2026-11-25 1 0 4 0 1 8 00 ${SIGNER:-$signer}"
        fi
        """,
    "systemctl": "if [[ $1 == is-enabled ]]; then exit 1; fi",
    "apt-get": r"""
        if [[ $* == *amazon-ssm-agent.deb ]]; then install_command amazon-ssm-agent; fi
        if [[ $* == *docker.io ]]; then install_command docker; fi
        if [[ $* == *amazon-ecs-init* ]]; then mkdir -p "$HOST/usr/libexec"; touch "$HOST/usr/libexec/amazon-ecs-init"
            chmod 755 "$HOST/usr/libexec/amazon-ecs-init"; fi
        """,
    "amazon-ssm-agent": r"""
        if [[ $* == *-register* ]]; then mkdir -p "$HOST/var/lib/amazon/ssm/Vault/Store"
            echo '{"instanceID":"mi-0123456789abcdef0"}' >"$HOST/var/lib/amazon/ssm/Vault/Store/RegistrationKey"; fi
        echo "the agent was called with $*"
        """,
    "docker": "",
}
INSTALLED_LATER = {"amazon-ssm-agent", "docker"}
OS_RELEASE = 'PRETTY_NAME="Debian"\nID=debian\nVERSION_ID="12"\n'


class Host:
    """A temporary root, with stand-ins for everything that would change this machine."""

    def __init__(self, folder: Path, *, expires: timedelta = timedelta(hours=1)) -> None:
        self.root, self.bin, self.shelf = (folder / name for name in ("root", "bin", "shelf"))
        self.calls_file = folder / "calls"
        for path in (self.bin, self.shelf, self.root / "etc", self.root / "run" / "systemd" / "system"):
            path.mkdir(parents=True)
        self.calls_file.touch()
        (self.root / "etc" / "os-release").write_text(OS_RELEASE)
        for name in [*REAL, "basename"]:
            (self.bin / name).symlink_to(Path(shutil.which(name) or name).resolve())
        start = STAND_IN.format(bash=shutil.which("bash"), code=CODE)
        installs = f'install_command() {{ cat "{self.shelf}/$1" >"{self.bin}/$1"; chmod 755 "{self.bin}/$1"; }}\n'
        for name, does in BEHAVIOUR.items():
            if does is not None:
                stand_in = (self.shelf if name in INSTALLED_LATER else self.bin) / name
                stand_in.write_text(start + installs + does + "\n")
                stand_in.chmod(0o755)
        moment = datetime.now(timezone.utc) + expires
        made = Activation(ACTIVATION, "us-east-1", "edge", moment, 1)
        self.folder = folder / "installation"
        installation.prepare(self.folder)
        installation.write(self.folder, made, CODE)
        script = self.folder / installation.SCRIPT
        script.write_text(installation.script(made, root=str(self.root)))

    def install(self, *options: str, **environ: str) -> subprocess.CompletedProcess[str]:
        about = {"HOST": str(self.root), "CALLS": str(self.calls_file), "ECS": ECS_SIGNER, "SSM": SSM_SIGNER}
        done = subprocess.run(
            [self.bin / "bash", self.folder / installation.SCRIPT, *options],
            env={"PATH": str(self.bin), "TMPDIR": str(self.folder.parent), **about, **environ},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert CODE not in done.stdout + done.stderr, "the activation code was printed"
        return done

    @property
    def calls(self) -> list[str]:
        return self.calls_file.read_text().splitlines()

    @property
    def changes(self) -> list[str]:
        """What was called that changes a host."""
        return [call for call in self.calls if call.split()[0] not in {"id", "uname", "curl", "gpg", "sleep"}]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_shellcheck_finds_nothing(host: Host) -> None:
    script = host.folder / installation.SCRIPT
    checked = subprocess.run([SHELLCHECK, script], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")


def test_everything_is_installed_verified_registered_and_started_in_this_order(host: Host) -> None:
    done = host.install()

    assert done.returncode == 0, done.stderr
    downloads = host.folder.parent
    shown = [call.replace(str(downloads), "") for call in host.changes]
    shown = [" ".join(word.rpartition("/")[2] for word in call.split()) for call in shown]
    assert shown == [
        "apt-get update",
        "systemctl is-enabled --quiet snap.amazon-ssm-agent.amazon-ssm-agent.service",
        "apt-get install --yes amazon-ssm-agent.deb",
        "systemctl stop amazon-ssm-agent",
        f"amazon-ssm-agent -register -y -id {ACTIVATION} -region us-east-1 -code CODE",
        "apt-get install --yes docker.io",
        "apt-get install --yes amazon-ecs-init-latest.amd64.deb",
        *(
            f"systemctl {verb} {service}"
            for service, start in (("amazon-ssm-agent", "start"), ("docker", "start"), ("ecs", "restart"))
            for verb in ("enable", start)
        ),
    ]
    assert (host.root / "etc/ecs/ecs.config").read_text() == "ECS_CLUSTER=edge\n"
    assert (host.root / "var/lib/ecs/ecs.config").read_text() == "AWS_DEFAULT_REGION=us-east-1\nECS_EXTERNAL=true\n"
    assert "The host is in the cluster edge: arn:aws:ecs:" in done.stdout


@pytest.mark.parametrize("agent", ["amazon-ssm-agent.deb", "amazon-ecs-init-latest.amd64.deb"])
def test_a_package_is_verified_before_it_is_installed(host: Host, agent: str) -> None:
    host.install()
    downloaded, verified, installed = (
        next(number for number, call in enumerate(host.calls) if all(word in call for word in (agent, *words)))
        for words in (("curl", "--output"), ("gpg", "--verify"), ("apt-get", "install"))
    )
    assert downloaded < verified < installed


@pytest.mark.parametrize("verdict", ["BADSIG", "ERRSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG"])
def test_a_signature_that_is_not_good_stops_it(host: Host, verdict: str) -> None:
    done = host.install(VERDICT=verdict)

    assert done.returncode == 1
    assert f"amazon-ssm-agent.deb is not signed by the key {SSM_SIGNER}" in done.stderr
    assert not [call for call in host.changes if "install" in call or "register" in call]


@pytest.mark.parametrize("signer", [ECS_SIGNER, f"{SSM_SIGNER}00", SSM_SIGNER[:-1]])
def test_a_good_signature_by_another_key_stops_it(host: Host, signer: str) -> None:
    done = host.install(SIGNER=signer)

    assert done.returncode == 1
    assert "is not signed by the key" in done.stderr
    assert not [call for call in host.changes if "install" in call]


def test_the_code_is_read_from_its_file_and_removed_once_it_is_used(host: Host) -> None:
    done = host.install()

    assert "the file with the activation code is removed" in done.stdout
    assert not (host.folder / installation.CODE).exists()
    left = [
        path for path in host.folder.parent.rglob("*") if path.is_file() and path.parent not in {host.bin, host.shelf}
    ]
    assert not [path for path in left if CODE.encode() in path.read_bytes()]


def test_it_can_be_run_again(host: Host) -> None:
    host.install()
    host.calls_file.write_text("")
    before = {path: path.read_text() for path in (host.root / "etc").rglob("*") if path.is_file()}

    done = host.install()

    assert done.returncode == 0, done.stderr
    assert "The host is registered: mi-0123456789abcdef0." in done.stdout
    assert not [call for call in host.changes if "install" in call or "register" in call or "restart" in call]
    assert before == {path: path.read_text() for path in (host.root / "etc").rglob("*") if path.is_file()}


STEPS = {
    "apt-get update": ("The update of the lists of packages", []),
    "latest/debian_amd64/amazon-ssm-agent.deb": ("The download of https://s3.us-east-1.amazonaws.com/amazon-ssm", []),
    "amazon-ssm-agent.gpg": ("The download of https://raw.githubusercontent.com", []),
    "gpg --homedir": ("The import of ssm.gpg", []),
    "apt-get install --yes /": ("The installation of the SSM agent", []),
    "-register": ("The registration with AWS Systems Manager", ["ssm"]),
    "apt-get install --yes docker.io": ("The installation of Docker", ["ssm", "registered"]),
    "amazon-ecs-agent-us-east-1/": ("The download of https://s3.us-east-1.amazonaws.com/amazon-ecs", ["registered"]),
    "enable docker": ("To enable docker", ["registered", "ecs"]),
    "restart ecs": ("The start of ecs", ["registered", "ecs"]),
}


@pytest.mark.parametrize("fails", STEPS)
def test_a_step_that_fails_is_named_and_the_next_run_goes_on_from_there(host: Host, fails: str) -> None:
    named, done_before = STEPS[fails]
    done = host.install(FAIL=fails)

    assert done.returncode == 1
    assert f"{named}" in done.stderr
    assert "failed: mend what is said above, then run this again" in done.stderr
    assert ("ssm" in done_before or "registered" in done_before) == (host.bin / "amazon-ssm-agent").exists()
    assert ("registered" in done_before) == (not (host.folder / installation.CODE).exists())
    assert ("ecs" in done_before) == (host.root / "usr/libexec/amazon-ecs-init").exists()
    again = host.install()
    assert again.returncode == 0, again.stderr
    registrations = [call for call in host.calls if "-register" in call]
    assert len(registrations) == (2 if fails == "-register" else 1)


def test_an_agent_that_does_not_join_is_said_to_have_not(host: Host) -> None:
    done = host.install(FAIL="51678")

    assert done.returncode == 1
    assert "The ECS agent has not joined the cluster: /var/log/ecs/ecs-agent.log says why." in done.stderr


def test_cloud_init_is_not_waited_for(host: Host) -> None:
    done = host.install("--no-wait")

    assert done.returncode == 0, done.stderr
    assert "systemctl restart --no-block ecs" in host.calls
    assert not [call for call in host.calls if "51678" in call]


def not_root(host: Host) -> None:
    (host.bin / "id").write_text("#!/bin/sh\necho 1000\n")


def no_systemd(host: Host) -> None:
    shutil.rmtree(host.root / "run")


def old_system(host: Host) -> None:
    (host.root / "etc" / "os-release").write_text('ID=debian\nVERSION_ID="9"\n')


def unknown_system(host: Host) -> None:
    (host.root / "etc" / "os-release").write_text("ID=plan9\n")


def no_docker_package(host: Host) -> None:
    (host.root / "etc" / "os-release").write_text('ID="rhel"\nVERSION_ID="9.4"\n')


def no_gpg(host: Host) -> None:
    (host.bin / "gpg").unlink()


def no_curl(host: Host) -> None:
    (host.bin / "curl").unlink()


def no_package_manager(host: Host) -> None:
    (host.bin / "apt-get").unlink()


def no_code(host: Host) -> None:
    (host.folder / installation.CODE).unlink()


def code_for_others(host: Host) -> None:
    (host.folder / installation.CODE).chmod(0o644)


def code_that_is_none(host: Host) -> None:
    (host.folder / installation.CODE).write_text("$(reboot)\n")


def other_cluster(host: Host) -> None:
    (host.root / "etc" / "ecs").mkdir()
    (host.root / "etc" / "ecs" / "ecs.config").write_text("ECS_CLUSTER=other\n")


PROBLEMS = {
    not_root: "It needs root: sudo bash install.sh.",
    no_systemd: "Not started by systemd, which runs both agents.",
    old_system: "debian 9 is no distribution that Amazon ECS Anywhere is for.",
    unknown_system: "plan9 system is no distribution that Amazon ECS Anywhere is for.",
    no_docker_package: "rhel has no package of Docker: install Docker first.",
    no_gpg: "gpg is missing, and with it nothing would be verified: install gnupg.",
    no_curl: "curl is missing: install it.",
    no_package_manager: "There is none of apt-get, dnf, yum and zypper.",
    no_code: "activation-code is missing: copy it beside this script, with the mode 0600.",
    code_for_others: "activation-code can be read by others: chmod 0600 it.",
    code_that_is_none: "activation-code holds no activation code.",
    other_cluster: "This host belongs to the cluster other, and can to one alone: deregister it there first.",
}


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.__name__)
def test_a_host_that_cannot_be_one_is_told_why_and_left_as_it_is(host: Host, problem: object) -> None:
    assert callable(problem)
    problem(host)
    done = host.install()

    assert done.returncode == 1
    assert PROBLEMS[problem] in done.stderr
    assert "Nothing was changed." in done.stderr
    assert host.changes == []


def test_every_problem_is_told_at_once(host: Host) -> None:
    for problem in (not_root, no_systemd, code_for_others):
        problem(host)
    done = host.install(MACHINE="riscv64")

    assert [PROBLEMS[problem] in done.stderr for problem in (not_root, no_systemd, code_for_others)] == [True] * 3
    assert "The processor is riscv64: both agents are for x86_64 and aarch64." in done.stderr


@pytest.mark.parametrize("service", ["ssm", "ssmmessages", "ec2messages", "ecs", "logs", "s3"])
def test_an_address_that_cannot_be_reached_is_named(host: Host, service: str) -> None:
    done = host.install(FAIL=f"https://{service}.us-east-1.amazonaws.com/")

    assert done.returncode == 1
    assert f"https://{service}.us-east-1.amazonaws.com cannot be reached" in done.stderr
    assert host.changes == []


def test_an_activation_that_expired_is_refused_with_what_to_do(tmp_path: Path) -> None:
    host = Host(tmp_path, expires=timedelta(seconds=-1))
    done = host.install()

    assert done.returncode == 1
    assert 'The activation has expired: "lab anywhere register" makes another, and another script.' in done.stderr
    assert host.changes == []


def test_an_expired_activation_is_no_matter_to_a_host_that_is_registered(tmp_path: Path) -> None:
    host = Host(tmp_path, expires=timedelta(seconds=-1))
    key = host.root / "var/lib/amazon/ssm/Vault/Store/RegistrationKey"
    key.parent.mkdir(parents=True)
    key.write_text('{"instanceID":"mi-0123456789abcdef0"}')

    assert host.install().returncode == 0


def test_checking_changes_nothing(host: Host) -> None:
    done = host.install("--check")

    assert done.returncode == 0, done.stderr
    assert "All checks passed, and nothing was changed." in done.stdout
    assert host.changes == []
    assert (host.folder / installation.CODE).exists()


def test_an_option_that_does_not_exist_is_refused(host: Host) -> None:
    assert "--chekc: there are --check and --no-wait." in host.install("--chekc").stderr


def test_what_was_configured_before_is_kept(host: Host) -> None:
    config = host.root / "etc/ecs/ecs.config"
    config.parent.mkdir()
    config.write_text("ECS_RESERVED_MEMORY=256\n")
    host.install()

    assert config.read_text() == "ECS_RESERVED_MEMORY=256\nECS_CLUSTER=edge\n"


def test_arm_gets_packages_for_arm(host: Host) -> None:
    assert host.install(MACHINE="aarch64").returncode == 0
    fetched = [call for call in host.calls if "--output" in call and ".deb" in call]
    assert all("arm64" in call for call in fetched), fetched


@pytest.mark.parametrize("value", ["ed'ge", "edge\nreboot", "$(reboot)"])
def test_no_value_can_leave_its_quotes(value: str) -> None:
    made = Activation(ACTIVATION, "us-east-1", value, datetime.now(timezone.utc), 1)
    with pytest.raises(ValueError, match="cluster is"):
        installation.script(made)
