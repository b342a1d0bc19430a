"""The web image on Kubernetes: its manifests, and what is wrong with manifests."""
