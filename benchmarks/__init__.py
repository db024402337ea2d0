"""Speed of the toolkit beside other codes, on one machine in one run."""
