"""Tests of one part at a time: no CDK, no emulator."""
