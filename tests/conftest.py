pytest_plugins = ["tests.fixtures.postgres", "tests.fixtures.database", "tests.fixtures.shop", "tests.fixtures.post"]
