"""Which container engine is found, what it is asked to do, and what is refused before it is asked."""

from __future__ import annotations

import io
import json
import os
import shlex
import subprocess
import sys
import tarfile
import time
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from lab import preflight
from lab.ecr import oci
from lab.engine import cdk_docker, containers, discovery, images, scratch_base, service
from lab.errors import LabError, UsageError
from lambda_src.web_image import RUNTIME
from tests import stand_in

DOCKER = discovery.Engine("docker", "28.2.2", "amd64", rootless=False, address="unix:///var/run/docker.sock")
DOCKER_INFO = {"ServerVersion": "28.2.2", "Architecture": "aarch64", "OperatingSystem": "Debian", "SecurityOptions": []}
PODMAN_INFO = {
    "version": {"Version": "5.4.0"},
    "host": {"arch": "amd64", "security": {"rootless": True}, "serviceIsRemote": False},
}


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH: only what a test puts there is installed."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    for name in (discovery.CHOICE, "DOCKER_HOST"):
        monkeypatch.delenv(name, raising=False)
    return folder


def install(folder: Path, name: str, answers: dict[str, object], status: int = 0) -> None:
    """Install a command that answers by its first word, and notes how it was called."""
    said = json.dumps(answers)
    stand_in.install(
        folder / name,
        "import json, sys\n"
        f"open({str(folder / 'calls')!r}, 'a').write(json.dumps(sys.argv) + '\\n')\n"
        f"answer = json.loads({said!r}).get(sys.argv[1], '')\n"
        f"print(answer if isinstance(answer, str) else json.dumps(answer))\nsys.exit({status})\n",
    )


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(service, "FOLDER", tmp_path / "engine")
    monkeypatch.setattr(service, "RECORD", tmp_path / "engine" / "engine.json")
    return tmp_path / "engine" / "engine.json"


def test_docker_is_taken_first(commands: Path) -> None:
    install(commands, "docker", {"info": DOCKER_INFO, "context": "unix:///run/user/1000/docker.sock"})
    install(commands, "podman", {"info": PODMAN_INFO})

    found = discovery.found()

    assert found == discovery.Engine(
        "docker", "28.2.2", "arm64", rootless=False, address="unix:///run/user/1000/docker.sock"
    )


@pytest.mark.parametrize(
    "info",
    [{"ServerVersion": "", "ServerErrors": ["Cannot connect"]}, PODMAN_INFO, "no JSON", ["no object"]],
    ids=["without a server", "Podman under the name of Docker", "no JSON", "no object"],
)
def test_a_docker_without_its_server_leaves_it_to_podman(commands: Path, info: object) -> None:
    install(commands, "docker", {"info": info})
    install(commands, "podman", {"info": PODMAN_INFO})

    assert discovery.found() == discovery.Engine("podman", "5.4.0", "amd64", rootless=True)


