"""The outbox: what of approved versions goes to which node, until the peer has it or is given up."""
