"""Speed of the toolkit compared with other codes, on one machine in one run."""
