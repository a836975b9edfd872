"""Deploy: what stands on Snowflake, as a plan, and its application."""
