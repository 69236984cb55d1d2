"""``python -m functory`` is ``functory``."""

import sys

from functory.cli import main

if __name__ == "__main__":
    sys.exit(main())
