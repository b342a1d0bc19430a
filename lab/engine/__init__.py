"""The container engine of this machine, Docker or Podman: what runs the chapter's containers, if there is one."""
