"""``python -m rowform``."""

from rowform.cli.main import run

run()
