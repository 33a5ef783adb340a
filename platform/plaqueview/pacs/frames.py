"""The bytes of frames and instances in the transfer syntax that was asked for."""

from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from plaqueview.core.errors import InvalidError, NotFoundError
from plaqueview.core.storage import read_range, read_whole
from plaqueview.pacs.retrieval import StoredInstance
from plaqueview.studies.pixels import PixelsError, decode_frame, decode_instance

NATIVE_LITTLE_ENDIAN = {ImplicitVRLittleEndian, ExplicitVRLittleEndian}


def read_frame(instance: StoredInstance, number: int) -> bytes:
    """Frame `number`, from 1, uncompressed and little endian, as explicit VR little endian has it.

    A native frame is a slice of the stored file; any other is decoded.

    Raises: NotFoundError when there is no such frame; InvalidError when its pixels cannot be decoded.
    """
    if not 1 <= number <= instance.number_of_frames:
        raise NotFoundError(f"frame {number} of an instance that has {instance.number_of_frames}")
    frame_bytes = instance.frame_bytes
    if frame_bytes and instance.pixel_offset is not None and instance.transfer_syntax_uid in NATIVE_LITTLE_ENDIAN:
        offset = instance.pixel_offset + (number - 1) * frame_bytes
        return read_range(instance.storage_key, offset=offset, count=frame_bytes)
    return _decoded(instance, number)


def read_instance(instance: StoredInstance, *, transfer_syntax_uid: str) -> bytes:
    """The instance as stored when "*" or its own transfer syntax is asked for, else as explicit VR little endian.

    Raises: InvalidError when it cannot be brought into the transfer syntax.
    """
    if transfer_syntax_uid in {"*", instance.transfer_syntax_uid}:
        return read_whole(instance.storage_key)
    try:
        return decode_instance(instance)
    except PixelsError as error:
        raise InvalidError(f"the instance cannot be decoded: {error}; ask for it as stored") from error


def _decoded(instance: StoredInstance, number: int) -> bytes:
    try:
        return decode_frame(instance, number)
    except PixelsError as error:
        raise InvalidError(f"frame {number} cannot be decoded: {error}") from error
