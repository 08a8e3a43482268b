-- Keys of providers, by persona: nobody, a user, another user, an administrator; and what is said of the master key.
BEGIN;
\ir setup.psql
SELECT plan(89);
CREATE FUNCTION pg_temp.set_key(person uuid, key text, name text DEFAULT NULL, provider text DEFAULT 'test-provider') RETURNS uuid LANGUAGE sql AS
  $$SELECT pg_temp.value(person, format('SELECT chat.set_api_key(%L, %L, %L)', provider, key, name))::uuid$$;
CREATE FUNCTION pg_temp.listed(person uuid) RETURNS text LANGUAGE sql AS
  $$SELECT pg_temp.value(person, 'SELECT string_agg(concat_ws('':'', provider, name, coalesce(last_four, ''-''), is_active), '' '' ORDER BY provider, name) FROM chat.list_api_keys()')$$;
CREATE FUNCTION pg_temp.set(setting text, setting_value jsonb) RETURNS void LANGUAGE sql AS
  $$INSERT INTO chat.settings (key, value) VALUES (setting, setting_value) ON CONFLICT (key) DO UPDATE SET value = excluded.value$$;
CREATE FUNCTION pg_temp.error_of(person uuid, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  message text; detail text; hint text; context text;
BEGIN
  PERFORM pg_temp.value(person, statement);
  RETURN '';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RETURN concat_ws(' ', message, detail, hint);
END $$;
SELECT chat.admin_register_provider('other-provider', 'echo') AS other \gset

-- Nobody.
SELECT is(pg_temp.outcome(NULL, 'SELECT chat.' || call), '28000', 'nobody is told to authenticate: ' || call)
FROM unnest(ARRAY['set_api_key(''test-provider'', ''sk-12345678'')', 'list_api_keys()', 'activate_api_key(chat.uuid_v7())', 'delete_api_key(chat.uuid_v7())']) call;
SELECT is(pg_temp.outcome(:'bob', 'SELECT chat_private.' || call, db_role), '42501', db_role || ' may not call ' || call)
FROM unnest(ARRAY['engine_keys(NULL)', 'engine_provider_keys()', 'sealed_page(NULL, NULL, NULL, NULL)', 'replace_sealed(NULL, NULL, NULL, NULL)',
                  'master_key_state(true)', 'find_provider(NULL)']) call, unnest(ARRAY['pgchat_client', 'pgchat_service']) db_role;
SELECT is(pg_temp.outcome(:'bob', 'SELECT * FROM chat_private.' || name, db_role), '42501', db_role || ' may not read ' || name)
FROM unnest(ARRAY['api_key_secrets', 'provider_keys']) name, unnest(ARRAY['pgchat_client', 'pgchat_service']) db_role;

-- One's own.
SELECT pg_temp.set_key(:'alice', 'sk-alice-one-1234') AS first \gset
SELECT is(pg_temp.listed(:'alice'), 'test-provider:default:1234:t', 'a key is listed by its last four characters');
SELECT is(pg_temp.value(:'alice', 'SELECT id FROM chat.list_api_keys()'), :'first', 'and its id');
SELECT is(pg_temp.value(:'alice', 'SELECT created_at > now() - interval ''1 minute'' AND last_used_at IS NULL FROM chat.list_api_keys()'), 'true', 'when it was set and used');
SELECT is(pg_temp.listed(:'bob'), NULL, 'others see none of it');
SELECT is(pg_temp.value(:'bob', 'SELECT count(*) FROM chat.api_keys'), '0', 'in the table neither');
SELECT is(pg_temp.value(:'alice', 'SELECT count(*) FROM chat.api_keys'), '1', 'where one''s own are');
SELECT is(pg_temp.outcome(:'alice', 'UPDATE chat.api_keys SET is_active = false'), '42501', 'which only functions change');
SELECT is((SELECT count(*)::int FROM chat_private.api_key_secrets WHERE position(convert_to('alice-one', 'UTF8') IN sealed_key) > 0), 0, 'what is stored is sealed');
SELECT pg_temp.set_key(:'alice', 'sk-alice-two-5678', 'work') AS second \gset
SELECT is(pg_temp.listed(:'alice'), 'test-provider:default:1234:f test-provider:work:5678:t', 'the last one that was set is used');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.activate_api_key(%L)', :'first')), '1 rows', 'another can be chosen');
SELECT is(pg_temp.listed(:'alice'), 'test-provider:default:1234:t test-provider:work:5678:f', 'in its place');
SELECT isnt(pg_temp.set_key(:'alice', 'sk-alice-new-9abc')::text, :'first', 'one of the same name is replaced, under a new id');
SELECT is(pg_temp.listed(:'alice'), 'test-provider:default:9abc:t test-provider:work:5678:f', 'and used');
SELECT is((SELECT count(*)::int FROM chat_private.api_key_secrets WHERE user_id = :'alice'), 2, 'of the old one nothing is left');
SELECT isnt(pg_temp.set_key(:'alice', 'sk-alice-other-0000', provider => 'other-provider'), NULL, 'another provider''s key');
SELECT is(pg_temp.listed(:'alice'), 'other-provider:default:0000:t test-provider:default:9abc:t test-provider:work:5678:f', 'is one more');
SELECT isnt(pg_temp.set_key(:'alice', 'sk-1234', '  '), NULL, 'a blank name is the default one');
SELECT is(pg_temp.listed(:'alice'), 'other-provider:default:0000:t test-provider:default:-:t test-provider:work:5678:f', 'nothing is shown of a short key');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.delete_api_key(%L)', :'second')), '1 rows', 'a key is removed');
SELECT is((SELECT count(*)::int FROM chat_private.api_key_secrets WHERE id = :'second'), 0, 'with what was sealed');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.%s(%L)', call, :'second')), 'P0002', 'and is not there any more: ' || call)
FROM unnest(ARRAY['activate_api_key', 'delete_api_key']) call;
SELECT isnt(pg_temp.set_key(:'bob', repeat('x', 4096), repeat('n', 100)), NULL, 'the longest key and name');

-- Bad arguments, which no error repeats.
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.set_api_key(' || arguments || ')'), sqlstate, left(arguments, 60))
FROM (VALUES ('NULL, ''sk-12345678''', '22004'), ('''test-provider'', NULL', '22004'), ('''test-provider'', ''''', '22023'),
             ('''test-provider'', E''canary\nkey''', '22023'), ('''test-provider'', ''canary key''', '22023'),
             ('''test-provider'', ''canäry''', '22023'), ('''test-provider'', repeat(''canary'', 683)', '22023'),
             ('''test-provider'', E''canary\x7f''', '22023'), ('''test-provider'', ''sk-canary'', repeat(''n'', 101)', '22023'),
             ('''test-provider'', ''sk-canary'', E''a\nb''', '22023'), ('''nowhere'', ''sk-canary''', '42704')) t (arguments, sqlstate);
SELECT is_empty(format($$SELECT e FROM pg_temp.error_of(%L, 'SELECT chat.set_api_key(''test-provider'', E''canary\nkey'')') e WHERE e ~ 'canary' OR e !~ 'line feed'$$, :'alice'),
                'the error says what is wrong without it');
SELECT pg_temp.set('user_keys_allowed', 'false');
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.set_api_key(''test-provider'', ''sk-12345678'')'), '42501', 'an operator may forbid them');
SELECT ok(pg_temp.hint(:'alice', 'SELECT chat.set_api_key(''test-provider'', ''sk-12345678'')') LIKE '%user_keys_allowed%', 'the hint names the setting');
SET LOCAL ROLE pgchat_engine;
SELECT is((SELECT count(*)::int FROM chat_private.engine_keys(ARRAY[:'alice', :'bob']::uuid[])), 0, 'the engine is then given none');
RESET ROLE;
SELECT pg_temp.set('user_keys_allowed', 'true');
SET LOCAL ROLE pgchat_engine;
SELECT is((SELECT count(*)::int FROM chat_private.engine_keys(ARRAY[:'alice', :'bob']::uuid[])), 3, 'else the active ones');
RESET ROLE;

-- The provider's.
SELECT is(pg_temp.outcome(NULL, 'SELECT chat.' || call, 'pgchat_service'), sqlstate, left(call, 60))
FROM (VALUES ('admin_set_provider_key(''nowhere'', ''sk-12345678'')', '42704'), ('admin_set_provider_key(''test-provider'', NULL)', '22004'),
             ('admin_set_provider_key(NULL, ''sk-12345678'')', '22004'), ('admin_set_provider_key(''test-provider'', E''sk\r\nX: y'')', '22023'),
             ('admin_register_provider(''p'', ''openai'', options => ''{"api_key_env": 7}'')', 'PC002'),
             ('admin_register_provider(''p'', ''openai'', options => ''{"api_key_env": ["KEY", 7]}'')', 'PC002'),
             ('admin_register_provider(''p'', ''openai'', options => ''{"api_key_env": ["KEY", "OTHER_KEY"]}'')', '1 rows'),
             ('admin_delete_provider_key(''test-provider'')', 'P0002'), ('admin_delete_provider_key(NULL)', '22004'),
             ('admin_set_provider_key(''test-provider'', ''sk-12345678'')', '1 rows'), ('admin_set_provider_key(''test-provider'', ''sk-123456789'')', '1 rows'),
             ('admin_delete_provider_key(''test-provider'')', '1 rows'), ('admin_delete_provider_key(''test-provider'')', 'P0002')) t (call, sqlstate);

-- Another address.
SELECT set_config('test.bob', :'bob', true);
CREATE FUNCTION pg_temp.as_admin(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  outcome text;
BEGIN
  PERFORM set_config('app.current_user_role', 'admin', true);
  outcome := concat_ws(' ', pg_temp.outcome(current_setting('test.bob')::uuid, statement),
                       substring(pg_temp.hint(current_setting('test.bob')::uuid, statement) FROM 'pgchat_service'));
  PERFORM set_config('app.current_user_role', '', true);
  RETURN outcome;
END $$;
CREATE FUNCTION pg_temp.keys_of(provider text) RETURNS text LANGUAGE sql AS $$
  SELECT concat_ws(' ', (SELECT count(*) FROM chat_private.provider_keys k WHERE k.provider_id = p.id),
                   (SELECT count(*) FROM chat.api_keys k WHERE k.provider_id = p.id AND k.is_active), (SELECT count(*) FROM chat.api_keys k WHERE k.provider_id = p.id))
  FROM chat.providers p WHERE p.name = provider $$;
SELECT chat.admin_register_provider('moving', 'openai', 'https://here.example/v1', NULL, '{"api_key_env": "MOVING_API_KEY"}') AS moving,
       chat.admin_set_provider_key('moving', 'sk-moving-1234'), pg_temp.set_key(:'alice', 'sk-alice-move', provider => 'moving'),
       pg_temp.set_key(:'bob', 'sk-bob-move', provider => 'moving') \gset
SELECT is(pg_temp.as_admin($$SELECT chat.admin_register_provider('moving', 'openai', 'https://here.example/v1', 'x-api-key', '{"api_key_env": "OTHER_API_KEY"}')$$), '42501 pgchat_service',
          'an administrator names no variable of the server');
SELECT is((SELECT auth_type || options FROM chat.admin_list_providers() WHERE name = 'moving'), 'bearer{"api_key_env": "MOVING_API_KEY"}', 'nor changes anything else with it');
SELECT is(pg_temp.as_admin($$SELECT chat.admin_register_provider('moving', 'openai', 'https://here.example/v1', 'x-api-key')$$), '1 rows', 'one who names none');
SELECT is((SELECT options FROM chat.admin_list_providers() WHERE name = 'moving'), '{}', 'takes it away');
SELECT is(pg_temp.keys_of('moving'), '1 2 2', 'keys stay while the address does');
SELECT is(pg_temp.as_admin($$SELECT chat.admin_register_provider('moving', 'openai', 'https://user.example:8443/v1?key=canary', options => '{"api_key_env": null}')$$), '1 rows',
          'an administrator gives it another');
SELECT is(pg_temp.keys_of('moving'), '0 0 2', 'to which no key goes that was set before');
SELECT is((SELECT count(*)::int FROM chat_private.provider_keys) + (SELECT count(*)::int FROM chat.api_keys WHERE is_active AND provider_id <> :'moving'), 3, 'keys of others stay');
-- What is audited without waiting is written by the time that a later one has been waited for.
SELECT chat_private.audit('test.settle');
SELECT is((SELECT details FROM chat.audit_log WHERE action = 'admin.register_provider' AND resource = 'provider:' || :'moving' ORDER BY id DESC LIMIT 1),
          '{"kind": "openai", "name": "moving", "address": "https://user.example:8443"}', 'the audit log says which');
SELECT chat.admin_set_provider_key('moving', 'sk-moving-1234'), pg_temp.set_key(:'alice', 'sk-alice-move', provider => 'moving');
SELECT is(pg_temp.keys_of('moving'), '1 1 2', 'they can be set again');
SELECT is(pg_temp.outcome(NULL, $$SELECT chat.admin_register_provider('moving', 'anthropic', 'https://user.example:8443/v1?key=canary')$$, 'pgchat_service'), '1 rows', 'another protocol');
SELECT is(pg_temp.keys_of('moving'), '0 0 2', 'is another place');

DELETE FROM chat.providers WHERE name = 'other-provider';
SELECT is((SELECT count(*)::int FROM chat.api_keys WHERE provider_id = :'other') + (SELECT count(*)::int FROM chat_private.api_key_secrets WHERE provider_id = :'other'), 0,
          'with a provider go its keys');

-- The master key.
SELECT set_eq($$SELECT a.attrelid::regclass::text, a.attname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                WHERE c.relnamespace IN ('chat'::regnamespace, 'chat_private'::regnamespace) AND c.relkind IN ('r', 'p') AND NOT a.attisdropped
                  AND a.atttypid = 'bytea'::regtype AND a.attname ~ '^sealed'$$,
              $$SELECT name, sealed_column FROM chat_private.sealed_columns()$$, 'no sealed column is left out of a change of the master key');
SELECT is_empty($$SELECT s.name, c FROM chat_private.sealed_columns() s, unnest(ARRAY[s.scope_column, s.user_column, s.row_column]) c
                  WHERE c IS NOT NULL AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = s.name::regclass AND a.attname = c AND a.atttypid = 'uuid'::regtype)$$,
                'and what each is bound to is there');
SELECT is_empty($$SELECT s.name FROM chat_private.sealed_columns() s
                  WHERE NOT (has_table_privilege('pgchat_engine', s.name, 'SELECT') AND has_column_privilege('pgchat_engine', s.name, s.sealed_column, 'UPDATE'))$$,
                'the engine may seal each of them anew');
SELECT ok(pg_temp.value(NULL, 'SELECT key_id ~ ''^[0-9a-f]{16}$'' AND old_keys = 0 AND rows_left = 0 FROM chat.admin_master_key_status()', 'pgchat_service')::boolean,
          'an operator sees how the master key is');
SELECT * FROM finish();
ROLLBACK;
