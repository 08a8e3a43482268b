-- Administration of people and of the installation: accounts, roles, supervisors, plans, settings, mail templates.
BEGIN;
\ir people.psql
SELECT plan(146);

-- the first administrator
SELECT is(pg_temp.try(NULL, 'SELECT chat.admin_create_user(''first@example.com'', ''first-password'', ''admin'')', 'pgchat_service'), '1 rows', 'pgchat_service makes the first administrator');
SELECT is(pg_temp.got(pg_temp.log_in('first@example.com', 'first-password'), 'SELECT (role, plan, email_verified_at IS NOT NULL) FROM chat.me()'), '(admin,free,t)', 'who logs in');
DELETE FROM chat.users WHERE email = 'first@example.com';

-- admin_create_user
SELECT pg_temp.got(:'admin_token', format('SELECT chat.admin_create_user(''wanda@example.com'', NULL, ''worker'', ''wanda'', ''Wanda'', ''enterprise'', %L)', :'supb')) AS wanda \gset
SELECT is((SELECT (email, username, display_name, role, plan, supervisor_id)::text FROM chat.users WHERE id = :'wanda'), format('(wanda@example.com,wanda,Wanda,worker,enterprise,%s)', :'supb'), 'an account');
SELECT is(pg_temp.audited('admin.create_user', 'user:' || :'wanda'), 1, 'which is audited');
SELECT is((SELECT user_id FROM chat.audit_log WHERE action = 'admin.create_user' AND resource = 'user:' || :'wanda'), :'admin', 'as the administrator''s act');
SELECT is(pg_temp.login_outcome('wanda', ''), '28P01', 'without a password nobody logs in');
SELECT pg_temp.mail_token('wanda@example.com') AS token \gset
SELECT is(pg_temp.try(NULL, format('SELECT chat.reset_password(%L, $$wanda-password-1$$)', :'token')), '1 rows', 'the mail lets the user choose one');
SELECT is(pg_temp.login_outcome('wanda', 'wanda-password-1'), 'ok', 'and log in');
SELECT chat.admin_set_setting('registration', '"closed"');
SELECT is(pg_temp.try(:'admin_token', statement), outcome, statement)
FROM (VALUES ('SELECT chat.admin_create_user(''bob@example.com'')', '23505'), ('SELECT chat.admin_create_user(''b2@example.com'', username => ''BOB'')', '23505'),
             ('SELECT chat.admin_create_user(NULL)', '22004'), ('SELECT chat.admin_create_user(''x'')', '22023'), ('SELECT chat.admin_create_user(''b2@example.com'', ''Password1'')', '22023'),
             ('SELECT chat.admin_create_user(''b2@example.com'', role => ''guest'')', '22023'), ('SELECT chat.admin_create_user(''b2@example.com'', role => NULL)', '22004'),
             ('SELECT chat.admin_create_user(''b2@example.com'', plan => ''none'')', '42704'),
             (format('SELECT chat.admin_create_user(''b2@example.com'', supervisor_id => %L)', :'worker'), '55000'),
             ('SELECT chat.admin_create_user(''b2@example.com'', supervisor_id => chat.uuid_v7())', 'P0002'),
             ('SELECT chat.admin_create_user(''b2@example.com'', ''a good long one'')', '1 rows')) t (statement, outcome);
SELECT chat.admin_set_setting('registration', NULL);

-- admin_list_users
SELECT pg_temp.got(:'bob_token', 'SELECT count(chat.create_conversation()) FROM generate_series(1, 3)');
SELECT is(pg_temp.got(:'admin_token', 'SELECT (email, username, role, plan, is_active, conversations) FROM chat.admin_list_users(''BOB'')'), '(bob@example.com,bob,user,free,t,3)', 'search, with the number of conversations');
SELECT is(pg_temp.got(:'admin_token', 'SELECT string_agg(username, '','' ORDER BY username) FROM chat.admin_list_users(role => ''supervisor'')'), 'supa,supb', 'by role');
SELECT is(pg_temp.got(:'admin_token', 'SELECT count(*) FROM chat.admin_list_users(is_active => false)'), '0', 'by being active');
SELECT is(pg_temp.got(:'admin_token', 'SELECT count(*) FROM chat.admin_list_users(''%'')'), '0', 'a text is no pattern');
CREATE FUNCTION pg_temp.pages(token text, size integer) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
  found uuid[] := '{}';
  page uuid[];
