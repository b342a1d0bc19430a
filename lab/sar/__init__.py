"""What `lab sar` does: package, publish, share and deploy serverless applications."""
