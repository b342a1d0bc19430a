"""AWS X-Ray on this machine: it receives segments as the daemon does, keeps them, and answers X-Ray's API."""
