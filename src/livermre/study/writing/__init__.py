"""The write-up: one document of sections, as a page, as a PDF, and as files for a manuscript."""
