"""The chapter: one stack a section, in the order of the catalog."""
