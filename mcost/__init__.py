"""mcost: who must flush which TLBs, how often, and at what cost, when processes share page tables."""
