"""The use-cases: gather what is needed, let the engine decide, record the result. No HTTP here."""
