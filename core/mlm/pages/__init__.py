"""Self-contained HTML pages: no scripts, nothing fetched, readable in light, dark and on paper."""
