-- EnergyApp's workflows, access patterns, constraints and rules, in a database that was imported from one of its own.
BEGIN;
\ir people.psql
SELECT no_plan();

-- Nothing is lost: each row is here or reported, and as it was.
SELECT is_empty(format('SELECT * FROM pg_temp.lost(%L)', t), 'each row of ' || t || ' is here or refused')
FROM unnest(ARRAY['users', 'sessions', 'system_prompts', 'conversations', 'messages']) t;
SELECT is_empty($$
  SELECT o.id FROM old.users o JOIN chat.import_map i ON i.source_table = 'users' AND i.old_id = o.id::text JOIN chat.users u ON u.id = i.new_id
  WHERE o.id < 900000 AND (u.email, u.display_name, u.role, u.is_active, u.created_at, u.updated_at) IS DISTINCT FROM
    (o.email, o.full_name, CASE o.role WHEN 'trabajador' THEN 'worker' ELSE o.role END, o.active, o.created_at AT TIME ZONE 'UTC', o.updated_at AT TIME ZONE 'UTC')$$,
  'users are as they were, trabajadores are workers');
SELECT is_empty($$
  SELECT o.id FROM old.conversations o JOIN chat.import_map i ON i.source_table = 'conversations' AND i.old_id = o.id::text
  JOIN chat.conversations c ON c.id = i.new_id LEFT JOIN old.system_prompts p ON p.id = o.system_prompt_id
  WHERE o.id < 900000 AND (c.user_id, c.title, c.description, c.system_prompt, c.system_prompt_id, c.is_pinned, c.created_at, c.updated_at, c.last_message_at) IS DISTINCT FROM
    (pg_temp.here('users', o.user_id::text), coalesce(o.title, 'New Conversation'), o.description, p.content, pg_temp.here('system_prompts', p.id::text), o.is_pinned,
     o.created_at AT TIME ZONE 'UTC', o.updated_at AT TIME ZONE 'UTC', o.updated_at AT TIME ZONE 'UTC')$$, 'conversations are as they were');
SELECT is_empty($$
  SELECT o.id FROM old.messages o JOIN chat.import_map i ON i.source_table = 'messages' AND i.old_id = o.id::text
  JOIN chat.messages m ON m.user_id = i.user_id AND m.id = i.new_id
  JOIN chat.import_map c ON c.source_table = 'conversations' AND c.old_id = o.conversation_id::text
  WHERE o.id < 900000 AND (m.conversation_id, m.user_id, m.role, m.content, m.content_hash, m.status, m.created_at, m.updated_at) IS DISTINCT FROM
    (c.new_id, c.user_id, o.role, o.content, sha256(convert_to(o.content, 'UTF8')), 'complete', o.created_at AT TIME ZONE 'UTC', o.updated_at AT TIME ZONE 'UTC')$$,
  'messages are as they were');
SELECT is_empty($$
  SELECT t.new_id FROM (
    SELECT i.new_id, m.parent_id, lag(i.new_id) OVER (PARTITION BY o.conversation_id ORDER BY o.created_at, o.id) AS before
    FROM old.messages o JOIN chat.import_map i ON i.source_table = 'messages' AND i.old_id = o.id::text
    JOIN chat.messages m ON m.user_id = i.user_id AND m.id = i.new_id WHERE o.id < 900000) t
  WHERE t.parent_id IS DISTINCT FROM t.before$$, 'each follows the one before it');
SELECT is(pg_temp.branch('1'), ARRAY(SELECT o.id::text FROM old.messages o WHERE o.conversation_id = 1 ORDER BY o.created_at, o.id),
          'a conversation shows its messages in order');

