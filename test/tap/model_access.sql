-- Who may use which model: open and closed ones, grants to users, roles and plans, and every path that asks a model.
BEGIN;
\ir people.psql
SELECT plan(58);
SELECT chat.admin_register_model('test-provider', 'open'), chat.admin_register_model('test-provider', 'closed', NULL, '{"is_open": false}');
CREATE FUNCTION pg_temp.sees(token text) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.got(token, 'SELECT string_agg(name, '','' ORDER BY name) FROM chat.models') $$;
CREATE FUNCTION pg_temp.listed(token text) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.got(token, 'SELECT string_agg(name, '','' ORDER BY name) FROM chat.list_models()') $$;

SELECT is(pg_temp.sees(:'alice_token'), 'open,test-model', 'a closed model is not there for clients');
SELECT is(pg_temp.listed(:'alice_token'), 'open,test-model', 'nor in chat.list_models');
SELECT is(pg_temp.sees(:'admin_token'), 'open,test-model', 'not even for administrators');
SELECT is(pg_temp.got(NULL, 'SELECT string_agg(name, '','' ORDER BY name) FROM chat.list_models()', 'pgchat_service'), 'closed,open,test-model',
          'pgchat_service has all');
SELECT is(pg_temp.got(NULL, 'SELECT string_agg(name, '','' ORDER BY name) FROM chat.models', 'pgchat_service'), 'closed,open,test-model', 'in the table, too');
SELECT is(pg_temp.sees(NULL), 'open,test-model', 'nobody sees what is open');
SELECT is(pg_temp.try(NULL, 'SELECT * FROM chat.list_models()'), '28000', 'and may use nothing');
SELECT is(pg_temp.got(:'alice_token', 'SELECT (name, display_name, provider, capabilities, is_default)::text FROM chat.list_models() WHERE is_default'),
          '(test-model,test-model,test-provider,{},t)', 'the default is marked');

-- Every path that asks a model refuses a closed one, and one that is the default.
SELECT pg_temp.got(:'alice_token', 'SELECT chat.create_conversation()') AS conversation \gset
SELECT chat.admin_grant_model('closed', :'alice');
SELECT pg_temp.got(:'alice_token', 'SELECT chat.create_conversation(model => $$closed$$)') AS of_closed \gset
SELECT chat.admin_revoke_model('closed', :'alice');
SELECT is(pg_temp.try(:'alice_token', statement), '42501', statement)
FROM (VALUES (format('SELECT chat.send_message(%L, $$x$$, model => $$closed$$)', :'conversation')),
             (format('SELECT chat.send_message(%L, $$x$$)', :'of_closed')),
             (format('SELECT chat.ask(%L, $$x$$, model => $$closed$$)', :'conversation')),
             ('SELECT chat.create_conversation(model => $$closed$$)'),
             ('SELECT chat.llm_submit($$x$$, $$closed$$)'),
             ('SELECT chat.update_settings(default_model => $$closed$$)')) t (statement);
SELECT isnt(pg_temp.hint_of(:'alice_token', 'SELECT chat.create_conversation(model => $$closed$$)'), NULL, 'with a hint');
UPDATE chat.user_settings SET default_model = 'closed' WHERE user_id = :'alice';
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.send_message(%L, $$x$$)', :'conversation')), '42501', 'a default is no way round');
UPDATE chat.user_settings SET default_model = NULL WHERE user_id = :'alice';
SELECT is(pg_temp.try(:'alice_token', 'SELECT chat.create_conversation(model => $$nothing$$)'), '42704', 'what does not exist is told apart');
SELECT is(pg_temp.try(NULL, 'SELECT chat.llm_submit($$x$$, $$closed$$)', 'pgchat_service'), '1 rows', 'a trusted backend without a user may use all');

