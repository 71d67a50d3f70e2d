"""The page and the weekly report: read from open marts, charted, put into sentences, written."""
