"""The folder of a demo: whether it can be used, and what of it is the demo's to remove."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from pathlib import Path

from gateway.db.embedded import server_account
from runtime.failure import Failure

_MARK = "callmatrix-demo"
"""A file of this name says that the folder is ours."""
_OF_EARLIER_VERSIONS = "postgres.password"
_OURS = ("postgres.password", "postgres.admin", "postgres.log", "admin.token", "secrets.key")
_ANOTHER = "choose another folder with --data-dir"


def prepare_folder(folder: Path) -> None:
    """Make the folder ready for a demo. Raises Failure; nothing has changed then.

    Whoever shares the machine reads nothing here. Another user that runs the embedded server may pass through, no more.
    """
    folder = folder.absolute()
    for place in (folder, *folder.parents):
        if place.exists() and not place.is_dir():
            raise Failure(f"{place} is no folder", "something else of this name is there", _ANOTHER)
    try:
        _refuse_foreign(folder)
        _refuse_closed(folder, server_account())
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _MARK).write_text("The data of 'callmatrix demo'. 'callmatrix demo --fresh' clears it.\n")
        _keep_private(folder)
    except OSError as err:
        raise Failure(f"nothing can be kept in {folder}", str(err), _ANOTHER) from err


def _refuse_foreign(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if names and not names & {_MARK, _OF_EARLIER_VERSIONS}:
        found = ", ".join(sorted(names)[:3])
        why = f"it holds other things: {found}{', …' if len(names) > 3 else ''}"
        raise Failure(f"{folder} is no folder of a demo", why, f"{_ANOTHER}: an empty one, or a new name")


def _refuse_closed(folder: Path, server: pwd.struct_passwd | None) -> None:
    """server: the user that the database runs as in our place, None = as ourselves."""
    for place in reversed(folder.resolve().parents):
        if server is not None and place.exists() and not _may_enter(place, server):
            mode = stat.S_IMODE(place.stat().st_mode)
            raise Failure(
                f"the database cannot be kept in {folder}",
                f"it runs as the user '{server.pw_name}', who cannot enter {place} (mode {mode:04o})",
                f"let others pass with 'chmod o+x {place}', or {_ANOTHER}",
            )


def _may_enter(folder: Path, user: pwd.struct_passwd) -> bool:
    seen = folder.stat()
    if seen.st_uid == user.pw_uid:
        return bool(seen.st_mode & stat.S_IXUSR)
    if seen.st_gid == user.pw_gid:
        return bool(seen.st_mode & stat.S_IXGRP)
    return bool(seen.st_mode & stat.S_IXOTH)


def _keep_private(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_file() and path.stat().st_uid == os.geteuid():
            path.chmod(0o600)
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)


def clear(folder: Path) -> None:
    """Remove what earlier demos left in the folder, which `prepare_folder` has found to be ours, and nothing else."""
    shutil.rmtree(folder / "postgres", ignore_errors=True)
    for name in _OURS:
        (folder / name).unlink(missing_ok=True)
    for file in folder.glob("sandbox.sqlite*"):
        file.unlink()
