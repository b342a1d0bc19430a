"""The installation in the forms of others: user data for cloud-init, and a playbook for Ansible."""

from __future__ import annotations

from textwrap import indent
from typing import TYPE_CHECKING

from lab.anywhere import installation

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lab.anywhere.activations import Activation

#: Only in memory, so that a restart ends what is written here. cloud-init's copy of its user data is on the disk all
#: the same, and written anew at each start from wherever cloud-init has it: to remove it from the host would not last.
_FOLDER = "/run/ecs-anywhere"

_CLOUD_INIT = """\
#cloud-config
# Makes the host an external instance of the cluster {cluster}, at its first start, until {expires}.
# It holds an activation code: keep it as you keep a password. cloud-init keeps a copy below /var/lib/cloud, for root
# alone, and writes it anew at each start; the code is of no use any more when the activation is used up or expired, or
# after `lab anywhere deregister {id}`, which leaves the hosts registered.
packages: [curl, gnupg]
package_update: true
write_files:
  - path: {folder}/{code_name}
    owner: root:root
    permissions: "0600"
    content: "{code}"
  - path: {folder}/{script_name}
    owner: root:root
    permissions: "0600"
    content: |
{script}
runcmd:
  - [bash, {folder}/{script_name}, --no-wait]
"""
_ANSIBLE = """\
# Makes hosts external instances of the cluster {cluster}, until {expires}:
#   ansible-playbook --inventory HOSTS {folder}/playbook.yaml
# The activation code stays in the file {code_name}, beside this one.
- name: Make hosts external instances of Amazon ECS
  hosts: all
  become: true
  gather_facts: false
  tasks:
    - name: Look whether the host is registered
      ansible.builtin.stat:
        path: /var/lib/amazon/ssm/Vault/Store/RegistrationKey
      register: registration
    - name: Make a folder that is only in memory
      ansible.builtin.file:
        path: {host_folder}
        state: directory
        owner: root
        group: root
        mode: "0700"
    - name: Copy the installation script
      ansible.builtin.copy:
        src: {script_name}
        dest: {host_folder}/{script_name}
        owner: root
        group: root
        mode: "0600"
    - name: Copy the activation code
      ansible.builtin.copy:
        src: {code_name}
        dest: {host_folder}/{code_name}
        owner: root
        group: root
        mode: "0600"
      no_log: true
      when: not registration.stat.exists
    - name: Install the agents, register the host and join the cluster
      ansible.builtin.command:
        cmd: bash {host_folder}/{script_name}
      register: installed
      changed_when: "'The host is registered with AWS Systems Manager' in installed.stdout"
"""


def cloud_init(folder: Path, activation: Activation) -> str:
    """Write user data for cloud-init, which has the script and the activation code in it."""
    return _CLOUD_INIT.format(
        cluster=activation.cluster,
        expires=activation.expires,
        id=activation.id,
        folder=_FOLDER,
        code_name=installation.CODE,
        code=installation.code(folder),
        script_name=installation.SCRIPT,
        script=indent(installation.script(activation), " " * 6),
    )


def ansible(folder: Path, activation: Activation) -> str:
    """Write a playbook, which copies the script and the activation code from beside it."""
    installation.code(folder)
    return _ANSIBLE.format(
        cluster=activation.cluster,
        expires=activation.expires,
        folder=folder,
        host_folder=_FOLDER,
        code_name=installation.CODE,
        script_name=installation.SCRIPT,
    )


#: By what a user types: the file's name, and what writes it.
FORMS: dict[str, tuple[str, Callable[[Path, Activation], str]]] = {
    "cloud-init": ("user-data.yaml", cloud_init),
    "ansible": ("playbook.yaml", ansible),
}