-- The dirty rows, one by one.
SELECT is(pg_temp.findings(t.source_table, t.old_id::text), t.expected, format('%s %s: %s', t.source_table, t.old_id, coalesce(t.expected, 'nothing')))
FROM (VALUES
  ('users', 900001, 'refused duplicate_email'), ('users', 900002, 'refused email_invalid'), ('users', 900003, 'refused email_missing'),
  ('users', 900004, 'changed role_unknown'), ('users', 900005, 'changed password_hash_unusable'), ('users', 900006, 'changed totp_secret_unusable'),
  ('users', 900007, NULL), ('users', 900008, 'changed display_name_cut'), ('users', 900009, 'changed time_missing'),
  ('users', 900010, 'changed time_in_future'), ('users', 900011, 'changed active_missing'), ('users', 900012, 'refused duplicate_email'), ('users', 900013, NULL),
  ('users', 900014, NULL), ('users', 900015, NULL), ('users', 900016, 'changed password_hash_missing'), ('users', 900017, 'changed password_hash_unusable, changed time_before_1970'),
  ('system_prompts', 900001, 'changed second_default'), ('system_prompts', 900002, 'refused content_empty'), ('system_prompts', 900003, 'refused name_missing'), ('system_prompts', 900004, 'changed name_taken'),
  ('conversations', 900001, 'refused owner_refused'), ('conversations', 900002, 'refused owner_missing'), ('conversations', 900003, 'refused owner_missing'),
  ('conversations', 900004, 'changed prompt_missing'), ('conversations', 900005, 'changed description_cut'), ('conversations', 900006, 'changed time_missing'),
  ('messages', 900001, 'refused owner_refused'), ('messages', 900002, 'refused conversation_missing'), ('messages', 900003, 'refused conversation_missing'),
  ('messages', 900004, 'refused conversation_refused'), ('messages', 900011, 'refused role_unknown'), ('messages', 900012, 'refused content_empty'),
  ('messages', 900013, 'refused content_empty'), ('messages', 900014, 'refused content_too_long'), ('messages', 900017, 'changed time_missing'),
  ('messages', 900018, 'changed time_in_future'), ('messages', 900019, 'refused role_unknown'), ('messages', 900020, 'changed time_missing'), ('messages', 900021, 'changed time_before_1970'),
  ('sessions', 900001, 'refused owner_refused'), ('sessions', 900002, 'refused owner_missing'), ('sessions', 900003, 'kept_aside session_expired'),
  ('sessions', 900004, 'refused token_too_short'), ('sessions', 900005, 'changed ip_address_invalid'), ('sessions', 900006, 'refused expiry_missing'),
  ('sessions', 900007, 'refused token_unusable')) t (source_table, old_id, expected);
SELECT is((SELECT string_agg(f.old_id || ' ' || f.reason, ', ' ORDER BY f.old_id) FROM chat.import_findings f WHERE f.source_table = 'supervisors'),
  'stranger@inacapmail.cl user_unknown, user22@inacapmail.cl supervisor_unknown, user24@inacapmail.cl supervisor_unfit', 'and what supervisors cannot mean');
SELECT is((SELECT count(*)::int FROM chat.import_findings f WHERE f.old_id ~ '^[0-9]+$' AND f.old_id::int < 900000), 0, 'of the clean rows there is nothing to say');
SELECT is((SELECT u.display_name FROM chat.users u WHERE u.id = pg_temp.here('users', '900013')), 'elder', 'of two with one address the older one is here');
SELECT is((SELECT u.role || ' ' || u.is_active FROM chat.users u WHERE u.id = pg_temp.here('users', '900004')), 'user true', 'an unknown role gives no rights');
SELECT is(pg_temp.branch('900007'), '{900010,900016,900015,900017,900018}', 'a branch goes on without its bad messages, and one without a time follows its neighbour');
SELECT is((SELECT f.details ->> 'ip_address' FROM chat.import_findings f WHERE f.source_table = 'sessions' AND f.old_id = '900003'), '192.0.2.9', 'who was logged in stays known');
SELECT is_empty($$SELECT f.* FROM chat.import_findings f, old.users u
  WHERE strpos(f.details::text, u.password_hash) > 0 AND length(u.password_hash) > 1 OR strpos(f.details::text, u.totp_secret) > 0$$, 'findings hold no secret of a user');
SELECT is_empty($$SELECT f.* FROM chat.import_findings f, old.sessions s WHERE strpos(f.details::text, s.session_token) > 0$$, 'and no token');

