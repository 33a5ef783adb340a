"""Model versions: which weights there are, what is known of them, and which of them reads new studies."""
