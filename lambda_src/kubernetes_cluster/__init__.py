"""The block `KubernetesCluster`: the control plane of Amazon EKS, and what its pods run on."""
