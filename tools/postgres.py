"""A throw-away PostgreSQL server of Debian's package, for tests and benchmarks of the edit log

    with PostgresServer() as server:
        log = EditLog(server.url, faces)

Its files are in a temporary folder that goes away with it; it listens on a Unix socket in there and nowhere else.
PostgreSQL does not run as root. For root it runs as the user postgres, or else as an unprivileged user.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

PATIENCE = 60  # seconds that a start may take


def binaries():
    "Find the folder of initdb and postgres, the newest of Debian's or the one on PATH; return None without one"
    debian = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if debian:
        return max(debian, key=lambda folder: float(folder.parent.name))
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def no_postgres():
    "Return the reason why no server can start here, an empty string if one can"
    if not hasattr(os, "geteuid"):
        return "needs Linux or macOS"
    return "" if binaries() else "needs PostgreSQL (Debian: apt install postgresql)"


def server_user():
    "Return options for subprocess that run a command as another user than root, none for other users"
    if os.geteuid():
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    entry = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


class PostgresServer:
    "A server of one's own, from `with` to its end"

    def __enter__(self):
        if no_postgres():
            raise RuntimeError(no_postgres())
        self.folder = Path(
            tempfile.mkdtemp(prefix="fer-pg-", dir="/tmp")
        )  # a socket's path has room for 107 characters
        self.rights, self.process = server_user(), None
        if self.rights:
            os.chown(self.folder, self.rights["user"], self.rights["group"])
        try:
            self._run("initdb", "-D", "data", "-U", "fer", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # "fast": clients are cut off, all is written
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(PATIENCE)
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self):
        return f"postgresql://fer@/postgres?host={self.folder}"

    @property
    def log(self):
        path = self.folder / "server.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self):
        "Start the server, and wait until it answers"
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                [binaries() / "postgres", "-D", "data", "-k", self.folder, "-c", "listen_addresses="],
                cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
                **self.rights,
            )  # fmt: skip
        end = time.monotonic() + PATIENCE
        while self._run("pg_isready", "-q", "-h", self.folder, check=False):
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"PostgreSQL did not start:\n{self.log[-2000:]}")
            time.sleep(0.05)

    def kill(self):
        "kill -9 of the server and of all its processes: what it had not written is gone"
        pids = [self.process.pid, *children(self.process.pid)]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        end = time.monotonic() + PATIENCE
        while any(alive(pid) for pid in pids) and time.monotonic() < end:
            time.sleep(0.01)

    def _run(self, name, *words, check=True):
        done = subprocess.run([binaries() / name, *words], cwd=self.folder, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL, **self.rights)  # fmt: skip
        if check and done.returncode:
            raise RuntimeError(f"{name} failed:\n{done.stdout[-2000:]}")
        return done.returncode


def children(pid):
    "Process ids of a process's children"
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout
    return [int(word) for word in found.split()]


def alive(pid):
    "Return whether the process exists and is not a zombie"
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return bool(found) and not found.startswith("Z")
