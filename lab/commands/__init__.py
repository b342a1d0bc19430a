"""What a user types: each command reads its options, calls what does the work, and shows the outcome."""
