"""The building blocks: each folder holds one construct, and the code that runs inside it."""