@pytest.mark.parametrize("address", ["ssh://build.example.com", "tcp://192.0.2.1:2376"])
def test_an_engine_on_another_machine_is_not_used(
    commands: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    install(commands, "docker", {"info": DOCKER_INFO, "context": "unix:///var/run/docker.sock"})
    assert discovery.found()
    monkeypatch.setenv("DOCKER_HOST", address)
    assert discovery.found() is None


def test_a_podman_in_a_virtual_machine_is_not_started(commands: Path) -> None:
    install(commands, "podman", {"info": {**PODMAN_INFO, "host": {**PODMAN_INFO["host"], "serviceIsRemote": True}}})  # type: ignore[dict-item]
    assert discovery.found() is None


def test_without_any_there_is_none(commands: Path) -> None:
    assert discovery.found() is None
    install(commands, "docker", {}, status=1)
    assert discovery.found() is None


def test_the_environment_chooses(commands: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(commands, "docker", {"info": DOCKER_INFO, "context": "unix:///var/run/docker.sock"})
    install(commands, "podman", {"info": PODMAN_INFO})
    chosen = {}
    for choice in ("docker", "podman", "none"):
        monkeypatch.setenv(discovery.CHOICE, choice)
        found = discovery.found()
        chosen[choice] = found.name if found else None
    assert chosen == {"docker": "docker", "podman": "podman", "none": None}
    monkeypatch.setenv(discovery.CHOICE, "lxc")
    with pytest.raises(UsageError, match=r"SERVERLESS_LAB_ENGINE is lxc: docker, podman or none"):
        discovery.found()


@pytest.mark.parametrize("platform", ["linux/amd64", "linux/amd64/v2", ""])
def test_an_image_for_this_machine_runs(platform: str) -> None:
    images.require_runnable([platform], DOCKER)


def test_an_image_for_another_machine_is_refused_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(images, "_EMULATED", tmp_path)
    with pytest.raises(LabError) as refused:
        images.require_runnable(["linux/amd64", "linux/arm64"], DOCKER)
    assert "An image is for linux/arm64, and docker on this machine runs linux/amd64" in str(refused.value)
    assert "-c architecture=" in str(refused.value)
    assert "qemu-user-static" in str(refused.value)


def test_an_image_for_another_machine_runs_where_that_is_emulated(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "qemu-aarch64").touch()
    monkeypatch.setattr(images, "_EMULATED", tmp_path)
    images.require_runnable(["linux/arm64"], DOCKER)


def test_a_base_of_ones_own_is_both_of_the_dockerfiles_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(images.BASE_IMAGE, raising=False)
    assert images.build_arguments() == {}
    monkeypatch.setenv(images.BASE_IMAGE, "localhost/base:1")
    assert images.build_arguments() == {"BASE_IMAGE": "localhost/base:1", "BUSYBOX_IMAGE": "localhost/base:1"}


@pytest.fixture
def lent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "lent", lambda: service.Lent(DOCKER, "127.0.0.1:4566"))


@pytest.mark.usefixtures("lent")
@pytest.mark.parametrize(
    "words",
    [
        ["login", "--username", "AWS", "--password-stdin", "https://111122223333.dkr.ecr.us-east-1.amazonaws.com"],
        ["push", "111122223333.dkr.ecr.us-east-1.amazonaws.com/shop:1"],
    ],
)
def test_nothing_is_pushed_to_another_machine(words: list[str]) -> None:
    with pytest.raises(LabError, match="is not on this machine: refused"):
        cdk_docker.main(words)


@pytest.mark.usefixtures("lent")
def test_a_login_is_kept_nowhere(commands: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(commands, "docker", {})
    monkeypatch.setattr("sys.stdin", io.StringIO("password"))
    assert cdk_docker.main(["login", "--username", "AWS", "--password-stdin", "http://127.0.0.1:4566"]) == 0
    assert not (commands / "calls").exists()


@pytest.mark.usefixtures("lent")
def test_everything_else_is_the_engines_own(commands: Path) -> None:
    install(commands, "docker", {}, status=3)
    assert cdk_docker.main(["build", "--tag", "a", "."]) == 3
    [called] = map(json.loads, (commands / "calls").read_text().splitlines())
    assert called[1:] == ["build", "--tag", "a", "."]


def test_without_an_engine_the_cdk_cli_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "lent", lambda: None)
    with pytest.raises(LabError, match="No container engine is lent"):
        cdk_docker.main(["build", "."])


def test_a_saved_image_is_read_as_the_one_that_was_saved(tmp_path: Path) -> None:
    made = oci.image({"app": b"1"})
    manifest = json.loads(made.manifest)
    layer = made.blobs[manifest["layers"][0]["digest"]]
    contents = {
        "config.json": made.blobs[manifest["config"]["digest"]],
        "layer.tar": layer,
        "manifest.json": json.dumps([{"Config": "config.json", "Layers": ["layer.tar"]}]).encode(),
    }
    archive = tmp_path / "image.tar"
    with tarfile.open(archive, "w") as tar:
        for name, content in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))

    assert oci.from_archive(archive) == made


