"""The Label Studio on this machine: its installation, process, accounts, database and backups."""
