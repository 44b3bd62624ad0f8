"""For tests, ours and those of who extends us: a fake engine and contract suites.

The fake is a real process with a real streaming HTTP server; only its speed is made up. A contract
suite is a class to inherit from: it says what every engine, launcher, load generator or strategy
has to do, and a subclass names the one under test. Needs pytest.
"""
