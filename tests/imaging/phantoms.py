"""Grids, shapes and DICOM series of known truth, and strategies that draw them."""

import numpy as np
from hypothesis import strategies
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian, MRImageStorage
from scipy.spatial.transform import Rotation

from plaqueview.imaging.volume import Volume

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)


def axial_affine(spacing_mm=(1.0, 1.0, 1.0), origin_mm=(0.0, 0.0, 0.0)) -> NDArray[np.float64]:
    """Slices feet to head, rows front to back, columns right to left."""
    slices, rows, columns = spacing_mm
    affine = np.array([[0, 0, columns, 0], [0, rows, 0, 0], [slices, 0, 0, 0], [0, 0, 0, 1]], np.float64)
    affine[:3, 3] = origin_mm
    return affine


def rotated(affine: NDArray[np.float64], degrees: float, axis=(1.0, 0.3, 0.2)) -> NDArray[np.float64]:
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_rotvec(np.array(axis) / np.linalg.norm(axis) * np.radians(degrees)).as_matrix()
    return turn @ affine


def labels_on(shape, affine=None) -> Volume:
    return Volume(np.zeros(shape, np.uint8), axial_affine() if affine is None else affine)


def paint_sphere(labels: Volume, *, centre_mm, radius_mm: float, label: int) -> None:
    """Every voxel whose centre lies within the sphere gets the label."""
    grid = np.stack(np.meshgrid(*map(np.arange, labels.shape), indexing="ij"), axis=-1)
    distance = np.linalg.norm(labels.positions_mm(grid.reshape(-1, 3)) - np.array(centre_mm), axis=1)
    labels.voxels[(distance <= radius_mm).reshape(labels.shape)] = label


@strategies.composite
def affines(draw) -> NDArray[np.float64]:
    """Any rotation, any handedness, spacings of 0.3 to 8 mm."""
    spacing = [draw(strategies.floats(0.3, 8.0)) for _ in range(3)]
    turn = Rotation.random(rng=np.random.default_rng(draw(strategies.integers(0, 10_000)))).as_matrix()
    affine = np.eye(4)
    affine[:3, :3] = turn * spacing * np.array([draw(strategies.sampled_from([-1, 1])), 1, 1])
    affine[:3, 3] = [draw(strategies.floats(-200, 200)) for _ in range(3)]
    return affine


@strategies.composite
def voxels(draw, dtype=np.uint8, highest=2, smallest_side=1) -> NDArray:
    shape = tuple(draw(strategies.integers(smallest_side, 7)) for _ in range(3))
    generator = np.random.default_rng(draw(strategies.integers(0, 10_000)))
    return generator.integers(0, highest + 1, shape).astype(dtype)


# --- DICOM ------------------------------------------------------------------------------------------------------------


def instance(index: int, pixels: NDArray, *, position, orientation=AXIAL, **attributes) -> Dataset:
    """A classic MR instance; attributes of any keyword are set last, and None takes one away."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = MRImageStorage
    dataset.SOPInstanceUID = f"1.2.3.{index + 1}"
    dataset.SeriesInstanceUID = "1.2.3"
    dataset.Modality = "MR"
    dataset.InstanceNumber = index + 1
    dataset.ImagePositionPatient = list(position)
    dataset.ImageOrientationPatient = list(orientation)
    dataset.PixelSpacing = [0.8, 0.5]
    dataset.SliceThickness = 5.0
    set_pixels(dataset, pixels)
    for keyword, value in attributes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


def set_pixels(dataset: Dataset, pixels: NDArray) -> None:
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8 * pixels.dtype.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = 1 if pixels.dtype.kind == "i" else 0
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OW"


def stack_of(pixels: NDArray, *, step_mm: float = 5.0, **attributes) -> list[Dataset]:
    """An axial series whose instance i lies at z = i * step_mm and shows pixels[i]."""
    return [
        instance(index, frame, position=(-10.0, -20.0, index * step_mm), **attributes)
        for index, frame in enumerate(pixels)
    ]


def enhanced(pixels: NDArray, positions, *, orientation=AXIAL) -> Dataset:
    """An Enhanced MR instance with one frame at each position; frame i is rescaled by (2, i)."""
    dataset = instance(0, pixels, position=(0, 0, 0))
    dataset.SOPClassUID = EnhancedMRImageStorage
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"):
        delattr(dataset, keyword)
    dataset.NumberOfFrames = len(pixels)
    shared = Dataset()
    shared.PlaneOrientationSequence = Sequence([_item(ImageOrientationPatient=list(orientation))])
    shared.PixelMeasuresSequence = Sequence([_item(PixelSpacing=[0.8, 0.5], SliceThickness=5.0)])
    shared.MRModifierSequence = Sequence([_item(InversionTimes=[2500.0], InversionRecovery="YES")])
    shared.MREchoSequence = Sequence([_item(EffectiveEchoTime=120.0)])
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    dataset.PerFrameFunctionalGroupsSequence = Sequence(
        [_frame(position, index) for index, position in enumerate(positions)]
    )
    return dataset


def _frame(position, index: int) -> Dataset:
    frame = Dataset()
    frame.PlanePositionSequence = Sequence([_item(ImagePositionPatient=list(position))])
    frame.PixelValueTransformationSequence = Sequence([_item(RescaleSlope=2.0, RescaleIntercept=index)])
    frame.FrameContentSequence = Sequence([_item(TemporalPositionIndex=1, FrameAcquisitionDateTime="20240131093000")])
    return frame


def _item(**attributes) -> Dataset:
    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return item
