"""What every test shares."""

import os
import sys
from pathlib import Path

# The CDK runs on the first Node.js of PATH: let that be the virtual environment's, never the machine's.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
