"""The headers of a series' instances as DICOM JSON, kept in a file beside theirs (docs/decisions/0050-kept-headers.md).

What they say is made on a floor above; here is only which series has them, so that they go with its instances.
"""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction

from plaqueview.core.letting_go import let_go
from plaqueview.core.storage import store_bytes
from plaqueview.studies.models import Series


@transaction.atomic
def keep_headers(*, series_id: UUID, content: bytes, storage_keys: Collection[str]) -> None:
    """The series has these headers, of the instances with these keys, instead of those that it had.

    Nothing is kept of a series or an instance that has gone meanwhile. The content is like that of no other file.
    """
    series = Series.objects.select_for_update().filter(pk=series_id).first()
    if series is None or set(storage_keys) - set(series.instances.order_by().values_list("storage_key", flat=True)):
        return
    replaced, series.headers_key = series.headers_key, store_bytes([content], kind="headers").key
    series.save(update_fields=["headers_key", "modified"])
    if replaced not in {"", series.headers_key}:
        let_go([replaced])
