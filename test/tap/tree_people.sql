-- Whose trees are changed by whom: one's own, as a guest too, and nobody else's, whatever one's role; and not without an identity.
BEGIN;
\ir people.psql
SELECT plan(8);
SELECT pg_temp.got(:'worker_token', 'SELECT chat.create_conversation()') AS conv, pg_temp.got(:'guest_token', 'SELECT chat.create_conversation()') AS guests \gset
SELECT pg_temp.got(:'worker_token', format('SELECT s.user_message_id || $$ $$ || s.assistant_message_id FROM chat.send_message(%L, $$Hello$$) s', :'conv')) AS ids \gset
SELECT split_part(:'ids', ' ', 1) AS question, split_part(:'ids', ' ', 2) AS reply \gset
UPDATE chat.messages SET status = 'incomplete', content = 'Hi' WHERE id = :'reply';
CREATE TEMP TABLE acts ON COMMIT DROP AS
  SELECT * FROM unnest(ARRAY[
    format('SELECT * FROM chat.list_messages(%L)', :'conv'), format('SELECT * FROM chat.list_messages(%L, NULL, 5)', :'conv'),
    format('SELECT * FROM chat.find_duplicates(%L)', :'conv'), format('SELECT chat.select_branch(%L, %L)', :'conv', :'question'),
    format('SELECT chat.rate_message(%L, 1, $$good$$)', :'reply'), format('SELECT chat.fork_conversation(%L)', :'conv'),
    format('SELECT chat.edit_message(%L, $$Hi$$)', :'reply'), format('SELECT chat.edit_message(%L, $$Hello!$$)', :'question'),
    format('SELECT chat.continue_message(%L)', :'reply'), format('SELECT chat.regenerate_message(%L)', :'reply')]) act;
GRANT SELECT ON acts TO PUBLIC;
SELECT count(*) AS messages FROM chat.messages \gset
SELECT is_empty(format($$SELECT act, o FROM acts, LATERAL pg_temp.try(%L, act) o WHERE o <> 'P0002'$$, token), 'not by ' || who)
FROM (VALUES (:'supa_token', 'the supervisor'), (:'supb_token', 'another supervisor'), (:'admin_token', 'an administrator'), (:'alice_token', 'another user'),
             (:'guest_token', 'a guest')) t (token, who);
SELECT is((SELECT count(*) FROM chat.messages), :messages::bigint, 'nothing of it was stored');
SELECT is_empty(format($$SELECT act, o FROM acts, LATERAL pg_temp.try(%L, act) o WHERE o !~ 'rows'$$, :'worker_token'), 'but by who owns it');
SELECT is(pg_temp.try(:'guest_token', format('SELECT e.* FROM chat.send_message(%L, $$Hello$$) s, LATERAL chat.edit_message(s.user_message_id, $$Hi$$) e', :'guests')), '1 rows',
          'and a guest edits their own');
SELECT * FROM finish();
ROLLBACK;
