-- Setting an installation up: providers, models, the default model.
BEGIN;
\ir setup.psql
SELECT plan(24);
CREATE FUNCTION pg_temp.engine_model(wanted text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  SET LOCAL ROLE pgchat_engine;
  SELECT concat_ws('|', m.model, is_default, provider, kind, coalesce(base_url, '-'), auth_type, headers, provider_options, model_options,
                   context_window, input_price, output_price, cached_price)
  INTO result FROM chat_private.engine_models() m WHERE m.model = wanted;
  RESET ROLE;
  RETURN result;
END $$;
SELECT chat.admin_register_provider('local', 'openai', 'http://127.0.0.1:8080/v1', 'none',
         '{"headers": {"X-Team": "chat"}, "api_key_env": "KEY"}') AS provider,
       chat.admin_register_model('local', 'small', 'Small',
         '{"context_window": 8192, "input_price": 0.25, "output_price": 1, "cached_price": 0.1, "provider_model": "small-v1"}') AS model \gset
SELECT is(pg_temp.engine_model('small'),
          'small|f|local|openai|http://127.0.0.1:8080/v1|none|{"X-Team": "chat"}|{"api_key_env": "KEY"}|{"provider_model": "small-v1"}'
          || '|8192|0.250000|1.000000|0.100000', 'the engine is told all of it');
SELECT is(pg_temp.engine_model('test-model'), 'test-model|t|test-provider|echo|-|none|{}|{}|{}', 'and which is the default');
SELECT chat.admin_set_default_model('small');
SELECT is((SELECT value FROM chat.settings WHERE key = 'default_model'), '"small"', 'the default can be changed');
SELECT is(chat.admin_register_provider('local', 'anthropic'), :'provider', 'registering again keeps the id');
SELECT is(pg_temp.engine_model('small'),
          'small|t|local|anthropic|-|x_api_key|{}|{}|{"provider_model": "small-v1"}|8192|0.250000|1.000000|0.100000', 'and replaces the settings');
SELECT is(chat.admin_register_model('local', 'small'), :'model', 'a model likewise');
SELECT is((SELECT (display_name, context_window, input_price, options)::text FROM chat.models WHERE name = 'small'), '(small,,,{})', 'all of them');
UPDATE chat.models SET is_active = false WHERE name = 'small';
SELECT is(pg_temp.engine_model('small'), NULL, 'the engine is told of active models only');
SELECT is(pg_temp.value(:'alice', $$SELECT count(*) FROM chat.models WHERE name = 'small'$$), '0', 'and so are clients');
SELECT is(pg_temp.outcome(NULL, 'SELECT ' || statement, 'pgchat_service'), sqlstate, statement)
FROM (VALUES
  ('chat.admin_register_provider(NULL, $$echo$$)', '22004'),
  ('chat.admin_register_provider($$  $$, $$echo$$)', '22023'),
  ('chat.admin_register_provider($$p$$, $$telepathy$$)', '22023'),
  ('chat.admin_register_provider($$p$$, $$openai$$, $$ftp://example.com$$)', '22023'),
  ('chat.admin_register_provider($$p$$, $$openai$$, $$https://user:secret@example.com/$$)', '22023'),
  ('chat.admin_register_provider($$p$$, $$openai$$, E''https://example.com/\n'')', '22023'),
  ('chat.admin_register_provider($$p$$, $$openai$$, NULL, $$magic$$)', '22023'),
  ('chat.admin_register_provider($$p$$, $$openai$$, options => $$[]$$)', 'PC002'),
  ('chat.admin_register_provider($$p$$, $$openai$$, options => $${"headers": {"A": "b\r\nC: d"}}$$)', 'PC002'),
  ('chat.admin_register_provider($$p$$, $$openai$$, options => $${"headers": {"A b": "c"}}$$)', 'PC002'),
  ('chat.admin_register_model($$nowhere$$, $$m$$)', '42704'),
  ('chat.admin_register_model($$local$$, $$test-model$$)', '42710'),
  ('chat.admin_register_model($$local$$, $$m$$, options => $${"input_price": "1"}$$)', 'PC002'),
  ('chat.admin_register_model($$local$$, $$m$$, options => $${"input_price": -1}$$)', 'PC002'),
  ('chat.admin_set_default_model($$small$$)', '42704')) t (statement, sqlstate);
SELECT * FROM finish();
ROLLBACK;
