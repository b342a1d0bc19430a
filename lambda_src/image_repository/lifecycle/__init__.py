"""Lifecycle policies of Amazon ECR, checked and evaluated without AWS, as AWS documents them.

``checks.check`` refuses what AWS would refuse; ``evaluation.evaluate`` says what becomes of each image.

Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
"""
