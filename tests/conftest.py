"""Fixtures for all tests; the database ones start nothing before a test asks for one of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support import database as support

_SOURCE = "ROWFORM_TEST_SOURCE"
_DIRECTORY = "ROWFORM_TEST_DIRECTORY"

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_configure(config: pytest.Config) -> None:
    """Decide once; xdist's workers inherit the environment, so that they share one embedded server."""
    if not hasattr(config, "workerinput"):
        os.environ[_SOURCE] = support.choose_source()
        os.environ[_DIRECTORY] = str(support.make_directory())


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and _DIRECTORY in os.environ:
        support.remove_directory(Path(os.environ.pop(_DIRECTORY)))


def pytest_report_header() -> str:
    return f"database: {support.describe(_source())}"


def _source() -> support.Source:
    source = os.environ[_SOURCE]
    return "url" if source == "url" else "docker" if source == "docker" else "embedded"


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A superuser's URL of the session's PostgreSQL server."""
    with support.run_server(_source(), Path(os.environ[_DIRECTORY])) as url:
        yield url


@pytest.fixture(scope="session")
def databases(server_url: str) -> Iterator[support.Databases]:
    """Makes databases; drops them at the end of the session, if not before."""
    made = support.Databases(server_url, os.environ.get("PYTEST_XDIST_WORKER", "main"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def template(databases: support.Databases) -> str:
    """The URL of a database with rowform's schema, to be cloned and not to be connected to."""
    url = databases.create()
    support.prepare(url)
    return url


@pytest.fixture
def empty_database(databases: support.Databases) -> Iterator[str]:
    """The URL of an empty database of the test's own."""
    url = databases.create()
    yield url
    databases.drop(url)


@pytest.fixture
def database(databases: support.Databases, template: str) -> Iterator[str]:
    """The URL of a database of the test's own, with rowform's schema and nothing in it."""
    url = databases.create(template)
    yield url
    databases.drop(url)
