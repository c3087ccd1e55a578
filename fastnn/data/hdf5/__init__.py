"""Arrays of HDF5 files that came from elsewhere, read so that no damaged file can crash, hang or fill this process."""
