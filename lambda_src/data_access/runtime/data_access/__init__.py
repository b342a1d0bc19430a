"""Works with an Aurora database by the RDS Data API: typed rows, transactions, batches, and patience with a pause."""
