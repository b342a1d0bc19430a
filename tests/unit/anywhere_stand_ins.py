"""A host of stand-ins for the installation script: what would change a machine notes how it was called, and no more."""

from __future__ import annotations

CODE = "an-activation-code-of-20"
ACTIVATION = "0123abcd-0123-0123-0123-0123456789ab"
SSM_SIGNER = "1C5B395CBE5E74E2F1CA21592784DBF388D19D46"
ECS_SIGNER = "F34C3DDAE72926B079BEAEC6BCE9D9A42D51784F"
OS_RELEASE = 'PRETTY_NAME="Debian"\nID=debian\nVERSION_ID="12"\n'
#: What the script and the stand-ins use as it is.
REAL = ["bash", "cat", "chmod", "date", "dirname", "grep", "head", "mkdir", "mktemp", "rm", "stat", "tail", "touch"]
#: On the shelf until something installs them.
INSTALLED_LATER = {"amazon-ssm-agent", "docker"}
#: Notes how it was called, and does what the host's own would; fails when its call begins like $FAIL.
_STAND_IN = """#!{bash}
HOST='{root}'
call="$(basename "$0") $*"
call=${{call//{code}/CODE}}
printf '%s\\n' "$call" >>'{calls}'
if [[ -n ${{FAIL:-}} && $call == *"$FAIL"* ]]; then exit 3; fi
install_command() {{ cat "{shelf}/$1" >"{commands}/$1"; chmod 755 "{commands}/$1"; }}
"""
_BEHAVIOUR = {
    "id": "echo 0",
    "uname": 'echo "${MACHINE:-x86_64}"',
    "sleep": "",
    "curl": r"""
        if [[ $* == *51678* ]]; then echo '{"ContainerInstanceArn":"arn:aws:ecs:us-east-1:1:container-instance/c/1"}'
        fi
        while (($#)); do if [[ $1 == --output && $2 != /dev/null ]]; then echo a package >"$2"; fi; shift; done
        """,
    "gpg": rf"""
        if [[ $* == *--verify* ]]; then
            signer={ECS_SIGNER}
            if [[ $* == *amazon-ssm-agent* ]]; then signer={SSM_SIGNER}; fi
            echo "[GNUPG:] ${{VERDICT:-GOODSIG}} 0123456789ABCDEF AWS"
            echo "[GNUPG:] VALIDSIG 00AA 2026-11-25 1 0 4 0 1 8 00 ${{SIGNER:-$signer}}"
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
#: What makes a step fail, by what is said then; and how far a host is then.
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
#: What a whole installation does to a host, in this order, without the folders of what is named.
ORDER = [
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


def commands(*, bash: str, root: str, calls: str, shelf: str, folder: str) -> dict[str, str]:
    """Write the stand-ins, by the names of the commands, for where they will be on the host.

    :param bash: what runs them.
    :param root: where the host's own files are.
    :param calls: the file that they note their calls in.
    :param shelf: where those are kept that something installs first.
    :param folder: where commands are found.
    """
    start = _STAND_IN.format(bash=bash, code=CODE, root=root, calls=calls, shelf=shelf, commands=folder)
    return {name: f"{start}{does}\n" for name, does in _BEHAVIOUR.items()}


def changes(calls: list[str]) -> list[str]:
    """Name what was called that changes a host."""
    return [call for call in calls if call.split()[0] not in {"id", "uname", "curl", "gpg", "sleep"}]


def without_folders(calls: list[str]) -> list[str]:
    """Name what was called without the folders of its arguments, which differ from run to run."""
    return [" ".join(word.rpartition("/")[2] for word in call.split()) for call in calls]
