"""rowform: settings as code for PostgreSQL applications."""

__version__ = "0.1.0"
