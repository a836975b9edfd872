"""The registry: runs, versions, their events and artifacts, as tables in the warehouse."""
