"""The command line: one thin command per file, one error boundary."""
