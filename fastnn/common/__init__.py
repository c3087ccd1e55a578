"""Shared by all of fastnn: exceptions, checks of arguments, random numbers, names, safe writing of files."""
