"""Tests through the `lab` command, on the emulator."""
