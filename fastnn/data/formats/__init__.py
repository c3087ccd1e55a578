"""The file formats of data sets, a module each: reading and writing them."""
