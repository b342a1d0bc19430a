"""The block `WebWorkload`: what Kubernetes is told of a container with a web server."""
