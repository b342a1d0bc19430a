"""An environment of AWS Elastic Beanstalk whose instances send traces."""