BEGIN
  LOOP
    page := pg_temp.got(token, format('SELECT array_agg(id) FROM chat.admin_list_users(page_size => %s, after => %L)', size, found[cardinality(found)]))::uuid[];
    EXIT WHEN page IS NULL;
    found := found || page;
  END LOOP;
  RETURN found;
END $$;
SELECT is(pg_temp.pages(:'admin_token', size), (SELECT array_agg(id ORDER BY id) FROM chat.users), 'all accounts, in pages of ' || size) FROM unnest(ARRAY[1, 4, 1000]) size;
SELECT is(pg_temp.try(:'admin_token', 'SELECT * FROM chat.admin_list_users(page_size => 0)'), '22023', 'a page has rows');
SELECT is(pg_temp.try(:'admin_token', 'SELECT * FROM chat.admin_list_users(page_size => NULL)'), '22004', 'and a size');

-- admin_set_role
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_set_role(%L, ''supervisor'')', :'bob')), '1 rows', 'a role is given');
SELECT is(pg_temp.got(:'bob_token', 'SELECT chat.current_user_role()'), 'supervisor', 'which the user''s session has from its next transaction on');
SELECT is((SELECT details::text FROM chat.audit_log WHERE action = 'admin.set_role' AND resource = 'user:' || :'bob'), '{"to": "supervisor", "from": "user"}', 'which is audited');
SELECT is((SELECT token_version FROM chat.users WHERE id = :'bob'), 2, 'signed tokens end');
SELECT is(pg_temp.try(:'admin_token', statement), outcome, statement)
FROM (VALUES (format('SELECT chat.admin_set_role(%L, ''king'')', :'bob'), '22023'), (format('SELECT chat.admin_set_role(%L, ''guest'')', :'bob'), '22023'),
             (format('SELECT chat.admin_set_role(%L, ''gate'')', :'bob'), '22023'), (format('SELECT chat.admin_set_role(%L, NULL)', :'bob'), '22004'),
             ('SELECT chat.admin_set_role(chat.uuid_v7(), ''user'')', 'P0002'), (format('SELECT chat.admin_set_role(%L, ''user'')', :'guest'), '55000')) t (statement, outcome);
SELECT chat.admin_set_supervisor(:'alice', :'bob');
SELECT chat.admin_set_role(:'bob', 'user');
SELECT is((SELECT supervisor_id FROM chat.users WHERE id = :'alice'), NULL, 'who no longer supervises leaves the workers');
SELECT is(pg_temp.got(:'bob_token', 'SELECT count(*) FROM chat.users'), '1', 'and no longer sees them');

-- admin_set_supervisor
SELECT is(pg_temp.try(:'admin_token', statement), outcome, statement)
FROM (VALUES (format('SELECT chat.admin_set_supervisor(%L, %L)', :'alice', :'bob'), '55000'), (format('SELECT chat.admin_set_supervisor(%L, %L)', :'supa', :'supa'), '55000'),
             (format('SELECT chat.admin_set_supervisor(%L, %L)', :'supb', :'supa'), '1 rows'), (format('SELECT chat.admin_set_supervisor(%L, %L)', :'supa', :'supb'), '55000'),
             (format('SELECT chat.admin_set_supervisor(%L, %L)', :'admin', :'supb'), '1 rows'), (format('SELECT chat.admin_set_supervisor(%L, %L)', :'supa', :'admin'), '55000'),
             (format('SELECT chat.admin_set_supervisor(%L, NULL)', :'supb'), '1 rows'), (format('SELECT chat.admin_set_supervisor(%L, %L)', :'supa', :'admin'), '1 rows'),
             (format('SELECT chat.admin_set_supervisor(%L, %L)', :'guest', :'supa'), '55000'), (format('SELECT chat.admin_set_supervisor(%L, chat.uuid_v7())', :'alice'), 'P0002'),
             (format('SELECT chat.admin_set_supervisor(chat.uuid_v7(), %L)', :'supa'), 'P0002')) t (statement, outcome);
