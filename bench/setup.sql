-- What the benchmarks work on: the mock's models, a login role with the rights of an application, people with sessions.
CREATE EXTENSION pgchat;
CREATE SCHEMA bench;

SELECT chat.admin_register_provider('mock', 'openai', 'http://127.0.0.1:' || :'port' || '/v1', 'none');
SELECT chat.admin_register_model('mock', m.name, NULL, jsonb_build_object('provider_model', m.scenario))
FROM (VALUES ('instant', 'mock'),
             ('second', 'mock?latency_ms=1000'),
             ('hanging', 'mock?hang=head'),
             ('slow', 'mock?latency_ms=100'),
             ('stream', 'mock?tokens=264&rate=66&stamp=1'),
             ('short-stream', 'mock?tokens=66&rate=66&stamp=1')) m (name, scenario);
SELECT chat.admin_set_default_model('instant');

CREATE ROLE bench_app LOGIN INHERIT;
GRANT pgchat_client TO bench_app;
-- The same rights, without row level security: what that costs is the difference.
CREATE ROLE bench_plain LOGIN INHERIT BYPASSRLS;
GRANT bench_app TO bench_plain;

-- A login hashes a password, which is slow on purpose; so the sessions are stored as one would store them.
CREATE TABLE bench.people AS
SELECT n, u.id AS user_id, t.token, t.token_hash, chat.uuid_v7() AS session_id
FROM generate_series(1, 10000) n, LATERAL (SELECT chat.uuid_v7() AS id, n AS of) u, LATERAL chat_private.new_session_token(u.id) t;
INSERT INTO chat.users (id, username) SELECT p.user_id, 'person ' || p.n FROM bench.people p;
INSERT INTO chat.sessions (user_id, id, expires_at) SELECT p.user_id, p.session_id, now() + interval '1 day' FROM bench.people p;
INSERT INTO chat_private.session_tokens (user_id, token_hash, session_id)
SELECT p.user_id, p.token_hash, p.session_id FROM bench.people p;
ALTER TABLE bench.people ADD PRIMARY KEY (n);

-- Conversations to be used up: each round of a benchmark takes new ones, so that no history grows long.
CREATE TABLE bench.conversations (round int, client int, turn int, user_id uuid, id uuid, PRIMARY KEY (round, client, turn));
CREATE SEQUENCE bench.rounds;

-- Makes `each` conversations for each of `clients` people and returns the round's number. Person n is client n - 1.
CREATE FUNCTION bench.open_round(clients int, each int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  new_round int := nextval('bench.rounds');
BEGIN
  INSERT INTO bench.conversations
  SELECT new_round, p.n - 1, t, p.user_id, chat.uuid_v7() FROM bench.people p, generate_series(0, each - 1) t WHERE p.n <= clients;
  -- As chat.create_conversation leaves them: with a title by rule.
  INSERT INTO chat.conversations (user_id, id, title_source) SELECT c.user_id, c.id, 'rule' FROM bench.conversations c WHERE c.round = new_round;
  RETURN new_round;
END
$$;

-- Sends one message in each conversation of a round, in one transaction.
CREATE FUNCTION bench.send_round(round int, model text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  c bench.conversations;
BEGIN
  FOR c IN SELECT t.* FROM bench.conversations t WHERE t.round = send_round.round LOOP
    PERFORM set_config('app.current_user_id', c.user_id::text, true);
    PERFORM chat.send_message(c.id, 'hello', model => send_round.model);
  END LOOP;
END
$$;

GRANT USAGE ON SCHEMA bench TO bench_app;
GRANT SELECT ON bench.people, bench.conversations TO bench_app;
VACUUM ANALYZE;

-- What any function costs a session; the peer of llm_complete's memory.
CREATE FUNCTION bench.complete(prompt text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN reverse(prompt); END $$;
