"""Records events: what a rule invokes, what an API destination calls, and the table that both write to."""
