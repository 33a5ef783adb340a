"""DICOM in and out: the DICOMweb server and the C-STORE listener."""
