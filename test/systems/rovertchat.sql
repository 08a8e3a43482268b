-- rovertChat's workflows, access patterns, constraints and rules, in a database that was imported from one of its own.
--
-- What an administrator does after the move, and the engine must see: one model can be asked by who is a user.
SELECT chat.admin_grant_model('gpt-4o', role => 'user');
BEGIN;
\ir people.psql
SELECT no_plan();

-- Row n of a kind, and whether a row is one of those that no database should have.
CREATE FUNCTION pg_temp.id(kind text, n integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT md5(kind || n)::uuid::text $$;
CREATE TEMP TABLE dirty AS SELECT pg_temp.id(kind, n)::uuid AS id
FROM unnest(ARRAY['user', 'provider', 'model', 'grant', 'chat', 'message']) kind, generate_series(900000, 900030) n;

-- Nothing is lost: each row is here or reported, and as it was.
SELECT is_empty(format('SELECT * FROM pg_temp.lost(%L)', t), 'each row of ' || t || ' is here or refused')
FROM unnest(ARRAY['Users', 'ModelProviders', 'Models', 'UserModelAccess', 'Chats', 'Messages']) t;
SELECT is_empty($$SELECT s.user_id FROM old."UserSettings" s
  WHERE (pg_temp.here('UserSettings', s.user_id::text) IS NULL) <> coalesce(pg_temp.findings('UserSettings', s.user_id::text) ~ 'refused', false)$$, 'each row of UserSettings is here or refused');
SELECT is_empty($$
  SELECT o.id FROM old."Users" o LEFT JOIN chat.users u ON u.id = o.id LEFT JOIN old."UserSettings" s ON s.user_id = o.id
  WHERE o.id NOT IN (SELECT id FROM dirty) AND (u.username, u.email, u.role, u.plan, u.is_active, u.token_version, u.created_at, u.last_login_at, u.display_name, u.avatar_url) IS DISTINCT FROM
    (o.username, o.email, o.role, CASE o.role WHEN 'guest' THEN 'guest' ELSE 'free' END, o.is_active, o.token_version, o.created_at AT TIME ZONE 'UTC', o.last_login AT TIME ZONE 'UTC', s.display_name, s.avatar_url)$$,
  'users are as they were, under their UUIDs, with name and picture from their settings');
SELECT is_empty($$
  SELECT o.id FROM old."Users" o JOIN chat.user_settings u ON u.user_id = o.id LEFT JOIN old."UserSettings" s ON s.user_id = o.id
  WHERE o.id NOT IN (SELECT id FROM dirty) AND (u.preferences, u.default_model) IS DISTINCT FROM
    (coalesce(s.preferences, '{}')::jsonb, CASE s.default_model_id WHEN pg_temp.id('model', 1)::uuid THEN 'llama3.2' WHEN pg_temp.id('model', 2)::uuid THEN 'gpt-4o (OpenAI)' END)$$,
  'preferences and default models are as they were');
SELECT is_empty($$
  SELECT o.id FROM old."Chats" o LEFT JOIN chat.conversations c ON c.id = o.id
  WHERE o.id NOT IN (SELECT id FROM dirty) AND (c.user_id, c.title, c.title_source, c.is_archived, c.created_at, c.updated_at, c.last_message_at) IS DISTINCT FROM
    (o.user_id, coalesce(o.title, 'New Conversation'), CASE WHEN o.title IS NULL THEN 'default' ELSE 'given' END, o.is_archived, o.created_at AT TIME ZONE 'UTC',
     o.updated_at AT TIME ZONE 'UTC', o.updated_at AT TIME ZONE 'UTC')$$, 'chats are as they were, under their UUIDs, archived ones, too');
SELECT is_empty($$
  SELECT o.id FROM old."Messages" o LEFT JOIN chat.import_map i ON i.source_table = 'Messages' AND i.old_id = o.id::text
  LEFT JOIN chat.messages m ON m.user_id = i.user_id AND m.id = i.new_id LEFT JOIN chat.models n ON n.id = o.model_id
  WHERE o.id NOT IN (SELECT id FROM dirty) AND (m.conversation_id, m.role, m.status, m.content, m.content_hash, m.thinking, m.model, m.created_at,
      CASE m.role WHEN 'assistant' THEN m.output_tokens ELSE m.input_tokens END, m.metadata) IS DISTINCT FROM
    (o.chat_id, o.role, 'complete', o.content, sha256(convert_to(o.content, 'UTF8')), o.thinking, n.name, o.created_at AT TIME ZONE 'UTC', o.tokens_used, coalesce(o.extended_metadata::jsonb, '{}'))$$,
  'messages are as they were: thinking, model, tokens, metadata');
SELECT cmp_ok((SELECT count(*)::int FROM chat.messages WHERE thinking <> ''), '>', 100, 'some of them with thinking');
SELECT is_empty($$
  SELECT t.new_id FROM (
    SELECT i.new_id, m.parent_id, lag(i.new_id) OVER (PARTITION BY o.chat_id ORDER BY o.created_at, o.id) AS before
    FROM old."Messages" o JOIN chat.import_map i ON i.source_table = 'Messages' AND i.old_id = o.id::text
    JOIN chat.messages m ON m.user_id = i.user_id AND m.id = i.new_id WHERE o.id NOT IN (SELECT id FROM dirty)) t
  WHERE t.parent_id IS DISTINCT FROM t.before$$, 'each follows the one before it');

-- Providers and models.
SELECT results_eq($$SELECT p.name, p.kind, e.base_url, e.auth_type, e.created_by::text, p.is_active, p.created_at FROM chat.providers p JOIN chat_private.provider_endpoints e ON e.provider_id = p.id
  WHERE p.id IN (SELECT pg_temp.id('provider', n)::uuid FROM generate_series(1, 4) n) ORDER BY p.created_at$$,
  $$VALUES ('Ollama', 'ollama', 'http://localhost:11434', 'none', pg_temp.id('user', 1), true, timestamptz '2023-03-01 01:00+00'),
           ('OpenAI', 'openai', 'https://api.openai.com/v1', 'bearer', pg_temp.id('user', 1), true, '2023-03-01 02:00+00'),
           ('Anthropic', 'anthropic', 'https://api.anthropic.com', 'x_api_key', pg_temp.id('user', 1), true, '2023-03-01 03:00+00'),
           ('Azure', 'openai', 'https://rover.openai.azure.com/openai/v1', 'api_key', pg_temp.id('user', 1), false, '2023-03-01 04:00+00')$$, 'providers are here, with protocol, address, and who added them');
SELECT results_eq($$SELECT m.name, p.name, m.display_name, m.description, m.config, m.context_window, array_to_string(m.capabilities, ','), m.is_active, m.is_open, m.updated_at
  FROM chat.models m JOIN chat.providers p ON p.id = m.provider_id WHERE m.id IN (SELECT pg_temp.id('model', n)::uuid FROM generate_series(1, 4) n) ORDER BY m.created_at$$,
  $$VALUES ('llama3.2', 'Ollama', 'The llama3.2', 'Model 1', jsonb '{"temperature": 0.7, "context_window": 8192, "capabilities": ["tools", "vision"]}', 8192, 'tools,vision', true, false, timestamptz '2023-04-02 01:00+00'),
           ('gpt-4o (OpenAI)', 'OpenAI', 'The gpt-4o', 'Model 2', '{"max_tokens": 4096, "provider_model": "gpt-4o"}', NULL, '', true, false, '2023-04-02 02:00+00'),
           ('claude-sonnet', 'Anthropic', 'The claude-sonnet', 'Model 3', '{}', NULL, '', true, false, '2023-04-02 03:00+00'),
           ('llama2', 'Ollama', 'The llama2', 'Model 4', '{}', NULL, '', false, false, '2023-04-02 04:00+00')$$, 'and models; one whose name is another''s here keeps it for its provider');
SELECT is_empty($$
  SELECT o.id FROM old."UserModelAccess" o LEFT JOIN chat.user_model_access a ON a.user_id = o.user_id AND a.model_id = o.model_id
  WHERE o.id NOT IN (SELECT id FROM dirty) AND (a.granted_by, a.granted_at, a.is_active) IS DISTINCT FROM (o.granted_by, o.granted_at AT TIME ZONE 'UTC', o.is_active)$$,
  'grants are as they were: by whom, when, in force or not');

-- Calls of tools, of either form, and their results.
SELECT is((SELECT m.tool_calls FROM chat.messages m WHERE m.id = pg_temp.here('Messages', pg_temp.id('message', 9 * 20 + 7))),
  '[{"id": "call_w187", "type": "function", "function": {"name": "weather", "arguments": "{\"city\": \"Oslo\"}"}}, {"id": "call_c187", "type": "function", "function": {"name": "clock", "arguments": "{}"}}]'::jsonb,
  'calls of tools are as they were');
SELECT is((SELECT m.tool_calls FROM chat.messages m WHERE m.id = pg_temp.here('Messages', pg_temp.id('message', 4 * 20 + 7))),
  '[{"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\": \"Oslo\"}"}}, {"id": "call_2", "type": "function", "function": {"name": "clock", "arguments": "{}"}}]'::jsonb,
  'those without ids get some');
SELECT is((SELECT string_agg(m.tool_call_id, ',' ORDER BY m.id) FROM chat.messages m WHERE m.conversation_id = pg_temp.id('chat', 10)::uuid AND m.role = 'tool'), 'call_c187,call_w187', 'results that name their call');
SELECT is((SELECT string_agg(m.tool_call_id, ',' ORDER BY m.id) FROM chat.messages m WHERE m.conversation_id = pg_temp.id('chat', 5)::uuid AND m.role = 'tool'), 'call_1,call_2', 'and that do not, belong to it');
SELECT is_empty($$SELECT m.id FROM chat.messages m WHERE m.tool_calls IS NOT NULL AND NOT chat_private.are_tool_calls(m.tool_calls)$$, 'models can be told of all calls');
SELECT is_empty($$SELECT m.id FROM chat.messages m WHERE m.role = 'tool' AND m.tool_call_id IS NULL AND m.id <> pg_temp.here('Messages', pg_temp.id('message', 900016))$$, 'and of all results');

-- Images.
SELECT is((SELECT count(*)::int FROM chat.message_attachments a JOIN chat.import_map i ON i.source_table = 'Messages' AND i.new_id = a.message_id WHERE i.old_id::uuid NOT IN (SELECT id FROM dirty)),
  (SELECT count(*)::int FROM old."Messages" o WHERE o.images IS NOT NULL AND o.id NOT IN (SELECT id FROM dirty)), 'each image is here');
SELECT is_empty($$SELECT m.id FROM chat.messages m WHERE m.attachment_count <> (SELECT count(*) FROM chat.message_attachments a WHERE a.user_id = m.user_id AND a.message_id = m.id)$$, 'and counted');
SELECT is((SELECT (t.media_type, t.width, t.height, a.name)::text FROM chat.message_attachments a JOIN chat.attachments t ON t.user_id = a.user_id AND t.id = a.attachment_id
           WHERE a.message_id = pg_temp.here('Messages', pg_temp.id('message', (c - 1) * 20 + 2))), format('(image/png,1,1,%s)', name), 'as ' || form)
FROM (VALUES (8, '', 'base64'), (16, '"picture 16.png"', 'an object'), (24, '', 'a data URL')) t (c, name, form);

-- The dirty rows, one by one.
SELECT is(pg_temp.findings(t.source_table, pg_temp.id(t.kind, t.n)), t.expected, format('%s %s: %s', t.source_table, t.n, t.expected))
FROM (VALUES
  ('Users', 'user', 900001, 'refused duplicate_email'), ('Users', 'user', 900002, 'changed username_taken'), ('Users', 'user', 900003, NULL), ('Users', 'user', 900004, 'refused username_invalid'),
  ('Users', 'user', 900005, 'refused email_invalid'), ('Users', 'user', 900006, 'changed avatar_url_invalid, changed model_unavailable, changed role_unknown, kept_aside json_invalid'),
  ('Users', 'user', 900007, 'changed password_hash_unusable, changed token_version_missing'), ('Users', 'user', 900008, 'changed active_missing, changed model_unavailable, changed time_missing, kept_aside preferences_no_object'),
  ('Users', 'user', 900009, 'refused email_missing'), ('Users', 'user', 900010, 'changed email_taken'), ('Users', 'user', 900011, 'changed email_invalid'), ('UserSettings', 'user', 900001, 'refused owner_refused'), ('UserSettings', 'user', 999999, 'refused owner_missing'),
  ('ModelProviders', 'provider', 900001, 'changed name_taken'), ('ModelProviders', 'provider', 900002, 'refused name_missing'), ('ModelProviders', 'provider', 900003, 'changed address_invalid'),
  ('ModelProviders', 'provider', 900004, 'changed auth_type_unknown, changed creator_missing'), ('ModelProviders', 'provider', 900005, 'changed active_missing, changed address_invalid, changed creator_missing'),
  ('Models', 'model', 900001, 'refused provider_missing'), ('Models', 'model', 900002, 'refused provider_refused'), ('Models', 'model', 900003, 'refused name_missing'),
  ('Models', 'model', 900004, 'changed name_taken'), ('Models', 'model', 900005, 'changed active_missing, changed description_cut, kept_aside json_invalid'), ('Models', 'model', 900006, 'kept_aside config_no_object'),
  ('UserModelAccess', 'grant', 900001, 'refused owner_refused'), ('UserModelAccess', 'grant', 900002, 'refused owner_missing'), ('UserModelAccess', 'grant', 900003, 'refused model_missing'),
  ('UserModelAccess', 'grant', 900004, 'refused model_refused'), ('UserModelAccess', 'grant', 900005, 'refused duplicate_grant'), ('UserModelAccess', 'grant', 900006, 'changed granter_missing, changed time_missing'),
  ('UserModelAccess', 'grant', 900007, 'changed active_missing'), ('Chats', 'chat', 900001, 'refused owner_refused'), ('Chats', 'chat', 900002, 'refused owner_missing'), ('Chats', 'chat', 900003, 'refused owner_missing'),
  ('Chats', 'chat', 900004, 'changed title_cut'), ('Chats', 'chat', 900005, 'changed time_missing'), ('Chats', 'chat', 900006, NULL), ('Chats', 'chat', 900007, 'changed time_in_future'),
  ('Messages', 'message', 900001, 'refused owner_refused'), ('Messages', 'message', 900002, 'refused conversation_missing'), ('Messages', 'message', 900003, 'refused conversation_missing'),
  ('Messages', 'message', 900004, 'refused conversation_refused'), ('Messages', 'message', 900010, 'changed tokens_unreadable'), ('Messages', 'message', 900011, 'refused role_unknown'),
  ('Messages', 'message', 900012, 'refused content_empty'), ('Messages', 'message', 900013, 'changed model_missing'), ('Messages', 'message', 900014, 'kept_aside tool_calls_invalid'),
  ('Messages', 'message', 900015, 'changed tool_calls_unusable'), ('Messages', 'message', 900016, 'changed tool_call_missing'), ('Messages', 'message', 900017, 'changed image_is_link'),
  ('Messages', 'message', 900018, 'kept_aside images_invalid'), ('Messages', 'message', 900019, 'changed time_missing'), ('Messages', 'message', 900020, 'changed metadata_no_object'),
  ('Messages', 'message', 900021, 'kept_aside json_invalid'), ('Messages', 'message', 900022, 'refused content_too_long'), ('Messages', 'message', 900023, 'refused role_unknown'),
  ('Messages', 'message', 900024, 'refused content_empty')) t (source_table, kind, n, expected);
SELECT is(pg_temp.findings('Messages.images', pg_temp.id('message', 900017) || ':' || n), expected, 'image ' || n || ' of a message with broken ones')
FROM (VALUES (1, 'refused base64_broken'), (2, 'refused file_damaged'), (3, NULL), (4, 'refused base64_broken')) t (n, expected);
SELECT is((SELECT m.metadata -> 'images' FROM chat.messages m WHERE m.id = pg_temp.here('Messages', pg_temp.id('message', 900017))), '["https://example.com/a.png"]', 'an image that is elsewhere is noted');
SELECT is((SELECT convert_from(chat_private.attachment_bytes(a.user_id, a.attachment_id), 'UTF8') FROM chat.message_attachments a WHERE a.message_id = pg_temp.here('Messages', pg_temp.id('message', 900019))),
  'Hello, world!', 'one text alone, without the end of its base64, is a file');
SELECT is((SELECT m.metadata FROM chat.messages m WHERE m.id = pg_temp.here('Messages', pg_temp.id('message', n))), expected::jsonb, 'metadata of message ' || n)
FROM (VALUES (900010, '{"tokens_used": "-5"}'), (900013, format('{"model_id": "%s"}', pg_temp.id('model', 999999))), (900015, '{"tool_calls": [{"what": "weather"}]}'), (900020, '{"extended_metadata": [1, 2]}')) t (n, expected);
SELECT is((SELECT m.thinking FROM chat.messages m WHERE m.id = pg_temp.here('Messages', pg_temp.id('message', 900013))), 'only thought', 'a reply of nothing but thinking is one');
SELECT is(cardinality(pg_temp.branch(pg_temp.id('chat', 900006), 'Chats', 'Messages')), 10, 'a branch goes on without its bad messages');
SELECT is_empty($$SELECT f.* FROM chat.import_findings f WHERE f.details::text ~ 'user:secret|\$2b\$04'$$, 'findings hold no secret');

-- Logging in, by username or address.
SELECT is(left(pg_temp.log_in(name), 4), 'pgc_', 'by ' || name) FROM unnest(ARRAY['rover11', 'Rover11', 'ROVER11@example.com', 'namesake@example.com', 'noaddress', 'sibling', 'odd_address']) name;
SELECT is(pg_temp.got(pg_temp.log_in('rover2@example.com'), 'SELECT username FROM chat.me()'), 'Rover2', 'an address that two had is the elder''s');
SELECT is(pg_temp.log_in('rover11', 'old-password-2'), '28P01', 'with no other password');
SELECT is(pg_temp.log_in('rover18'), '28P01', 'nor who is not active');
SELECT is(pg_temp.log_in('argon'), '28P01', 'nor whose hash is another one');
SELECT is(pg_temp.try(NULL, $$SELECT chat.register('rover11-again@example.com', 'a new password', username => 'ROVER11')$$), '23505', 'usernames are unique');
SELECT pg_temp.log_in('rover1') AS admin, pg_temp.log_in('rover11') AS member, pg_temp.log_in('rover12') AS rich, pg_temp.log_in('rover9') AS guest, pg_temp.log_in('rover3') AS third \gset
SELECT is(pg_temp.got(:'admin', 'SELECT chat.current_user_role()') || pg_temp.got(:'member', 'SELECT chat.current_user_role()') || pg_temp.got(:'guest', 'SELECT chat.current_user_role()'),
          'adminuserguest', 'everybody has the role of then');
SELECT is(pg_temp.try(:'guest', format('SELECT chat.send_message(%L, $$And now?$$, model => $$llama3.2$$)', pg_temp.id('chat', 8))), '1 rows', 'a guest goes on');
SELECT is(pg_temp.try(:'guest', format('SELECT chat.grant_conversation(%L, $$rover11$$)', pg_temp.id('chat', 8))), '42501', 'within the limits of one');

-- The version of tokens.
CREATE FUNCTION pg_temp.with_jwt(token text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  PERFORM set_config('role', 'pgchat_client', true);
  PERFORM chat.authenticate_jwt(token);
  SELECT m.username INTO result FROM chat.me() m;
  PERFORM set_config('role', 'none', true);
  PERFORM chat_private.set_identity(NULL, NULL, NULL, true);
  RETURN result;
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE;
END $$;
CREATE FUNCTION pg_temp.token_of(n integer, version integer) RETURNS text LANGUAGE sql AS $$
  SELECT chat.jwt_sign(jsonb_build_object('sub', pg_temp.id('user', n), 'token_version', version, 'exp', floor(extract(epoch FROM clock_timestamp()))::bigint + 600)) $$;
SELECT is(pg_temp.with_jwt(pg_temp.token_of(11, 4)), 'Rover11', 'a token of the version of then is good, under a key that is known here');
SELECT is(pg_temp.with_jwt(pg_temp.token_of(11, version)), '28000', format('one of version %s is not', version)) FROM unnest(ARRAY[1, 3, 5]) version;
SELECT is(pg_temp.with_jwt('eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.' || rtrim(translate(encode(convert_to(format('{"sub": "%s", "token_version": 4, "exp": 4102444800}', pg_temp.id('user', 11)), 'UTF8'), 'base64'), E'+/\n', '-_'), '=')
  || '.c2lnbmF0dXJlLW9mLXRoZS1vbGQtc3lzdGVtLTAxMjM0NTY3ODk'), '28000', 'nor one that the old system signed');
SELECT pg_temp.got(:'third', 'SELECT chat.issue_jwt()') AS jwt \gset
SELECT is(pg_temp.with_jwt(:'jwt'), 'Rover3', 'a token from here is good');
SELECT is(pg_temp.try(:'third', $$SELECT chat.change_password('old-password-1', 'another password 3')$$), '1 rows', 'a change of the password');
SELECT is((SELECT token_version FROM chat.users WHERE id = pg_temp.id('user', 3)::uuid), 5, 'counts the version up');
SELECT is(pg_temp.with_jwt(:'jwt'), '28000', 'and the token is good no more');

-- Who may use which model.
CREATE FUNCTION pg_temp.models(token text) RETURNS text LANGUAGE sql AS $$ SELECT pg_temp.got(token, 'SELECT string_agg(name, '','' ORDER BY name) FROM chat.list_models()') $$;
SELECT is(pg_temp.models(:'member'), 'gpt-4o,llama3.2', 'one was given a model');
SELECT is(pg_temp.models(:'rich'), 'claude-sonnet,gpt-4o,gpt-4o (OpenAI),llama3.2', 'another several');
SELECT is(pg_temp.models(pg_temp.log_in('rover15')), 'gpt-4o,llama3.2', 'a grant that is not in force gives nothing, and a model that is not active is none');
SELECT is(pg_temp.got(:'rich', 'SELECT name FROM chat.list_models() WHERE is_default'), 'llama3.2', 'the default of then is it still');
SELECT is(pg_temp.try(:'member', 'SELECT chat.create_conversation(model => ''claude-sonnet'')'), '42501', 'what one was not given cannot be used');
SELECT is(pg_temp.try(:'rich', 'SELECT chat.create_conversation(model => ''claude-sonnet'')'), '1 rows', 'what one was given can');
SELECT is(pg_temp.try(:'member', $$SELECT chat.admin_grant_model('claude-sonnet', chat.current_user_id())$$), '42501', 'only administrators give');
SELECT is(pg_temp.try(:'admin', format('SELECT chat.admin_grant_model(%L, %L)', 'claude-sonnet', pg_temp.id('user', 11))), '1 rows', 'an administrator gives');
SELECT is(pg_temp.try(:'member', 'SELECT chat.create_conversation(model => ''claude-sonnet'')'), '1 rows', 'and it can be used');
SELECT is((SELECT granted_by::text FROM chat.admin_list_model_access('claude-sonnet') WHERE user_id = pg_temp.id('user', 11)::uuid), pg_temp.id('user', 1), 'it is known who gave');
SELECT is(pg_temp.got(:'admin', format('SELECT chat.admin_revoke_model(%L, %L)', 'claude-sonnet', pg_temp.id('user', 11))), 'true', 'and takes back');
SELECT is(pg_temp.try(:'member', 'SELECT chat.create_conversation(model => ''claude-sonnet'')'), '42501', 'with the next call');
SELECT is(pg_temp.try(:'member', 'SELECT chat.update_settings(default_model => ''claude-sonnet'')'), '42501', 'no default is a way round');
SELECT is(pg_temp.try(:'admin', $$SELECT chat.admin_register_model('Ollama', 'mistral')$$), '1 rows', 'an administrator adds a model');
SELECT is(pg_temp.models(:'member'), 'gpt-4o,llama3.2', 'which nobody was given yet');
SELECT is(pg_temp.try(:'admin', $$SELECT chat.admin_set_provider_active('Ollama', false)$$), '1 rows', 'a provider is switched off');
SELECT is(pg_temp.models(:'member'), 'gpt-4o', 'with its models');
SELECT is(pg_temp.try(:'admin', $$SELECT chat.admin_set_provider_active('Ollama', true)$$), '1 rows', 'and on again');
SELECT is(pg_temp.got(:'admin', $$SELECT created_by FROM chat.admin_list_providers() WHERE name = 'OpenAI'$$), pg_temp.id('user', 1), 'providers say who added them');
SELECT is(pg_temp.try(:'member', $$SELECT chat.admin_register_provider('Mine', 'ollama')$$), '42501', 'only administrators add any');

-- Settings.
SELECT is(pg_temp.got(:'rich', 'SELECT preferences ->> ''theme'' FROM chat.user_settings'), 'dark', 'preferences are there');
SELECT is(pg_temp.got(:'rich', $$SELECT display_name FROM chat.update_profile(display_name => 'Rex')$$), 'Rex', 'a name is changed');
SELECT is(pg_temp.got(:'rich', $$SELECT (chat.update_settings(default_model => 'claude-sonnet')).default_model$$), 'claude-sonnet', 'and the default model');

-- Chats: lists, archive, history in order, search.
SELECT is(pg_temp.got(:'member', $$SELECT count(*) FROM chat.list_conversations(page_size => 1000) WHERE created_at < '2025-01-01'$$),
  (SELECT count(*)::text FROM old."Chats" WHERE user_id = pg_temp.id('user', 11)::uuid AND NOT is_archived), 'one''s chats');
SELECT is((SELECT count(*)::text FROM old."Chats" WHERE user_id = u.id AND is_archived), pg_temp.got(pg_temp.log_in(u.username), 'SELECT count(*) FROM chat.list_conversations(page_size => 1000, archived => true)'), 'and the archived ones')
FROM old."Users" u WHERE u.id IN (SELECT c.user_id FROM old."Chats" c JOIN old."Users" o ON o.id = c.user_id WHERE c.is_archived AND o.is_active ORDER BY c.created_at LIMIT 1);
SELECT is(pg_temp.got(:'member', format('SELECT count(*) FROM chat.list_messages(%L)', pg_temp.id('chat', 10))), '20', 'its history');
SELECT is(pg_temp.got(:'member', format('SELECT string_agg(role, '','') FROM (SELECT role FROM chat.list_messages(%L) LIMIT 10) m', pg_temp.id('chat', 10))),
          'system,user,assistant,user,assistant,user,assistant,tool,tool,user', 'in the order of time');
SELECT is(pg_temp.try(:'member', format('SELECT chat.update_conversation(%L, is_archived => true)', pg_temp.id('chat', 10))), '1 rows', 'a chat is archived');
SELECT is(pg_temp.got(:'member', format('SELECT count(*) FROM chat.list_conversations(page_size => 1000) WHERE id = %L', pg_temp.id('chat', 10))), '0', 'and leaves the list');
SELECT is(pg_temp.try(:'member', format('SELECT chat.update_conversation(%L, is_archived => false)', pg_temp.id('chat', 10))), '1 rows', 'it is brought back');
SELECT is(pg_temp.got(:'rich', format('SELECT count(*) FROM chat.messages WHERE conversation_id = %L', pg_temp.id('chat', 10))), '0', 'nobody sees another''s messages');
SELECT is(pg_temp.try(:'rich', format('SELECT chat.list_messages(%L)', pg_temp.id('chat', 10))), 'P0002', 'nor lists them');
SELECT is(pg_temp.try(:'admin', format('SELECT chat.update_conversation(%L, title => ''x'')', pg_temp.id('chat', 10))), 'P0002', 'not even an administrator changes a chat');

-- Going on: with tools, thinking, images.
SELECT ok(pg_temp.got(:'member', format('SELECT chat.ask(%L, $$And now?$$, model => $$gpt-4o$$)', pg_temp.id('chat', 10))) <> '', 'a question is answered');
SELECT is(pg_temp.got(:'member', format('SELECT count(*) FROM chat.list_messages(%L)', pg_temp.id('chat', 10))), '22', 'after the messages of before');
SELECT is(pg_temp.try(:'member', format('SELECT chat.send_tool_results(%L, %L, model => ''gpt-4o'')', pg_temp.here('Messages', pg_temp.id('message', 187)),
  '[{"tool_call_id": "call_w187", "content": "rain"}, {"tool_call_id": "call_c187", "content": "noon"}]')), '1 rows', 'the tools of then can be answered anew');
SELECT is(pg_temp.try(:'member', format('SELECT chat.send_tool_results(%L, %L, model => ''gpt-4o'')', pg_temp.here('Messages', pg_temp.id('message', 187)),
  '[{"tool_call_id": "call_x", "content": "rain"}]')), '22023', 'with a result for each');
SELECT is(pg_temp.try(pg_temp.log_in('rover25'), format('SELECT chat.send_message(%L, $$And this?$$, model => $$gpt-4o$$, attachments => %L)', pg_temp.id('chat', 24),
  '["data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="]')), '1 rows', 'an image is sent');
SELECT is((SELECT count(*)::int FROM chat.attachments WHERE user_id = pg_temp.id('user', 25)::uuid), 1, 'the same as before is stored once');

-- What was used.
SELECT is((SELECT sum(e.output_tokens) FROM chat.usage_events e JOIN chat.import_map i ON i.source_table = 'Messages' AND i.new_id = e.message_id),
  (SELECT sum(o.tokens_used) FROM old."Messages" o JOIN chat.import_map i ON i.source_table = 'Messages' AND i.old_id = o.id::text WHERE o.role = 'assistant'), 'tokens of replies are usage');
SELECT is(pg_temp.got(:'member', $$SELECT sum(output_tokens) FROM chat.my_usage('2024-01-01', '2024-12-31')$$),
  (SELECT sum(o.tokens_used)::text FROM old."Messages" o JOIN old."Chats" c ON c.id = o.chat_id WHERE o.role = 'assistant' AND c.user_id = pg_temp.id('user', 11)::uuid), 'which users see, by model');
SELECT is((SELECT string_agg(key, ',' ORDER BY key) FROM chat.admin_usage('2024-01-01', '2024-12-31', 'provider') WHERE attempts > 10), 'Anthropic,Ollama,OpenAI', 'and administrators, by provider');

-- Deleting.
SELECT is(pg_temp.try(:'member', format('SELECT chat.delete_conversation(%L)', pg_temp.id('chat', 10))), '1 rows', 'a chat is deleted');
SELECT is((SELECT count(*)::int FROM chat.messages WHERE conversation_id = pg_temp.id('chat', 10)::uuid), 0, 'with its messages');
SELECT is(pg_temp.try(:'rich', $$SELECT chat.delete_my_account('old-password-1')$$), '1 rows', 'and so is an account');
SELECT is((SELECT count(*)::int FROM chat.user_model_access WHERE user_id = pg_temp.id('user', 12)::uuid), 0, 'with what it was given');
SELECT * FROM finish();
ROLLBACK;
