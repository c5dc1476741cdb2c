pytest_plugins = [
    "tests.support.parts",
    "tests.support.postgres",
    "tests.support.elastic",
    "tests.support.browser",
    "tests.support.market",
    "tests.support.running",
    "tests.support.machine",
]