-- Logging in with the old password.
SELECT is(left(pg_temp.log_in(email), 4), 'pgc_', 'user ' || id || ' logs in with the old password, hashed as ' || left(password_hash, 4)) FROM old.users WHERE id IN (1, 2, 3);
SELECT is(left(pg_temp.log_in('USER4@INACAPMAIL.CL'), 4), 'pgc_', 'in any case of the address');
SELECT is(left(pg_temp.log_in(email || '@inacapmail.cl'), 4), 'pgc_', 'whatever the hash had cost: ' || email) FROM unnest(ARRAY['cost12', 'cost14']) email;
SELECT is((SELECT u.role FROM chat.users u WHERE u.id = pg_temp.here('users', '900015')), 'worker', 'a role is known in any case');
SELECT is(pg_temp.log_in('user1@alvaradomazzei.cl', 'old-password-2'), '28P01', 'another password is wrong');
SELECT is(pg_temp.log_in(email), '28P01', why) FROM (VALUES ('user39@alvaradomazzei.cl', 'who is not active does not get in'),
  ('md5@inacapmail.cl', 'nor who has no password that can be checked'), ('nohash@inacapmail.cl', 'nor who has none'), ('oldest@inacapmail.cl', 'nor whose hash is of another kind'), ('broken2fa@inacapmail.cl', 'nor whose second factor was lost, with the password alone'),
  ('neither@inacapmail.cl', 'nor who is neither active nor not')) t (email, why);
SELECT is_empty($$SELECT u.email FROM chat.users u WHERE to_jsonb(u)::text LIKE '%$2%'$$, 'no hash is where users can read');

-- With a second factor. A step must not end between two uses of it.
CREATE FUNCTION pg_temp.code(secret text, steps_later integer) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  IF extract(epoch FROM clock_timestamp())::numeric % 30 > 20 THEN
    PERFORM pg_sleep(30.01 - extract(epoch FROM clock_timestamp())::numeric % 30);
  END IF;
  RETURN chat.totp_generate(secret, clock_timestamp() + steps_later * interval '30 seconds');
END $$;
SELECT totp_secret AS secret FROM old.users WHERE id = 10 \gset
SELECT pg_temp.log_in('user10@inacapmail.cl') AS half \gset
SELECT is(left(:'half', 9), 'half pgc_', 'the password alone is half a login');
SELECT is(pg_temp.try(substr(:'half', 6), 'SELECT chat.me()'), '28000', 'with which nothing can be done');
SELECT is(pg_temp.log_in('user10@inacapmail.cl', code => '000000'), '28P01', 'a wrong code is refused');
SELECT pg_temp.log_in('user10@inacapmail.cl', code => pg_temp.code(:'secret', 0)) AS full_token \gset
SELECT is(left(:'full_token', 4), 'pgc_', 'the app that people have makes the right code');
SELECT is(pg_temp.got(:'full_token', 'SELECT email FROM chat.me()'), 'user10@inacapmail.cl', 'with which they are in');
SELECT is(pg_temp.log_in('user10@inacapmail.cl', code => pg_temp.code(:'secret', 0)), '28P01', 'once');
SELECT is(left(pg_temp.log_in('user5@alvaradomazzei.cl'), 4), 'half', 'a second factor is asked for in each domain that had one');
SELECT is_empty($$SELECT f.user_id FROM chat_private.totp_factors f, old.users u
  WHERE u.totp_secret <> '' AND (position(convert_to(u.totp_secret, 'UTF8') IN f.sealed_key) > 0)$$, 'secrets are sealed');
SELECT is(pg_temp.got(:'full_token', 'SELECT state FROM chat.mfa_status()'), 'enrolled', 'its owner sees it');
SELECT pg_temp.log_in('begun2fa@inacapmail.cl') AS begun_token \gset
SELECT is(left(:'begun_token', 4), 'pgc_', 'one that was not in use is not asked for');
SELECT is(pg_temp.try(:'begun_token', format('SELECT chat.totp_verify(%L)', pg_temp.code('JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', 0))), '1 rows', 'but can be confirmed');
SELECT is(left(pg_temp.log_in('begun2fa@inacapmail.cl'), 4), 'half', 'and is from then on');

-- The session in the cookie goes on.
SELECT session_token AS cookie FROM old.sessions WHERE user_id = 4 \gset
SELECT is(pg_temp.got(:'cookie', 'SELECT email FROM chat.me()'), 'user4@inacapmail.cl', 'the cookie that a browser has is good');
SELECT results_eq(format($$SELECT pg_temp.got(%L, 'SELECT (created_at, expires_at, ip_address, user_agent, is_current)::text FROM chat.list_sessions() WHERE is_current')$$, :'cookie'),
  $$SELECT (s.created_at AT TIME ZONE 'UTC', s.expires_at AT TIME ZONE 'UTC', s.ip_address::inet, s.user_agent::text, true)::text FROM old.sessions s WHERE s.user_id = 4$$, 'it is the session of then');
