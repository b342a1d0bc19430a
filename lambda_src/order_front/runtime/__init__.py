"""Takes orders, and says what things cost."""
