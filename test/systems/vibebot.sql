-- VibeBot's workflows, access patterns, constraints and rules, in a database that was imported from one of its own; and what its
-- documentation plans: branches, files, sharing, costs, limits, templates.
BEGIN;
\ir people.psql
SELECT no_plan();

-- Row n of a kind, and whether a row is one of those that no database should have.
CREATE FUNCTION pg_temp.id(kind text, n integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'c' || left(md5(kind || n), 24) $$;
CREATE TEMP TABLE dirty AS SELECT pg_temp.id(kind, n) AS id FROM unnest(ARRAY['user', 'key', 'conversation', 'message']) kind, generate_series(900000, 900030) n;
CREATE FUNCTION pg_temp.user_here(n integer) RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT pg_temp.here('User', pg_temp.id('user', n)) $$;
CREATE FUNCTION pg_temp.talk(n integer) RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT pg_temp.here('Conversation', pg_temp.id('conversation', n)) $$;

-- Nothing is lost: each row is here or reported, and as it was.
SELECT is_empty(format('SELECT * FROM pg_temp.lost(%L)', t), 'each row of ' || t || ' is here or refused') FROM unnest(ARRAY['User', 'Conversation', 'Message']) t;
SELECT is_empty($$SELECT k.id FROM old."ApiKey" k WHERE (pg_temp.here('ApiKey', k.id) IS NULL) <> coalesce(pg_temp.findings('ApiKey', k.id) ~ 'refused|kept_aside', false)$$,
  'each key is here, refused or kept aside');
SELECT is_empty($$
  SELECT o.id FROM old."User" o LEFT JOIN chat.import_map i ON i.source_table = 'User' AND i.old_id = o.id LEFT JOIN chat.users u ON u.id = i.new_id
  WHERE o.id NOT IN (SELECT id FROM dirty) AND (u.email, u.display_name, u.role, u.plan, u.is_active, u.created_at, u.updated_at) IS DISTINCT FROM
    (o.email, o.name, lower(o.role), CASE o.role WHEN 'GUEST' THEN 'guest' ELSE 'free' END, true, o."createdAt" AT TIME ZONE 'UTC', o."updatedAt" AT TIME ZONE 'UTC')$$, 'users are as they were');
SELECT is_empty($$
  SELECT o.id FROM old."Conversation" o LEFT JOIN chat.import_map i ON i.source_table = 'Conversation' AND i.old_id = o.id LEFT JOIN chat.conversations c ON c.user_id = i.user_id AND c.id = i.new_id
  WHERE o.id NOT IN (SELECT id FROM dirty) AND (c.user_id, c.title, c.model, c.system_prompt, c.created_at, c.updated_at, c.last_message_at) IS DISTINCT FROM
    (pg_temp.here('User', o."userId"), o.title, o.model, o."systemPrompt", o."createdAt" AT TIME ZONE 'UTC', o."updatedAt" AT TIME ZONE 'UTC', o."updatedAt" AT TIME ZONE 'UTC')$$,
  'conversations are as they were, with model and prompt');
SELECT is_empty($$
  SELECT o.id FROM old."Message" o LEFT JOIN chat.import_map i ON i.source_table = 'Message' AND i.old_id = o.id
  LEFT JOIN chat.messages m ON m.user_id = i.user_id AND m.id = i.new_id
  LEFT JOIN chat.import_map c ON c.source_table = 'Conversation' AND c.old_id = o."conversationId" LEFT JOIN old."Conversation" t ON t.id = o."conversationId"
  WHERE o.id NOT IN (SELECT id FROM dirty) AND (m.conversation_id, m.user_id, m.author_id, m.role, m.status, m.content, m.content_hash, m.model, m.created_at) IS DISTINCT FROM
    (c.new_id, c.user_id, NULL::uuid, lower(o.role), 'complete', o.content, sha256(convert_to(o.content, 'UTF8')), CASE o.role WHEN 'ASSISTANT' THEN coalesce(o.metadata::jsonb ->> 'model', t.model) END,
     o."createdAt" AT TIME ZONE 'UTC')$$, 'messages are as they were, with the model that answered');
SELECT is_empty($$
  SELECT o.id FROM old."Message" o JOIN chat.import_map i ON i.source_table = 'Message' AND i.old_id = o.id JOIN chat.messages m ON m.user_id = i.user_id AND m.id = i.new_id,
  LATERAL (SELECT o.metadata::jsonb AS d) j
  WHERE o.id NOT IN (SELECT id FROM dirty) AND (m.input_tokens, m.output_tokens, m.cost, m.latency_ms, m.finish_reason) IS DISTINCT FROM
    (coalesce(d #>> '{tokens,prompt}', d ->> 'inputTokens')::int, coalesce(d #>> '{tokens,completion}', d ->> 'outputTokens', d ->> 'tokens')::int, (d ->> 'cost')::numeric, (d ->> 'latencyMs')::int, d ->> 'finishReason')$$,
  'what metadata tells of tokens, cost and time are columns');
SELECT results_eq($$SELECT DISTINCT k FROM chat.messages m, jsonb_object_keys(m.metadata) k WHERE m.role = 'assistant' AND m.conversation_id <> pg_temp.talk(900006) ORDER BY 1$$,
  $$VALUES (text 'temperature'), ('tokens')$$, 'the rest of it stays metadata');
SELECT is_empty($$
  SELECT t.new_id FROM (
    SELECT i.new_id, m.parent_id, lag(i.new_id) OVER (PARTITION BY o."conversationId" ORDER BY o."createdAt", o.id) AS before
    FROM old."Message" o JOIN chat.import_map i ON i.source_table = 'Message' AND i.old_id = o.id
    JOIN chat.messages m ON m.user_id = i.user_id AND m.id = i.new_id WHERE o.id NOT IN (SELECT id FROM dirty)) t
  WHERE t.parent_id IS DISTINCT FROM t.before$$, 'each follows the one before it');

-- The dirty rows, one by one.
SELECT is(pg_temp.findings(t.source_table, pg_temp.id(t.kind, t.n)), t.expected, format('%s %s: %s', t.source_table, t.n, t.expected))
FROM (VALUES
  ('User', 'user', 900001, 'refused duplicate_email'), ('User', 'user', 900002, 'refused email_invalid'), ('User', 'user', 900003, 'refused email_missing'),
  ('User', 'user', 900004, 'changed display_name_cut, changed password_hash_unusable, changed role_unknown, changed time_missing'), ('User', 'user', 900005, NULL),
  ('ApiKey', 'key', 900001, 'refused owner_refused'), ('ApiKey', 'key', 900002, 'refused owner_missing'), ('ApiKey', 'key', 900003, 'refused provider_unknown'), ('ApiKey', 'key', 900004, 'refused key_missing'),
  ('ApiKey', 'key', 900005, NULL), ('ApiKey', 'key', 900006, 'changed name_taken'), ('ApiKey', 'key', 900007, 'changed name_cut, changed time_missing'), ('ApiKey', 'key', 900008, 'refused key_unusable'), ('ApiKey', 'key', 900009, 'refused key_unusable'),
  ('Conversation', 'conversation', 900001, 'refused owner_refused'), ('Conversation', 'conversation', 900002, 'refused owner_missing'), ('Conversation', 'conversation', 900003, 'refused owner_missing'),
  ('Conversation', 'conversation', 900004, 'changed model_unavailable, changed title_cut'), ('Conversation', 'conversation', 900005, 'changed time_missing, kept_aside system_prompt_too_long'),
  ('Message', 'message', 900001, 'refused owner_refused'), ('Message', 'message', 900002, 'refused conversation_missing'), ('Message', 'message', 900003, 'refused conversation_missing'),
  ('Message', 'message', 900004, 'refused conversation_refused'), ('Message', 'message', 900011, 'refused role_unknown'), ('Message', 'message', 900012, 'refused content_empty'),
  ('Message', 'message', 900013, NULL), ('Message', 'message', 900014, 'changed author_missing'), ('Message', 'message', 900015, 'kept_aside json_invalid'), ('Message', 'message', 900016, 'changed metadata_no_object'),
  ('Message', 'message', 900017, 'changed cost_unreadable, changed tokens_unreadable'), ('Message', 'message', 900018, 'changed tokens_unreadable'), ('Message', 'message', 900019, 'refused content_too_long'),
  ('Message', 'message', 900020, 'refused role_unknown'), ('Message', 'message', 900021, 'changed metadata_no_object, changed time_missing')) t (source_table, kind, n, expected);
SELECT is((SELECT m.metadata FROM chat.messages m WHERE m.id = pg_temp.here('Message', pg_temp.id('message', n))), expected::jsonb, 'metadata of message ' || n)
FROM (VALUES (900016, '{"metadata": [1, 2]}'), (900017, '{"tokens": "many", "cost": "cheap", "mood": "good"}'), (900018, '{"tokens": -3}'), (900021, '{"metadata": "text"}')) t (n, expected);
SELECT is((SELECT m.cost FROM chat.messages m WHERE m.id = pg_temp.here('Message', pg_temp.id('message', 900018))), 0.25, 'a cost with its currency is read');
SELECT is((SELECT m.author_id FROM chat.messages m WHERE m.id = pg_temp.here('Message', pg_temp.id('message', 900013))), pg_temp.user_here(2), 'who wrote in the conversation of another is its author');
SELECT is(cardinality(pg_temp.branch(pg_temp.id('conversation', 900006), 'Conversation', 'Message')), 8, 'a branch goes on without its bad messages');

-- Logging in.
SELECT is(left(pg_temp.log_in('vibe2@example.com'), 4), 'pgc_', 'with the old password');
SELECT is(pg_temp.log_in('vibe2@example.com', 'old-password-2'), '28P01', 'and no other');
SELECT is(pg_temp.log_in('odd@example.com', 'plaintext!'), '28P01', 'a password that was stored in the clear opens nothing');
SELECT is_empty($$SELECT f.* FROM chat.import_findings f WHERE f.details::text ~ 'plaintext!|\$2b\$|"sk-'$$, 'findings hold no secret in the clear');
SELECT is(pg_temp.try(NULL, $$SELECT chat.register('VIBE2@example.com', 'a new password')$$), '23505', 'addresses are unique');
SELECT pg_temp.log_in('vibe1@example.com') AS admin, pg_temp.log_in('vibe4@example.com') AS keyed, pg_temp.log_in('vibe2@example.com') AS locked, pg_temp.log_in('vibe9@example.com') AS guest,
       pg_temp.log_in('vibe5@example.com') AS friend, pg_temp.log_in('fine@example.com') AS fine, pg_temp.log_in('vibe7@example.com') AS seventh \gset
SELECT is(pg_temp.got(:'admin', 'SELECT chat.current_user_role()') || pg_temp.got(:'keyed', 'SELECT chat.current_user_role()') || pg_temp.got(:'guest', 'SELECT chat.current_user_role()'),
  'adminuserguest', 'roles are as they were');
SELECT is(pg_temp.try(:'keyed', 'SELECT * FROM chat.admin_list_users()'), '42501', 'only ADMIN administers');
SELECT is(pg_temp.try(:'admin', 'SELECT * FROM chat.admin_list_users() LIMIT 1'), '1 rows', 'ADMIN does');

-- Keys of users.
SELECT is(pg_temp.got(:'keyed', $$SELECT string_agg(format('%s %s %s %s', provider, name, last_four, is_active), ', ' ORDER BY provider) FROM chat.list_api_keys()$$),
  'anthropic My Claude AbC4 t, openai default AbC4 t', 'keys in the clear are in use');
SELECT is_empty($$SELECT s.* FROM chat_private.api_key_secrets s, old."ApiKey" o WHERE length(o."encryptedKey") > 20 AND position(convert_to(btrim(o."encryptedKey", E' \n'), 'UTF8') IN s.sealed_key) > 0$$, 'sealed');
SELECT is_empty($$SELECT k.id FROM chat.api_keys k WHERE to_jsonb(k)::text ~ 'sk-'$$, 'and shown to nobody');
SELECT is(pg_temp.got(:'fine', $$SELECT string_agg(format('%s %s %s', name, last_four, is_active), ', ' ORDER BY last_four) FROM chat.list_api_keys() WHERE provider = 'openai'$$),
  'work (2) NEW1 t, work OLD1 f', 'of two the newer is in use');
SELECT is(pg_temp.got(:'fine', $$SELECT length(name) FROM chat.list_api_keys() WHERE provider = 'anthropic'$$), '90', 'a long name is cut');
SELECT is(pg_temp.got(:'locked', 'SELECT count(*) FROM chat.list_api_keys()'), '0', 'keys that another program encrypted are not in use');
SELECT is((SELECT f.details - 'created_at' - 'updated_at' FROM chat.import_findings f WHERE f.source_table = 'ApiKey' AND f.old_id = pg_temp.id('key', 21)), (SELECT jsonb_build_object('user', k."userId", 'provider', 'CLAUDE', 'name', 'My Claude', 'encrypted_key', k."encryptedKey")
  FROM old."ApiKey" k WHERE k.id = pg_temp.id('key', 21)), 'but kept as they are');
SELECT is(pg_temp.got(:'locked', $$SELECT count(*) FROM chat.import_findings WHERE reason = 'key_encrypted'$$), '2', 'their owner sees that');
SELECT is(pg_temp.got(:'friend', $$SELECT count(*) FROM chat.import_findings$$), '0', 'nobody else does');
SELECT is(pg_temp.try(:'locked', $$SELECT chat.set_api_key('openai', 'sk-proj-set-anew-000000000', 'mine')$$), '1 rows', 'and sets the key anew');
SELECT is(pg_temp.try(:'locked', $$SELECT chat.delete_api_key(id) FROM chat.list_api_keys()$$), '1 rows', 'or removes it');
SELECT is(pg_temp.try(:'keyed', $$SELECT * FROM chat_private.api_key_secrets$$), '42501', 'clients read no secrets');
SELECT is(pg_temp.try(:'friend', format('SELECT chat.delete_api_key(%L)', pg_temp.here('ApiKey', pg_temp.id('key', 41)))), 'P0002', 'nor touch another''s key');
SELECT results_eq($$SELECT p.name, p.kind, e.base_url, e.auth_type FROM chat.providers p JOIN chat_private.provider_endpoints e ON e.provider_id = p.id WHERE p.name <> 'local' ORDER BY 1$$,
  $$VALUES ('anthropic', 'anthropic', NULL::text, 'x_api_key'), ('openai', 'openai', NULL, 'bearer')$$, 'keys go to the providers'' own addresses');

-- Conversations: default title, model, system prompt, switching.
SELECT pg_temp.got(:'friend', 'SELECT chat.create_conversation()') AS fresh \gset
SELECT is(pg_temp.got(:'friend', format('SELECT title FROM chat.conversations WHERE id = %L', :'fresh')), 'New Conversation', 'a conversation without a title is a New Conversation');
SELECT is(pg_temp.got(:'friend', format('SELECT system_prompt FROM chat.update_conversation(%L, system_prompt => ''Vibe.'')', :'fresh')), 'Vibe.', 'with a prompt of its own');
SELECT is(pg_temp.got(:'friend', 'SELECT string_agg(name, '','' ORDER BY name) FROM chat.list_models()'), 'claude-3-5-sonnet,gpt-4,gpt-4o', 'the models that conversations name are here');
SELECT is((SELECT string_agg(m.name || ' ' || p.name, ',' ORDER BY m.name) FROM chat.models m JOIN chat.providers p ON p.id = m.provider_id), 'claude-3-5-sonnet anthropic,gpt-4 openai,gpt-4o local', 'of their providers, or as somebody has registered them');
SELECT is(pg_temp.got(:'friend', format('SELECT model FROM chat.update_conversation(%L, model => ''claude-3-5-sonnet'')', :'fresh')), 'claude-3-5-sonnet', 'the model is switched');
-- Conversation 12 has switched half way: its replies tell.
SELECT is((SELECT string_agg(DISTINCT m.model, ',' ORDER BY m.model) FROM chat.messages m WHERE m.conversation_id = pg_temp.talk(12)), 'claude-3-5-sonnet,gpt-4o', 'replies keep who gave them');
SELECT pg_temp.talk(6) AS six \gset
SELECT ok(pg_temp.got(:'seventh', format('SELECT chat.ask(%L, $$And now?$$)', :'six')) <> '', 'a question is answered');
SELECT is(pg_temp.got(:'seventh', format('SELECT count(*) FROM chat.list_messages(%L)', :'six')), '22', 'after the messages of before');
SELECT is(pg_temp.try(:'seventh', format('SELECT chat.send_message(%L, $$And you?$$, model => $$gpt-4$$)', :'six')), '1 rows', 'another is asked in the same conversation');
SELECT is(pg_temp.got(:'seventh', format('SELECT model FROM chat.messages WHERE conversation_id = %L ORDER BY id DESC LIMIT 1', :'six')), 'gpt-4', 'for that turn');
SELECT is(pg_temp.got(:'seventh', format('SELECT model FROM chat.conversations WHERE id = %L', :'six')), 'gpt-4o', 'and the conversation keeps its own');
SELECT is(pg_temp.got(:'friend', $$SELECT count(*) FROM chat.list_conversations(page_size => 1000) WHERE created_at < '2025-01-01'$$), (SELECT count(*)::text FROM old."Conversation" WHERE "userId" = pg_temp.id('user', 5)), 'lists are one''s own');
SELECT is(pg_temp.got(:'friend', format('SELECT count(*) FROM chat.messages WHERE conversation_id = %L', :'six')), '0', 'nobody sees another''s messages');
SELECT is(pg_temp.try(:'friend', format('SELECT chat.list_messages(%L)', :'six')), 'P0002', 'nor lists them');
SELECT is(pg_temp.try(:'friend', format('SELECT chat.update_conversation(%L, title => ''mine'')', :'six')), 'P0002', 'nor changes the conversation');

-- Metadata.
SELECT cmp_ok(pg_temp.got(:'seventh', format('SELECT chat.conversation_cost(%L)', :'six'))::numeric, '>=', (SELECT sum((o.metadata::jsonb ->> 'cost')::numeric) FROM old."Message" o WHERE o."conversationId" = pg_temp.id('conversation', 6)),
  'what a conversation has cost goes on from then');
SELECT results_eq(format($$SELECT e.is_own_key, sum(e.cost) FROM chat.usage_events e WHERE e.conversation_id = %L AND e.created_at < '2025-01-01' GROUP BY 1$$, pg_temp.talk(12)),
  format($$SELECT true, sum((o.metadata::jsonb ->> 'cost')::numeric) FROM old."Message" o WHERE o."conversationId" = %L$$, pg_temp.id('conversation', 12)), 'as spent with keys of their own');
SELECT is((SELECT sum(e.cost) FROM chat.usage_events e JOIN chat.import_map i ON i.source_table = 'Message' AND i.new_id = e.message_id), (SELECT sum(m.cost) FROM chat.messages m JOIN chat.import_map i ON i.new_id = m.id AND i.source_table = 'Message'), 'all of it is usage');
SELECT is(pg_temp.got(:'friend', $$SELECT string_agg(model, ',' ORDER BY model) FROM chat.my_usage('2024-01-01', '2024-12-31')$$) IS NOT NULL, true, 'which users see by model');
SELECT is(pg_temp.got(:'admin', $$SELECT sum(cost) FROM chat.admin_usage('2024-01-01', '2024-12-31', 'model')$$)::numeric, (SELECT sum(m.cost) FROM chat.messages m JOIN chat.import_map i ON i.new_id = m.id AND i.source_table = 'Message'), 'and administrators of all');

-- Branches.
SELECT pg_temp.talk(12) AS branched, pg_temp.here('Message', pg_temp.id('message', 11 * 20 + 3)) AS third, (SELECT active_leaf_id FROM chat.conversations WHERE id = pg_temp.talk(12)) AS leaf,
       pg_temp.log_in('vibe13@example.com') AS brancher \gset
SELECT is(pg_temp.try(:'brancher', format('SELECT chat.send_message(%L, $$Otherwise?$$, %L, model => $$gpt-4o$$)', :'branched', :'third')), '1 rows', 'a branch begins below an old message');
SELECT is(pg_temp.got(:'brancher', format('SELECT count(*) FROM chat.list_messages(%L)', :'branched')), '5', 'and is shown');
SELECT is(pg_temp.got(:'brancher', format('SELECT chat.select_branch(%L, %L)', :'branched', :'leaf')), :'leaf', 'the old one is chosen again');
SELECT is(pg_temp.got(:'brancher', format('SELECT count(*) FROM chat.list_messages(%L)', :'branched')), '20', 'as it was');
SELECT pg_temp.got(:'brancher', format('SELECT chat.fork_conversation(%L, %L)', :'branched', :'third')) AS forked \gset
SELECT is(pg_temp.got(:'brancher', format('SELECT count(*) FROM chat.list_messages(%L)', :'forked')), '3', 'or a conversation is made of a part');

-- Files.
SELECT is(pg_temp.try(:'friend', format('SELECT chat.send_message(%L, $$Read this$$, model => $$gpt-4o$$, attachments => %L)', :'fresh', '[{"data": "SGVsbG8=", "media_type": "text/plain", "name": "hello.txt"}]')), '1 rows', 'files are sent');

-- Sharing.
SELECT split_part(s, ',', 1) AS share, split_part(s, ',', 2) AS link
FROM (SELECT btrim(pg_temp.got(:'brancher', format('SELECT s FROM chat.share_conversation(%L) s', :'branched')), '()')) x (s) \gset
SELECT cmp_ok(pg_temp.got(NULL, format('SELECT count(*) FROM chat.read_share(%L)', :'link'))::int, '>=', 19, 'a link shows an imported conversation');
SELECT is(pg_temp.try(:'brancher', format('SELECT chat.grant_conversation(%L, $$vibe5@example.com$$, $$write$$)', :'branched')), '1 rows', 'it is shared by address');
SELECT is(pg_temp.got(:'friend', 'SELECT count(*) FROM chat.list_shared_with_me()'), '1', 'who sees it');
SELECT is(pg_temp.got(:'friend', 'SELECT chat.send_to_shared(share_id, $$May I?$$) IS NOT NULL FROM chat.list_shared_with_me()'), 'true', 'and writes in it');
SELECT is((SELECT author_id FROM chat.messages WHERE content = 'May I?'), pg_temp.user_here(5), 'under their own name');
SELECT is(pg_temp.try(:'brancher', format('SELECT chat.revoke_share(%L)', :'share')), '1 rows', 'sharing ends');
SELECT is(pg_temp.try(NULL, format('SELECT chat.read_share(%L)', :'link')), 'P0002', 'at once');

-- Limits.
SELECT is(pg_temp.try(:'admin', format('SELECT chat.admin_set_limits(%L, ''{"requests_per_minute": 5, "cost_per_month": 10}'')', pg_temp.user_here(5))), '1 rows', 'an administrator sets a limit');
SELECT is(pg_temp.got(:'friend', 'SELECT count(*) FROM chat.my_limits()') <> '0', true, 'its user sees it');
SELECT is(pg_temp.try(:'friend', format('SELECT chat.admin_set_limits(%L, ''{}'')', pg_temp.user_here(5))), '42501', 'and does not change it');
SELECT is(pg_temp.try(:'guest', format('SELECT chat.grant_conversation(%L, $$vibe5@example.com$$)', pg_temp.talk(8))), '42501', 'guests have limited access');
SELECT is((SELECT u.plan FROM chat.users u WHERE u.id = pg_temp.user_here(9)), 'guest', 'within the limits of their plan');

-- Templates.
SELECT pg_temp.got(:'friend', $$SELECT chat.save_template('Vibe', system_prompt => 'You vibe about {{topic}}.', title => 'On {{topic}}', model => 'gpt-4')$$) AS template \gset
SELECT pg_temp.got(:'friend', format('SELECT chat.create_from_template(%L, ''{"topic": "rain"}'')', :'template')) AS made \gset
SELECT is(pg_temp.got(:'friend', format('SELECT title || system_prompt || model FROM chat.conversations WHERE id = %L', :'made')), 'On rainYou vibe about rain.gpt-4', 'a conversation is made from a template');

-- Deleting takes all along.
SELECT is(pg_temp.try(:'keyed', $$SELECT chat.delete_my_account('old-password-1')$$), '1 rows', 'an account is deleted');
SELECT is((SELECT count(*)::int FROM chat.conversations c WHERE c.id IN (SELECT pg_temp.here('Conversation', o.id) FROM old."Conversation" o WHERE o."userId" = pg_temp.id('user', 4))), 0, 'with conversations');
SELECT is((SELECT count(*)::int FROM chat_private.api_key_secrets s WHERE s.id IN (pg_temp.here('ApiKey', pg_temp.id('key', 41)), pg_temp.here('ApiKey', pg_temp.id('key', 42)))), 0, 'and keys');
SELECT * FROM finish();
ROLLBACK;
