"""How much memory this process may still take, so that no volume is begun which it would be killed for."""

from collections.abc import Iterator
from pathlib import Path


def free_memory_bytes(root: Path = Path("/")) -> int | None:
    """What this process may still take, of the machine and of every control group around it; None if none of them says.

    Files that the kernel keeps in memory and gives back when asked count as free. Source: the kernel's
    Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.
    """
    machine = _numbers(root / "proc/meminfo").get("MemAvailable:")
    free = [] if machine is None else [machine * 1024]
    for folder in _control_groups(root):
        limit, used = (_number(folder / name) for name in ("memory.max", "memory.current"))
        if limit is None:
            limit, used = (_number(folder / f"memory.{name}_in_bytes") for name in ("limit", "usage"))
        if limit is not None and used is not None:
            kept = _numbers(folder / "memory.stat")
            free.append(max(0, limit - used + kept.get("total_inactive_file", kept.get("inactive_file", 0))))
    return min(free, default=None)


def _control_groups(root: Path) -> Iterator[Path]:
    """Folders of the groups that may limit the memory of this process, of both versions, from the inmost outwards.

    In a container the path is often that of the host, which is not there: then the outermost folder is the container's.
    """
    file = root / "proc/self/cgroup"
    for line in file.read_text().splitlines() if file.is_file() else ():
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        top = root / "sys/fs/cgroup" / ("memory" if controllers else "")
        inmost = top / path.lstrip("/")
        yield from (folder for folder in (inmost, *inmost.parents) if folder.is_relative_to(top) and folder.is_dir())


def _number(file: Path) -> int | None:
    """None for a file that is not there, and for the word that says there is no limit."""
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None


def _numbers(file: Path) -> dict[str, int]:
    """The first number after each name; none of a file that is not there."""
    words = [line.split() for line in file.read_text().splitlines()] if file.is_file() else []
    return {line[0]: int(line[1]) for line in words if len(line) > 1 and line[1].isdecimal()}