SELECT is(pg_temp.got(:'supb_token', 'SELECT string_agg(username, '','' ORDER BY username) FROM chat.list_supervised_users()'), 'root,wanda', 'supervisor B sees theirs');
SELECT is(pg_temp.got(:'supa_token', 'SELECT string_agg(username, '','' ORDER BY username) FROM chat.list_supervised_users()'), 'wendy', 'and supervisor A theirs');
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_set_supervisor(%L, %L)', :'worker', :'supb')), '1 rows', 'a worker changes hands');
SELECT is(pg_temp.try(:'supa_token', format('SELECT FROM chat.users WHERE id = %L', :'worker')), '0 rows', 'which ends what A saw');
SELECT is(pg_temp.audited('admin.set_supervisor', 'user:' || :'worker'), 1, 'and is audited');

-- admin_set_active
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_set_active(%L, false)', :'bob')), '1 rows', 'an account is disabled');
SELECT is(pg_temp.try(:'bob_token', 'SELECT 1'), '28000', 'its sessions have ended');
SELECT is(pg_temp.login_outcome('bob', 'bob-password'), '28P01', 'it cannot log in');
SELECT is(pg_temp.got(:'admin_token', 'SELECT username FROM chat.admin_list_users(is_active => false)'), 'bob', 'it is listed');
SELECT is(pg_temp.audited('admin.set_active', 'user:' || :'bob'), 1, 'which is audited');
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_set_active(%L, true)', :'bob')), '1 rows', 'and enabled again');
SELECT is(pg_temp.login_outcome('bob', 'bob-password'), 'ok', 'it logs in');
SELECT is(pg_temp.try(:'bob_token', 'SELECT 1'), '28000', 'an ended session does not come back');
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_set_active(%L, NULL)', :'bob')), '22004', 'it is one or the other');

-- requests of who is disabled or removed, with the engine's part played by a function that notes what it was told
CREATE TEMP TABLE aborted (user_id uuid, request_id uuid) ON COMMIT DROP;
GRANT INSERT ON aborted TO PUBLIC;
CREATE OR REPLACE FUNCTION chat_private.cancel_call(user_id uuid, request_id uuid) RETURNS boolean LANGUAGE sql AS
  'INSERT INTO pg_temp.aborted VALUES ($1, $2) RETURNING true';
SELECT pg_temp.log_in('bob', 'bob-password') AS bob_token \gset
SELECT pg_temp.got(:'bob_token', 'SELECT assistant_message_id FROM chat.send_message(chat.create_conversation(), $$x$$)') AS bobs_reply,
       pg_temp.got(:'bob_token', 'SELECT chat.llm_submit($$x$$)') AS bobs_queued, pg_temp.got(:'bob_token', 'SELECT chat.llm_submit($$x$$)') AS bobs_running,
       pg_temp.got(:'bob_token', 'SELECT chat.llm_submit($$x$$)') AS bobs_finished, pg_temp.got(:'alice_token', 'SELECT chat.llm_submit($$x$$)') AS alices \gset
