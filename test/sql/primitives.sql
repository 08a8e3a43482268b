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

-- RFC 9562: version 7, variant 10, and ids of one session that sort as they were made.
SELECT substr(id::text, 15, 1) AS version, substr(id::text, 20, 1) IN ('8', '9', 'a', 'b') AS variant FROM chat.uuid_v7() id;
SELECT bool_and(id > before) FROM (SELECT id, lag(id) OVER (ORDER BY n) AS before
  FROM (SELECT n, chat.uuid_v7() AS id FROM generate_series(1, 10000) n) made) pairs WHERE before IS NOT NULL;

-- EXPLAIN calls no model: without one, the call itself is an error.
EXPLAIN (COSTS OFF) SELECT chat.llm_complete('x');
SELECT chat.llm_complete('x');

DROP EXTENSION pgchat CASCADE;
