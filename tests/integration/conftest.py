"""Fixtures for tests with a real database."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.project import Project


@pytest.fixture
def project(tmp_path: Path, database: str) -> Project:
    """An empty project, and a database with rowform's schema."""
    return Project(tmp_path, database)
