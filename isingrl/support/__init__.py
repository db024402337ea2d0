"""What all parts of the toolkit share: files, checks of arguments, progress, provenance, texts."""
