-- Every function that takes an id, given the id of somebody else's thing.
BEGIN;
\ir setup.psql
SELECT plan(27);
SELECT pg_temp.value(:'alice', 'SELECT chat.create_conversation()') AS conv \gset
SELECT chat_private.set_identity(:'alice', 'user', NULL, true);
SELECT * FROM chat.send_message(:'conv', 'secret') \gset s_
SELECT chat.llm_submit('secret') AS request \gset
SELECT chat_private.set_identity(NULL, NULL, NULL, true);
SELECT pg_temp.value(:'bob', 'SELECT chat.create_conversation()') AS bobs \gset
SELECT count(chat.login('alice', 'alice-password'));
SELECT id AS session FROM chat.sessions WHERE user_id = :'alice' \gset
INSERT INTO chat.identities (user_id, provider, subject) VALUES (:'alice', 'idp', 'alice') RETURNING id AS identity \gset
SELECT pg_temp.value(:'alice', 'SELECT chat.set_api_key($$test-provider$$, $$sk-12345678$$)') AS key \gset
SELECT chat.admin_create_user('carol@example.com', role => 'user') AS carol \gset
SELECT pg_temp.value(:'alice', format('SELECT chat.grant_conversation(%L, %L, $$write$$)', :'conv', :'carol')) AS share \gset
SELECT pg_temp.value(:'alice', 'SELECT chat.add_attachment($$secret$$)') AS file \gset

INSERT INTO chat.folders (user_id, name) VALUES (:'alice', 'secret') RETURNING id AS folder \gset
SELECT pg_temp.value(:'alice', 'SELECT chat.create_deliberation($$secret$$)') AS deliberation \gset
INSERT INTO chat.system_prompts (user_id, name, content) VALUES (:'alice', 'secret', 'secret') RETURNING id AS prompt \gset
INSERT INTO chat.system_prompts (user_id, name, content) VALUES (:'bob', 'own', 'own') RETURNING id AS bobs_prompt \gset
INSERT INTO chat.conversation_templates (user_id, name) VALUES (:'alice', 'secret') RETURNING id AS template \gset

