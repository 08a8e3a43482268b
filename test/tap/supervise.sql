-- People above: who sees whose conversations, and that each look is noted.
BEGIN;
\ir people.psql
SELECT plan(89);
-- chief over supa over wendy; supb over wanda; alice under nobody.
SELECT chat.admin_create_user('chief@example.com', 'chief-password-1', 'supervisor', 'chief') AS chief,
       chat.admin_create_user('wanda@example.com', 'wanda-password-1', 'worker', 'wanda', 'Wanda', NULL, :'supb') AS wanda \gset
SELECT chat.admin_set_supervisor(:'supa', :'chief');
SELECT pg_temp.log_in('chief', 'chief-password-1') AS chief_token, pg_temp.log_in('wanda', 'wanda-password-1') AS wanda_token \gset
SELECT pg_temp.got(:'worker_token', 'SELECT chat.create_conversation($$of wendy$$, description => $$d$$)') AS conv,
       pg_temp.got(:'wanda_token', 'SELECT chat.create_conversation($$of wanda$$)') AS wandas,
       pg_temp.got(:'supa_token', 'SELECT chat.create_conversation($$of supa$$)') AS supas,
       pg_temp.got(:'alice_token', 'SELECT chat.create_conversation($$of alice$$)') AS alices,
       pg_temp.got(:'worker_token', 'SELECT chat.create_conversation($$second$$)') AS second \gset
UPDATE chat.conversations SET is_archived = true WHERE id = :'second';
SELECT chat_private.set_identity(:'worker', 'worker', NULL, true);
SELECT * FROM chat.send_message(:'conv', 'a secret question') \gset s_
SELECT chat_private.set_identity(NULL, NULL, NULL, true);
UPDATE chat.messages SET status = 'complete', content = 'an answer', thinking = 'hm' WHERE id = :'s_assistant_message_id';

-- listing
SELECT is(pg_temp.got(:'chief_token', 'SELECT string_agg(title, $$,$$ ORDER BY title) FROM chat.list_supervised_conversations()'), 'of supa,of wendy,second', 'all below, archived ones too');
SELECT is(pg_temp.got(:'supa_token', 'SELECT string_agg(title, $$,$$ ORDER BY title) FROM chat.list_supervised_conversations()'), 'of wendy,second', 'not one''s own, nor those of who is above or beside');
SELECT is(pg_temp.got(:'supb_token', 'SELECT string_agg(title, $$,$$) FROM chat.list_supervised_conversations()'), 'of wanda', 'each their own team');
SELECT is(pg_temp.try(token, 'SELECT * FROM chat.list_supervised_conversations()'), outcome, 'listing: ' || name)
FROM (VALUES ('an administrator over nobody', :'admin_token', '0 rows'), ('a worker', :'worker_token', '0 rows'), ('a guest', :'guest_token', '0 rows'), ('nobody', NULL, '28000')) t (name, token, outcome);
SELECT is(pg_temp.got(:'supa_token', 'SELECT (user_id, email, username, display_name, description, is_archived, reassigned_from) FROM chat.list_supervised_conversations() WHERE title = $$of wendy$$'),
          format('(%s,wendy@example.com,wendy,Wendy,d,f,)', :'worker'), 'with who it belongs to');
SELECT is(pg_temp.try(token, format('SELECT * FROM chat.list_supervised_conversations(%L)', :'worker')), outcome, 'listing one person: ' || name)
FROM (VALUES ('their supervisor', :'supa_token', '2 rows'), ('two levels up', :'chief_token', '2 rows'), ('of another team', :'supb_token', 'P0002'), ('an administrator over nobody', :'admin_token', 'P0002'),
             ('themselves', :'worker_token', 'P0002'), ('a user', :'alice_token', 'P0002'), ('a guest', :'guest_token', 'P0002'), ('nobody', NULL, '28000')) t (name, token, outcome);
SELECT is(pg_temp.try(:'supa_token', format('SELECT * FROM chat.list_supervised_conversations(%L)', person)), 'P0002', 'nobody upwards') FROM unnest(ARRAY[:'chief', :'supa', :'admin']::uuid[]) person;
SELECT is(pg_temp.try(:'chief_token', 'SELECT * FROM chat.list_supervised_conversations(' || arguments || ')'), outcome, arguments)
FROM (VALUES ('page_size => 0', '22023'), ('page_size => NULL', '22004'), ('page_size => 1', '1 rows'), ('before => now() - interval $$1 day$$', '0 rows')) t (arguments, outcome);
CREATE FUNCTION pg_temp.pages(token text, call text, size integer) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
  found uuid[] := '{}';
  page jsonb;
