"""What is asked of a bucket, told without the library that speaks to one: boto3 takes a process a third of a second."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True)
class StoredObject:
    """`modified` is by the bucket's clock."""

    key: str
    size_bytes: int
    modified: datetime


class ObjectStore(Protocol):
    """Every method raises UnavailableError when the bucket does not answer, FileNotFoundError for a key it lacks."""

    def put(self, path: Path, key: str) -> None:
        """The object has the file's bytes, whole or not at all."""

    def fetch(self, key: str, target: BinaryIO) -> None: ...

    def read_range(self, key: str, *, offset: int, count: int) -> bytes:
        """The bytes from `offset` on, fewer than `count` where the object ends."""
        ...

    def open_whole(self, key: str) -> BinaryIO: ...

    def size_of(self, key: str) -> int | None:
        """None when there is no such object."""

    def move(self, key: str, to: str) -> None: ...

    def remove(self, key: str) -> None:
        """There is no such object; there may have been none."""

    def below(self, prefix: str = "") -> Iterator[StoredObject]:
        """The objects whose keys begin so, in the order of their keys."""
        ...

    def keeps_versions(self) -> bool:
        """Whether the bucket keeps what is removed from it."""
        ...