CREATE TEMP TABLE calls ON COMMIT DROP AS
  SELECT * FROM (VALUES
    ('list_messages', format('SELECT * FROM chat.list_messages(%L)', :'conv')),
    ('set_context_strategy', format('SELECT chat.set_context_strategy(%L, $$error$$)', :'conv')),
    ('list_summaries', format('SELECT * FROM chat.list_summaries(%L)', :'conv')),
    ('context_preview', format('SELECT * FROM chat.context_preview(%L)', :'conv')),
    ('context_preview', format('SELECT * FROM chat.context_preview(%L, %L)', :'bobs', :'s_user_message_id')),
    ('search_messages', format('SELECT * FROM chat.search_messages($$secret$$, %L)', :'conv')),
    ('conversation_cost', format('SELECT chat.conversation_cost(%L)', :'conv')),
    ('list_messages', format('SELECT * FROM chat.list_messages(%L, %L)', :'bobs', :'s_user_message_id')),
    ('send_message', format('SELECT chat.send_message(%L, $$x$$)', :'conv')),
    ('send_message', format('SELECT chat.send_message(%L, $$x$$, idempotency_key => $$k$$)', :'conv')),
    ('send_message', format('SELECT chat.send_message(%L, $$x$$, parent_id => %L)', :'bobs', :'s_user_message_id')),
    ('ask', format('SELECT chat.ask(%L, $$x$$)', :'conv')),
    ('ask', format('SELECT chat.ask(%L, $$x$$, parent_id => %L)', :'bobs', :'s_user_message_id')),
    ('send_message', format('SELECT chat.send_message(%L, $$x$$, attachments => $$[{"attachment_id": "%s"}]$$)', :'bobs', :'file')),
    ('ask', format('SELECT chat.ask(%L, $$x$$, attachments => $$[{"attachment_id": "%s"}]$$)', :'bobs', :'file')),
    ('attachment_content', format('SELECT chat.attachment_content(%L)', :'file')),
    ('delete_attachment', format('SELECT chat.delete_attachment(%L)', :'file')),
    ('list_message_attachments', format('SELECT * FROM chat.list_message_attachments(%L)', :'s_user_message_id')),
    ('retry_message', format('SELECT chat.retry_message(%L)', :'s_assistant_message_id')),
    ('edit_message', format('SELECT chat.edit_message(%L, $$x$$)', :'s_user_message_id')),
    ('edit_message', format('SELECT chat.edit_message(%L, $$x$$)', :'s_assistant_message_id')),
    ('regenerate_message', format('SELECT chat.regenerate_message(%L)', :'s_assistant_message_id')),
    ('regenerate_message', format('SELECT chat.regenerate_message(%L)', :'s_user_message_id')),
    ('continue_message', format('SELECT chat.continue_message(%L)', :'s_assistant_message_id')),
    ('rate_message', format('SELECT chat.rate_message(%L, 1)', :'s_assistant_message_id')),
    ('select_branch', format('SELECT chat.select_branch(%L, %L)', :'conv', :'s_user_message_id')),
    ('select_branch', format('SELECT chat.select_branch(%L, %L)', :'bobs', :'s_user_message_id')),
    ('fork_conversation', format('SELECT chat.fork_conversation(%L)', :'conv')),
    ('fork_conversation', format('SELECT chat.fork_conversation(%L, %L)', :'bobs', :'s_user_message_id')),
    ('find_duplicates', format('SELECT * FROM chat.find_duplicates(%L)', :'conv')),
    ('list_messages', format('SELECT * FROM chat.list_messages(%L, NULL, 10)', :'conv')),
    ('list_messages', format('SELECT * FROM chat.list_messages(%L, %L, 10)', :'bobs', :'s_user_message_id')),
    ('export_conversation', format('SELECT chat.export_conversation(%L)', :'conv')),
    ('send_tool_results', format('SELECT chat.send_tool_results(%L, $$[]$$)', :'s_assistant_message_id')),
    ('cancel_message', format('SELECT chat.cancel_message(%L)', :'s_assistant_message_id')),
    ('llm_result', format('SELECT chat.llm_result(%L)', :'s_request_id')),
    ('llm_result', format('SELECT chat.llm_result(%L)', :'request')),
    ('llm_cancel', format('SELECT chat.llm_cancel(%L)', :'request')),
    ('stream_message', format('SELECT chat.stream_message(%L)', :'s_assistant_message_id')),
    ('read_stream', format('SELECT * FROM chat.read_stream(%L)', :'s_assistant_message_id')),
    ('update_conversation', format('SELECT chat.update_conversation(%L, $$x$$)', :'conv')),
    ('mark_conversation_read', format('SELECT chat.mark_conversation_read(%L)', :'conv')),
    ('delete_conversation', format('SELECT chat.delete_conversation(%L)', :'conv')),
    ('find_conversations', format('SELECT * FROM chat.find_conversations(%L)', :'folder')),
    ('set_conversation_tags', format('SELECT chat.set_conversation_tags(%L, $${x}$$)', :'conv')),
    ('set_conversation_metadata', format('SELECT chat.set_conversation_metadata(%L, $${}$$)', :'conv')),
    ('set_message_metadata', format('SELECT chat.set_message_metadata(%L, $${}$$)', :'s_user_message_id')),
    ('create_folder', format('SELECT chat.create_folder($$x$$, %L)', :'folder')),
    ('update_folder', format('SELECT chat.update_folder(%L, $$x$$)', :'folder')),
    ('delete_folder', format('SELECT chat.delete_folder(%L, %L)', :'folder', true)),
    ('move_conversation', format('SELECT chat.move_conversation(%L, NULL)', :'conv')),
    ('move_conversation', format('SELECT chat.move_conversation(%L, %L)', :'bobs', :'folder')),
    ('use_system_prompt', format('SELECT chat.use_system_prompt(%L, %L)', :'bobs', :'prompt')),
    ('use_system_prompt', format('SELECT chat.use_system_prompt(%L, %L)', :'conv', :'bobs_prompt')),
    ('save_system_prompt', format('SELECT chat.save_system_prompt($$x$$, $$x$$, id => %L)', :'prompt')),
    ('delete_system_prompt', format('SELECT chat.delete_system_prompt(%L)', :'prompt')),
    ('save_template', format('SELECT chat.save_template($$x$$, id => %L)', :'template')),
    ('delete_template', format('SELECT chat.delete_template(%L)', :'template')),
    ('create_from_template', format('SELECT chat.create_from_template(%L)', :'template')),
    ('activate_api_key', format('SELECT chat.activate_api_key(%L)', :'key')),
    ('delete_api_key', format('SELECT chat.delete_api_key(%L)', :'key')),
    ('unlink_identity', format('SELECT chat.unlink_identity(%L)', :'identity')),
    ('share_conversation', format('SELECT chat.share_conversation(%L)', :'conv')),
    ('grant_conversation', format('SELECT chat.grant_conversation(%L, $$bob$$)', :'conv')),
    ('list_my_shares', format('SELECT * FROM chat.list_my_shares(%L)', :'conv')),
    ('update_share', format('SELECT chat.update_share(%L, $$1 day$$)', :'share')),
    ('revoke_share', format('SELECT chat.revoke_share(%L)', :'share')),
    ('read_shared_conversation', format('SELECT * FROM chat.read_shared_conversation(%L)', :'share')),
    ('leave_shared', format('SELECT chat.leave_shared(%L)', :'share')),
    ('send_to_shared', format('SELECT chat.send_to_shared(%L, $$x$$)', :'share')),
    ('read_shared_stream', format('SELECT * FROM chat.read_shared_stream(%L, %L)', :'share', :'s_assistant_message_id')),
    ('cancel_shared_message', format('SELECT chat.cancel_shared_message(%L, %L)', :'share', :'s_assistant_message_id')),
    ('shared_attachment_content', format('SELECT chat.shared_attachment_content(%L::uuid, %L, 1)', :'share', :'s_user_message_id')),
    ('list_supervised_conversations', format('SELECT * FROM chat.list_supervised_conversations(%L)', :'alice')),
    ('read_supervised_conversation', format('SELECT * FROM chat.read_supervised_conversation(%L)', :'conv')),
    ('deliberation_tally', format('SELECT * FROM chat.deliberation_tally(%L)', :'deliberation')),
    ('deliberation_result', format('SELECT chat.deliberation_result(%L)', :'deliberation')),
    ('export_deliberation', format('SELECT chat.export_deliberation(%L)', :'deliberation')),
    ('start_deliberation', format('SELECT chat.start_deliberation(%L)', :'deliberation')),
    ('pause_deliberation', format('SELECT chat.pause_deliberation(%L)', :'deliberation')),
    ('resume_deliberation', format('SELECT chat.resume_deliberation(%L)', :'deliberation')),
    ('kill_deliberation', format('SELECT chat.kill_deliberation(%L)', :'deliberation')),
    ('fork_deliberation', format('SELECT chat.fork_deliberation(%L)', :'deliberation')),
    ('delete_deliberation', format('SELECT chat.delete_deliberation(%L)', :'deliberation')),
    ('deliberation_progress', format('SELECT * FROM chat.deliberation_progress(%L)', :'deliberation')),
    ('follow_deliberation', format('SELECT * FROM chat.follow_deliberation(%L)', :'deliberation')),
    ('revoke_session', format('SELECT chat.revoke_session(%L)', :'session'))) t (function, statement)
  WHERE EXISTS (SELECT FROM pg_proc WHERE pronamespace = 'chat'::regnamespace AND proname = function);
