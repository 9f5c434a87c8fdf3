"""Storage on one machine: files in one data directory, nothing else to install.

`log` is the system of record, `state` what was computed from it, `dedup` the memory of message ids,
`directory` the folder that holds them and `backup` its copies. Import the module you need: this package
imports nothing itself, because the state writer's child process starts through it.
"""
