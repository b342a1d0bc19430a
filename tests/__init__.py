"""The tests: unit/ without the CDK, stacks/ without a deployment, e2e/ on the emulator."""