UPDATE chat_private.llm_requests SET state = 'running', queued_at = NULL WHERE id = :'bobs_running';
UPDATE chat_private.llm_requests SET state = 'complete', queued_at = NULL WHERE id = :'bobs_finished';
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_set_active(%L, false)', :'bob')), '1 rows', 'disabling an account');
SELECT is((SELECT string_agg(state, ' ' ORDER BY id) FROM chat_private.llm_requests WHERE user_id = :'bob'), 'cancelled cancelled running complete', 'takes its requests out of the queue');
SELECT is((SELECT (status, error ->> 'code')::text FROM chat.messages WHERE id = :'bobs_reply'), '(cancelled,cancelled)', 'with their replies');
SELECT results_eq('SELECT * FROM aborted', format('VALUES (%L::uuid, %L::uuid)', :'bob', :'bobs_running'), 'and aborts those under way');
SELECT is((SELECT state FROM chat_private.llm_requests WHERE id = :'alices'), 'queued', 'those of others wait on');
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_set_active(%L, true)', :'bob')), '1 rows', 'enabling it again');
SELECT is((SELECT state FROM chat_private.llm_requests WHERE id = :'bobs_queued'), 'cancelled', 'brings none back');
SELECT chat.admin_create_user('gone@example.com', 'gone-password-1', 'user', 'gone') AS gone, chat.admin_create_user('left@example.com', 'left-password-1', 'user', 'left') AS left \gset
SELECT pg_temp.log_in('gone', 'gone-password-1') AS gone_token, pg_temp.log_in('left', 'left-password-1') AS left_token \gset
SELECT pg_temp.got(:'gone_token', 'SELECT chat.llm_submit($$x$$)') AS gones, pg_temp.got(:'left_token', 'SELECT chat.llm_submit($$x$$)') AS lefts \gset
UPDATE chat_private.llm_requests SET state = 'running', queued_at = NULL WHERE id IN (:'gones', :'lefts');
TRUNCATE aborted;
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_delete_user(%L)', :'gone')), '1 rows', 'removing an account');
SELECT is(pg_temp.try(:'left_token', 'SELECT chat.delete_my_account(''left-password-1'')'), '1 rows', 'or one''s own');
SELECT results_eq('SELECT * FROM aborted', format('VALUES (%L::uuid, %L::uuid), (%L, %L)', :'gone', :'gones', :'left', :'lefts'), 'aborts them, too');
SELECT is((SELECT count(*)::int FROM chat_private.llm_requests WHERE user_id IN (:'gone', :'left')), 0, 'and leaves none');

-- the last active administrator
SELECT is(pg_temp.try(:'admin_token', statement), '55000', 'the last administrator: ' || statement)
FROM unnest(ARRAY[format('SELECT chat.admin_set_role(%L, ''user'')', :'admin'), format('SELECT chat.admin_set_active(%L, false)', :'admin'),
                  format('SELECT chat.admin_delete_user(%L)', :'admin'), 'SELECT chat.delete_my_account(''root-password-1'')']) statement;
SELECT chat.admin_set_role(:'bob', 'admin'), chat.admin_set_active(:'bob', false);
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_set_role(%L, ''user'')', :'admin')), '55000', 'one who is disabled does not count');
SELECT chat.admin_set_active(:'bob', true);
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_set_role(%L, ''admin'')', :'admin')), '1 rows', 'a role can be given again');
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_set_role(%L, ''user'')', :'admin')), '1 rows', 'with another, an administrator can go');
SELECT is(pg_temp.try(:'admin_token', 'SELECT * FROM chat.admin_list_users()'), '42501', 'and is none from then on');
SELECT chat.admin_set_role(:'admin', 'admin');

-- plans
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_set_plan(%L, %L)', :'bob', plan)), outcome, 'plan ' || plan) FROM (VALUES ('pro', '1 rows'), ('none', '42704')) t (plan, outcome);
SELECT is(pg_temp.got(:'admin_token', 'SELECT (code, name, limits, is_active) FROM chat.admin_save_plan(''team'', ''Team'', limits => ''{"conversations": 5, "seats": "many"}'')'),
          '(team,Team,"{""seats"": ""many"", ""conversations"": 5}",t)', 'a plan is added');
SELECT is(pg_temp.got(:'admin_token', 'SELECT (code, name, description, is_default) FROM chat.admin_save_plan(''pro'', description => ''For professionals'')'),
          '(pro,Pro,"For professionals",f)', 'and one changed, but for what is not named');
