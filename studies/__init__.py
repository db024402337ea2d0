"""Studies: one question each, from a frozen configuration to a Dataset and a figure."""
