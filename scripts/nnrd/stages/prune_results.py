"""List what is under results/ and no study of the configuration declares; delete it if asked."""

import argparse
import shutil
from pathlib import Path

from nnrd.stages import planning
from nnrd.study.declared import declared, undeclared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    planning.add_arguments(parser)
    parser.add_argument("--delete", action="store_true", help="delete it; else it is only listed")


def main(args: argparse.Namespace) -> None:
    """Print a line a file or folder, and their number and size; delete them if asked."""
    found = list(undeclared(args.folder, declared(planning.settings(args))))
    total = 0
    for path in found:
        total += (size := _size(path))
        print(f"{size / 1e6:10.2f} MB  {path}")
        if args.delete:
            _delete(path)
    done = "deleted" if args.delete else "to delete with --delete"
    print(f"{len(found)} files and folders that no study declares, {total / 1e6:.2f} MB: {done}")


def _size(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; a link counts as itself."""
    inside = [path] if path.is_symlink() or path.is_file() else path.rglob("*")
    return sum(file.lstat().st_size for file in inside if file.is_symlink() or file.is_file())


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
