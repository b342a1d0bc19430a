"""A published application as a part of a stack."""
