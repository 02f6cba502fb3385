"""``python -m randwalk`` is the command ``randwalk``."""

from .cli import main

main()
