pytest_plugins = [
    "tests.fixtures.postgres",
    "tests.fixtures.database",
    "tests.fixtures.distribution",
    "tests.fixtures.shop",
    "tests.fixtures.post",
    "tests.fixtures.browser",
    "tests.fixtures.marketplace",
]
