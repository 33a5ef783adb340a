"""The seal of nodes' secrets."""

from plaqueview.core.sealing import Seal

NODE_SEAL = Seal("plaqueview.pacs.nodes", "the node's secrets were kept under another secret key; enter them again")
