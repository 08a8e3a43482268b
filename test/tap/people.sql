-- People: what each kind of person may do and see, profile and settings, sessions, supervisors, guests and plans.
BEGIN;
\ir people.psql
SELECT plan(67);

-- Who may do what. One letter for each of: anonymous, guest, user, worker, supervisor of the worker, another supervisor, admin.
CREATE TEMP TABLE personas (n integer, name text, token text) ON COMMIT DROP;
INSERT INTO personas VALUES (1, 'anonymous', NULL), (2, 'guest', :'guest_token'), (3, 'user', :'alice_token'), (4, 'worker', :'worker_token'),
  (5, 'supervisor of A', :'supa_token'), (6, 'supervisor of B', :'supb_token'), (7, 'admin', :'admin_token');
CREATE TEMP TABLE acts (statement text, outcomes text[]) ON COMMIT DROP;
INSERT INTO acts VALUES
  ('SELECT chat.me()', '{28000,1 rows,1 rows,1 rows,1 rows,1 rows,1 rows}'),
  ('SELECT id FROM chat.users', '{0 rows,1 rows,1 rows,1 rows,2 rows,1 rows,1 rows}'),
  ('SELECT * FROM chat.list_supervised_users()', '{28000,0 rows,0 rows,0 rows,1 rows,0 rows,0 rows}'),
  (format('SELECT id FROM chat.users WHERE id = %L', :'worker'), '{0 rows,0 rows,0 rows,1 rows,1 rows,0 rows,0 rows}'),
  (format('UPDATE chat.users SET display_name = $$x$$ WHERE id = %L', :'worker'), '{0 rows,0 rows,0 rows,1 rows,0 rows,0 rows,0 rows}'),
  (format('SELECT FROM chat.user_settings WHERE user_id = %L', :'worker'), '{0 rows,0 rows,0 rows,1 rows,0 rows,0 rows,0 rows}'),
  (format('SELECT FROM chat.sessions WHERE user_id = %L', :'worker'), '{0 rows,0 rows,0 rows,1 rows,0 rows,0 rows,0 rows}'),
  ('SELECT code FROM chat.plans', '{4 rows,4 rows,4 rows,4 rows,4 rows,4 rows,4 rows}'),
  ('UPDATE chat.plans SET limits = $${}$$', '{42501,42501,42501,42501,42501,42501,42501}'),
  ('SELECT * FROM chat.invitations', '{42501,42501,42501,42501,42501,42501,42501}'),
  ('SELECT * FROM chat.mail_templates', '{42501,42501,42501,42501,42501,42501,42501}'),
  ('SELECT * FROM chat.outbox_claim()', '{42501,42501,42501,42501,42501,42501,42501}'),
  ('SELECT * FROM chat_private.outbox', '{42501,42501,42501,42501,42501,42501,42501}'),
  ('SELECT * FROM chat.admin_list_users(search => $$wendy$$)', '{42501,42501,42501,42501,42501,42501,1 rows}'),
  ('SELECT * FROM chat.admin_list_invitations()', '{42501,42501,42501,42501,42501,42501,0 rows}'),
  ('SELECT chat.admin_set_setting($$app_name$$, $$"Chat"$$)', '{42501,42501,42501,42501,42501,42501,1 rows}'),
  (format('SELECT chat.admin_set_role(%L, $$worker$$)', :'worker'), '{42501,42501,42501,42501,42501,42501,1 rows}'),
  (format('SELECT chat.admin_set_active(%L, true)', :'worker'), '{42501,42501,42501,42501,42501,42501,1 rows}'),
  (format('SELECT chat.admin_set_supervisor(%L, %L)', :'worker', :'supa'), '{42501,42501,42501,42501,42501,42501,1 rows}'),
  (format('SELECT chat.admin_set_plan(%L, $$pro$$)', :'worker'), '{42501,42501,42501,42501,42501,42501,1 rows}'),
  ('SELECT chat.update_profile(display_name => $$Somebody$$)', '{28000,1 rows,1 rows,1 rows,1 rows,1 rows,1 rows}'),
  ('SELECT chat.update_settings(preferences => $${"a": 1}$$)', '{28000,1 rows,1 rows,1 rows,1 rows,1 rows,1 rows}'),
  ('SELECT chat.accept_terms()', '{28000,1 rows,1 rows,1 rows,1 rows,1 rows,1 rows}'),
  ('SELECT * FROM chat.list_sessions()', '{28000,1 rows,1 rows,1 rows,1 rows,1 rows,1 rows}'),
  ('SELECT chat.export_my_data()', '{28000,1 rows,1 rows,1 rows,1 rows,1 rows,1 rows}'),
  ('SELECT chat.upgrade_guest($$g@example.com$$, $$short$$)', '{28000,22023,55000,55000,55000,55000,55000}'),
  ('SELECT chat.change_password($$wrong-old-one$$, $$a new long one$$)', '{28000,28P01,28P01,28P01,28P01,28P01,28P01}'),
  ('SELECT chat.delete_my_account($$wrong-old-one$$)', '{28000,28P01,28P01,28P01,28P01,28P01,28P01}'),
  ('SELECT chat.request_email_verification()', '{28000,1 rows,1 rows,1 rows,1 rows,1 rows,1 rows}'),
  ('SELECT chat.request_password_reset($$nobody@example.com$$)', '{1 rows,1 rows,1 rows,1 rows,1 rows,1 rows,1 rows}'),
  ('SELECT chat.verify_email($$x$$)', '{PC301,PC301,PC301,PC301,PC301,PC301,PC301}'),
  ('SELECT chat_private.enter_gate()', '{42501,42501,42501,42501,42501,42501,42501}');
