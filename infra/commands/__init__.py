"""The commands of `zhihe`, a module for each matter."""
