"""A topic of Amazon SNS whose deliveries are traced."""