SELECT is_empty(
  $$SELECT p.oid::regprocedure FROM pg_proc p
    WHERE p.pronamespace = 'chat'::regnamespace AND p.prokind = 'f' AND 'uuid'::regtype = ANY (p.proargtypes::oid[])
      AND has_function_privilege('pgchat_client', p.oid, 'EXECUTE') AND p.proname NOT IN (SELECT function FROM calls)
      AND p.proname NOT LIKE 'admin\_%' AND p.proname <> 'list_deliberations'$$,
  'no function that takes an id is left out');
SELECT is_empty(format('SELECT statement, o FROM calls, LATERAL pg_temp.outcome(%L, statement) o WHERE o <> %L', :'bob', 'P0002'),
                'another''s thing is not found, as if there were none');
SELECT is_empty(format('SELECT statement, o FROM calls, LATERAL pg_temp.outcome(NULL, statement) o WHERE o <> %L', '28000'),
                'nobody is told to authenticate');
SELECT is((SELECT state FROM chat_private.llm_requests WHERE id = :'request'), 'queued', 'the request was not called off');
SELECT is((SELECT count(*)::int FROM chat.messages WHERE conversation_id IN (:'conv', :'bobs')), 2, 'nothing was stored');
SELECT is(pg_temp.value(:'bob', 'SELECT count(*) FROM chat.list_conversations()'), '1', 'one''s own list holds one''s own');

-- Administration is refused to everybody but administrators.
CREATE TEMP VIEW admin_calls AS
  SELECT format('SELECT chat.%I(%s)', p.proname, (SELECT string_agg(format('NULL::%s', t::regtype), ', ' ORDER BY n)
                                                  FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY a (t, n))) AS call
  FROM pg_proc p WHERE p.pronamespace = 'chat'::regnamespace AND p.proname LIKE 'admin\_%';
SELECT cmp_ok((SELECT count(*)::int FROM admin_calls), '>=', 19, 'the functions for administrators are found');
SELECT is_empty(format($$SELECT call, o FROM admin_calls, LATERAL pg_temp.outcome(%L, call) o WHERE o <> '42501'$$, :'bob'),
                'a user administers nothing');
