"""In which region of the brain each voxel of a FLAIR lies: ventricles by intensity, the rest by an atlas."""
