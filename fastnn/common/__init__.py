"""What every room needs and no room owns: errors, names, checks of input, files."""
