"""What runs studies: tasks, their results on disk, the processes that perform them."""
