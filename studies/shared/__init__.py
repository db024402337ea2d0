"""Shared by several studies: grids, figures, joined results, tasks of battles."""
