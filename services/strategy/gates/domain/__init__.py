"""The hard gates: one module per idea, each a plain function that lets pass or says why not."""