SELECT is(pg_temp.try(token, 'SELECT chat.me()'), '28000', why) FROM (VALUES
  ('expired-0123456789012345678901', 'one that had expired is not'), ('of-a-refused-user-0123456789', 'nor one of who is not here'), ('short', 'nor a short one'),
  ('tok' || repeat('0', 64), 'nor an invented one'), (repeat('x', 2000), 'nor an endless one'), (:'cookie' || ' ', 'nor one with a blank'), ('', 'nor none')) t (token, why);
SELECT is_empty(format($$SELECT * FROM chat_private.imported_tokens WHERE position(%L::bytea IN token_hash) > 0$$, :'cookie'), 'only its hash is stored');
SELECT is(pg_temp.try(:'cookie', 'SELECT * FROM chat_private.imported_tokens'), '42501', 'and no client reads that');
SELECT is(pg_temp.try(session_token, 'SELECT chat.me()'), '28000', 'it is of no use to who is not active') FROM old.sessions s JOIN old.users u ON u.id = s.user_id WHERE NOT u.active LIMIT 1;
SELECT is(pg_temp.try(:'cookie', 'SELECT chat.logout()'), '1 rows', 'it is logged out as any');
SELECT is(pg_temp.try(:'cookie', 'SELECT chat.me()'), '28000', 'and then is none');
SELECT is((SELECT count(*)::int FROM chat_private.imported_tokens WHERE user_id = pg_temp.here('users', '4')), 0, 'nothing stays of it');

-- Roles.
SELECT pg_temp.log_in('user1@alvaradomazzei.cl') AS admin, pg_temp.log_in('user2@inacapmail.cl') AS supervisor, pg_temp.log_in('user3@alvaradomazzei.cl') AS other_supervisor,
       pg_temp.log_in('user4@inacapmail.cl') AS worker, pg_temp.log_in('user7@alvaradomazzei.cl') AS member \gset
SELECT pg_temp.here('users', '4') AS worker_id, pg_temp.here('users', '7') AS member_id, pg_temp.here('users', '6') AS colleague_id \gset
SELECT is(pg_temp.got(:'admin', 'SELECT chat.current_user_role()') || pg_temp.got(:'supervisor', 'SELECT chat.current_user_role()')
          || pg_temp.got(:'worker', 'SELECT chat.current_user_role()') || pg_temp.got(:'member', 'SELECT chat.current_user_role()'), 'adminsupervisorworkeruser', 'everybody has the role of then');
SELECT is(pg_temp.got(:'worker', 'SELECT count(*) FROM chat.conversations'), (SELECT count(*)::text FROM old.conversations WHERE user_id = 4), 'a trabajador sees their own conversations');
SELECT is(pg_temp.got(:'worker', 'SELECT count(*) FROM chat.messages'),
          (SELECT count(*)::text FROM old.messages m JOIN old.conversations c ON c.id = m.conversation_id WHERE c.user_id = 4), 'and the messages of these, and no other');
SELECT is(pg_temp.got(:'worker', 'SELECT count(*) FROM chat.list_supervised_conversations()'), '0', 'and nobody else''s');
SELECT is(pg_temp.try(:'worker', 'SELECT * FROM chat.admin_list_users()'), '42501', 'no list of users');
SELECT is(pg_temp.try(:'worker', format('SELECT chat.admin_reassign_conversation(%L, %L)', pg_temp.here('conversations', c.id::text), :'worker_id')), '42501', 'and cannot take a conversation')
FROM old.conversations c WHERE c.user_id = 7 LIMIT 1;
SELECT is_empty(format($$
  SELECT u.id FROM old.users u FULL JOIN (SELECT * FROM jsonb_to_recordset(pg_temp.got(%L, 'SELECT jsonb_agg(l) FROM chat.admin_list_users(page_size => 1000, is_active => true) l')::jsonb) x (email text, conversations bigint)) l
    ON l.email = u.email
  WHERE u.id < 900000 AND u.id <= 900 AND u.active AND l.conversations IS DISTINCT FROM (SELECT count(*) FROM old.conversations c WHERE c.user_id = u.id)$$, :'admin'),
  'an administrator lists the active users with how many conversations each has');
