"""Files of any kind taken in: DICOM instances in chunks, NIfTI volumes one by one, archives member by member."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from plaqueview.core.storage import incoming_folder
from plaqueview.studies.archives import ArchiveError, Member, extract, is_archive, members_of, opened_archive
from plaqueview.studies.arrivals import Arrival, Received
from plaqueview.studies.instance_file import Refusal, is_part10
from plaqueview.studies.models import FileOutcome
from plaqueview.studies.nifti_files import is_nifti, receive_nifti
from plaqueview.studies.receiving import receive_all

CHUNK_FILES = 64
CHUNK_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class Offered:
    """A file on the store's own disk, free to be moved away; with a `refusal` it is not even looked at.

    `position` is its place among its neighbours, for whoever writes down the outcome.
    """

    name: str
    path: Path
    position: int = 0
    refusal: str = ""


@dataclass(frozen=True)
class Unpacked:
    """Some members of an archive, and the share of the archive, 0 to 1, that they and those before them make up."""

    offered: tuple[Offered, ...]
    share: float


# Called in the transaction that keeps the instances: a file and what became of it.
Sink = Callable[[Sequence[tuple[Offered, Received]]], None]


def take_in(offered: Sequence[Offered], *, arrival: Arrival, sink: Sink) -> None:
    """Each file is kept or refused, and the sink has heard of each exactly once.

    Raises: UnavailableError when the disk reserve would be touched.
    """
    niftis = [one for one in offered if not one.refusal and not is_part10(one.path) and is_nifti(one.path)]
    others = [one for one in offered if one not in niftis]
    plain = [one for one in others if not one.refusal]
    refused = [one for one in others if one.refusal]
    verdicts = [Received(FileOutcome.REJECTED, one.refusal, Refusal.UNSUPPORTED) for one in refused]
    if others:
        receive_all(
            paths=[one.path for one in plain],
            arrival=arrival,
            remember=lambda received: sink([*zip(plain, received, strict=True), *zip(refused, verdicts, strict=True)]),
        )
    for one in niftis:
        _take_in_nifti(one, arrival, sink)


def _take_in_nifti(offered: Offered, arrival: Arrival, sink: Sink) -> None:
    receive_nifti(
        path=offered.path, name=offered.name, arrival=arrival, remember=lambda received: sink([(offered, received)])
    )


def unpack(path: Path, *, without: Collection[int] = (), suspects: int = 0) -> Iterator[Unpacked]:
    """The members of the archive, some at a time, but for those at the positions `without`.

    The first `suspects` of them come one by one: where a worker died, it is then known of which.

    The files of a chunk are gone when the next one is asked for. An archive in an archive is offered as refused.

    Raises: ArchiveError when the archive as a whole is not unpacked.
    """
    with opened_archive(path) as archive:
        members = [member for member in members_of(archive) if member.position not in without]
        total, done = len(members) + len(without), len(without)
        for chunk in _chunks(members, suspects):
            done += len(chunk)
            with incoming_folder() as folder:
                offered = tuple(_extracted(archive, member, folder / str(member.position)) for member in chunk)
                yield Unpacked(offered, done / total)


def _extracted(archive: ZipFile, member: Member, path: Path) -> Offered:
    try:
        with path.open("xb") as target:
            extract(archive, member, target)
    except ArchiveError as error:
        return Offered(member.name, path, member.position, f"not DICOM: {error}")
    nested = "an archive inside an archive is not opened; send it by itself" if is_archive(path) else ""
    return Offered(member.name, path, member.position, nested)


def _chunks(members: Sequence[Member], suspects: int) -> Iterator[list[Member]]:
    """At most so many files, and of files that are large only as many as the disk has to hold at once anyway."""
    for suspect in members[:suspects]:
        yield [suspect]
    chunk: list[Member] = []
    for member in members[suspects:]:
        if chunk and (len(chunk) >= CHUNK_FILES or sum(one.size_bytes for one in chunk) > CHUNK_BYTES):
            yield chunk
            chunk = []
        chunk.append(member)
    if chunk:
        yield chunk
