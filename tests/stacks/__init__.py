"""What the stacks and the blocks synthesize to, and what policies say of it."""