SELECT is(pg_temp.got(:'admin', format('SELECT count(*) FROM chat.admin_list_conversations(%L, page_size => 1000)', :'worker_id')), (SELECT count(*)::text FROM old.conversations WHERE user_id = 4), 'and sees anybody''s');

-- Administrators manage users.
SELECT is(pg_temp.got(:'admin', $$SELECT chat.admin_create_user('nueva@inacapmail.cl', 'a first password', 'worker')$$) IS NOT NULL, true, 'an administrator creates one');
SELECT pg_temp.log_in('nueva@inacapmail.cl', 'a first password') AS newcomer, (SELECT id FROM chat.users WHERE email = 'nueva@inacapmail.cl') AS newcomer_id \gset
SELECT is(pg_temp.got(:'newcomer', 'SELECT chat.current_user_role()'), 'worker', 'who has that role');
SELECT is(pg_temp.try(:'admin', format('SELECT chat.admin_set_role(%L, ''supervisor'')', :'newcomer_id')), '1 rows', 'changes it');
SELECT is(pg_temp.try(:'supervisor', format('SELECT chat.admin_set_role(%L, ''admin'')', :'newcomer_id')), '42501', 'nobody else does');
SELECT is(pg_temp.try(:'admin', format('SELECT chat.admin_set_active(%L, false)', :'newcomer_id')), '1 rows', 'switches one off');
SELECT is(pg_temp.log_in('nueva@inacapmail.cl', 'a first password'), '28P01', 'who then does not get in');
SELECT is(pg_temp.try(:'newcomer', 'SELECT chat.me()'), '28000', 'nor stays');

-- A supervisor sees those who were said to be theirs, and those alone.
SELECT is(pg_temp.got(:'supervisor', $$SELECT string_agg(email, ',' ORDER BY email COLLATE "C") FROM chat.list_supervised_users()$$),
          (SELECT string_agg(email, ',' ORDER BY email COLLATE "C") FROM old.users WHERE id BETWEEN 4 AND 20 AND id % 2 = 0), 'a supervisor has the people that the table said');
SELECT is(pg_temp.got(:'supervisor', 'SELECT count(*) FROM chat.list_supervised_conversations(page_size => 1000)'),
          (SELECT least(count(*), 1000)::text FROM old.conversations WHERE user_id BETWEEN 4 AND 20 AND user_id % 2 = 0), 'and sees their conversations');
SELECT pg_temp.here('conversations', (SELECT min(id) FROM old.conversations WHERE user_id = 4)::text) AS of_worker,
       pg_temp.here('conversations', (SELECT min(id) FROM old.conversations WHERE user_id = 7)::text) AS of_member \gset
SELECT is(pg_temp.got(:'supervisor', format('SELECT count(*) FROM chat.read_supervised_conversation(%L)', :'of_worker')), '20', 'can read them');
SELECT is(pg_temp.try(:'supervisor', format('SELECT * FROM chat.read_supervised_conversation(%L)', :'of_member')), 'P0002', 'and not those of other people');
SELECT is(pg_temp.try(:'other_supervisor', format('SELECT * FROM chat.read_supervised_conversation(%L)', :'of_worker')), 'P0002', 'as their supervisor does not see these');

-- Reassigning: administrators any, supervisors within their scope.
SELECT is(pg_temp.try(:'supervisor', format('SELECT chat.admin_reassign_conversation(%L, %L)', :'of_worker', :'member_id')), 'P0002', 'a supervisor gives nothing to who is not theirs');
SELECT is(pg_temp.try(:'supervisor', format('SELECT chat.admin_reassign_conversation(%L, %L)', :'of_worker', :'colleague_id')), '1 rows', 'but within their people');
SELECT is(pg_temp.got(pg_temp.log_in('user6@inacapmail.cl'), format('SELECT count(*) FROM chat.list_messages(%L)', :'of_worker')), '20', 'the new owner has it with its messages');
SELECT is(pg_temp.got(:'worker', format('SELECT count(*) FROM chat.conversations WHERE id = %L', :'of_worker')), '0', 'and the old one has not');
SELECT is(pg_temp.try(:'admin', format('SELECT chat.admin_reassign_conversation(%L, %L)', :'of_worker', :'member_id')), '1 rows', 'an administrator gives it to anybody');
SELECT is(pg_temp.try(:'admin', format('SELECT chat.admin_reassign_conversation(%L, %L)', :'of_worker', gen_random_uuid())), 'P0002', 'who is there');

