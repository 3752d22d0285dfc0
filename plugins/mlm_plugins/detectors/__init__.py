"""What several kinds of plugins look for in text; imports none of the kinds."""