-- Grants to a user, a role, a plan; each alone, and taken back.
SELECT chat.admin_grant_model('closed', :'alice');
SELECT is(pg_temp.listed(:'alice_token'), 'closed,open,test-model', 'a user it was given to has it');
SELECT is(pg_temp.try(:'alice_token', 'SELECT chat.llm_submit($$x$$, $$closed$$)'), '1 rows', 'and can ask it');
SELECT is(pg_temp.listed(:'bob_token'), 'open,test-model', 'another has not');
SELECT lives_ok(format('SELECT chat.admin_grant_model(%L, %L)', 'closed', :'alice'), 'giving again changes nothing');
SELECT is((SELECT count(*) FROM chat.admin_list_model_access('closed')), 1::bigint, 'and adds none');
SELECT is(pg_temp.got(:'alice_token', 'SELECT count(*) FROM chat.user_model_access'), '1', 'who was given a model sees that');
UPDATE chat.user_model_access SET is_active = false WHERE user_id = :'alice';
SELECT is(pg_temp.listed(:'alice_token'), 'open,test-model', 'a grant that is not active gives nothing');
SELECT chat.admin_grant_model('closed', :'alice');
SELECT is(pg_temp.listed(:'alice_token'), 'closed,open,test-model', 'until it is given again');
SELECT is(chat.admin_revoke_model('closed', :'alice'), true, 'it can be taken back');
SELECT is(chat.admin_revoke_model('closed', :'alice'), false, 'once');
SELECT is(pg_temp.listed(:'alice_token'), 'open,test-model', 'and is gone');
SELECT chat.admin_grant_model('closed', role => 'worker');
SELECT is(pg_temp.listed(:'worker_token') || ';' || pg_temp.listed(:'alice_token'), 'closed,open,test-model;open,test-model', 'a role can have it');
SELECT is(pg_temp.try(:'worker_token', 'SELECT chat.create_conversation(model => $$closed$$)'), '1 rows', 'and uses it');
SELECT is(pg_temp.sees(:'worker_token'), 'closed,open,test-model', 'and sees it in the table');
SELECT chat.admin_set_role(:'worker', 'user');
SELECT is(pg_temp.listed(pg_temp.log_in('wendy', 'wendy-password-1')), 'open,test-model', 'for as long as the user has the role');
SELECT chat.admin_revoke_model('closed', role => 'worker');
SELECT chat.admin_grant_model('closed', plan => 'pro'), chat.admin_set_plan(:'bob', 'pro');
SELECT is(pg_temp.listed(:'bob_token') || ';' || pg_temp.listed(:'alice_token'), 'closed,open,test-model;open,test-model', 'a plan likewise');
SELECT is((SELECT (user_id, role, plan, granted_by, is_active)::text FROM chat.admin_list_model_access('closed')), '(,,pro,,t)', 'grants are listed');
SELECT is((SELECT (user_id, role, plan)::text FROM chat.model_access WHERE is_active), '(,,pro)', 'in the view, too');

-- Opening and closing, one and all.
SELECT chat.admin_set_model_open('closed', true);
SELECT is(pg_temp.listed(:'alice_token'), 'closed,open,test-model', 'a model can be opened');
SELECT chat.admin_register_model('test-provider', 'closed', NULL, '{"is_open": false}');
SELECT is(pg_temp.listed(:'alice_token'), 'open,test-model', 'and closed');
SELECT chat.admin_register_model('test-provider', 'closed');
SELECT is(pg_temp.listed(:'alice_token'), 'open,test-model', 'registering it again opens nothing');
SELECT chat.admin_set_setting('models_open_by_default', 'false');
SELECT is(pg_temp.sees(:'alice_token'), NULL, 'an installation can begin with closed ones');
SELECT is(pg_temp.try(:'alice_token', 'SELECT chat.llm_submit($$x$$)'), '42501', 'the default included');
SELECT chat.admin_grant_model('test-model', role => 'user');
SELECT is(pg_temp.try(:'alice_token', 'SELECT chat.llm_submit($$x$$)'), '1 rows', 'until it is given');
SELECT chat.admin_set_model_open('open', true);
SELECT is(pg_temp.listed(:'alice_token'), 'open,test-model', 'and one can be open by itself');
SELECT chat.admin_set_setting('models_open_by_default', NULL);

-- What the engine is told of some users.
SELECT chat.admin_grant_model('closed', :'alice');
SET LOCAL ROLE pgchat_engine;
SELECT bag_eq(format('SELECT g.user_id, m.name FROM chat_private.engine_grants(ARRAY[%L, %L, %L]::uuid[]) g JOIN chat.models m ON m.id = g.model_id',
                     :'alice', :'bob', :'supa'),
              format('VALUES (%L::uuid, ''closed''), (%1$L, ''test-model''), (%L, ''closed''), (%2$L, ''test-model'')', :'alice', :'bob'),
              'the engine is told what each was given');
SELECT bag_eq($$SELECT model, is_open FROM chat_private.engine_models()$$, $$VALUES ('closed', false), ('open', true), ('test-model', true)$$,
              'and what is open');
RESET ROLE;

-- A removed account takes its grants along.
SELECT chat.admin_delete_user(:'alice');
SELECT is((SELECT count(*) FROM chat.user_model_access), 0::bigint, 'a removed account leaves no grant');

-- Who may not, and what is not valid.
SELECT is(pg_temp.try(:'bob_token', 'SELECT ' || statement), '42501', statement)
FROM (VALUES ('chat.admin_grant_model($$closed$$, chat.current_user_id())'), ('chat.admin_set_model_open($$closed$$, true)'),
             ('chat.admin_list_model_access($$closed$$)'), ('chat.admin_revoke_model($$closed$$, plan => $$pro$$)'),
             ('chat.admin_sync_models($$test-provider$$)')) t (statement);
SELECT is(pg_temp.try(:'admin_token', 'SELECT ' || statement), sqlstate, statement)
FROM (VALUES ('chat.admin_grant_model($$closed$$)', '22023'), ('chat.admin_grant_model($$closed$$, role => $$user$$, plan => $$pro$$)', '22023'),
             ('chat.admin_grant_model($$closed$$, role => $$king$$)', '22023'), ('chat.admin_grant_model($$closed$$, plan => $$none$$)', '42704'),
             ('chat.admin_grant_model($$nothing$$, role => $$user$$)', '42704'), ('chat.admin_grant_model(NULL, role => $$user$$)', '22004'),
             ('chat.admin_grant_model($$closed$$, chat.uuid_v7())', 'P0002')) t (statement, sqlstate);
SELECT * FROM finish();
ROLLBACK;
