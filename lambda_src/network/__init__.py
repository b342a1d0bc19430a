"""A network for what runs in private subnets."""