SELECT is(pg_temp.try(:'admin_token', statement), outcome, statement)
FROM (VALUES ('SELECT chat.admin_save_plan(''No spaces'')', '22023'), ('SELECT chat.admin_save_plan(NULL)', '22004'), ('SELECT chat.admin_save_plan(''x'', limits => ''[]'')', '22023'),
             ('SELECT chat.admin_save_plan(''x'', limits => ''{"conversations": -1}'')', '22023'), ('SELECT chat.admin_save_plan(''x'', limits => ''{"messages_per_day": null}'')', '22023'),
             ('SELECT chat.admin_save_plan(''free'', is_active => false)', '55000'), ('SELECT chat.admin_save_plan(''guest'', is_active => false)', '55000'),
             ('SELECT chat.admin_save_plan(''enterprise'', is_active => false)', '1 rows'),
             (format('SELECT chat.admin_set_plan(%L, ''enterprise'')', :'bob'), '42704')) t (statement, outcome);
SELECT is(pg_temp.got(:'alice_token', 'SELECT string_agg(code, '','' ORDER BY code) FROM chat.plans'), 'free,guest,pro,team', 'clients see the active plans');

-- settings
SELECT is_empty($$SELECT key FROM chat_private.setting_definitions() WHERE chat_private.setting_hint(kind, default_value, choices) IS NOT NULL
                  AND kind <> 'model or null'$$, 'every default is a value of its setting');
SELECT is_empty($$SELECT key FROM chat_private.setting_definitions() EXCEPT SELECT key FROM chat.admin_settings()$$, 'every setting is listed');
SELECT is_empty($$SELECT key, bad, o FROM chat_private.setting_definitions(), unnest(ARRAY['{}', '[1]', '-1']) bad,
                  LATERAL pg_temp.outcome(NULL, format('SELECT chat.admin_set_setting(%L, %L)', key, bad), 'pgchat_service') o WHERE o <> '22023'$$, 'no setting takes any value');
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_set_setting(%L, %L)', key, value)), outcome, key || ' = ' || value)
FROM (VALUES ('registration', '"open"', '1 rows'), ('registration', '"closing"', '22023'), ('session_lifetime', '"2 hours"', '1 rows'), ('session_lifetime', '"0 s"', '22023'),
             ('session_lifetime', '"forever"', '22023'), ('audit_retention', 'null', '1 rows'), ('session_lifetime', 'null', '22023'),
             ('totp_required_roles', '["supervisor"]', '1 rows'), ('totp_required_roles', '["king"]', '22023'), ('registration_domains', '["Example.org"]', '22023'),
             ('mails_per_hour', '0', '22023'), ('mails_per_hour', '5', '1 rows'), ('mails_per_hour', '1.5', '22023'), ('app_name', '"a\nb"', '22023'), ('default_plan', '"none"', '22023'),
             ('default_model', '"no-model"', '42704'), ('default_model', '"test-model"', '1 rows'), ('no_setting', '1', '42704'), (NULL, '1', '22004')) t (key, value, outcome);
SELECT is(pg_temp.hint_of(:'admin_token', 'SELECT chat.admin_set_setting(''registration'', ''1'')'), 'It is one of open, invitation, domains, closed.', 'the hint says what it may be');
SELECT is(pg_temp.got(:'admin_token', 'SELECT (value, default_value) FROM chat.admin_settings() WHERE key = ''mails_per_hour'''), '(5,3)', 'value and default');
SELECT is(pg_temp.got(:'admin_token', 'SELECT chat.admin_set_setting(''mails_per_hour'', NULL)'), '', 'NULL is the default');
SELECT is(pg_temp.got(:'admin_token', 'SELECT (value, updated_at) FROM chat.admin_settings() WHERE key = ''mails_per_hour'''), '(3,)', 'again');
SELECT is((SELECT details::text FROM chat.audit_log WHERE action = 'admin.set_setting' AND resource = 'setting:mails_per_hour' ORDER BY id DESC LIMIT 1), '{"to": 3, "from": 5}', 'which is audited');

