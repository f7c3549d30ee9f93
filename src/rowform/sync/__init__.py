"""The use cases: the only place where files, Git, the core and the database meet."""
