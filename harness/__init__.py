"""
Harnesses: programs that try to break a promise, each by one command, each printing its seed.

`docs/reliability.md` lists them. They exit with 1 and a sentence when a promise did not hold. The tests in
`tests/reliability/` run a small sample of each.
"""
