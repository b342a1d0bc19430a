"""A repository that everybody may pull from."""
