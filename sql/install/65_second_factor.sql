-- The second factor: one-time codes of authenticator apps, and the recovery codes that stand in for a lost one.

CREATE OR REPLACE FUNCTION chat.totp_generate(secret text, at timestamptz DEFAULT clock_timestamp(),
                                              algorithm text DEFAULT 'SHA1', digits integer DEFAULT 6) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgchat_totp_generate';
COMMENT ON FUNCTION chat.totp_generate(text, timestamptz, text, integer) IS
'The one-time code (RFC 6238, steps of 30 seconds) of a secret at a time. secret: base32, in either case, blanks and padding
ignored. algorithm: SHA1, SHA256 or SHA512. digits: 6 or 8.
Errors: 22023 the secret is not base32, the time is infinite, or algorithm or digits is none of these.';

CREATE OR REPLACE FUNCTION chat.totp_check(secret text, code text, at timestamptz DEFAULT clock_timestamp(), skew integer DEFAULT 1,
                                           algorithm text DEFAULT 'SHA1', digits integer DEFAULT 6) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgchat_totp_check';
COMMENT ON FUNCTION chat.totp_check(text, text, timestamptz, integer, text, integer) IS
'Whether the code is that of the secret at a time, or of a step of 30 seconds up to skew (0 to 10) steps before or after it.
It remembers nothing: whoever lets people in by it must refuse a code the second time (chat.totp_verify does). secret,
algorithm and digits: as in chat.totp_generate; blanks in the code are ignored.
Errors: 22023 the secret is not base32, the time is infinite, or skew, algorithm or digits is out of range.';
