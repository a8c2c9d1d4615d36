"""SSH by paramiko: connections that are made again when they are lost, commands, uploads, terminals, tunnels.

Nothing in here knows what a cluster is. Secrets go to a host as data, never as part of a command.
"""
