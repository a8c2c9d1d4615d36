"""The REST API of Mattermost (v4): one method for each route that this toolkit uses, by subject.

`Client` is one session; its subjects (`client.posts`, `client.channels`, …) hold the methods. Every method raises
`ApiError` when the server refuses, `UnexpectedAnswerError` when the answer is no Mattermost's, and what the transport
raises: `ServerUnreachableError` and `RequestTimeoutError`. Nothing is sent twice.
"""

from mattermost_load_test.mattermost.rest.client import Client

__all__ = ["Client"]