SELECT is_empty($$SELECT p.name, a.statement, o, a.outcomes[p.n] FROM acts a, personas p, LATERAL pg_temp.try(p.token, a.statement) o
                  WHERE o <> a.outcomes[p.n]$$, 'each person may do what they may, and nothing else');
SELECT is_empty($$SELECT statement FROM acts WHERE cardinality(outcomes) <> 7$$, 'each act says so of each person');
SELECT is(pg_temp.try(NULL, 'SELECT * FROM chat.outbox_claim()', 'pgchat_service'), '1 rows', 'the service sends mails');
SELECT is(pg_temp.try(NULL, 'SELECT * FROM chat.admin_list_users()', 'pgchat_service'), '7 rows', 'and lists the users');
SELECT is(pg_temp.got(NULL, 'SELECT count(*) FROM chat.users', 'pgchat_service'), '7', 'and sees all rows of users');
SELECT is(pg_temp.try(NULL, 'SELECT * FROM chat.invitations, chat.mail_templates', 'pgchat_service'), '0 rows', 'and invitations');
SELECT is((chat.current_user_id(), chat.current_user_role())::text, '(,)', 'no act leaves an identity');
-- The gate closes behind an administrator, whatever the function does.
SELECT is(pg_temp.got(:'admin_token', 'SELECT count(*) FROM chat.admin_list_users() l, chat.users u'), '7', 'the gate is closed after a call');
SELECT is(pg_temp.got(:'admin_token', 'SELECT chat.current_user_role() FROM chat.admin_list_users() LIMIT 1'), 'admin', 'and the role is as before');
SELECT is(pg_temp.try(:'admin_token', format($o$DO $x$BEGIN BEGIN PERFORM chat.admin_set_role(%L, 'king'); EXCEPTION WHEN OTHERS THEN NULL; END;
  IF chat.current_user_role() <> 'admin' OR (SELECT count(*) FROM chat.users) <> 1 THEN RAISE EXCEPTION 'open' USING ERRCODE = 'XX000'; END IF; END$x$$o$, :'worker')),
  '0 rows', 'also after an error');

-- profile
SELECT is(pg_temp.got(:'alice_token', 'SELECT (display_name, username, avatar_url) FROM chat.update_profile(''Al'', ''Alicia'', ''https://x.example/a.png'')'),
          '(Al,Alicia,https://x.example/a.png)', 'a profile is changed');