BEGIN
  LOOP
    page := pg_temp.got(token, format('SELECT jsonb_agg(c) FROM %s(page_size => %s, before => %L, before_id => %L) c', call, size, page #>> '{-1,last_message_at}', page #>> '{-1,id}'))::jsonb;
    EXIT WHEN page IS NULL;
    found := found || ARRAY(SELECT (r ->> 'id')::uuid FROM jsonb_array_elements(page) r);
  END LOOP;
  RETURN found;
END $$;
UPDATE chat.conversations SET last_message_at = '2026-01-01' WHERE id IN (:'supas', :'second');
SELECT is(pg_temp.pages(:'chief_token', 'chat.list_supervised_conversations', size), (SELECT array_agg(id ORDER BY last_message_at DESC, id DESC) FROM chat.conversations WHERE user_id IN (:'worker', :'supa')),
          'in pages of ' || size || ', also where times are equal') FROM unnest(ARRAY[1, 2, 1000]) size;
SELECT is(pg_temp.pages(:'admin_token', 'chat.admin_list_conversations', size), (SELECT array_agg(id ORDER BY last_message_at DESC, id DESC) FROM chat.conversations), 'an administrator all, in pages of ' || size) FROM unnest(ARRAY[2, 1000]) size;

-- reading
SELECT is(pg_temp.try(token, format('SELECT * FROM chat.read_supervised_conversation(%L)', :'conv')), outcome, 'reading: ' || name)
FROM (VALUES ('their supervisor', :'supa_token', '2 rows'), ('two levels up', :'chief_token', '2 rows'), ('of another team', :'supb_token', 'P0002'), ('an administrator over nobody', :'admin_token', 'P0002'),
             ('the owner', :'worker_token', 'P0002'), ('a user', :'alice_token', 'P0002'), ('a guest', :'guest_token', 'P0002'), ('nobody', NULL, '28000')) t (name, token, outcome);
SELECT is(pg_temp.got(:'supa_token', format('SELECT string_agg(content || coalesce(thinking, $$$$), $$,$$) FROM chat.read_supervised_conversation(%L)', :'conv')), 'a secret question,an answerhm', 'root first, as its owner has it');
SELECT is(pg_temp.try(:'supa_token', format('SELECT * FROM chat.read_supervised_conversation(%L, %L)', conversation, leaf)), outcome, 'a leaf: ' || outcome)
FROM (VALUES (:'conv', :'s_user_message_id', '1 rows'), (:'conv', :'alice', 'P0002'), (:'second', :'s_user_message_id', 'P0002'), (:'second', NULL, '0 rows'), (NULL, NULL, '22004'), (:'alice', NULL, 'P0002')) t (conversation, leaf, outcome);
SELECT is(pg_temp.got(:'supa_token', 'SELECT chat.current_user_id()'), :'supa', 'afterwards everybody is who they were');
SELECT is(pg_temp.got(:'supa_token', format('SELECT count(*) FROM chat.conversations WHERE user_id = %L', :'worker')), '0', 'the tables stay closed');

-- administrators
SELECT is(pg_temp.try(token, format(call, argument), db_role), outcome, call || outcome)
FROM (VALUES ('SELECT * FROM chat.admin_read_conversation(%L)', :'conv'), ('SELECT * FROM chat.admin_list_conversations(%L)', :'worker')) c (call, argument),
     (VALUES (:'admin_token', 'pgchat_client', '2 rows'), (NULL, 'pgchat_service', '2 rows'), (:'supa_token', 'pgchat_client', '42501'), (:'chief_token', 'pgchat_client', '42501'), (:'worker_token', 'pgchat_client', '42501'),
             (:'guest_token', 'pgchat_client', '42501'), (NULL, 'pgchat_client', '42501')) t (token, db_role, outcome);
SELECT is(pg_temp.try(:'admin_token', statement), outcome, statement)
FROM (VALUES ('SELECT * FROM chat.admin_read_conversation(NULL)', '22004'), (format('SELECT * FROM chat.admin_read_conversation(%L)', :'alice'), 'P0002'), (format('SELECT * FROM chat.admin_read_conversation(%L, %L)', :'conv', :'alice'), 'P0002'),
             (format('SELECT * FROM chat.admin_list_conversations(%L)', :'conv'), 'P0002'), ('SELECT * FROM chat.admin_list_conversations(page_size => 1001)', '22023'), ('SELECT * FROM chat.admin_list_conversations(page_size => NULL)', '22004'),
             (format('SELECT * FROM chat.admin_list_conversations(%L)', :'bob'), '0 rows')) t (statement, outcome);

-- each look is noted, refused ones too, with who, whose and which, and nothing of what was said
SELECT chat_private.audit('after.all');
SELECT is((SELECT string_agg(format('%s %s %s %s', outcome, people, count, names), E'\n' ORDER BY outcome, people) FROM (
  SELECT a.outcome, a.action AS people, count(*), string_agg(DISTINCT coalesce(u.username, u.role), ',' ORDER BY coalesce(u.username, u.role)) AS names FROM chat.audit_log a JOIN chat.users u ON u.id = a.user_id
  WHERE a.resource = 'conversation:' || :'conv' GROUP BY 1, 2) s),
  E'refused supervision.read 5 alice,guest,root,supb,wendy\nsuccess admin.read_conversation 2 root\nsuccess supervision.read 5 chief,supa', 'who looked, and who tried to');
SELECT is((SELECT string_agg(DISTINCT details::text, ' ') FROM chat.audit_log WHERE action IN ('supervision.read', 'admin.read_conversation') AND outcome = 'success' AND resource = 'conversation:' || :'conv'), format('{"user_id": "%s"}', :'worker'), 'whose it was');
SELECT is(pg_temp.audited('supervision.list', 'user:' || :'worker'), 2, 'listing somebody''s is noted');
SELECT is(pg_temp.audited('supervision.list', 'user:' || :'worker', 'refused'), 5, 'and trying to');
SELECT cmp_ok(pg_temp.audited('supervision.list', NULL), '>', 5, 'and listing all');
SELECT is(pg_temp.audited('admin.list_conversations', 'user:' || :'worker'), 2, 'by administrators and operators, too');
SELECT is_empty($$SELECT a.details FROM chat.audit_log a WHERE (a.details::text || a.resource) ~ 'secret|answer|of wendy'$$, 'with nothing of what was said');

-- the gate's views are for pgchat's own functions, inside the gate
SELECT is(pg_temp.outcome(:'admin', format('SELECT * FROM chat_private.%I', name), role), outcome, name || ' as ' || role)
FROM (VALUES ('gate_conversations'), ('gate_messages'), ('gate_requests')) v (name), (VALUES ('pgchat_owner', '0 rows'), ('pgchat_client', '42501'), ('pgchat_service', '42501')) r (role, outcome);

-- who is above is looked up each time
CREATE FUNCTION pg_temp.sees(token text) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.try(token, 'SELECT * FROM chat.list_supervised_conversations()') || ', ' || pg_temp.try(token, format('SELECT * FROM chat.read_supervised_conversation(%L)', current_setting('test.conv')))
$$;
SELECT set_config('test.conv', :'conv', true);
SELECT chat.admin_set_supervisor(:'worker', :'supb');
SELECT is(pg_temp.sees(:'supa_token') || '; ' || pg_temp.sees(:'supb_token'), '0 rows, P0002; 3 rows, 2 rows', 'a worker who moves is seen by the new supervisor only');
SELECT chat.admin_set_supervisor(:'supb', :'supa');
SELECT is(pg_temp.sees(:'chief_token'), '4 rows, 2 rows', 'through as many levels as there are');
SELECT chat.admin_set_active(:'supb', false);
SELECT is(pg_temp.sees(:'supa_token') || '; ' || pg_temp.sees(:'chief_token'), '3 rows, 2 rows; 4 rows, 2 rows', 'also through one who is disabled');
SELECT is(pg_temp.try(:'supb_token', 'SELECT * FROM chat.list_supervised_conversations()'), '28000', 'who sees nothing');
SELECT is(pg_temp.outcome(:'supb', 'SELECT * FROM chat.list_supervised_conversations()'), '0 rows', 'nor where a backend says who it is');
SELECT chat.admin_set_role(:'supa', 'worker');
SELECT is(pg_temp.sees(:'supa_token'), '0 rows, P0002', 'a supervisor who no longer is one sees nothing');
SELECT is(pg_temp.sees(:'chief_token'), '1 rows, P0002', 'and those above only who is still below');
SELECT * FROM finish();
ROLLBACK;
