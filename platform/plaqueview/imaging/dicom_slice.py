"""What every axial MR slice that the project writes says of its plane, its stored values and its identity."""

from __future__ import annotations

import hashlib
import uuid

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian
from pydicom.valuerep import DSfloat

from plaqueview.imaging.volume import Volume

# Of the uint16 that `describe_stored_values` announces.
HIGHEST_STORED = 65_535

IMPLEMENTATION_CLASS_UID = UID("2.25.163404297861104471370302926826893374133")


def decimal_string(number: float) -> DSfloat:
    """The number in the 16 bytes of a decimal string."""
    return DSfloat(float(number) + 0.0, auto_format=True)  # + 0.0 takes the sign off a negative zero


def describe_plane(dataset: Dataset, volume: Volume) -> None:
    """The dataset has the orientation and spacing of the volume's slices. Source: PS3.3 C.7.6.2."""
    slice_spacing, row_spacing, column_spacing = volume.spacing_mm
    columns, rows = volume.affine[:3, 2] / column_spacing, volume.affine[:3, 1] / row_spacing
    dataset.ImageOrientationPatient = [decimal_string(cosine) for cosine in (*columns, *rows)]
    dataset.PixelSpacing = [decimal_string(row_spacing), decimal_string(column_spacing)]
    dataset.SliceThickness = dataset.SpacingBetweenSlices = decimal_string(slice_spacing)


def describe_stored_values(dataset: Dataset, volume: Volume) -> None:
    """The dataset announces one uint16 a pixel, on the matrix of the volume's slices. Source: PS3.3 C.7.6.3."""
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = volume.shape[1:]
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, 0
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"


def file_meta_of(dataset: Dataset) -> FileMetaDataset:
    """The file meta information of the instance, explicit VR little endian. Source: PS3.10 7.1."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
    return meta


def uid_of(name: str) -> UID:
    """A UID that the name decides. Source: PS3.5 B.2 with an RFC 9562 version 8 UUID."""
    digest = bytearray(hashlib.sha256(name.encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return UID(f"2.25.{uuid.UUID(bytes=bytes(digest)).int}")