SELECT is(pg_temp.got(:'alice_token', 'SELECT (display_name, username, avatar_url) FROM chat.update_profile(avatar_url => '''')'),
          '(Al,Alicia,)', 'what is not named stays, and empty is none');
SELECT is((SELECT user_id FROM chat.login('ALICIA', 'alice-password')), :'alice', 'the new username logs in');
SELECT is(pg_temp.login_outcome('alice', 'alice-password'), '28P01', 'and the old one no longer');
SELECT is(pg_temp.audited('account.rename', 'user:' || :'alice'), 1, 'which is audited');
SELECT is(pg_temp.try(:'bob_token', 'SELECT chat.update_profile(username => ''alicia'')'), '23505', 'a username is taken once');
SELECT is(pg_temp.try(:'alice_token', 'SELECT chat.update_profile(username => ''alicia'')'), '1 rows', 'one''s own is one''s own');
SELECT is(pg_temp.try(:'bob_token', statement), '22023', 'not valid: ' || statement)
FROM unnest(ARRAY['SELECT chat.update_profile(repeat(''x'', 201))', 'SELECT chat.update_profile(username => ''a b'')',
                  'SELECT chat.update_profile(avatar_url => ''javascript:alert(1)'')', 'SELECT chat.update_profile(avatar_url => ''https://x/'' || repeat(''y'', 2000))']) statement;
SELECT is(pg_temp.try(:'guest_token', 'SELECT chat.update_profile(username => ''ghost'')'), '42501', 'a guest has no username');

-- settings
SELECT is(pg_temp.got(:'bob_token', 'SELECT preferences FROM chat.update_settings(preferences => ''{"theme": "dark", "b": null, "n": {"x": null}}'')'),
          '{"n": {"x": null}, "theme": "dark"}', 'preferences are set');
SELECT is(pg_temp.got(:'bob_token', 'SELECT preferences FROM chat.update_settings(preferences => ''{"theme": null, "size": 2}'')'),
          '{"n": {"x": null}, "size": 2}', 'merged, and removed by null');
SELECT is(pg_temp.got(:'bob_token', 'SELECT default_model FROM chat.update_settings(''test-model'')'), 'test-model', 'a default model');
SELECT is(pg_temp.got(:'bob_token', 'SELECT (default_model, preferences) FROM chat.update_settings('''')'), '(,"{""n"": {""x"": null}, ""size"": 2}")', 'is taken back');
SELECT is(pg_temp.try(:'bob_token', 'SELECT chat.update_settings(''no-model'')'), '42704', 'no such model');
SELECT is(pg_temp.try(:'bob_token', 'SELECT chat.update_settings(preferences => ''[1]'')'), '22023', 'preferences are an object');
SELECT is(pg_temp.try(:'bob_token', 'SELECT chat.update_settings(preferences => jsonb_build_object(''x'', repeat(''y'', 70000)))'), '22023', 'of some size');
SELECT ok((SELECT consent_at IS NOT NULL FROM chat.users WHERE id = :'alice'), 'consent has its time');

-- sessions
SELECT pg_temp.log_in('bob', 'bob-password') AS second_token \gset
SELECT is(pg_temp.got(:'bob_token', 'SELECT count(*) FILTER (WHERE is_current) || ''/'' || count(*) FROM chat.list_sessions()'), '1/2', 'sessions are listed');
SELECT pg_temp.got(:'bob_token', 'SELECT id FROM chat.list_sessions() WHERE NOT is_current') AS second \gset
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.revoke_session(%L)', :'second')), 'P0002', 'nobody ends another''s session');
SELECT is(pg_temp.try(:'bob_token', format('SELECT chat.revoke_session(%L)', :'second')), '1 rows', 'one''s own is ended');
SELECT is(pg_temp.try(:'second_token', 'SELECT 1'), '28000', 'its token is refused');
SELECT is(pg_temp.try(:'bob_token', 'SELECT 1'), '1 rows', 'others go on');
SELECT is(pg_temp.try(:'bob_token', format('SELECT chat.revoke_session(%L)', :'second')), 'P0002', 'it is ended once');
SELECT is(pg_temp.try(:'bob_token', 'SELECT chat.revoke_session(NULL)'), '22004', 'a session must be named');
SELECT is(pg_temp.audited('session.revoke', 'session:' || :'second'), 1, 'which is audited');

-- supervisors see their workers' rows of users, and nothing else of them
SELECT is(pg_temp.got(:'supa_token', 'SELECT (id, email, role) FROM chat.list_supervised_users()'), format('(%s,wendy@example.com,worker)', :'worker'), 'a supervisor lists workers');
SELECT pg_temp.got(:'worker_token', 'SELECT chat.create_conversation(''of the worker'')') AS workers_conversation \gset
SELECT is(pg_temp.try(:'supa_token', format('SELECT * FROM chat.list_messages(%L)', :'workers_conversation')), 'P0002', 'conversations stay the worker''s');
SELECT is(pg_temp.got(:'supa_token', 'SELECT id FROM chat.me()'), :'supa', 'and a supervisor is still themselves');

-- guests
SELECT is((SELECT (role, plan, email, username)::text FROM chat.users WHERE id = :'guest'), '(guest,guest,,)', 'a guest has a role and a plan');
SELECT is(pg_temp.audited('account.register_guest', 'user:' || :'guest'), 1, 'which is audited');
SELECT pg_temp.got(:'guest_token', 'SELECT chat.create_conversation(''mine'')') AS guests_conversation \gset
SELECT is(pg_temp.login_outcome('', ''), '28P01', 'no login leads to a guest');
SELECT chat.admin_save_plan('guest', limits => '{"conversations": 2, "messages_per_minute": 2, "messages_per_day": 3}');
SELECT is(pg_temp.try(:'guest_token', 'SELECT chat.create_conversation()'), '1 rows', 'as many conversations as the plan allows');
SELECT is(pg_temp.try(:'guest_token', 'SELECT chat.create_conversation()'), 'PC303', 'but no more');
SELECT is(pg_temp.hint_of(:'guest_token', 'SELECT chat.create_conversation()'),
          'Wait, or have an administrator change the plan; a guest can register with chat.upgrade_guest.', 'with a hint');
