"""The runner of studies: tasks, their results on disk, processes."""
