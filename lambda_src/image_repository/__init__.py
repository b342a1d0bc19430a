"""A repository of container images, and what its lifecycle policy does to them."""