-- mail templates
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_set_mail_template(%L, %L, %L, %L)', kind, language, subject, body)), outcome, replace(kind || ' ' || subject || ': ' || body, E'\n', ' '))
FROM (VALUES ('reset_password', 'de', 'Neu: {{app_name}}', 'Hallo {{display_name}}: {{token}}', '1 rows'), ('reset_password', 'en', 'x', 'no token', '22023'),
             ('reset_password', 'en', '{{token}}', '{{token}}', '22023'), ('reset_password', 'en', 'x', '{{token}} {{password}}', '22023'), ('reset_password', 'en', 'x', '{{token}} {{', '22023'),
             ('reset_password', 'en', E'x\nBcc: y', '{{token}}', '22023'), ('reset_password', 'EN', 'x', '{{token}}', '22023'), ('greeting', 'en', 'x', 'y', '22023'),
             ('password_changed', 'en', 'x', 'no token needed, {{email}}', '1 rows'), ('invitation', 'en', 'x', '{{token}} {{display_name}}', '22023'), ('invitation', 'en', 'x', NULL, '22004')) t (kind, language, subject, body, outcome);
SELECT is(chat_private.fill_in('{{a}}{{b}} {{c}}}} x{{a}}', '{"a": "{{b}}", "b": "1\r\n2"}'), '{{b}}1 2 }} x{{b}}', 'placeholders are filled in once, on one line');
SELECT chat.admin_set_setting('app_name', '"Acme {{token}}"');
SELECT pg_temp.got(:'alice_token', 'SELECT chat.update_settings(preferences => ''{"language": "de-AT"}'')'), chat.request_password_reset('alice@example.com');
SELECT ok((SELECT (subject, body)::text ~ '^\("Neu: Acme {{token}}","Hallo Alice: pgt_[A-Za-z0-9_-]{64}"\)$' FROM chat.outbox_claim(10) WHERE recipient = 'alice@example.com'), 'the language of the user, else without its region');
SELECT pg_temp.got(:'alice_token', 'SELECT chat.update_settings(preferences => ''{"language": "fr"}'')'), chat.admin_set_setting('mail_language', '"es"'), chat.request_password_reset('alice@example.com');
SELECT ok((SELECT body LIKE 'Hola Alice:%' FROM chat.outbox_claim(10) WHERE recipient = 'alice@example.com'), 'else that of the installation');
SELECT chat.admin_set_setting('mail_language', '"zz"'), chat.request_password_reset('alice@example.com');
SELECT ok((SELECT body LIKE 'Hello Alice,%' FROM chat.outbox_claim(10) WHERE recipient = 'alice@example.com'), 'else English');
SELECT is((SELECT count(*)::int FROM chat_private.mail_kinds() k WHERE NOT EXISTS (SELECT FROM chat.mail_templates t WHERE t.kind = k.kind AND t.language = 'en')), 0, 'which every kind has');
SELECT is_empty($$SELECT t.kind, t.language FROM chat.mail_templates t JOIN chat_private.mail_kinds() k USING (kind),
                  LATERAL pg_temp.outcome(NULL, format('SELECT chat.admin_set_mail_template(%L, %L, %L, %L)', t.kind, t.language, t.subject, t.body), 'pgchat_service') o WHERE o <> '1 rows'$$,
                'and the installed ones pass the checks');

-- the gate's doors: functions that look at nobody's rights are called by pgchat's own only
SELECT is(pg_temp.try(:'alice_token', call), '42501', call)
FROM unnest(ARRAY['SELECT chat_private.enter_gate()', 'SELECT chat_private.leave_workers(NULL)', 'SELECT chat_private.remove_account(NULL)', 'SELECT chat_private.set_password(NULL, NULL)']) call;
SELECT * FROM finish();
ROLLBACK;
