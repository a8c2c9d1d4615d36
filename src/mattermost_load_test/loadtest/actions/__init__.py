"""What users do: one async function per action, by subject.

An action gets the `User` that acts and nothing else, and sends what a Mattermost client of the original tool's time
sends, in its order. It raises what the client raises, or `NothingToActOn`; counting, timing and pacing are not its
business.
"""
