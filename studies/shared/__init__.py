"""Shared by several studies: checks, grids, figures, joined results, tasks of battles."""
