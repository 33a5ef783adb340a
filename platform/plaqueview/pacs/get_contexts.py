"""What is proposed to a peer that is to send by C-GET. Sources: PS3.4 C.4.3 and Y; PS3.8 9.3.2.2."""

from collections.abc import Sequence
from typing import Final

from pydicom.uid import (
    JPEG2000,
    UID,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)
from pynetdicom import build_context
from pynetdicom.presentation import PresentationContext
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made at import
    AdvancedBlendingPresentationStateStorage,
    BasicTextSRStorage,
    BlendingSoftcopyPresentationStateStorage,
    ColorSoftcopyPresentationStateStorage,
    Comprehensive3DSRStorage,
    ComprehensiveSRStorage,
    CTImageStorage,
    DeformableSpatialRegistrationStorage,
    EncapsulatedCDAStorage,
    EncapsulatedPDFStorage,
    EnhancedMRColorImageStorage,
    EnhancedMRImageStorage,
    EnhancedPETImageStorage,
    EnhancedSRStorage,
    ExtensibleSRStorage,
    GrayscaleSoftcopyPresentationStateStorage,
    KeyObjectSelectionDocumentStorage,
    LabelMapSegmentationStorage,
    LegacyConvertedEnhancedMRImageStorage,
    MRImageStorage,
    MRSpectroscopyStorage,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameSingleBitSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    ParametricMapStorage,
    PositronEmissionTomographyImageStorage,
    PseudoColorSoftcopyPresentationStageStorage,
    RawDataStorage,
    RealWorldValueMappingStorage,
    RTStructureSetStorage,
    SecondaryCaptureImageStorage,
    SegmentationStorage,
    SpatialFiducialsStorage,
    SpatialRegistrationStorage,
    SurfaceSegmentationStorage,
    TractographyResultsStorage,
)

# The identifiers of contexts are the odd numbers of a byte.
MOST_CONTEXTS: Final = 128

# What an MR study is made of, where the peer does not say what is in it; the first ones matter most.
IMAGES: Final = (
    MRImageStorage,
    EnhancedMRImageStorage,
    SecondaryCaptureImageStorage,
    LegacyConvertedEnhancedMRImageStorage,
    SegmentationStorage,
    LabelMapSegmentationStorage,
    EnhancedMRColorImageStorage,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    MultiFrameSingleBitSecondaryCaptureImageStorage,
    PositronEmissionTomographyImageStorage,
    EnhancedPETImageStorage,
    CTImageStorage,
)
# These have no pixels that anybody compresses.
DOCUMENTS: Final = (
    BasicTextSRStorage,
    EnhancedSRStorage,
    ComprehensiveSRStorage,
    Comprehensive3DSRStorage,
    ExtensibleSRStorage,
    KeyObjectSelectionDocumentStorage,
    EncapsulatedPDFStorage,
    EncapsulatedCDAStorage,
    GrayscaleSoftcopyPresentationStateStorage,
    ColorSoftcopyPresentationStateStorage,
    PseudoColorSoftcopyPresentationStageStorage,
    BlendingSoftcopyPresentationStateStorage,
    AdvancedBlendingPresentationStateStorage,
    MRSpectroscopyStorage,
    RawDataStorage,
    ParametricMapStorage,
    SpatialRegistrationStorage,
    DeformableSpatialRegistrationStorage,
    SpatialFiducialsStorage,
    RealWorldValueMappingStorage,
    SurfaceSegmentationStorage,
    TractographyResultsStorage,
    RTStructureSetStorage,
)
NATIVE: Final[list[str | UID]] = [ExplicitVRLittleEndian, ImplicitVRLittleEndian]
# A context each, so that the peer sends what it has as it has it; the first ones are met most.
COMPRESSED: Final[list[str | UID]] = [
    JPEGLosslessSV1,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
    JPEG2000,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLSNearLossless,
    HTJ2KLossless,
]


def storage_contexts(classes: Sequence[str | UID], *, most: int) -> list[PresentationContext]:
    """Each class uncompressed, and then, as far as there is room, compressed: one syntax after the other for all."""
    native = [(uid, NATIVE) for uid in classes]
    compressed = [(uid, [syntax]) for syntax in COMPRESSED for uid in classes if uid not in DOCUMENTS]
    return [build_context(*proposed) for proposed in [*native, *compressed][:most]]
