"""One visit against another: the registration of their FLAIRs, and what became of each lesion."""
