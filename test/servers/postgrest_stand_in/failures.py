"""What becomes of errors: HTTP status and body, by the same mapping as PostgREST's."""

import json

# The first that the SQLSTATE begins with; 400 without.
STATUS = (("23503", 409), ("23505", 409), ("25006", 405), ("21000", 500), ("53400", 500), ("57P01", 503), ("P0001", 400), ("42883", 404), ("42P01", 404),
          ("42P17", 500), ("08", 503), ("09", 500), ("0L", 403), ("0P", 403), ("25", 500), ("28", 403), ("2D", 500), ("38", 500), ("39", 500),
          ("3B", 500), ("40", 500), ("53", 503), ("54", 500), ("55", 500), ("57", 500), ("58", 500), ("F0", 500), ("HV", 500), ("P0", 500), ("XX", 500))


class Refusal(Exception):
    """An answer that is no success."""

    def __init__(self, status, code, message, details=None, hint=None, headers=()):
        super().__init__(message)
        self.status, self.headers = status, list(headers)
        self.body = json.dumps({"code": code, "details": details, "hint": hint, "message": message}, ensure_ascii=False, separators=(",", ":"))


def unknown(what):
    return Refusal(501, "STAND-IN", f"the stand-in for PostgREST knows nothing of {what}")


def invalid_token(message):
    return Refusal(401, "PGRST301", message, headers=[("WWW-Authenticate", f'Bearer error="invalid_token", error_description="{message}"')])


def of_database(error, is_anonymous):
    """The refusal for an error that PostgreSQL reported."""
    if not error.sqlstate:
        return Refusal(503, "PGRST000", "Database connection error. Retrying the connection.", str(error))
    if error.sqlstate == "42501":
        status = 401 if is_anonymous else 403
    elif error.sqlstate.startswith("PT"):
        status = int(error.sqlstate[2:])
    else:
        status = next((status for begin, status in STATUS if error.sqlstate.startswith(begin)), 400)
    told = error.diag
    return Refusal(status, error.sqlstate, told.message_primary, told.message_detail, told.message_hint,
                   [("WWW-Authenticate", "Bearer")] if status == 401 else [])
