"""What holds for all tests: payloads that links publish are checked against the contract."""

pytest_plugins = ("tests.wire.conformance", "tests.postgres")
