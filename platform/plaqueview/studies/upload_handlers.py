"""Uploaded files go straight to the store's own disk, one open file at a time."""

import secrets
from pathlib import Path
from typing import BinaryIO

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from plaqueview.core.disk import incoming, make_folders
from plaqueview.core.storage import require_free_space


class IncomingFile(UploadedFile):
    """A part of a request on the store's own disk; gone when the request ends, unless it was moved away."""

    def __init__(self, name: str, content_type: str) -> None:
        super().__init__(None, name, content_type, 0)
        make_folders(incoming())
        self.path: Path = incoming() / secrets.token_hex(16)
        self._target: BinaryIO = self.path.open("xb")

    def append(self, content: bytes) -> None:
        self._target.write(content)

    def end(self, size_bytes: int) -> None:
        """All bytes are on the disk, and no file is held open for them."""
        self.size = size_bytes
        self._target.close()

    def close(self) -> None:
        self._target.close()
        self.path.unlink(missing_ok=True)


class IncomingFileHandler(FileUploadHandler):
    """Django's own handler for large files writes to the system's temporary folder and holds every file open.

    Raises: UnavailableError when the announced body would eat into the disk reserve.
    """

    chunk_size = 1024 * 1024
    file: IncomingFile | None = None

    def handle_raw_input(self, input_data, META, content_length, boundary, encoding=None):  # type: ignore[no-untyped-def]  # noqa: N803  # Django's signature
        require_free_space(content_length)

    def new_file(self, field_name, file_name, content_type, *arguments, **names) -> None:  # type: ignore[no-untyped-def]  # Django's signature
        super().new_file(field_name, file_name, content_type, *arguments, **names)
        self.file = IncomingFile(file_name, content_type)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self.file is not None:
            self.file.append(raw_data)

    def file_complete(self, file_size: int) -> IncomingFile | None:
        if self.file is not None:
            self.file.end(file_size)
        return self.file

    def upload_interrupted(self) -> None:
        """The body ended within a file: what came of it is no file."""
        if self.file is not None:
            self.file.close()
