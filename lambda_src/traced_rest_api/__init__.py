"""A REST API on Amazon API Gateway whose requests are traced."""
