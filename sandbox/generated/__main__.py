"""``python -m sandbox.generated``: writes, or with ``--check`` names, what is stale."""

import sys

from sandbox.generated.files import main

sys.exit(main(sys.argv[1:]))
