"""The commands people type. Each prints what one or a few calls returned."""