-- The rules of domains.
SELECT is(pg_temp.try(NULL, format('SELECT chat.register(%L, %L)', email, 'a new password')), expected, email || ' registers: ' || expected) FROM (VALUES
  ('new@alvaradomazzei.cl', '1 rows'), ('new@inacapmail.cl', '1 rows'), ('NEW2@InacapMail.cl', '1 rows'), ('new@example.com', '42501'), ('new@evil-inacapmail.cl', '42501'),
  ('new@inacapmail.cl.example.com', '42501'), ('user1@alvaradomazzei.cl', '23505')) t (email, expected);
SELECT is(pg_temp.try(:'worker', 'SELECT chat.change_password(''old-password-1'', ''another password'')'), '1 rows', 'who is of inacapmail.cl changes their password');
SELECT is(left(pg_temp.log_in('user4@inacapmail.cl', 'another password'), 4), 'pgc_', 'and logs in with it');
SELECT is(pg_temp.log_in('user4@inacapmail.cl'), '28P01', 'no longer with the old one');
SELECT is(pg_temp.try(:'member', 'SELECT chat.change_password(''old-password-1'', ''another password'')'), '42501', 'who is of another domain does not');
SELECT is(pg_temp.try(NULL, format('SELECT chat.request_password_reset(%L)', email)), '1 rows', 'who has forgotten it asks: ' || email) FROM unnest(ARRAY['user6@inacapmail.cl', 'user9@alvaradomazzei.cl']) email;
SELECT results_eq($$SELECT o.user_id FROM chat_private.outbox o WHERE o.kind = 'reset_password' AND o.recipient IS NOT NULL$$, $$SELECT pg_temp.here('users', '6')$$, 'and only who may change it is sent a mail');
SELECT is(pg_temp.try(:'worker', 'SELECT chat.totp_enroll()'), '1 rows', 'who is of inacapmail.cl enables a second factor');
SELECT is(pg_temp.try(:'member', 'SELECT chat.totp_enroll()'), '42501', 'who is of another domain does not');

-- System prompts.
SELECT is(pg_temp.got(:'worker', 'SELECT string_agg(name, $$,$$ ORDER BY name) FROM chat.list_system_prompts()'), 'also default,default,default (energyapp),spanish,technical', 'everybody can choose from the prompts');
SELECT is(pg_temp.got(:'worker', 'SELECT string_agg(name, $$,$$) FROM chat.list_system_prompts() WHERE is_default'), 'default', 'one of them is the default');
SELECT pg_temp.got(:'worker', 'SELECT chat.create_conversation($$Nueva$$)') AS new_one, pg_temp.here('system_prompts', '2') AS spanish, pg_temp.here('system_prompts', '1') AS standard \gset
SELECT is(pg_temp.got(:'worker', format('SELECT system_prompt FROM chat.conversations WHERE id = %L', :'new_one')), 'You are the assistant of an energy company.', 'a new conversation begins with it');
SELECT is(pg_temp.try(:'worker', format('SELECT chat.use_system_prompt(%L, %L)', :'new_one', :'spanish')), '1 rows', 'a conversation can have another');
SELECT is(pg_temp.got(:'worker', format('SELECT system_prompt FROM chat.conversations WHERE id = %L', :'new_one')), 'Responde siempre en español.', 'and has its text then');
SELECT is(pg_temp.try(:'worker', 'SELECT chat.admin_create_system_prompt(''mine'', ''text'')'), '42501', 'only administrators make them');
SELECT is(pg_temp.try(:'admin', format('SELECT chat.admin_update_system_prompt(%L, content => ''Contesta en español.'')', :'spanish')), '1 rows', 'and edit them');
SELECT is(pg_temp.try(:'admin', format('SELECT chat.admin_delete_system_prompt(%L)', :'spanish')), '1 rows', 'and delete them');
SELECT is((SELECT count(*)::int FROM chat.conversations WHERE system_prompt = 'Responde siempre en español.' AND system_prompt_id = :'spanish'),
          (SELECT count(*)::int + 1 FROM old.conversations WHERE system_prompt_id = 2), 'which leaves conversations as they are');
