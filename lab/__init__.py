"""The `lab` command: deploys a section to the emulator or to AWS, and runs its runbook."""
