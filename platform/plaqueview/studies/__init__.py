"""Studies, series and instances: receiving, the file store, completeness, the choice of the FLAIR series."""
