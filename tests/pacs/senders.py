"""Archives by DIMSE that send what they have when asked by C-GET."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
)

PENDING = 0xFF00


@contextmanager
def sender(datasets: Sequence[Dataset], *, tells_classes: bool = False) -> Iterator[int]:
    """Has one study, and of it says which SOP classes are in it, or not; what it cannot send it goes past."""
    classes = sorted({str(dataset.SOPClassUID) for dataset in datasets})

    def find(event: evt.Event) -> Iterator[tuple[int, Dataset]]:
        study = Dataset()
        study.QueryRetrieveLevel, study.StudyInstanceUID = "STUDY", datasets[0].StudyInstanceUID
        if tells_classes and "SOPClassesInStudy" in event.identifier:
            study.SOPClassesInStudy = classes
        yield PENDING, study

    def get(_event: evt.Event) -> Iterator[object]:
        yield len(datasets)
        for dataset in datasets:
            yield PENDING, dataset

    entity = AE(ae_title="ARCHIVE")
    entity.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
    entity.add_supported_context(StudyRootQueryRetrieveInformationModelGet)
    for one in classes:
        entity.add_supported_context(one, scp_role=True, scu_role=True)
    handlers = [(evt.EVT_C_FIND, find), (evt.EVT_C_GET, get)]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    try:
        yield server.server_address[1]
    finally:
        entity.shutdown()
