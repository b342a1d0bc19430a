"""The PostgreSQL behind the emulator's Aurora: a container of the official image, or the embedded one."""
