"""Small real plugins, as a stranger would ship them: what tests of the core use in place of mocks."""