SELECT is_empty($$SELECT call, o FROM admin_calls, LATERAL pg_temp.outcome(NULL, call) o WHERE o <> '42501'$$, 'nor does nobody');
SELECT chat_private.audit('after.refusals');
SELECT is_empty(format($$SELECT proname FROM pg_proc WHERE pronamespace = 'chat'::regnamespace AND proname LIKE 'admin\_%%' EXCEPT
                         SELECT replace(action, '.', '_') FROM chat.audit_log WHERE outcome = 'refused' AND user_id = %L$$, :'bob'),
                'and each refusal is audited');
SELECT is(pg_temp.outcome(:'bob', 'SELECT chat.' || call), '42501', 'nothing that cannot be stopped: ' || call)
FROM unnest(ARRAY['bcrypt_hash(''x'', 31)', 'bcrypt_verify(''x'', ''$2b$31$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK'')']) call;
SELECT is(pg_temp.outcome(NULL, 'SELECT chat.admin_register_provider($$p$$, $$echo$$)', 'pgchat_service'), '1 rows',
          'pgchat_service administers');
CREATE FUNCTION pg_temp.as_admin(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.current_user_role', 'admin', true);
  RETURN pg_temp.outcome(current_setting('test.bob')::uuid, statement);
END $$;
SELECT set_config('test.bob', :'bob', true);
SELECT is(pg_temp.as_admin('SELECT chat.admin_register_provider($$p$$, $$echo$$)'), '1 rows', 'a user with role admin administers');
SELECT set_config('app.current_user_role', 'admin', true);
SELECT is(pg_temp.outcome(NULL, 'SELECT chat.admin_register_provider($$p$$, $$echo$$)'), '42501', 'a role without a user is nothing');
SELECT set_config('app.current_user_role', '', true);

-- SET ROLE gives rights up, although session_user stays.
CREATE ROLE pgchat_test_login LOGIN IN ROLE pgchat_service;
CREATE ROLE pgchat_test_dropped IN ROLE pgchat_client;
GRANT pgchat_test_dropped TO pgchat_test_login;
CREATE FUNCTION pg_temp.as_login(db_role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  tester text := session_user;
BEGIN
  PERFORM set_config('session_authorization', 'pgchat_test_login', true);
  PERFORM set_config('role', db_role, true);
  EXECUTE statement;
  PERFORM set_config('session_authorization', tester, true);
  RETURN 'done';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE;
END $$;
SELECT is(pg_temp.as_login('none', 'SELECT chat.admin_register_provider($$p2$$, $$echo$$)'), 'done',
          'a login role that is a member of pgchat_service administers');
SELECT is(pg_temp.as_login('pgchat_test_dropped', 'SELECT chat.admin_register_provider($$p3$$, $$echo$$)'), '42501',
          'after SET ROLE it no longer does');
SELECT is(pg_temp.as_login('pgchat_test_dropped', 'SELECT chat.llm_submit($$x$$, $$test-model$$)'), '28000',
          'nor calls a model without a user');
SELECT is(pg_temp.as_login('none', 'SELECT chat.llm_submit($$x$$, $$test-model$$)'), 'done',
          'pgchat_service calls a model without a user');
SELECT is((SELECT user_id::text FROM chat_private.llm_requests ORDER BY id DESC LIMIT 1), '00000000-0000-0000-0000-000000000000',
          'which belongs to the nil UUID');
SELECT is(pg_temp.outcome(NULL, format('SELECT chat.llm_result(%L)', (SELECT id FROM chat_private.llm_requests ORDER BY id DESC LIMIT 1)),
                          'pgchat_service'), '1 rows', 'and whose result it reads');
SELECT is(pg_temp.outcome(NULL, format('SELECT chat.llm_result(%L)', (SELECT id FROM chat_private.llm_requests ORDER BY id DESC LIMIT 1))),
          '28000', 'which nobody else does');

-- What each role sees of the shared tables.
UPDATE chat.providers SET is_active = false WHERE name = 'p2';
SELECT is(pg_temp.value(:'bob', $$SELECT count(*) FROM chat.providers WHERE name = 'p2'$$), '0', 'clients see active providers only');
SELECT is(pg_temp.value(:'bob', $$SELECT count(*) FROM chat.providers WHERE name = 'p2'$$, 'pgchat_service'), '1', 'operators see all');
SELECT is(pg_temp.value(NULL, 'SELECT count(DISTINCT user_id) >= 2 FROM chat.conversations', 'pgchat_service'), 'true',
          'pgchat_service sees everybody''s conversations');
SELECT is(pg_temp.outcome(NULL, 'SELECT * FROM chat_private.credentials', 'pgchat_service'), '42501', 'but no secrets');
SELECT is(pg_temp.outcome(:'bob', 'SELECT * FROM chat.settings'), '42501', 'clients do not see the installation''s settings');
SELECT * FROM finish();
ROLLBACK;
