"""The store's bucket: S3 or what speaks like it, by django-storages and boto3 (docs/decisions/0043-bucket.md).

Imported when the settings name a bucket only: boto3 takes a process a third of a second.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from storages.backends.s3 import S3Storage

from plaqueview.core.errors import AwayError
from plaqueview.core.object_store import ObjectStore, StoredObject

logger = logging.getLogger(__name__)

# A few tries within seconds: a reader waits behind them, and a task tries again by itself.
LIMITS: Final = Config(
    connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 4}, max_pool_connections=32
)
# Who stores many files does so side by side already.
TRANSFER: Final = TransferConfig(multipart_threshold=64 * 1024**2, multipart_chunksize=64 * 1024**2, use_threads=False)


class Bucket(S3Storage, ObjectStore):  # type: ignore[misc]  # django-storages ships no types
    def __init__(self, *, addressing_style: str, **options: Any) -> None:  # Any: the options of django-storages
        """Also takes whether the bucket's name stands in its host or in its path: auto, virtual, path."""
        super().__init__(client_config=LIMITS.merge(Config(s3={"addressing_style": addressing_style})), **options)

    @property
    def _client(self) -> Any:  # Any: boto3 makes its clients as it goes
        """One for all threads, which boto3 allows of clients."""
        return self.bucket.meta.client

    def put(self, path: Path, key: str) -> None:
        with _answering(key), path.open("rb") as file:
            self._client.upload_fileobj(file, self.bucket_name, key, Config=TRANSFER)

    def fetch(self, key: str, target: BinaryIO) -> None:
        with _answering(key):
            self._client.download_fileobj(self.bucket_name, key, target, Config=TRANSFER)

    def read_range(self, key: str, *, offset: int, count: int) -> bytes:
        with _answering(key):
            asked = f"bytes={offset}-{offset + count - 1}"
            answer = self._client.get_object(Bucket=self.bucket_name, Key=key, Range=asked)
            return cast(bytes, answer["Body"].read())

    def open_whole(self, key: str) -> BinaryIO:
        with _answering(key):
            return cast(BinaryIO, self._client.get_object(Bucket=self.bucket_name, Key=key)["Body"])

    def size_of(self, key: str) -> int | None:
        try:
            with _answering(key):
                return int(self._client.head_object(Bucket=self.bucket_name, Key=key)["ContentLength"])
        except FileNotFoundError:
            return None

    def move(self, key: str, to: str) -> None:
        with _answering(key):
            self._client.copy({"Bucket": self.bucket_name, "Key": key}, self.bucket_name, to, Config=TRANSFER)
        self.remove(key)

    def remove(self, key: str) -> None:
        with _answering(key):
            self._client.delete_object(Bucket=self.bucket_name, Key=key)

    def below(self, prefix: str = "") -> Iterator[StoredObject]:
        with _answering(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket_name, Prefix=prefix)
            for page in pages:
                for one in page.get("Contents", ()):
                    yield StoredObject(one["Key"], one["Size"], one["LastModified"])

    def keeps_versions(self) -> bool:
        with _answering(""):
            answer = self._client.get_bucket_versioning(Bucket=self.bucket_name)
            return bool(answer.get("Status") == "Enabled")


@contextmanager
def _answering(key: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if error.response["ResponseMetadata"].get("HTTPStatusCode") == HTTPStatus.NOT_FOUND and code != "NoSuchBucket":
            raise FileNotFoundError(f"the bucket has no {key}") from error
        raise _away(code) from error
    except (BotoCoreError, Boto3Error) as error:
        raise _away(type(error).__name__) from error


def _away(cause: str) -> AwayError:
    logger.warning("the bucket refuses: %s", cause)
    return AwayError(f"the storage bucket refuses: {cause}")
