"""Amazon EKS Anywhere: specifications are read, checked, and planned with; clusters are connected to AWS."""
