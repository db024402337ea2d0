"""Shared by all parts: files, checks of arguments, progress, provenance, texts of objects."""
