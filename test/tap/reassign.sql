-- Giving conversations to others: who may, what moves, and what stays.
BEGIN;
\ir people.psql
SELECT plan(58);
-- chief over supa over wendy and willy; supb over wanda.
SELECT chat.admin_create_user('chief@example.com', 'chief-password-1', 'supervisor', 'chief') AS chief,
       chat.admin_create_user('willy@example.com', 'willy-password-1', 'worker', 'willy', 'Willy', NULL, :'supa') AS willy,
       chat.admin_create_user('wanda@example.com', 'wanda-password-1', 'worker', 'wanda', 'Wanda', NULL, :'supb') AS wanda \gset
SELECT chat.admin_set_supervisor(:'supa', :'chief');
SELECT pg_temp.log_in('chief', 'chief-password-1') AS chief_token, pg_temp.log_in('willy', 'willy-password-1') AS willy_token, pg_temp.log_in('wanda', 'wanda-password-1') AS wanda_token \gset

-- A conversation of wendy with everything that can hang on one, and another with one of its files.
SELECT pg_temp.got(:'worker_token', 'SELECT chat.create_conversation($$of wendy$$, system_prompt => $$Be brief.$$)') AS conv,
       pg_temp.got(:'worker_token', 'SELECT chat.create_conversation($$stays$$)') AS stays,
       pg_temp.got(:'wanda_token', 'SELECT chat.create_conversation($$of wanda$$)') AS wandas,
       pg_temp.got(:'supa_token', 'SELECT chat.create_conversation($$of supa$$)') AS supas \gset
SELECT chat_private.set_identity(:'worker', 'worker', NULL, true);
SELECT * FROM chat.send_message(:'conv', 'question', idempotency_key => 'k') \gset s_
SELECT user_message_id AS kept FROM chat.send_message(:'stays', 'kept') \gset
SELECT chat_private.set_identity(NULL, NULL, NULL, true);
INSERT INTO chat.folders (user_id, id, name) VALUES (:'worker', :'worker', 'f');
INSERT INTO chat.system_prompts (user_id, id, name, content) VALUES (:'worker', :'worker', 'own', 'Be brief.'), ('00000000-0000-0000-0000-000000000000', :'supa', 'all', 'Be brief.');
INSERT INTO chat.attachments (user_id, id, sha256, media_type, byte_size) VALUES (:'worker', :'worker', sha256('alone'), 'text/plain', 5), (:'worker', :'supa', sha256('shared'), 'text/plain', 6), (:'worker', :'supb', sha256('known'), 'text/plain', 5), (:'willy', :'willy', sha256('known'), 'text/plain', 5);
INSERT INTO chat_private.attachment_data (user_id, attachment_id, data) VALUES (:'worker', :'worker', 'alone'), (:'worker', :'supa', 'shared'), (:'worker', :'supb', 'known'), (:'willy', :'willy', 'known');
INSERT INTO chat.message_attachments (user_id, message_id, position, attachment_id, name) VALUES (:'worker', :'s_user_message_id', 1, :'worker', 'a'), (:'worker', :'s_user_message_id', 2, :'supa', 'b'),
  (:'worker', :'s_user_message_id', 3, :'supb', 'c'), (:'worker', :'s_user_message_id', 4, :'worker', 'd'), (:'worker', :'kept', 1, :'supa', 'e');
UPDATE chat.messages SET attachment_count = CASE id WHEN :'kept' THEN 1 ELSE 4 END WHERE id IN (:'kept', :'s_user_message_id');
INSERT INTO chat.conversation_summaries (user_id, conversation_id, last_message_id, content) VALUES (:'worker', :'conv', :'s_user_message_id', 'in short');
INSERT INTO chat.conversation_imports (user_id, source, source_id, conversation_id) VALUES (:'worker', 'pgchat', 'x', :'conv'), (:'worker', 'pgchat', 'y', :'conv');
SELECT pg_temp.got(:'willy_token', 'SELECT chat.create_conversation($$imported$$)') AS imported \gset
INSERT INTO chat.conversation_imports (user_id, source, source_id, conversation_id) VALUES (:'willy', 'pgchat', 'y', :'imported');
UPDATE chat.conversations SET folder_id = :'worker', system_prompt_id = :'worker', is_pinned = true, tags = '{t}' WHERE id = :'conv';
INSERT INTO chat.usage_events (user_id, conversation_id, cost, outcome) VALUES (:'worker', :'conv', 0.25, 'complete'), (:'worker', :'stays', 8, 'complete');
SELECT pg_temp.got(:'worker_token', format('SELECT token FROM chat.share_conversation(%L, %L)', :'conv', :'s_user_message_id')) AS link,
       pg_temp.got(:'worker_token', format('SELECT chat.grant_conversation(%L, $$willy$$, $$write$$)', :'conv')) AS to_willy,
       pg_temp.got(:'worker_token', format('SELECT chat.grant_conversation(%L, $$bob$$, $$write$$)', :'conv')) AS to_bob \gset

