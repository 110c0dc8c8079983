"""`python -m gateway.web.assets`: make the front-end files, unless they are up to date."""

from __future__ import annotations

import sys

from gateway.web.assets.build import ROOT, build
from gateway.web.assets.node import CannotBuild

try:
    made = build(ROOT, force="--force" in sys.argv)
except CannotBuild as err:
    sys.exit(f"The front-end files cannot be made: {err}")
if made:
    sys.stderr.write(f"The front-end files are made: {made} in gateway/web/built\n")
