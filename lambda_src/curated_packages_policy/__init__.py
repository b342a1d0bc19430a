"""Permission to pull the curated packages of Amazon EKS Anywhere."""