-- what the conversation is, and what hangs on it
CREATE FUNCTION pg_temp.parts(person uuid) RETURNS text LANGUAGE sql AS $$
  SELECT concat_ws(' ', (SELECT count(*) FROM chat.conversations WHERE user_id = person AND id = c), (SELECT count(*) FROM chat.messages WHERE user_id = person AND conversation_id = c),
    (SELECT count(*) FROM chat_private.llm_requests WHERE user_id = person AND conversation_id = c), (SELECT count(*) FROM chat.conversation_summaries WHERE user_id = person),
    (SELECT count(*) FROM chat.message_attachments WHERE user_id = person), (SELECT string_agg(convert_from(d.data, 'UTF8'), ',' ORDER BY d.data) FROM chat_private.attachment_data d JOIN chat.attachments f ON f.user_id = d.user_id AND f.id = d.attachment_id WHERE d.user_id = person),
    (SELECT count(*) FROM chat.conversation_shares WHERE user_id = person), (SELECT count(*) FROM chat_private.share_tokens WHERE user_id = person), (SELECT count(*) FROM chat.conversation_imports WHERE user_id = person AND conversation_id = c))
  FROM CAST(current_setting('test.conv') AS uuid) c
$$;
SELECT set_config('test.conv', :'conv', true);
SELECT is(pg_temp.parts(:'worker'), '1 2 1 1 5 alone,known,shared 3 1 2', 'there is something to move');

-- who may not, and when
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_reassign_conversation(%L, %L)', :'conv', :'willy')), '55006', 'not while a reply is being generated');
SELECT ok(pg_temp.hint_of(:'admin_token', format('SELECT chat.admin_reassign_conversation(%L, %L)', :'conv', :'willy')) LIKE 'Wait%', 'which says to wait');
UPDATE chat.messages SET status = 'complete', content = 'answer' WHERE id = :'s_assistant_message_id';
UPDATE chat_private.llm_requests SET state = 'complete', queued_at = NULL WHERE message_id = :'s_assistant_message_id';
SELECT chat.admin_set_active(:'bob', false);
SELECT is(pg_temp.try(token, format('SELECT chat.admin_reassign_conversation(%L, %L)', conversation, person)), outcome, name)
FROM (VALUES ('not its owner', :'worker_token', :'conv', :'willy', '42501'), ('not a user', :'alice_token', :'conv', :'alice', '42501'), ('not a guest', :'guest_token', :'conv', :'guest', '42501'), ('not nobody', NULL, :'conv', :'willy', '42501'),
             ('not who it is shared with', :'willy_token', :'conv', :'willy', '42501'),
             ('not a supervisor of another team', :'supb_token', :'conv', :'wanda', 'P0002'), ('not from another team', :'supa_token', :'wandas', :'willy', 'P0002'), ('not to another team', :'supa_token', :'conv', :'wanda', 'P0002'),
             ('not from above', :'supa_token', :'conv', :'chief', 'P0002'), ('not what there is not', :'supa_token', :'bob', :'willy', 'P0002'), ('nor does an administrator', :'admin_token', :'bob', :'willy', 'P0002'),
             ('not to who there is not', :'admin_token', :'conv', :'conv', 'P0002'), ('not to a disabled account', :'admin_token', :'conv', :'bob', '55000'), ('not to a guest', :'admin_token', :'conv', :'guest', '55000'),
             ('not nothing', :'admin_token', NULL, :'willy', '22004'), ('not to nobody', :'admin_token', :'conv', NULL, '22004'), ('to who has it is nothing', :'supa_token', :'conv', :'worker', '1 rows')) t (name, token, conversation, person, outcome);
