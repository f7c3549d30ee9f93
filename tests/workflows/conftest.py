"""A repository at a stand-in for GitHub, a database, and a runner for the shipped workflows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from tests.support.forge import Forge
from tests.support.project import Project
from tests.support.runner import Runner, stub_wheel

_READER = "rowform_reader_{}"
_GRANTS = (
    "CREATE ROLE {role} LOGIN BYPASSRLS PASSWORD {password}",
    "GRANT SELECT ON restaurants, config_versions, config_changes TO {role}",
    "GRANT SELECT ON ALL TABLES IN SCHEMA rowform TO {role}",
)


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    """An empty repository."""
    return Forge(tmp_path / "forge")


@pytest.fixture
def project(forge: Forge, database: str) -> Project:
    """The developer's clone, and the production database."""
    return Project(forge.clone, database)


@pytest.fixture
def reader_url(database: str) -> Iterator[str]:
    """The database's URL for a role that may only read, as the README says how to make one."""
    role = _READER.format(token_hex(4))
    password = token_hex(12)
    with psycopg.connect(database, autocommit=True) as owner:
        for statement in _GRANTS:
            owner.execute(sql.SQL(statement).format(role=sql.Identifier(role), password=password))
        try:
            parts = urlsplit(database)
            host = parts.netloc.rpartition("@")[2]
            yield urlunsplit(parts._replace(netloc=f"{role}:{password}@{host}"))
        finally:
            owner.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
            owner.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


@pytest.fixture
def runner(forge: Forge, database: str, reader_url: str, tmp_path: Path) -> Runner:
    """Has the secrets as `rowform init` asks for them."""
    return Runner(
        forge,
        tmp_path / "runner",
        {
            "production": {"ROWFORM_DATABASE_URL": database},
            "plan": {"ROWFORM_DATABASE_URL": reader_url},
        },
        {"ROWFORM_INSTALL": str(stub_wheel(tmp_path))},
    )
