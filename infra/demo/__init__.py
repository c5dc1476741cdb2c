"""The demonstration market: invented organisations whose deals really went through the services."""
