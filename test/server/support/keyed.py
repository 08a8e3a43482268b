"""A provider that notes the key of each request, and answers in OpenAI's form."""

from support import json_server


class KeyedProvider:
    """Serves on a port of its own until closed; `keys` are the headers that carried keys, in order, and `paths` the URLs' paths."""

    def __init__(self):
        self.keys, self.paths = [], []
        self._server = json_server.serve(self._reply)
        self.base_url = self._server.address + "/v1"

    def _reply(self, path, headers, body):
        self.keys.append(headers.get("Authorization") or headers.get("x-api-key") or headers.get("api-key"))
        self.paths.append(path)
        return 200, json_server.completion("keyed", "seen", 1, 1)

    def last(self):
        """The key of the last request; None for a request without one."""
        return self.keys[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.stop()