SELECT chat.admin_set_active(:'bob', true);
SELECT is(pg_temp.parts(:'worker'), '1 2 1 1 5 alone,known,shared 3 1 2', 'nothing has moved');
SELECT is(pg_temp.audited('admin.reassign_conversation', 'conversation:' || :'conv'), 0, 'nor is it noted that it had');

-- what moves
SELECT is(pg_temp.try(:'supa_token', format('SELECT chat.admin_reassign_conversation(%L, %L)', :'conv', :'willy')), '1 rows', 'a supervisor gives it to another worker');
SELECT is(pg_temp.parts(:'willy'), '1 2 1 1 4 alone,known,shared 2 1 1', 'who has everything, each file once, and no grant to themselves');
SELECT is(pg_temp.parts(:'worker'), '0 0 0 0 1 shared 0 0 0', 'and the old owner the file that another conversation uses');
SELECT is((SELECT (title, user_id, reassigned_from, former_owner_ids, folder_id, system_prompt, system_prompt_id, is_pinned, tags)::text FROM chat.conversations WHERE id = :'conv'),
          format('("of wendy",%s,%s,{%2$s},,"Be brief.",,f,{t})', :'willy', :'worker'), 'the conversation');
SELECT is((SELECT string_agg(concat_ws(':', role, coalesce(author_id::text, 'none'), content), ' ' ORDER BY id) FROM chat.messages WHERE conversation_id = :'conv'), format('user:%s:question assistant:none:answer', :'worker'), 'who wrote what stays known');
SELECT is(pg_temp.got(:'willy_token', format('SELECT string_agg(content, $$ $$) FROM chat.list_messages(%L)', :'conv')), 'question answer', 'the new owner reads it');
SELECT is(pg_temp.try(:'worker_token', format('SELECT * FROM chat.list_messages(%L)', :'conv')), 'P0002', 'the old one does not');
SELECT is(pg_temp.got(token, 'SELECT count(*) FROM chat.search_messages($$question$$)'), found, 'and finds it: ' || found) FROM (VALUES (:'willy_token', '1'), (:'worker_token', '0')) t (token, found);
SELECT is((SELECT string_agg(a.name || convert_from(d.data, 'UTF8'), ' ' ORDER BY a.position) FROM chat.message_attachments a JOIN chat_private.attachment_data d ON d.user_id = a.user_id AND d.attachment_id = a.attachment_id WHERE a.message_id = :'s_user_message_id'),
          'aalone bshared cknown dalone', 'the files under their names');
SELECT pg_temp.log_in('bob', 'bob-password') AS bob_token \gset
SELECT is(pg_temp.got(:'bob_token', format('SELECT string_agg(content || coalesce(author_name, $$$$), $$ $$) FROM chat.read_shared_conversation(%L)', :'to_bob')), 'questionWendy answer', 'grants to others go on');
SELECT is(pg_temp.try(:'bob_token', format('SELECT chat.send_to_shared(%L, $$x$$)', :'to_bob')), '42501', 'but nobody spends what is the new owner''s');
SELECT is(pg_temp.got(:'willy_token', 'SELECT string_agg(grantee_name || permission, $$,$$) FROM chat.list_my_shares() WHERE kind = $$grant$$'), 'bobread', 'until they allow it');
SELECT is(pg_temp.got(NULL, format('SELECT string_agg(content, $$ $$) FROM chat.read_share(%L)', :'link')), 'question', 'as do links');
SELECT is(pg_temp.try(:'worker_token', format('SELECT chat.revoke_share(%L)', :'to_bob')), 'P0002', 'which the old owner has no say in');
SELECT is(pg_temp.audited('admin.reassign_conversation', 'conversation:' || :'conv'), 1, 'it is noted');
SELECT is((SELECT (user_id, details)::text FROM chat.audit_log WHERE action = 'admin.reassign_conversation' AND outcome = 'success' AND resource = 'conversation:' || :'conv'), (:'supa'::uuid, jsonb_build_object('from', :'worker', 'to', :'willy'))::text, 'who did, from whom and to whom');
SELECT is((SELECT string_agg(DISTINCT u.username, ',' ORDER BY u.username) FROM chat.audit_log a JOIN chat.users u ON u.id = a.user_id WHERE a.action = 'admin.reassign_conversation' AND a.outcome = 'refused'), 'alice,root,supa,supb,wendy,willy', 'as is who tried') FROM chat_private.audit('after.refusals') x;
SELECT is(pg_temp.got(:'willy_token', format('SELECT user_message_id FROM chat.send_message(%L, $$x$$, idempotency_key => $$k$$)', :'conv')), :'s_user_message_id', 'keys stay keys');
SELECT is(pg_temp.got(:'admin_token', 'SELECT string_agg(username || conversations, $$,$$ ORDER BY username) FROM chat.admin_list_users(role => $$worker$$)'), 'wanda1,wendy1,willy2', 'the numbers of conversations are right');

