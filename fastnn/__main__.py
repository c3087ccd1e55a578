"""python -m fastnn"""

from fastnn.cli import script

script()
