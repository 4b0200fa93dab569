"""Count and delete what tests left in the salon's tables: python scripts/cleanup_test_data.py --dry-run --stats."""

import sys

from ai_admin.contracts import CONTRACTS
from ai_admin.testing.command import main

if __name__ == "__main__":
    sys.exit(main(CONTRACTS))
