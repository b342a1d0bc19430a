"""What is one of each in an account and region: how its registry scans, replicates, caches and makes repositories."""