def test_podmans_socket_needs_a_short_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(service, "_SOCKET", tmp_path / ("x" * 100))
    podman = discovery.Engine("podman", "5.4.0", "amd64", rootless=False)
    with pytest.raises(LabError, match="too long a path"):
        service._served(podman, "127.0.0.1:4566")


@pytest.fixture
def podman_that_hangs(commands: Path, records: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a Podman whose API never comes; return the file that names its process."""
    noted = records.parent / "pid"
    for name in ("_SOCKET", "_REGISTRIES"):
        monkeypatch.setattr(service, name, records.parent / name)
    monkeypatch.setattr(service, "LOG", records.parent.parent / "engine.log")
    program = f"""
import json, os, sys, time
if sys.argv[1] == "info":
    print(json.dumps({PODMAN_INFO!r}))
else:
    open({str(noted)!r}, "w").write(str(os.getpid()))
    time.sleep(60)
"""
    stand_in.install(commands / "podman", program)
    return noted


def test_ctrl_c_while_podmans_api_starts_leaves_no_process(
    podman_that_hangs: Path, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = time.sleep

    def interrupted(seconds: float) -> None:
        pause(seconds)
        if podman_that_hangs.exists() and podman_that_hangs.read_text():
            raise KeyboardInterrupt

    monkeypatch.setattr(service.time, "sleep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        service.lend("127.0.0.1:4566")

    assert not psutil.pid_exists(int(podman_that_hangs.read_text()))
    assert not records.exists()


def test_podmans_api_that_hangs_is_ended_before_another_starts(
    podman_that_hangs: Path, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records.parent.mkdir(exist_ok=True)
    hangs = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", f"unix://{service._SOCKET}"])
    engine = discovery.Engine("podman", "5.4.0", "amd64", rootless=True)
    records.write_text(json.dumps(asdict(service.Lent(engine, "127.0.0.1:4566", hangs.pid))))

    pause, seconds = time.sleep, service._START_SECONDS

    def until_it_has_begun(_: float) -> None:
        """Let the stand-in begin, however busy the machine is, and only then let its time be over."""
        pause(0.02)
        if podman_that_hangs.exists() and podman_that_hangs.read_text():
            monkeypatch.setattr(service.time, "monotonic", lambda: began + seconds + 1)

    began = time.monotonic()
    monkeypatch.setattr(service.time, "monotonic", lambda: began)
    monkeypatch.setattr(service.time, "sleep", until_it_has_begun)
    with pytest.raises(LabError, match="did not start"):
        service.lend("127.0.0.1:4566")

    assert not psutil.pid_exists(hangs.pid)
    assert not psutil.pid_exists(int(podman_that_hangs.read_text()))


def test_podman_keeps_its_own_settings_beside_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = tmp_path / ".config" / "containers" / "registries.conf"
    own.parent.mkdir(parents=True)
    own.write_text('unqualified-search-registries = ["docker.io"]\n')
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr(service, "_REGISTRIES", tmp_path / "registries.conf")

    service._allow("127.0.0.1:4566")

    written = (tmp_path / "registries.conf").read_text()
    assert written.startswith(own.read_text())
    assert '[[registry]]\nlocation = "127.0.0.1:4566"\ninsecure = true\n' in written


def test_a_program_that_needs_a_loader_is_no_base(commands: Path, tmp_path: Path) -> None:
    install(commands, "podman", {"info": PODMAN_INFO})
    for program in (Path(sys.executable).resolve(), commands / "podman", tmp_path / "missing"):
        with pytest.raises(LabError, match="is no static BusyBox"):
            scratch_base.build(program)


def test_the_images_of_an_assembly_are_found_left_out_and_built_on_another_base(tmp_path: Path) -> None:
    assets = tmp_path / "Web.assets.json"
    source = {"directory": "asset.1", "platform": "linux/arm64", "dockerBuildArgs": {"BASE_IMAGE": "alpine:3.22"}}
    assets.write_text(json.dumps({"files": {}, "dockerImages": {"1": {"source": source, "destinations": {}}}}))
    (tmp_path / "Web.template.json").write_text(json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}))

    assert preflight.image_platforms(tmp_path) == {"linux/arm64"}
    assert preflight.runs_containers(tmp_path)

    preflight.build_on(tmp_path, {"BASE_IMAGE": "localhost/base:1", "BUSYBOX_IMAGE": "localhost/base:1"})
    [image] = json.loads(assets.read_text())["dockerImages"].values()
    # Whoever named a base in the app means that one.
    assert image["source"]["dockerBuildArgs"] == {"BASE_IMAGE": "alpine:3.22", "BUSYBOX_IMAGE": "localhost/base:1"}

    assert preflight.leave_images_out(tmp_path) == 1
    assert json.loads(assets.read_text()) == {"files": {}, "dockerImages": {}}
    assert not preflight.runs_containers(tmp_path)


def test_the_scripts_of_the_image_are_shell_scripts() -> None:
    scripts = [RUNTIME / "serve", RUNTIME / "www" / "cgi-bin" / "index.cgi"]
    for script in scripts:
        assert script.read_text().startswith("#!/usr/local/bin/busybox sh\n")
        subprocess.run(["/bin/sh", "-n", str(script)], check=True)


def test_docker_is_lent_where_it_is_and_taken_back_with_what_is_the_labs(commands: Path, records: Path) -> None:
    install(
        commands,
        "docker",
        {
            "info": DOCKER_INFO,
            "context": "unix:///var/run/docker.sock",
            "ps": "c1\nc2",
            "images": "127.0.0.1:4566/shop:1",
        },
    )
    assert service.lend("127.0.0.1:4566") == discovery.found()
    assert json.loads(records.read_text())["engine"]["address"] == "unix:///var/run/docker.sock"
    (commands / "calls").unlink()

    service.take_back()
    assert service.lent() is not None  # so that the next start knows
    service.forget()

    calls = [json.loads(line)[1:] for line in (commands / "calls").read_text().splitlines()]
    ending = [
        ["ps", "--all", "--quiet", "--filter", f"label={service.LABEL}"],
        ["rm", "--force", "--volumes", "c1", "c2"],
    ]
    assert calls == [
        *ending,
        *ending,  # as this engine still has them
        ["images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "reference=127.0.0.1:4566/*"],
        ["rmi", "127.0.0.1:4566/shop:1"],
    ]
    assert service.lent() is None


def test_docker_is_reached_where_it_was_lent_whatever_context_is_chosen_by_now(
    commands: Path, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(commands, "docker", {"info": DOCKER_INFO, "context": "unix:///var/run/docker.sock"})
    service.lend("127.0.0.1:4566")
    monkeypatch.setenv("DOCKER_HOST", "unix:///somewhere/else.sock")
    noted = records.parent / "hosts"
    stand_in.install(
        commands / "docker",
        f"import os; open({str(noted)!r}, 'a').write(os.environ['DOCKER_HOST'] + '\\n'); print('c1')",
    )

    containers.kill("c1")
    service.take_back()

    assert set(noted.read_text().splitlines()) == {"unix:///var/run/docker.sock"}


@pytest.mark.usefixtures("records")
def test_an_engine_that_is_gone_is_said_to_be(commands: Path) -> None:
    install(commands, "docker", {"info": DOCKER_INFO, "context": "unix:///var/run/docker.sock"})
    service.lend("127.0.0.1:4566")
    (commands / "docker").unlink()

    with pytest.raises(LabError, match=r"docker does not answer any more: .* See that `docker info` does\."):
        containers.kill("c1")


def test_an_engine_that_went_away_is_not_lent_any_more(commands: Path, records: Path) -> None:
    install(commands, "docker", {"info": DOCKER_INFO, "context": "unix:///var/run/docker.sock"})
    service.lend("127.0.0.1:4566")
    (commands / "docker").unlink()

    assert service.lend("127.0.0.1:4566") is None
    assert not records.exists()


def calls_of(folder: Path, name: str) -> list[str]:
    calls = [json.loads(line) for line in (folder / "calls").read_text().splitlines()]
    return [" ".join(words[1:]) for words in calls if Path(words[0]).name.startswith(name)]


def test_an_engine_that_still_serves_is_found_without_a_look_at_any_other(
    commands: Path, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = discovery.Engine("podman", "5.4.0", "amd64", rootless=True)
    records.parent.mkdir()
    records.write_text(json.dumps(asdict(service.Lent(ours, "127.0.0.1:4566", os.getpid()))))
    monkeypatch.setattr(service.Lent, "process", psutil.Process())
    socket = records.parent / "podman.sock"
    monkeypatch.setattr(service, "_SOCKET", socket)
    assert service.serving() is None
    socket.touch()
    assert service.serving() == ours
    monkeypatch.setenv(discovery.CHOICE, "none")
    assert service.serving() is None
    monkeypatch.setattr(service.Lent, "process", None)
    monkeypatch.delenv(discovery.CHOICE)
    assert service.serving() is None
    assert not (commands / "calls").exists()


@pytest.mark.usefixtures("records")
def test_the_volumes_of_an_engine_that_does_not_answer_are_named_until_they_are_gone(commands: Path) -> None:
    docker = {"info": DOCKER_INFO, "context": "unix:///var/run/docker.sock"}
    install(commands, "docker", docker)
    service.lend("127.0.0.1:4566")
    install(commands, "docker", {}, status=1)
    assert service.lend("127.0.0.1:4566") is None  # the record of it goes, and what it may have does not

    docker_there = "docker --host unix:///var/run/docker.sock"
    listing = ["volume", "ls", "--quiet", "--filter", f"label={service.LABEL}"]
    for _ in range(2):
        assert service.remove_volumes() == [f"{docker_there} volume rm $({docker_there} {shlex.join(listing)})"]
    install(commands, "docker", {**docker, "volume": "v1"})
    (commands / "calls").unlink()

    assert service.remove_volumes() == []
    assert calls_of(commands, "docker")[-2:] == [" ".join(listing), "volume rm v1"]
    (commands / "calls").unlink()
    assert service.remove_volumes() == []
    assert not (commands / "calls").exists()


def test_a_volume_that_cannot_be_removed_is_not_said_to_be(commands: Path, records: Path) -> None:
    install(commands, "docker", {"info": DOCKER_INFO, "context": "unix:///var/run/docker.sock"})
    service.lend("127.0.0.1:4566")
    stand_in.install(commands / "docker", "import sys; print('v1'); sys.exit('rm' in sys.argv)")

    [command] = service.remove_volumes()
    assert command.startswith("docker --host unix:///var/run/docker.sock volume rm ")
    assert records.exists()


def test_another_engine_takes_the_containers_of_the_one_before_away_and_remembers_its_volumes(
    commands: Path, records: Path
) -> None:
    install(commands, "docker", {"info": DOCKER_INFO, "context": "unix:///one.sock", "ps": "c1"})
    service.lend("127.0.0.1:4566")
    install(commands, "docker", {"info": DOCKER_INFO, "context": "unix:///two.sock", "ps": "c1", "volume": "v1"})
    (commands / "calls").unlink()

    service.lend("127.0.0.1:4566")
    assert "rm --force --volumes c1" in calls_of(commands, "docker")
    assert json.loads(records.read_text())["engine"]["address"] == "unix:///two.sock"
    (commands / "calls").unlink()
    service.remove_volumes()
    assert calls_of(commands, "docker").count("volume rm v1") == 2  # of either


@pytest.mark.usefixtures("commands")
def test_a_damaged_record_is_none(records: Path) -> None:
    records.parent.mkdir()
    for text in ("", "{}", '{"engine": {"name": "docker"}, "registry": "", "pid": null}'):
        records.write_text(text)
        assert service.lent() is None
        service.take_back()
