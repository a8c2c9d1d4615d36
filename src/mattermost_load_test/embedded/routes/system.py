"""The server itself: is it there, what time zones does it know."""

from __future__ import annotations

from mattermost_load_test.embedded.answers import NEVER_CACHED, Answer, json_answer, ok
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.defaults import read_data
from mattermost_load_test.embedded.routing import Route


def get_system_ping(call: Call) -> Answer:
    """Say that the server is there."""
    status = {}
    if call.site.version.modern:
        status["ActiveSearchBackend"] = "database"
    status |= dict.fromkeys(("AndroidLatestVersion", "AndroidMinVersion"), "")
    if not call.site.version.modern:
        status |= dict.fromkeys(("DesktopLatestVersion", "DesktopMinVersion"), "")
    status |= dict.fromkeys(("IosLatestVersion", "IosMinVersion"), "")
    if call.query_flag("get_server_status"):
        status |= dict.fromkeys(("database_status", "filestore_status"), "OK")
    return json_answer(status | {"status": "OK"})


def get_supported_timezones(call: Call) -> Answer:
    """Give the names of all time zones."""
    return json_answer(read_data("timezones.json"))


def invalidate_caches(call: Call) -> Answer:
    """Clear the caches, of which there are none here."""
    call.need("invalidate_caches")
    call.site.publish(call.site.events.license_changed(licensed=call.state.licensed))
    return Answer(200, ok().body, headers=NEVER_CACHED)


ROUTES = (
    Route("GET", "/system/ping", get_system_ping, session=False),
    Route("GET", "/system/timezones", get_supported_timezones),
    Route("POST", "/caches/invalidate", invalidate_caches),
)
