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

from . import anywhere_stand_ins as stand_ins
from .anywhere_stand_ins import ACTIVATION, CODE, ECS_SIGNER, SSM_SIGNER, STEPS

#: Of the development environment, so that nothing has to be installed by hand.
SHELLCHECK = Path(sys.executable).with_name("shellcheck")


class Host:
    """A temporary root, with stand-ins for everything that would change this machine."""

    def __init__(self, folder: Path, *, expires: timedelta = timedelta(hours=1)) -> None:
        self.root, self.bin, self.shelf = (folder / name for name in ("root", "bin", "shelf"))
        self.calls_file = folder / "calls"
        for path in (self.bin, self.shelf, self.root / "etc", self.root / "run" / "systemd" / "system"):
            path.mkdir(parents=True)
        self.calls_file.touch()
        (self.root / "etc" / "os-release").write_text(stand_ins.OS_RELEASE)
        for name in [*stand_ins.REAL, "basename"]:
            (self.bin / name).symlink_to(Path(shutil.which(name) or name).resolve())
        made_up = stand_ins.commands(
            bash=shutil.which("bash") or "bash",
            root=str(self.root),
            calls=str(self.calls_file),
            shelf=str(self.shelf),
            folder=str(self.bin),
        )
        for name, text in made_up.items():
            stand_in = (self.shelf if name in stand_ins.INSTALLED_LATER else self.bin) / name
            stand_in.write_text(text)
            stand_in.chmod(0o755)
        moment = datetime.now(timezone.utc) + expires
        made = Activation(ACTIVATION, "us-east-1", "edge", moment, 1)
        self.folder = folder / "installation"
        installation.prepare(self.folder)
        installation.write(self.folder, made, CODE)
        script = self.folder / installation.SCRIPT
        script.write_text(installation.script(made, root=str(self.root)))

    def install(self, *options: str, before_script: bool = False, **environ: str) -> subprocess.CompletedProcess[str]:
        script = str(self.folder / installation.SCRIPT)
        done = subprocess.run(
            [str(self.bin / "bash"), *([*options, script] if before_script else [script, *options])],
            env={"PATH": str(self.bin), "TMPDIR": str(self.folder.parent), **environ},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert CODE not in done.stdout + done.stderr, "the activation code was printed"
        return done

    def is_registered(self, activation: str | None = ACTIVATION) -> None:
        """Register it, before the script runs: by the script, or with no note of the activation by something else."""
        state = self.root / "var/lib/amazon/ssm"
        (state / "Vault/Store").mkdir(parents=True)
        (state / "Vault/Store/RegistrationKey").write_text('{"instanceID":"mi-0123456789abcdef0"}')
        if activation:
            (state / "serverless-lab-activation").write_text(f"{activation}\n")

    @property
    def calls(self) -> list[str]:
        return self.calls_file.read_text().splitlines()

    @property
    def changes(self) -> list[str]:
        """What was called that changes a host."""
        return stand_ins.changes(self.calls)


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
    assert stand_ins.without_folders(host.changes) == stand_ins.ORDER
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


def signed(folder: Path, home: Path) -> str:
    """Sign a package with a new key, put both and the key into the folder, and return the key's fingerprint."""
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
    subprocess.run([*gpg, "--quick-generate-key", "AWS <a@example.com>", "ed25519", "sign"], check=True)
    (folder / "package").write_text("a package")
    subprocess.run([*gpg, "--yes", "--detach-sign", "--output", folder / "signature", folder / "package"], check=True)
    keys = subprocess.run([*gpg, "--export", "AWS"], check=True, capture_output=True).stdout
    (folder / "keys").write_bytes(keys)
    listed = subprocess.run([*gpg, "--with-colons", "--list-keys"], check=True, capture_output=True, text=True).stdout
    subprocess.run([shutil.which("gpgconf") or "gpgconf", "--homedir", home, "--kill", "all"], check=True)
    return next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:"))


def verify(folder: Path, signer: str) -> subprocess.CompletedProcess[str]:
    """Run the script's own function, with the real GnuPG."""
    script = (Path(installation.__file__).parent / installation.SCRIPT).read_text()
    functions = script.partition("\nfor option in ")[0]
    call = f'{functions}\ndownloads="$1"\nverify package signature keys "{signer}"\n'
    return subprocess.run(
        [shutil.which("bash") or "bash", "-c", call, "bash", folder],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.skipif(shutil.which("gpg") is None, reason="GnuPG is not there: `apt install gnupg`")
def test_gnupg_itself_agrees(tmp_path: Path) -> None:
    folder = tmp_path / "downloads"
    folder.mkdir()
    other = signed(folder, tmp_path / "gpg of another")
    keys_of_other = (folder / "keys").read_bytes()
    signer = signed(folder, tmp_path / "gpg")

    assert f"package is signed by {signer}." in verify(folder, signer).stdout
    # Good, and by a key that is there too, but not by the one that is asked for.
    (folder / "keys").write_bytes((folder / "keys").read_bytes() + keys_of_other)
    assert verify(folder, signer).returncode == 0
    assert f"package is not signed by the key {other}" in verify(folder, other).stderr
    (folder / "package").write_text("another package")
    assert f"package is not signed by the key {signer}" in verify(folder, signer).stderr
    (folder / "keys").write_text("no key")
    assert "The import of keys failed" in verify(folder, signer).stderr


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


def test_the_code_is_not_traced_either(host: Host) -> None:
    done = host.install("-x", before_script=True)

    assert done.returncode == 0, done.stderr
    assert "set +o xtrace" in done.stderr


def test_a_code_that_was_left_is_removed_from_a_host_that_is_registered(host: Host) -> None:
    host.is_registered()

    host.install("--check")
    assert (host.folder / installation.CODE).exists()
    assert host.install().returncode == 0
    assert not (host.folder / installation.CODE).exists()


def test_it_can_be_run_again(host: Host) -> None:
    host.install()
    host.calls_file.write_text("")
    before = {path: path.read_text() for path in (host.root / "etc").rglob("*") if path.is_file()}

    done = host.install()

    assert done.returncode == 0, done.stderr
    assert "The host is registered: mi-0123456789abcdef0." in done.stdout
    assert not [call for call in host.changes if "install" in call or "register" in call or "restart" in call]
    assert before == {path: path.read_text() for path in (host.root / "etc").rglob("*") if path.is_file()}


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


def test_cloud_init_is_said_to_keep_the_code_and_what_makes_it_worthless(host: Host) -> None:
    said = f"When all hosts are registered, end the activation: lab anywhere deregister {ACTIVATION}"

    assert said in host.install("--no-wait").stdout
    assert said not in host.install().stdout


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
    host.is_registered()

    assert host.install().returncode == 0


@pytest.mark.parametrize("activation", ["4567abcd-0123-0123-0123-0123456789ab", None])
def test_a_host_that_is_registered_with_another_activation_keeps_the_code_of_this_one(
    host: Host, activation: str | None
) -> None:
    host.is_registered(activation)

    done = host.install()

    assert done.returncode == 1
    assert "This host is registered with another activation: deregister it there, then remove " in done.stderr
    assert "Vault/Store/RegistrationKey and " in done.stderr
    assert "Nothing was changed." in done.stderr
    assert host.changes == []
    assert (host.folder / installation.CODE).read_text().strip() == CODE


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
