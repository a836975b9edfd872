"""Audits: does a feature know the future? What is asked of the manifest and of the warehouse; nothing here runs dbt."""
