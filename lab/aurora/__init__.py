"""What `lab aurora` does with the cluster of the section `aurora`."""
