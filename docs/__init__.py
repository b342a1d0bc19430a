"""What comes from code in these pages: `make docs` writes it, and a test says when it is no longer what is written."""
