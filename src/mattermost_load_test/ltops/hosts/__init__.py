"""What happens on hosts that SSH opens, whoever made them: deployment, agents, faults, collecting.

A provider makes the hosts and hands over a `Fleet`; nothing in here knows where hosts come from.
"""