-- what it cost
SELECT is((SELECT string_agg(user_id::text, ' ') FROM chat.usage_events WHERE conversation_id = :'conv'), :'worker', 'who paid has paid');
INSERT INTO chat.usage_events (user_id, conversation_id, cost, outcome) VALUES (:'willy', :'conv', 0.5, 'complete');
SELECT is(pg_temp.got(:'willy_token', format('SELECT chat.conversation_cost(%L)', :'conv')), '0.75', 'and what the conversation cost adds up');
SELECT is(pg_temp.got(:'worker_token', format('SELECT chat.conversation_cost(%L)', :'stays')), '8', 'of each its own');

-- on, and back
SELECT is(pg_temp.try(:'willy_token', format('SELECT user_message_id FROM chat.send_message(%L, $$by willy$$, %L)', :'conv', :'s_assistant_message_id')), '1 rows', 'the new owner goes on');
SELECT is(pg_temp.got(:'willy_token', format('SELECT chat.cancel_message(m.id) FROM chat.messages m WHERE conversation_id = %L AND status = $$pending$$', :'conv')), 'true', 'and stops');
SELECT is(pg_temp.try(:'chief_token', format('SELECT chat.admin_reassign_conversation(%L, %L)', :'conv', :'chief')), '1 rows', 'one two levels up takes it');
SELECT is((SELECT string_agg(u.username, ' ' ORDER BY m.id) FROM chat.messages m JOIN chat.users u ON u.id = m.author_id WHERE m.conversation_id = :'conv'), 'wendy willy', 'all authors stay known');
SELECT is(pg_temp.try(NULL, format('SELECT chat.admin_reassign_conversation(%L, %L)', :'conv', :'worker'), 'pgchat_service'), '1 rows', 'an operator gives it back');
SELECT is((SELECT (reassigned_from = :'chief', former_owner_ids = ARRAY[:'willy', :'chief']::uuid[])::text FROM chat.conversations WHERE id = :'conv'), '(t,t)', 'with those who had it');
SELECT is((SELECT string_agg(coalesce(u.username, 'owner'), ' ' ORDER BY m.id) FROM chat.messages m LEFT JOIN chat.users u ON u.id = m.author_id WHERE m.conversation_id = :'conv' AND m.role = 'user'), 'owner willy', 'who wrote as its owner is its owner again');
SELECT is(pg_temp.got(:'worker_token', format('SELECT chat.conversation_cost(%L)', :'conv')), '0.75', 'what it cost stays what it cost');
SELECT is(pg_temp.parts(:'worker'), '1 4 2 1 5 alone,known,shared 2 1 1', 'and all is back');
SELECT is(pg_temp.parts(:'chief') || '; ' || pg_temp.parts(:'willy'), '0 0 0 0 0 0 0 0; 0 0 0 0 0 0 0 0', 'none of it elsewhere');
SELECT is(pg_temp.got(NULL, format('SELECT string_agg(content, $$ $$) FROM chat.read_share(%L)', :'link')), 'question', 'the link still leads to it');
SELECT chat.admin_delete_user(:'chief');
SELECT is(pg_temp.got(NULL, format('SELECT string_agg(content, $$ $$) FROM chat.read_share(%L)', :'link')), 'question', 'also when somebody who had it is gone');
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_reassign_conversation(%L, %L)', :'supas', :'worker')), '1 rows', 'an administrator moves any');
SET CONSTRAINTS ALL IMMEDIATE;
SELECT * FROM finish();
ROLLBACK;
