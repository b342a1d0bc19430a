"""Amazon ECR: what a lifecycle policy would do to images, and what a scan found in one."""