SELECT is(pg_temp.try(:'admin', 'SELECT chat.admin_create_system_prompt(''new default'', ''text'', is_default => true)'), '1 rows', 'another can be the default');
SELECT is(pg_temp.got(:'worker', 'SELECT string_agg(name, $$,$$) FROM chat.list_system_prompts() WHERE is_default'), 'new default', 'and is the only one');
SELECT is(pg_temp.try(:'admin', 'SELECT chat.admin_create_system_prompt(''default'', ''text'')'), '23505', 'a name is there once');

-- Lists, the newest first; pins.
SELECT results_eq(format($$SELECT x::uuid FROM unnest(string_to_array(pg_temp.got(%L, 'SELECT string_agg(f.id::text, '','' ORDER BY f.last_message_at DESC) FROM chat.find_conversations(page_size => 1000) f WHERE f.reassigned_from IS NULL'), ',')) x$$, :'member'),
  $$SELECT pg_temp.here('conversations', c.id::text) FROM old.conversations c WHERE c.user_id = 7 ORDER BY c.updated_at DESC$$, 'conversations are listed by when they were changed last');
SELECT is(pg_temp.got(:'member', 'SELECT count(*) FROM chat.find_conversations(is_pinned => true, page_size => 1000)'), (SELECT count(*)::text FROM old.conversations WHERE user_id = 7 AND is_pinned), 'the pinned ones are pinned');
SELECT is(pg_temp.got(:'member', 'SELECT (array_agg(is_pinned))[1] FROM chat.list_conversations()'), (SELECT bool_or(is_pinned)::text FROM old.conversations WHERE user_id = 7), 'and can come first');
SELECT is(pg_temp.try(:'member', format('UPDATE chat.conversations SET is_pinned = true WHERE id = %L', :'of_member')), '1 rows', 'a conversation is pinned');

-- A turn goes on where the old system stopped.
SELECT pg_temp.got(:'member', format('SELECT chat.ask(%L, $$Otra pregunta$$)', :'of_member')) AS answer \gset
SELECT ok(:'answer' <> '', 'a question is answered');
SELECT is(pg_temp.got(:'member', format('SELECT count(*) || min(role) FROM chat.list_messages(%L)', :'of_member')), '22assistant', 'after the messages of before');
SELECT is(pg_temp.got(:'member', 'SELECT (array_agg(id ORDER BY last_message_at DESC))[1] FROM chat.find_conversations()'), :'of_member', 'and its conversation is the newest');
SELECT is(pg_temp.try(:'worker', format('SELECT chat.send_message(%L, $$x$$)', :'of_member')), 'P0002', 'nobody writes into another''s');
SELECT is(pg_temp.try(:'member', format('SELECT * FROM chat.search_messages(%L)', (SELECT 'Mensaje ' || m.id FROM old.messages m JOIN old.conversations c ON c.id = m.conversation_id WHERE c.user_id = 7 LIMIT 1))) ~ '^[1-9]', true, 'what was said is found');

-- Deleting.
SELECT is(pg_temp.try(:'member', format('SELECT chat.delete_conversation(%L)', :'of_member')), '1 rows', 'a conversation is deleted');
SELECT is((SELECT count(*)::int FROM chat.messages WHERE conversation_id = :'of_member'), 0, 'with its messages');
SELECT is(pg_temp.try(:'admin', format('SELECT chat.admin_delete_user(%L)', pg_temp.here('users', '8'))), '1 rows', 'a user is deleted');
SELECT is((SELECT count(*)::int FROM (SELECT user_id FROM chat.conversations UNION ALL SELECT user_id FROM chat.messages UNION ALL SELECT user_id FROM chat.sessions UNION ALL SELECT user_id FROM chat_private.imported_tokens
  UNION ALL SELECT user_id FROM chat.import_map) x WHERE x.user_id NOT IN (SELECT id FROM chat.users UNION SELECT '00000000-0000-0000-0000-000000000000')), 0, 'with all that was theirs');
SELECT * FROM finish();
ROLLBACK;
