"""Amazon EKS Distro: the Kubernetes that Amazon EKS runs, to be run anywhere."""
