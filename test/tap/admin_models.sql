-- Setting an installation up: providers, models, the default model.
BEGIN;
\ir setup.psql
SELECT plan(69);
CREATE FUNCTION pg_temp.engine_model(wanted text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  SET LOCAL ROLE pgchat_engine;
  SELECT concat_ws('|', m.model, m.is_default, m.is_open, p.provider, p.kind, coalesce(p.base_url, '-'), p.auth_type, p.headers, p.options,
                   m.provider_model, m.input_price, m.output_price, m.cached_price)
  INTO result FROM chat_private.engine_models() m JOIN chat_private.engine_providers() p ON p.provider_id = m.provider_id WHERE m.model = wanted;
  RESET ROLE;
  RETURN result;
END $$;
SELECT chat.admin_register_provider('local', 'openai', 'http://127.0.0.1:8080/v1?v=secret', 'none',
         '{"headers": {"X-Team": "hidden"}, "api_key_env": "KEY", "max_concurrent_calls": 3}') AS provider,
       chat.admin_register_model('local', 'small', 'Small',
         '{"context_window": 8192, "input_price": 0.25, "output_price": 1, "cached_price": 0.1, "provider_model": "small-v1",
           "description": "a small one", "capabilities": ["vision", "tools", "tools"], "family": "s"}') AS model \gset
SELECT is(pg_temp.engine_model('small'),
          'small|f|t|local|openai|http://127.0.0.1:8080/v1?v=secret|none|{"X-Team": "hidden"}|{"api_key_env": "KEY", "max_concurrent_calls": 3}'
          || '|small-v1|0.250000|1.000000|0.100000', 'the engine is told all of it');
SELECT is(pg_temp.engine_model('test-model'), 'test-model|t|t|test-provider|echo|-|none|{}|{}|test-model', 'and which is the default');
SELECT is((SELECT (display_name, description, capabilities, context_window, config)::text FROM chat.models WHERE name = 'small'),
          '(Small,"a small one","{tools,vision}",8192,"{""family"": ""s"", ""provider_model"": ""small-v1""}")', 'and the rest is kept');
SELECT chat.admin_set_default_model('small');
SELECT is((SELECT value FROM chat.settings WHERE key = 'default_model'), '"small"', 'the default can be changed');

-- What administrators are shown.
SELECT is(t::text, format('(%s,local,openai,http://127.0.0.1:8080/v1?…,none,{X-Team},"{""api_key_env"": ""KEY"", ""max_concurrent_calls"": 3}",1,t,)', :'provider'),
          'providers are listed without what may be secret')
FROM (SELECT id, name, kind, base_url, auth_type, header_names, options, models, is_active, created_by FROM chat.admin_list_providers()) t WHERE name = 'local';
SELECT results_eq('SELECT name, provider, is_active, is_open, is_default FROM chat.admin_list_models()',
                  $$VALUES ('small', 'local', true, NULL::boolean, true), ('test-model', 'test-provider', true, NULL, false)$$, 'models are listed');

SELECT is(chat.admin_register_provider('local', 'anthropic'), :'provider', 'registering again keeps the id');
SELECT is(pg_temp.engine_model('small'), 'small|t|t|local|anthropic|-|x_api_key|{}|{}|small-v1|0.250000|1.000000|0.100000', 'and replaces the settings');
SELECT is(chat.admin_register_model('local', 'small'), :'model', 'a model likewise');
SELECT is((SELECT (display_name, description, capabilities, context_window, input_price, config)::text FROM chat.models WHERE name = 'small'),
          '(small,,{},,,{})', 'all of them');
CREATE FUNCTION pg_temp.auth_type(spelt text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM chat.admin_register_provider('auth', 'openai', NULL, spelt);
  RETURN (SELECT auth_type FROM chat.admin_list_providers() WHERE name = 'auth');
END $$;
SELECT is(pg_temp.auth_type(spelt), meant, spelt || ' is an auth_type')
FROM (VALUES ('none', 'none'), ('bearer', 'bearer'), ('x-api-key', 'x_api_key'), ('x_api_key', 'x_api_key'), ('api-key', 'api_key'),
             ('api_key', 'api_key'), ('query', 'query')) t (spelt, meant);

-- Switching off and on.
SELECT chat.admin_set_model_active('small', false);
SELECT is(pg_temp.engine_model('small'), NULL, 'the engine is told of active models only');
SELECT is(pg_temp.value(:'alice', $$SELECT count(*) FROM chat.models WHERE name = 'small'$$), '0', 'and so are clients');
SELECT chat.admin_set_model_active('small', true), chat.admin_set_provider_active('local', false);
SELECT is(pg_temp.engine_model('small'), NULL, 'a provider that is not active takes its models along');
SELECT is(pg_temp.value(:'alice', $$SELECT count(*) FROM chat.models WHERE name = 'small'$$), '0', 'for clients, too');
SELECT chat.admin_set_provider_active('local', true);
SELECT isnt(pg_temp.engine_model('small'), NULL, 'and brings them back');

-- Removing.
SELECT throws_ok($$SELECT chat.admin_delete_model('small')$$, '55000', 'model "small" is the default');
SELECT throws_ok($$SELECT chat.admin_delete_provider('local')$$, '55000', 'model "small" is the default');
SELECT chat.admin_set_default_model('test-model'), chat.admin_grant_model('small', :'alice'), chat.admin_grant_model('small', role => 'worker');
SELECT chat.admin_delete_model('small');
SELECT is((SELECT count(*) FROM chat.models WHERE name = 'small'), 0::bigint, 'a model can be removed');
SELECT is((SELECT count(*) FROM chat.model_access), 0::bigint, 'with the grants of it');
SELECT chat.admin_register_model('local', 'small'), chat.admin_grant_model('small', :'alice');
SELECT chat.admin_delete_provider('local');
SELECT is((SELECT count(*) FROM chat.models WHERE name = 'small') + (SELECT count(*) FROM chat.model_access), 0::bigint, 'and a provider, with both');

-- Who registered a provider, until that account is removed; the audit log has it all.
SELECT chat.admin_create_user('root@example.com', 'root-password-1', 'admin', 'root') AS root,
       chat.admin_create_user('root2@example.com', 'root-password-1', 'admin', 'root2') AS root2 \gset
SELECT chat_private.set_identity(:'root', 'admin', NULL, true);
SELECT chat.admin_register_provider('hers', 'echo'), chat.admin_register_model('hers', 'hers'), chat.admin_grant_model('hers', :'alice'),
       chat.admin_grant_model('hers', plan => 'pro');
SELECT is((SELECT created_by FROM chat.admin_list_providers() WHERE name = 'hers'), :'root'::uuid, 'who registered it is known');
SELECT chat_private.set_identity(NULL, NULL, NULL, true);
SELECT is((SELECT array_agg(DISTINCT granted_by) FROM chat.model_access), ARRAY[:'root'::uuid], 'and who gave it');
SELECT is((SELECT count(*) FROM chat.audit_log WHERE user_id = :'root' AND action = 'admin.grant_model'), 2::bigint, 'the audit log notes it');
SELECT is((SELECT count(*) FROM chat.audit_log WHERE user_id = :'root' AND action IN ('admin.register_provider', 'admin.register_model')), 2::bigint,
          'and what was registered');
SELECT chat.admin_delete_user(:'root');
SELECT is((SELECT created_by FROM chat.admin_list_providers() WHERE name = 'hers'), NULL::uuid, 'until the account is removed');
SELECT is((SELECT count(*) FROM chat.model_access WHERE granted_by IS NULL), 2::bigint, 'there, too; what was given stays');

SELECT is(pg_temp.outcome(NULL, 'SELECT ' || statement, 'pgchat_service'), sqlstate, statement)
FROM (VALUES
  ('chat.admin_register_provider(NULL, $$echo$$)', '22004'),
  ('chat.admin_register_provider($$  $$, $$echo$$)', '22023'),
  ('chat.admin_register_provider(E''p\r\nq'', $$echo$$)', '22023'),
  ('chat.admin_register_provider($$p$$, $$telepathy$$)', '22023'),
  ('chat.admin_register_provider($$p$$, $$openai$$, $$ftp://example.com$$)', '22023'),
  ('chat.admin_register_provider($$p$$, $$openai$$, $$https://user:secret@example.com/$$)', '22023'),
  ('chat.admin_register_provider($$p$$, $$openai$$, E''https://example.com/\n'')', '22023'),
  ('chat.admin_register_provider($$p$$, $$openai$$, NULL, $$magic$$)', '22023'),
  ('chat.admin_register_provider($$p$$, $$openai$$, options => $$[]$$)', 'PC002'),
  ('chat.admin_register_provider($$p$$, $$openai$$, options => $${"headers": []}$$)', 'PC002'),
  ('chat.admin_register_provider($$p$$, $$openai$$, options => $${"headers": {"A": "b\r\nC: d"}}$$)', 'PC002'),
  ('chat.admin_register_provider($$p$$, $$openai$$, options => $${"headers": {"A b": "c"}}$$)', 'PC002'),
  ('chat.admin_register_provider($$p$$, $$openai$$, options => $${"headers": {"Content-Length": "5"}}$$)', 'PC002'),
  ('chat.admin_register_provider($$p$$, $$openai$$, options => $${"api_key": "sk-1"}$$)', 'PC002'),
  ('chat.admin_register_provider($$p$$, $$openai$$, options => $${"query_parameter": "a&b"}$$)', 'PC002'),
  ('chat.admin_register_provider($$p$$, $$openai$$, options => $${"max_concurrent_calls": 0}$$)', 'PC002'),
  ('chat.admin_set_provider_active($$nowhere$$, true)', '42704'),
  ('chat.admin_set_provider_active($$hers$$, NULL)', '22004'),
  ('chat.admin_delete_provider(NULL)', '22004'),
  ('chat.admin_register_model($$nowhere$$, $$m$$)', '42704'),
  ('chat.admin_register_model(NULL, $$m$$)', '22004'),
  ('chat.admin_register_model($$hers$$, $$test-model$$)', '42710'),
  ('chat.admin_register_model($$hers$$, E''m\r\nX: y'')', '22023'),
  ('chat.admin_register_model($$hers$$, $$m$$, options => $${"provider_model": "m\r\nX: y"}$$)', 'PC002'),
  ('chat.admin_register_model($$hers$$, $$m$$, options => $${"input_price": "1"}$$)', 'PC002'),
  ('chat.admin_register_model($$hers$$, $$m$$, options => $${"input_price": -1}$$)', 'PC002'),
  ('chat.admin_register_model($$hers$$, $$m$$, options => $${"capabilities": "tools"}$$)', 'PC002'),
  ('chat.admin_register_model($$hers$$, $$m$$, options => $${"is_open": "yes"}$$)', 'PC002'),
  ('chat.admin_register_model($$hers$$, $$m$$, options => $${"description": 5}$$)', 'PC002'),
  ('chat.admin_set_model_active($$nothing$$, true)', '42704'),
  ('chat.admin_set_model_active($$hers$$, NULL)', '22004'),
  ('chat.admin_delete_model(NULL)', '22004'),
  ('chat.admin_delete_model($$nothing$$)', '42704'),
  ('chat.admin_set_default_model($$nothing$$)', '42704'),
  ('chat.admin_set_default_model(NULL)', '22004')) t (statement, sqlstate);
SELECT is(pg_temp.hint(NULL, 'SELECT chat.admin_set_default_model(NULL)', 'pgchat_service'),
          'To have none: chat.admin_set_setting(''default_model'', ''null'').', 'the hint says how to have none');
SELECT * FROM finish();
ROLLBACK;
