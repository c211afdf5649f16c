pytest_plugins = [
    "tests.fixtures.postgres",
    "tests.fixtures.database",
    "tests.fixtures.distribution",
    "tests.fixtures.shop",
    "tests.fixtures.post",
    "tests.fixtures.leaks",
    "tests.fixtures.browser",
    "tests.fixtures.marketplace",
]
