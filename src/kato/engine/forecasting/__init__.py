"""
What comes next, how likely, and on whose word (docs/forecast.md).

`electing.py` says which patterns are heard, `standing.py` how their positions lie on the memory, `profiles.py` the ways of
voting, `voting.py` counts. `choosing.py` finds out from the node's own patterns which ways work there, `calibrating.py` how
often they are right, `novelty.py` how unlike everything learned a memory is. `plain.py` brings them together by definition.
"""