CREATE FUNCTION pg_temp.age_messages() RETURNS void LANGUAGE sql AS $$
  UPDATE chat.messages SET id = (left(chat_private.id_at(now() - interval '2 minutes')::text, 13) || right(id::text, 23))::uuid
  WHERE role = 'user'
$$;
INSERT INTO chat.messages (user_id, conversation_id, role, content) SELECT :'guest', :'guests_conversation', 'user', n::text FROM generate_series(1, 2) n;
SELECT is(pg_temp.try(:'guest_token', format('SELECT chat.send_message(%L, $$x$$)', :'guests_conversation')), 'PC303', 'no more messages in a minute');
SELECT is(pg_temp.try(:'guest_token', format('SELECT chat.ask(%L, $$x$$)', :'guests_conversation')), 'PC303', 'by whatever function');
SELECT is(pg_temp.try(:'guest_token', call), 'PC303', 'or without a conversation: ' || call)
FROM unnest(ARRAY['SELECT chat.llm_submit($$x$$)', 'SELECT chat.llm_complete($$x$$)', 'SELECT chat.llm_complete_json($$x$$)', 'SELECT chat.llm_stream($$x$$)']) call;
SELECT pg_temp.age_messages();
INSERT INTO chat.usage_events (user_id, outcome) VALUES (:'guest', 'complete'), (:'guest', 'complete');
SELECT is(pg_temp.try(:'guest_token', 'SELECT chat.llm_complete($$x$$)'), 'PC303', 'calls count as messages do');
DELETE FROM chat.usage_events WHERE user_id = :'guest';
SELECT is(pg_temp.try(:'guest_token', format('SELECT chat.send_message(%L, $$x$$)', :'guests_conversation')), '1 rows', 'a minute later there are');
SELECT chat.admin_save_plan('guest', limits => '{"messages_per_day": 3}');
SELECT is(pg_temp.try(:'guest_token', 'SELECT chat.send_message(chat.create_conversation(), $$x$$)'), 'PC303', 'until the day''s are used up');
SELECT is(pg_temp.try(:'alice_token', 'SELECT chat.create_conversation() FROM generate_series(1, 20)'), '20 rows', 'plan free has no limits');
SELECT is(pg_temp.try(:'guest_token', 'SELECT chat.upgrade_guest(''alice@example.com'', ''gerd-password-1'')'), '23505', 'an upgrade does not take an address');
SELECT is(pg_temp.got(NULL, format('SELECT role FROM chat.users WHERE id = %L', :'guest'), 'pgchat_service'), 'guest', 'nor leaves half of it');
SELECT is(pg_temp.try(:'guest_token', 'SELECT chat.upgrade_guest(''gerd@example.com'', ''gerd-password-1'', ''gerd'', ''Gerd'')'), '1 rows', 'a guest registers');
SELECT is(pg_temp.got(:'guest_token', 'SELECT chat.current_user_role()'), 'user', 'and is a user the next time');
SELECT is((SELECT (role, plan, email, username, display_name)::text FROM chat.users WHERE id = :'guest'), '(user,free,gerd@example.com,gerd,Gerd)', 'of the default plan');
SELECT is((SELECT user_id FROM chat.login('gerd', 'gerd-password-1')), :'guest', 'who logs in');
SELECT is(pg_temp.got(:'guest_token', format('SELECT id FROM chat.conversations WHERE id = %L', :'guests_conversation')), :'guests_conversation', 'keeps conversations and session');
SELECT is(pg_temp.audited('account.upgrade', 'user:' || :'guest'), 1, 'which is audited');
SELECT chat.admin_set_setting('guest_access', 'false');
SELECT is(pg_temp.try(NULL, 'SELECT * FROM chat.register_guest()'), '42501', 'guests can be kept out');
SELECT chat.admin_set_setting('guest_access', NULL);
SELECT chat.admin_set_setting('guest_session_lifetime', '"2 hours"');
SELECT ok((SELECT expires_at - clock_timestamp() BETWEEN '1 hour' AND '2 hours' FROM chat.register_guest()), 'their sessions last as set');
SELECT * FROM finish();
ROLLBACK;
