-- The primitives give what their standards say, and refuse what they cannot do.
CREATE EXTENSION pgchat;

-- FIPS 180-4: SHA-256 of the empty message and of "abc".
SELECT encode(chat.content_hash(''), 'hex');
SELECT encode(chat.content_hash('abc'), 'hex');
SELECT chat.content_hash('ü') = sha256(convert_to('ü', 'UTF8'));

-- crypt_blowfish's published vectors, one for each prefix that is accepted.
SELECT chat.bcrypt_verify('U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW');
SELECT chat.bcrypt_verify('U*U', '$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW');
SELECT chat.bcrypt_verify('U*U*', '$2b$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK');
SELECT chat.bcrypt_verify('U*U*U', '$2b$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK');
SELECT chat.bcrypt_verify(repeat('x', 73), chat.bcrypt_hash(repeat('x', 72), 4));
SELECT left(chat.bcrypt_hash('password', 4), 7);
\set VERBOSITY sqlstate
SELECT chat.bcrypt_hash(repeat('x', 73), 4);
SELECT chat.bcrypt_hash('password', 3);
SELECT chat.bcrypt_verify('password', 'not a hash');
\set VERBOSITY default

-- RFC 6238 appendix B, and the same in six digits.
SELECT t, chat.totp_generate('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', to_timestamp(t), digits => 8) AS sha1,
  chat.totp_generate('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA', to_timestamp(t), 'SHA256', 8) AS sha256,
  chat.totp_generate('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNA',
                     to_timestamp(t), 'sha512', 8) AS sha512,
  chat.totp_generate('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', to_timestamp(t)) AS six
FROM unnest(ARRAY[59, 1111111109, 1111111111, 1234567890, 2000000000, 20000000000]) t;
SELECT skew, string_agg(n || CASE WHEN chat.totp_check('gezd gnbv gy3t qojq GEZD GNBV GY3T QOJQ====', '287 082', to_timestamp(59 + 30 * n), skew)
                                 THEN ' yes' ELSE ' no' END, ', ' ORDER BY n) AS steps_later
FROM unnest(ARRAY[0, 1, 10]) skew, unnest(ARRAY[-11, -10, -2, -1, 0, 1, 2, 10, 11]) n GROUP BY skew ORDER BY skew;
SELECT chat.totp_check('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', chat.totp_generate('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ')) AS now,
  chat.totp_check('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', chat.totp_generate('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'), clock_timestamp() - interval '2 minutes') AS long_ago,
  chat.totp_generate('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', '1969-12-31 23:59:59.5+00') = chat.totp_generate('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', '1970-01-01+00') AS across_the_epoch,
  chat.totp_check('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', NULL) AS no_code;
\set VERBOSITY sqlstate
SELECT chat.totp_generate('not base32!');
SELECT chat.totp_generate('');
SELECT chat.totp_generate('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', 'infinity');
SELECT chat.totp_generate('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', algorithm => 'MD5');
SELECT chat.totp_generate('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', digits => 7);
SELECT chat.totp_check('1', '287082');
SELECT chat.totp_check('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', '287082', skew => -1);
SELECT chat.totp_check('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', '287082', skew => 11);
\set VERBOSITY default

-- RFC 9562: version 7, variant 10, and ids of one session that sort as they were made.
SELECT substr(id::text, 15, 1) AS version, substr(id::text, 20, 1) IN ('8', '9', 'a', 'b') AS variant FROM chat.uuid_v7() id;
SELECT bool_and(id > before) FROM (SELECT id, lag(id) OVER (ORDER BY n) AS before
  FROM (SELECT n, chat.uuid_v7() AS id FROM generate_series(1, 10000) n) made) pairs WHERE before IS NOT NULL;

-- EXPLAIN calls no model: without one, the call itself is an error.
EXPLAIN (COSTS OFF) SELECT chat.llm_complete('x');
SELECT chat.llm_complete('x');

DROP EXTENSION pgchat CASCADE;
