"""What several questions share: grids, figures, the joining of results, tasks of battles."""
