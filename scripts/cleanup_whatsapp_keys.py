"""Delete WhatsApp keys that have expired: python scripts/cleanup_whatsapp_keys.py --all --dry-run."""

import sys

from ai_admin.sessions.command import main

if __name__ == "__main__":
    sys.exit(main())
