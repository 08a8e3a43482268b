-- The claim of queued requests: in turns of the users who wait for each model, past those of whom nothing is to be taken.
BEGIN;
\ir setup.psql
SELECT plan(12);
CREATE FUNCTION pg_temp.queue(who uuid, model text, requests integer) RETURNS void LANGUAGE sql AS $$
  INSERT INTO chat_private.llm_requests (user_id, model, messages)
  SELECT who, model, '[{"role": "user", "content": "x"}]' FROM generate_series(1, requests) $$;
CREATE FUNCTION pg_temp.taken(max_requests integer, after_model text = '', after_user uuid = '00000000-0000-0000-0000-000000000000',
                              full_models text[] = '{}', full_users uuid[] = '{}') RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(of, ' ' ORDER BY of) || max(rest) FROM (
    SELECT c.model || ':' || right(c.user_id::text, 1) || 'x' || count(*) AS of,
           format(' more=%s next=%s:%s', bool_or(c.has_more), max(c.next_model), right(max(c.next_user::text), 1)) AS rest
    FROM chat_private.claim_requests(max_requests, after_model, after_user, full_models, full_users) c GROUP BY c.model, c.user_id) t $$;
DELETE FROM chat_private.llm_requests;
SELECT pg_temp.queue('10000000-0000-7000-8000-000000000001', 'm', 1000);
SELECT pg_temp.queue('10000000-0000-7000-8000-000000000002', 'm', 1);
SELECT pg_temp.queue('10000000-0000-7000-8000-000000000003', 'n', 20);

SELECT is(pg_temp.taken(30), 'm:1x10 m:2x1 n:3x10 more=t next=:', 'a thousand of one user leave others their share');
SELECT is(pg_temp.taken(1), 'm:1x1 more=t next=m:1', 'one goes to the first user, and says where the next is to begin');
SELECT is(pg_temp.taken(1, 'm', '10000000-0000-7000-8000-000000000001'), 'n:3x1 more=t next=:', 'which gives the next user a turn, the last one');
SELECT is(pg_temp.taken(1, 'n', '10000000-0000-7000-8000-000000000003'), NULL, 'and comes to the end');
SELECT is(pg_temp.taken(4, full_models => '{m}'), 'n:3x4 more=t next=:', 'a full model is passed over');
SELECT is(pg_temp.taken(4, 'm', '10000000-0000-7000-8000-000000000001', '{m}'), 'n:3x4 more=t next=:', 'also where the last claim ended in it');
SELECT is(pg_temp.taken(4, full_users => '{10000000-0000-7000-8000-000000000003}'), 'm:1x4 more=t next=:', 'and so is a user');
SELECT is(pg_temp.taken(4, full_models => '{m}', full_users => '{10000000-0000-7000-8000-000000000003}'), NULL, 'nothing is left then');
SELECT is(pg_temp.taken(10, full_models => '{m}'), 'n:3x1 more=f next=:', 'more is not said where all was taken');
DELETE FROM chat_private.llm_requests;
SELECT pg_temp.queue('10000000-0000-7000-8000-000000000001', 'm', 2);
SELECT pg_temp.queue('10000000-0000-7000-8000-000000000003', 'n', 4);
SELECT is(pg_temp.taken(5), 'm:1x2 n:3x2 more=t next=:', 'one more than can be taken leaves each user a share');
SELECT pg_temp.queue('10000000-0000-7000-8000-000000000001', 'm', 3);
SELECT is(pg_temp.taken(5, 'n', '10000000-0000-7000-8000-000000000003'), 'm:1x3 n:3x2 more=f next=:', 'as many as can be taken are taken, wherever the last claim ended');

-- What replies are told is read once for each, whatever plan was made while the tables were empty.
DELETE FROM chat_private.llm_requests;
CREATE TEMP TABLE turns ON COMMIT DROP AS
  SELECT n, chat.uuid_v7() AS conversation, chat.uuid_v7() AS first, chat.uuid_v7() AS second, chat.uuid_v7() AS reply FROM generate_series(1, 50) n;
INSERT INTO chat.conversations (user_id, id) SELECT :'alice', conversation FROM turns;
INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role)
SELECT :'alice', m.id, t.conversation, m.parent_id, m.role
FROM turns t, LATERAL (VALUES (first, NULL, 'user'), (second, first, 'user'), (reply, second, 'assistant')) m (id, parent_id, role);
INSERT INTO chat_private.llm_requests (user_id, message_id, conversation_id, model) SELECT :'alice', reply, conversation, 'm' FROM turns;
SELECT pg_stat_get_xact_tuples_returned('chat.messages_pkey'::regclass) AS by_id, pg_stat_get_xact_tuples_returned('chat.messages_conversation_idx'::regclass) AS by_conversation \gset
SELECT count(*) AS claimed FROM chat_private.claim_requests(50) \gset
-- The reply of each, and once more for a foreign key, as the request was queued in the same transaction; and its three messages.
SELECT is((:claimed, pg_stat_get_xact_tuples_returned('chat.messages_pkey'::regclass) - :by_id,
           pg_stat_get_xact_tuples_returned('chat.messages_conversation_idx'::regclass) - :by_conversation), (50, 100::bigint, 150::bigint),
          'each reply''s messages are read once');
SELECT * FROM finish();
ROLLBACK;
