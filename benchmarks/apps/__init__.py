"""CDK apps that ours is compared with."""
