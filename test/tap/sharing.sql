-- Sharing: links and grants, who is shown what, and when that ends.
BEGIN;
\ir people.psql
SELECT plan(213);

-- A conversation of alice: two branches below the first message, the second of which is active and ends in a reply in progress.
SELECT pg_temp.got(:'alice_token', 'SELECT chat.create_conversation($$A title$$, system_prompt => $$Be secret.$$)') AS conv,
       pg_temp.got(:'bob_token', 'SELECT chat.create_conversation($$Of bob$$)') AS bobs \gset
CREATE FUNCTION pg_temp.add(conversation uuid, parent uuid, role text, content text, status text DEFAULT 'complete') RETURNS uuid LANGUAGE sql AS $$
  INSERT INTO chat.messages (user_id, conversation_id, parent_id, role, status, content, content_hash, thinking, tool_calls, cost)
  SELECT c.user_id, c.id, parent, add.role, add.status, add.content, chat.content_hash(add.content),
         CASE add.role WHEN 'assistant' THEN 'a thought' END, CASE add.content WHEN '' THEN jsonb '[{"id": "1"}]' END, 0.5
  FROM chat.conversations c WHERE c.id = conversation RETURNING id
$$;
SELECT pg_temp.add(:'conv', NULL, 'user', 'one') AS m1 \gset
SELECT pg_temp.add(:'conv', :'m1', 'assistant', 'two') AS m2 \gset
SELECT pg_temp.add(:'conv', :'m2', 'user', 'old end') AS old_end \gset
SELECT pg_temp.add(:'conv', :'m2', 'user', 'three') AS m3 \gset
SELECT pg_temp.add(:'conv', :'m3', 'assistant', '') AS call \gset
SELECT pg_temp.add(:'conv', :'call', 'tool', 'a result') AS tool \gset
SELECT pg_temp.add(:'conv', :'tool', 'assistant', 'four') AS m4 \gset
SELECT pg_temp.add(:'conv', :'m4', 'user', 'five') AS m5 \gset
SELECT pg_temp.add(:'conv', :'m5', 'assistant', 'half', 'streaming') AS m6 \gset
UPDATE chat.conversations SET active_leaf_id = :'m6' WHERE id = :'conv';
INSERT INTO chat.attachments (user_id, id, sha256, media_type, byte_size, width, height) VALUES (:'alice', :'m1', sha256('picture'), 'text/plain', 7, 2, 3);
INSERT INTO chat_private.attachment_data (user_id, attachment_id, data) VALUES (:'alice', :'m1', 'picture');
INSERT INTO chat.message_attachments (user_id, message_id, position, attachment_id, name) VALUES (:'alice', :'m1', 1, :'m1', 'p.png'), (:'alice', :'old_end', 1, :'m1', 'again.png');
UPDATE chat.messages SET attachment_count = 1 WHERE id IN (:'m1', :'old_end');

-- The texts that a statement of messages gives.
CREATE FUNCTION pg_temp.texts(token text, call text) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.got(texts.token, format('SELECT string_agg(content, ''|'') FROM %s', texts.call))
$$;
CREATE FUNCTION pg_temp.message_of(token text, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_temp.got(token, statement);
  RETURN NULL;
EXCEPTION WHEN OTHERS THEN
  PERFORM set_config('role', 'none', true);
  RETURN SQLERRM;
END $$;

-- links
SELECT split_part(s, ',', 1) AS share, split_part(s, ',', 2) AS token
FROM (SELECT btrim(pg_temp.got(:'alice_token', format('SELECT s FROM chat.share_conversation(%L) s', :'conv')), '()')) x (s) \gset
SELECT matches(:'token'::text, '^pgl_[A-Za-z0-9_-]{64}$', 'a link has a token');
SELECT is((SELECT count(*)::int FROM chat_private.share_tokens t WHERE to_jsonb(t)::text LIKE '%' || substr(:'token', 30) || '%'), 0, 'which is stored nowhere');
SELECT is(pg_temp.audited('share.create', 'conversation:' || :'conv'), 1, 'making it is audited');
SELECT is(pg_temp.texts(who, format('chat.read_share(%L)', :'token')), 'one|two|three|four|five', 'anyone with the link reads what was there')
FROM unnest(ARRAY[NULL, :'bob_token', :'guest_token', :'alice_token', :'admin_token']) who;
SELECT is(pg_temp.got(NULL, format('SELECT (title, includes_later, requires_login, allows_fork, expires_at) FROM chat.shared_conversation(%L)', :'token')),
          '("A title",f,f,f,)', 'and its title');
SELECT is(pg_temp.got(NULL, format('SELECT jsonb_agg(DISTINCT k ORDER BY k) FROM chat.read_share(%L) m, jsonb_each(to_jsonb(m)) e (k, v) WHERE v <> %L', :'token', 'null')),
          '["attachments", "content", "created_at", "id", "role", "status"]', 'nothing is told but what was said');
SELECT is(pg_temp.got(NULL, format('SELECT jsonb_agg(attachments) FROM chat.read_share(%L) WHERE attachments <> %L', :'token', '[]')),
          '[[{"name": "p.png", "width": 2, "height": 3, "position": 1, "byte_size": 7, "media_type": "text/plain"}]]', 'and which files');
SELECT is(pg_temp.got(NULL, format('SELECT chat.shared_attachment_content(%L, %L, 1)', :'token', :'m1')), '\x70696374757265', 'whose bytes are there');
SELECT is(pg_temp.try(NULL, format('SELECT chat.shared_attachment_content(%L, %L, %s)', :'token', message, place)), 'P0002', 'no other file is')
FROM (VALUES (:'m1', 2), (:'old_end', 1), (:'m2', 1), (:'bob', 1)) t (message, place);
UPDATE chat.messages SET status = 'complete', content = 'six' WHERE id = :'m6';
SELECT pg_temp.add(:'conv', :'m6', 'user', 'seven') AS m7 \gset
UPDATE chat.conversations SET active_leaf_id = :'m7', title = 'A later title' WHERE id = :'conv';
SELECT is(pg_temp.texts(NULL, format('chat.read_share(%L)', :'token')), 'one|two|three|four|five', 'nothing later is shown, a reply that ended neither');
SELECT is(pg_temp.got(NULL, format('SELECT title FROM chat.shared_conversation(%L)', :'token')), 'A title', 'nor a later title');
SELECT pg_temp.got(:'alice_token', format('SELECT token FROM chat.share_conversation(%L, includes_later => true)', :'conv')) AS live,
       pg_temp.got(:'alice_token', format('SELECT token FROM chat.share_conversation(%L, %L)', :'conv', :'old_end')) AS other,
       pg_temp.got(:'alice_token', format('SELECT token FROM chat.share_conversation(%L, %L, includes_later => true)', :'conv', :'old_end')) AS branch \gset
SELECT pg_temp.add(:'conv', :'m7', 'assistant', 'ei', 'streaming') AS m8 \gset
UPDATE chat.conversations SET active_leaf_id = :'m8' WHERE id = :'conv';
SELECT pg_temp.add(:'conv', :'old_end', 'assistant', 'old answer') AS old_answer \gset
SELECT is(pg_temp.texts(NULL, format('chat.read_share(%L)', :'live')), 'one|two|three|four|five|six|seven|ei', 'a link that includes it shows what is later, as far as it is');
SELECT is(pg_temp.got(NULL, format('SELECT title FROM chat.shared_conversation(%L)', :'live')), 'A later title', 'and the later title');
SELECT is(pg_temp.texts(NULL, format('chat.read_share(%L)', :'other')), 'one|two|old end', 'one branch is shared');
SELECT is(pg_temp.texts(NULL, format('chat.read_share(%L)', :'branch')), 'one|two|old end|old answer', 'or that and what follows it');
UPDATE chat.conversations SET active_leaf_id = :'old_end' WHERE id = :'conv';
SELECT is(pg_temp.texts(NULL, format('chat.read_share(%L)', :'branch')), 'one|two|old end', 'as the active branch continues it');
SELECT is(pg_temp.texts(NULL, format('chat.read_share(%L)', :'live')), 'one|two|old end', 'the active branch is whichever it is then');
UPDATE chat.conversations SET active_leaf_id = :'m8' WHERE id = :'conv';

-- whatever is wrong with a token, the answer is one
SELECT pg_temp.got(:'alice_token', format('SELECT token FROM chat.share_conversation(%L, expires_in => %L)', :'conv', '1 hour')) AS short,
       pg_temp.got(:'alice_token', format('SELECT token FROM chat.share_conversation(%L)', :'conv')) AS revoked,
       pg_temp.got(:'alice_token', 'SELECT chat.create_conversation()') AS gone \gset
SELECT pg_temp.add(:'gone', NULL, 'user', 'gone') AS gone_message \gset
UPDATE chat.conversations SET active_leaf_id = :'gone_message' WHERE id = :'gone';
SELECT pg_temp.got(:'alice_token', format('SELECT token FROM chat.share_conversation(%L)', :'gone')) AS deleted \gset
SELECT is(pg_temp.texts(NULL, format('chat.read_share(%L)', token)) IS NOT NULL, true, 'the links work before') FROM unnest(ARRAY[:'short', :'revoked', :'deleted']) token;
UPDATE chat.conversation_shares SET expires_at = clock_timestamp() WHERE expires_at IS NOT NULL;
SELECT pg_temp.got(:'alice_token', 'SELECT chat.revoke_share(max(share_id::text)::uuid) FROM chat.list_my_shares() WHERE NOT is_expired AND conversation_id = ' || quote_literal(:'conv'));
DELETE FROM chat.conversations WHERE id = :'gone';
CREATE TEMP TABLE bad_tokens ON COMMIT DROP AS SELECT * FROM unnest(ARRAY[:'short', :'revoked', :'deleted', '', 'x', 'pgl_', 'pgt_' || substr(:'token', 5), substr(:'token', 5),
  left(:'token', 67) || CASE right(:'token', 1) WHEN 'A' THEN 'B' ELSE 'A' END, :'alice_token', repeat('x', 100000)]) token;
SELECT is(string_agg(DISTINCT o || pg_temp.message_of(NULL, format(call, token)), ','), 'P0002shared conversation not found', call)
FROM bad_tokens, (VALUES ('SELECT chat.read_share(%L)'), ('SELECT chat.shared_conversation(%L)'), ('SELECT chat.shared_attachment_content(%L, chat.uuid_v7(), 1)')) c (call),
     LATERAL pg_temp.try(NULL, format(call, token)) o GROUP BY call;
SELECT is(pg_temp.try(:'bob_token', format('SELECT chat.fork_shared(%L)', token)), 'P0002', 'nor is it copied') FROM bad_tokens;
SELECT is(pg_temp.try(NULL, 'SELECT chat.read_share(NULL)'), '22004', 'a token is given');
CREATE FUNCTION pg_temp.scans() RETURNS bigint LANGUAGE sql AS $$
  SELECT sum(pg_stat_get_xact_numscans(name)) FROM unnest(ARRAY['chat_private.share_tokens', 'chat.conversation_shares', 'chat.users', 'chat.conversations', 'chat.messages']::regclass[]) name
$$;
SELECT pg_temp.scans() AS scans \gset
SELECT is(pg_temp.try(NULL, format('SELECT chat.read_share(%L)', token)), 'P0002', 'a wrong token') FROM unnest(ARRAY['pgl_' || repeat('A', 64), left(:'token', 40) || repeat('A', 28)]) token;
SELECT is(pg_temp.scans(), :'scans', 'reads no table from end to end');
SELECT chat.admin_set_active(:'alice', false);
SELECT is(pg_temp.try(NULL, format('SELECT chat.read_share(%L)', :'token')), 'P0002', 'links of a disabled account lead nowhere');
SELECT chat.admin_set_active(:'alice', true);
SELECT pg_temp.log_in('alice', 'alice-password') AS alice_token \gset
SELECT chat.admin_set_setting('share_links', '"nobody"');
SELECT is(pg_temp.try(NULL, format('SELECT chat.read_share(%L)', :'token')), 'P0002', 'nor do any where links are switched off');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.share_conversation(%L)', :'conv')), '42501', 'and none are made');
SELECT chat.admin_set_setting('share_links', '"login"');
SELECT is(pg_temp.try(NULL, format('SELECT chat.read_share(%L)', :'token')), '28000', 'an installation can want a login for all links');
SELECT chat.admin_set_setting('share_links', NULL);

-- requires_login, and what a link is made of
SELECT pg_temp.got(:'alice_token', format('SELECT token FROM chat.share_conversation(%L, requires_login => true, allows_fork => true)', :'conv')) AS inside \gset
SELECT is(pg_temp.try(who, format('SELECT * FROM chat.read_share(%L)', :'inside')), outcome, 'with login: ' || outcome)
FROM (VALUES (NULL, '28000'), (:'guest_token', '28000'), (:'bob_token', '7 rows'), (:'alice_token', '7 rows')) t (who, outcome);
SELECT ok(pg_temp.hint_of(NULL, format('SELECT chat.shared_conversation(%L)', :'inside')) LIKE '%chat.authenticate%', 'which says to log in');
SELECT is(pg_temp.try(:'alice_token', statement), outcome, statement)
FROM (VALUES ('SELECT chat.share_conversation(NULL)', '22004'), (format('SELECT chat.share_conversation(%L, requires_login => NULL)', :'conv'), '22004'),
             (format('SELECT chat.share_conversation(%L)', :'bobs'), 'P0002'), (format('SELECT chat.share_conversation(%L, %L)', :'conv', :'bob'), 'P0002'),
             (format('SELECT chat.share_conversation(%L, expires_in => %L)', :'conv', '0'), '22023'), (format('SELECT chat.share_conversation(%L, expires_in => %L)', :'conv', '-1 day'), '22023'),
             (format('SELECT chat.share_conversation(%L, expires_in => %L)', :'conv', '200 years'), '22023'),
             ('SELECT chat.share_conversation(chat.create_conversation())', '55000'), ('SELECT chat.share_conversation(chat.create_conversation(), includes_later => true)', '1 rows')) t (statement, outcome);

-- fork_shared
SELECT is(pg_temp.try(:'bob_token', format('SELECT chat.fork_shared(%L)', :'token')), '42501', 'a link allows no copy unless it says so');
SELECT is(pg_temp.try(NULL, format('SELECT chat.fork_shared(%L)', :'inside')), '28000', 'a copy needs an account');
SELECT is(pg_temp.try(:'bob_token', 'SELECT chat.fork_shared(NULL)'), '22004', 'and a token');
SELECT pg_temp.got(:'bob_token', format('SELECT chat.fork_shared(%L)', :'inside')) AS fork \gset
SELECT is(pg_temp.texts(:'bob_token', format('chat.list_messages(%L)', :'fork')), 'one|two|three|four|five|six|seven', 'a copy is one''s own');
SELECT is(pg_temp.got(:'bob_token', format('SELECT (c.title, c.title_source, c.system_prompt, c.model, (SELECT count(*) FROM chat.messages m WHERE m.conversation_id = c.id AND (m.user_id <> c.user_id OR m.thinking IS NOT NULL OR m.cost IS NOT NULL OR m.author_id IS NOT NULL OR m.content_hash IS DISTINCT FROM chat.content_hash(m.content)))) FROM chat.conversations c WHERE id = %L', :'fork')),
          '("A later title",given,,,0)', 'with nothing of its owner''s');
SELECT is((SELECT string_agg(d.data::text || m.content || a.name, ',') FROM chat.messages m JOIN chat.message_attachments a ON a.user_id = m.user_id AND a.message_id = m.id
           JOIN chat_private.attachment_data d ON d.user_id = a.user_id AND d.attachment_id = a.attachment_id WHERE m.conversation_id = :'fork' AND m.user_id = :'bob' AND m.attachment_count = 1),
          '\x70696374757265onep.png', 'the files are one''s own, too');
SELECT pg_temp.got(:'bob_token', format('SELECT chat.fork_shared(%L)', :'inside'));
SELECT is((SELECT count(*)::int FROM chat.attachments WHERE user_id = :'bob'), 1, 'and stored once');
SELECT chat.admin_save_plan('free', limits => '{"conversations": 1}');
SELECT is(pg_temp.try(:'bob_token', format('SELECT chat.fork_shared(%L)', :'inside')), 'PC303', 'a copy counts as a conversation');
SELECT chat.admin_save_plan('free', limits => '{"attachment_bytes": 3}');
DELETE FROM chat.conversations WHERE user_id = :'bob' AND metadata ? 'forked_share';
DELETE FROM chat.attachments WHERE user_id = :'bob';
SELECT is(pg_temp.try(:'bob_token', format('SELECT chat.fork_shared(%L)', :'inside')), 'PC308', 'and its files as files');
SELECT chat.admin_save_plan('free', limits => '{}');

-- grants
SELECT pg_temp.got(:'alice_token', format('SELECT chat.grant_conversation(%L, %L)', :'conv', ' BOB@example.com')) AS granted \gset
SELECT is((SELECT (grantee_id, grantee_name, permission, includes_later)::text FROM chat.conversation_shares WHERE id = :'granted'), format('(%s,BOB@example.com,read,t)', :'bob'), 'a grant to an address');
SELECT is(pg_temp.audited('share.grant', 'conversation:' || :'conv'), 1, 'is audited');
SELECT is(pg_temp.try(who, format('SELECT * FROM chat.read_shared_conversation(%L)', :'granted')), outcome, 'read: ' || name)
FROM (VALUES ('the grantee', :'bob_token', '10 rows'), ('the owner', :'alice_token', 'P0002'), ('another', :'worker_token', 'P0002'), ('an administrator', :'admin_token', 'P0002'),
             ('a supervisor', :'supa_token', 'P0002'), ('a guest', :'guest_token', 'P0002'), ('nobody', NULL, '28000')) t (name, who, outcome);
SELECT is(pg_temp.texts(:'bob_token', format('chat.read_shared_conversation(%L)', :'granted')), 'one|two|three||a result|four|five|six|seven|ei', 'the active branch, as it is');
SELECT is(pg_temp.texts(:'bob_token', format('chat.read_shared_conversation(%L, %L)', :'granted', :'old_end')), 'one|two|old end|old answer', 'or another, to its end');
SELECT is(pg_temp.got(:'bob_token', format('SELECT (author_name, author_id, thinking, sibling_ids) FROM chat.read_shared_conversation(%L) OFFSET 3', :'granted')), '(,,"a thought",{' || :'call' || '})', 'with thinking');
SELECT is(pg_temp.got(:'bob_token', format('SELECT (author_name, author_id = %L, parent_id = %L, sibling_ids) FROM chat.read_shared_conversation(%L) OFFSET 2', :'alice', :'m2', :'granted')),
          format('(Alice,t,t,"{%s,%s}")', :'old_end', :'m3'), 'authors and siblings');
SELECT is(pg_temp.try(:'bob_token', format('SELECT * FROM chat.read_shared_conversation(%L, %L)', :'granted', :'bob')), 'P0002', 'a leaf of it');
SELECT is(pg_temp.try(:'bob_token', 'SELECT * FROM chat.read_shared_conversation(NULL)'), '22004', 'and a share');
SELECT is(pg_temp.got(:'bob_token', format('SELECT chat.shared_attachment_content(%L::uuid, %L, 1)', :'granted', :'old_end')), '\x70696374757265', 'the files of all branches');
SELECT is(pg_temp.try(who, format('SELECT chat.shared_attachment_content(%L::uuid, %L, %s)', :'granted', message, place)), outcome, 'no other files')
FROM (VALUES (:'bob_token', :'m1', 2, 'P0002'), (:'bob_token', :'bob', 1, 'P0002'), (:'worker_token', :'m1', 1, 'P0002'), (NULL, :'m1', 1, '28000')) t (who, message, place, outcome);
SELECT is(pg_temp.got(:'bob_token', 'SELECT (share_id, owner_name, title, permission, includes_later, expires_at) FROM chat.list_shared_with_me()'), format('(%s,Alice,"A later title",read,t,)', :'granted'), 'the grantee''s list');
SELECT is(pg_temp.got(:'worker_token', 'SELECT count(*) FROM chat.list_shared_with_me()'), '0', 'others have none');
SELECT is(pg_temp.try(NULL, 'SELECT * FROM chat.list_shared_with_me()'), '28000', 'nobody has no list');
SELECT is(pg_temp.got(:'alice_token', format('SELECT (kind, grantee_name, permission, title) FROM chat.list_my_shares(%L) WHERE share_id = %L', :'conv', :'granted')), '(grant,BOB@example.com,read,"A later title")', 'the owner''s list');
SELECT is(pg_temp.got(:'bob_token', 'SELECT count(*) FROM chat.list_my_shares()'), '0', 'is the owner''s');
SELECT is(pg_temp.try(:'bob_token', format('SELECT * FROM chat.list_my_shares(%L)', :'conv')), 'P0002', 'and about the owner''s conversations');
SELECT is(pg_temp.got(:'bob_token', 'SELECT count(*) FROM chat.messages WHERE user_id = ' || quote_literal(:'alice')), '0', 'a grant opens no table');
SELECT is(pg_temp.try(:'bob_token', format('SELECT * FROM chat.list_messages(%L)', :'conv')), 'P0002', 'nor other functions');

-- naming people
SELECT pg_temp.got(:'alice_token', format('SELECT chat.grant_conversation(%L, %L)', :'conv', name)) AS again FROM (VALUES ('bob')) t (name) \gset
SELECT is(:'again'::text, :'granted', 'a second grant takes the first one''s place');
SELECT is(pg_temp.got(:'alice_token', format('SELECT chat.grant_conversation(%L, %L)', :'conv', :'bob')), :'granted', 'an id names a user, too');
SELECT chat.admin_set_active(:'supb', false);
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.grant_conversation(%L, %L)', :'conv', name)) || pg_temp.message_of(:'alice_token', format('SELECT chat.grant_conversation(%L, %L)', :'conv', name)),
          'P0002nobody of that name can be shared with', 'whoever it is not, the answer is one: ' || left(name, 20))
FROM unnest(ARRAY['nobody@example.com', 'nobody', '', 'supb', :'supb', :'guest', '00000000-0000-0000-0000-000000000000', repeat('x', 1000)]) name;
SELECT chat_private.audit('after.refusals');
SELECT is((SELECT count(*)::int FROM chat.audit_log WHERE action = 'share.grant' AND outcome = 'refused' AND user_id = :'alice'), 16, 'and each attempt is audited');
SELECT chat.admin_set_active(:'supb', true);
SELECT pg_temp.log_in('supb', 'supb-password-1') AS supb_token \gset
SELECT is(pg_temp.try(who, statement), outcome, statement || outcome)
FROM (VALUES (:'alice_token', 'SELECT chat.grant_conversation(NULL, $$bob$$)', '22004'), (:'alice_token', format('SELECT chat.grant_conversation(%L, NULL)', :'conv'), '22004'),
             (:'alice_token', format('SELECT chat.grant_conversation(%L, $$alice$$)', :'conv'), '22023'), (:'alice_token', format('SELECT chat.grant_conversation(%L, $$bob$$, $$own$$)', :'conv'), '22023'),
             (:'alice_token', format('SELECT chat.grant_conversation(%L, $$bob$$, $$write$$, includes_later => false)', :'conv'), '22023'),
             (:'alice_token', format('SELECT chat.grant_conversation(%L, $$bob$$, expires_in => $$-1 s$$)', :'conv'), '22023'),
             (:'bob_token', format('SELECT chat.grant_conversation(%L, $$wendy$$)', :'conv'), 'P0002'), (NULL, format('SELECT chat.grant_conversation(%L, $$bob$$)', :'conv'), '28000'),
             (:'guest_token', 'SELECT chat.grant_conversation(chat.create_conversation(), $$bob$$)', '42501')) t (who, statement, outcome);

-- writing
SELECT is(pg_temp.try(:'bob_token', statement), '42501', 'who may read does not write: ' || statement)
FROM unnest(ARRAY[format('SELECT chat.send_to_shared(%L, $$x$$)', :'granted'), format('SELECT chat.cancel_shared_message(%L, %L)', :'granted', :'m8')]) statement;
SELECT is(pg_temp.got(:'alice_token', format('SELECT chat.grant_conversation(%L, $$wendy$$, $$write$$)', :'conv')) IS NOT NULL, true, 'a second grantee, who may write');
SELECT share_id AS writing FROM chat_private.set_identity(:'worker', 'worker', NULL, true), chat.list_shared_with_me() \gset
SELECT chat_private.set_identity(NULL, NULL, NULL, true);
SELECT split_part(s, ',', 1) AS sent, split_part(s, ',', 2) AS reply
FROM (SELECT btrim(pg_temp.got(:'worker_token', format('SELECT s FROM chat.send_to_shared(%L, $$from wendy$$, %L, idempotency_key => $$k$$) s', :'writing', :'m4')), '()')) x (s) \gset
SELECT is((SELECT (user_id, author_id, parent_id, content, role)::text FROM chat.messages WHERE id = :'sent'), format('(%s,%s,%s,"from wendy",user)', :'alice', :'worker', :'m4'), 'a message in the owner''s conversation, by the grantee');
SELECT is((SELECT (m.user_id, m.status, q.user_id, q.state)::text FROM chat.messages m JOIN chat_private.llm_requests q ON q.message_id = m.id WHERE m.id = :'reply'), format('(%s,pending,%1$s,queued)', :'alice'), 'and a request of the owner''s');
SELECT is(pg_temp.got(:'bob_token', format('SELECT string_agg(author_name, %L) FROM chat.read_shared_conversation(%L)', ',', :'granted')), 'Alice,Alice,Wendy', 'others see who wrote what');
SELECT is(pg_temp.got(:'worker_token', format('SELECT user_message_id FROM chat.send_to_shared(%L, $$again$$, %L, idempotency_key => $$k$$)', :'writing', :'m4')), :'sent', 'the same key gives the first ids');
SELECT pg_temp.got(:'alice_token', format('SELECT user_message_id FROM chat.send_message(%L, $$of alice$$, %L, idempotency_key => $$own$$)', :'conv', :'m4')) AS own \gset
SELECT is(pg_temp.got(:'worker_token', format('SELECT user_message_id FROM chat.send_to_shared(%L, $$again$$, %L, idempotency_key => $$own$$)', :'writing', :'m4')), :'own', 'also where the owner used it');
SELECT is((SELECT author_id FROM chat.messages WHERE id = :'own'), NULL, 'whose message it stays');
SELECT is(pg_temp.try(who, statement), outcome, name)
FROM (VALUES ('options are checked', :'worker_token', format('SELECT chat.send_to_shared(%L, $$x$$, %L, options => $$[]$$)', :'writing', :'m4'), 'PC002'),
             ('models are the owner''s to choose', :'worker_token', format('SELECT chat.send_to_shared(%L, $$x$$, %L, options => $${"fallback_models": ["m"]}$$)', :'writing', :'m4'), '42501'),
             ('a parent in it', :'worker_token', format('SELECT chat.send_to_shared(%L, $$x$$, %L)', :'writing', :'bob'), 'P0002'),
             ('some text', :'worker_token', format('SELECT chat.send_to_shared(%L, NULL)', :'writing'), '22004'),
             ('a share', :'worker_token', 'SELECT chat.send_to_shared(NULL, $$x$$)', '22004'),
             ('another does not write', :'bob_token', format('SELECT chat.send_to_shared(%L, $$x$$)', :'writing'), 'P0002'),
             ('nor the owner through it', :'alice_token', format('SELECT chat.send_to_shared(%L, $$x$$)', :'writing'), 'P0002'),
             ('nor nobody', NULL, format('SELECT chat.send_to_shared(%L, $$x$$)', :'writing'), '28000'),
             ('stopping names a message', :'worker_token', format('SELECT chat.cancel_shared_message(%L, NULL)', :'writing'), '22004'),
             ('of this conversation', :'worker_token', format('SELECT chat.cancel_shared_message(%L, %L)', :'writing', :'bob'), 'P0002'),
             ('by who may', :'bob_token', format('SELECT chat.cancel_shared_message(%L, %L)', :'writing', :'reply'), 'P0002'),
             ('a stream is of a message', :'worker_token', format('SELECT * FROM chat.read_shared_stream(%L, NULL)', :'writing'), '22004'),
             ('in it', :'worker_token', format('SELECT * FROM chat.read_shared_stream(%L, %L)', :'writing', :'bob'), 'P0002'),
             ('and read by who may', :'bob_token', format('SELECT * FROM chat.read_shared_stream(%L, %L)', :'writing', :'reply'), 'P0002'),
             ('a message that has ended', :'bob_token', format('SELECT * FROM chat.read_shared_stream(%L, %L)', :'granted', :'m4'), '3 rows')) t (name, who, statement, outcome);
SELECT pg_temp.got(:'worker_token', 'SELECT chat.add_attachment($$lent$$)') AS lent \gset
SELECT pg_temp.got(:'worker_token', format('SELECT user_message_id FROM chat.send_to_shared(%L, $$files$$, %L, %L)', :'writing', :'m4', jsonb_build_array(jsonb_build_object('attachment_id', :'lent', 'name', 'l'), jsonb_build_object('data', 'bmV3', 'name', 'n')))) AS filed \gset
SELECT is((SELECT string_agg(a.name || convert_from(d.data, 'UTF8'), ',' ORDER BY a.position) FROM chat.message_attachments a JOIN chat_private.attachment_data d ON d.user_id = a.user_id AND d.attachment_id = a.attachment_id WHERE a.message_id = :'filed' AND a.user_id = :'alice'),
          'llent,nnew', 'a grantee''s files are copied to the owner');
SELECT is(pg_temp.try(:'worker_token', format('SELECT chat.send_to_shared(%L, $$x$$, %L, %L)', :'writing', :'m4', files)), outcome, 'files: ' || files)
FROM (VALUES (format('[{"attachment_id": "%s"}]', :'m1'), 'P0002'), ('{}', '22023'), ('[{"attachment_id": "x"}]', '22023'), ('[{"attachment_id": null}]', '22023')) t (files, outcome);
SELECT is(pg_temp.got(:'worker_token', format('SELECT chat.cancel_shared_message(%L, %L)', :'writing', :'reply')), 'true', 'who may write stops a reply');
SELECT is((SELECT status FROM chat.messages WHERE id = :'reply'), 'cancelled', 'which says so');
SELECT is(pg_temp.got(:'worker_token', 'SELECT chat.current_user_id()'), :'worker', 'afterwards everybody is who they were');

-- grants of what there is, changing, expiring, revoking
UPDATE chat.conversations SET active_leaf_id = :'old_answer' WHERE id = :'conv';
SELECT pg_temp.got(:'alice_token', format('SELECT chat.grant_conversation(%L, $$supa$$, includes_later => false)', :'conv')) AS fixed \gset
SELECT pg_temp.add(:'conv', :'old_answer', 'user', 'later') AS later \gset
UPDATE chat.conversations SET active_leaf_id = :'later', title = 'Newest' WHERE id = :'conv';
SELECT is(pg_temp.texts(:'supa_token', format('chat.read_shared_conversation(%L)', :'fixed')), 'one|two|old end|old answer', 'a grant of what there is shows nothing later');
SELECT is(pg_temp.texts(:'supa_token', format('chat.read_shared_conversation(%L, %L)', :'fixed', :'m2')), 'one|two', 'as far as one wants');
SELECT is(pg_temp.try(:'supa_token', format('SELECT * FROM chat.read_shared_conversation(%L, %L)', :'fixed', leaf)), 'P0002', 'and no other branch') FROM unnest(ARRAY[:'later', :'m4']) leaf;
SELECT is(pg_temp.try(:'supa_token', format('SELECT * FROM chat.read_shared_stream(%L, %L)', :'fixed', :'m4')), 'P0002', 'nor its streams');
SELECT is(pg_temp.got(:'supa_token', 'SELECT (title, last_message_at) FROM chat.list_shared_with_me()'), '("A later title",)', 'nor its title');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.update_share(%L, includes_later => true)', :'fixed')), '1 rows', 'until the owner changes it');
SELECT is(pg_temp.texts(:'supa_token', format('chat.read_shared_conversation(%L)', :'fixed')), 'one|two|old end|old answer|later', 'then it is shown');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.update_share(%L, includes_later => false)', :'fixed')), '1 rows', 'and changed back');
SELECT pg_temp.add(:'conv', :'later', 'assistant', 'latest') AS latest \gset
UPDATE chat.conversations SET active_leaf_id = :'latest' WHERE id = :'conv';
SELECT is(pg_temp.texts(:'supa_token', format('chat.read_shared_conversation(%L)', :'fixed')), 'one|two|old end|old answer|later', 'shows what it showed');
SELECT is(pg_temp.try(who, statement), outcome, statement || outcome)
FROM (VALUES (:'alice_token', format('SELECT chat.update_share(%L, permission => $$write$$)', :'fixed'), '22023'), (:'alice_token', format('SELECT chat.update_share(%L, permission => $$all$$)', :'granted'), '22023'),
             (:'alice_token', format('SELECT chat.update_share(%L, permission => $$read$$)', :'share'), '22023'), (:'alice_token', format('SELECT chat.update_share(%L, allows_fork => true)', :'granted'), '22023'),
             (:'alice_token', format('SELECT chat.update_share(%L, $$1 day$$, true)', :'granted'), '22023'), (:'alice_token', format('SELECT chat.update_share(%L, $$-1 day$$)', :'granted'), '22023'),
             (:'alice_token', format('SELECT chat.update_share(%L, includes_later => false)', :'writing'), '22023'), (:'alice_token', 'SELECT chat.update_share(NULL)', '22004'),
             (:'bob_token', format('SELECT chat.update_share(%L, $$1 day$$)', :'granted'), 'P0002'), (:'admin_token', format('SELECT chat.update_share(%L, $$1 day$$)', :'granted'), 'P0002'),
             (NULL, format('SELECT chat.update_share(%L)', :'granted'), '28000'), (:'alice_token', format('SELECT chat.update_share(%L, requires_login => true, allows_fork => true)', :'share'), '1 rows'),
             (NULL, format('SELECT chat.read_share(%L)', :'token'), '28000'), (:'alice_token', format('SELECT chat.update_share(%L, requires_login => false)', :'share'), '1 rows'),
             (NULL, format('SELECT chat.shared_conversation(%L)', :'token'), '1 rows'), (:'guest_token', format('SELECT chat.fork_shared(%L)', :'token'), '1 rows'),
             (:'alice_token', format('SELECT chat.update_share(%L, $$1 day$$)', :'granted'), '1 rows')) t (who, statement, outcome);
SELECT ok((SELECT expires_at BETWEEN clock_timestamp() + interval '23 hours' AND clock_timestamp() + interval '25 hours' FROM chat.conversation_shares WHERE id = :'granted'), 'an end is set');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.update_share(%L, never_expires => true)', :'granted')), '1 rows', 'and taken away');
SELECT is((SELECT expires_at FROM chat.conversation_shares WHERE id = :'granted'), NULL, 'for good');
UPDATE chat.conversation_shares SET expires_at = clock_timestamp() WHERE id = :'writing';
SELECT is(pg_temp.try(:'worker_token', statement), outcome, 'expired: ' || statement)
FROM (VALUES (format('SELECT * FROM chat.read_shared_conversation(%L)', :'writing'), 'P0002'), (format('SELECT chat.send_to_shared(%L, $$x$$)', :'writing'), 'P0002'),
             (format('SELECT * FROM chat.read_shared_stream(%L, %L)', :'writing', :'m4'), 'P0002'), (format('SELECT chat.cancel_shared_message(%L, %L)', :'writing', :'m4'), 'P0002'),
             (format('SELECT chat.shared_attachment_content(%L::uuid, %L, 1)', :'writing', :'m1'), 'P0002'), ('SELECT * FROM chat.list_shared_with_me()', '0 rows')) t (statement, outcome);
SELECT is(pg_temp.got(:'alice_token', format('SELECT is_expired FROM chat.list_my_shares() WHERE share_id = %L', :'writing')), 'true', 'its owner still lists it');
SELECT is(pg_temp.try(who, format('SELECT chat.revoke_share(%L)', :'granted')), outcome, 'revoking: ' || outcome)
FROM (VALUES (:'bob_token', 'P0002'), (:'admin_token', 'P0002'), (NULL, '28000'), (:'alice_token', '1 rows'), (:'alice_token', 'P0002')) t (who, outcome);
SELECT is(pg_temp.try(:'alice_token', 'SELECT chat.revoke_share(NULL)'), '22004', 'a share is named');
SELECT is(pg_temp.try(:'bob_token', format('SELECT * FROM chat.read_shared_conversation(%L)', :'granted')), 'P0002', 'what is revoked shows nothing');
SELECT is(pg_temp.got(:'bob_token', 'SELECT count(*) FROM chat.list_shared_with_me()'), '0', 'and is not listed');
SELECT is(pg_temp.got(:'alice_token', format('SELECT count(*) FROM chat.list_my_shares() WHERE share_id = %L', :'granted')), '0', 'by nobody');
SELECT isnt(pg_temp.got(:'alice_token', format('SELECT chat.grant_conversation(%L, $$bob$$)', :'conv')), :'granted', 'a new grant is another one');
SELECT chat_private.audit('after.revoking');
SELECT is(pg_temp.audited('share.revoke', 'conversation:' || :'conv'), 2, 'revoking is audited');
SELECT is(pg_temp.audited('share.update', 'conversation:' || :'conv'), 6, 'as is changing');
SELECT is_empty(format($$SELECT a.details FROM chat.audit_log a WHERE a.details::text ~ 'title|BOB|pgl_' OR a.details::text LIKE '%%' || %L || '%%'$$, :'token'), 'with nothing of what was said');

-- what has ended is not to be seen in the table either
SELECT is(pg_temp.got(:'bob_token', format('SELECT count(*) FROM chat.conversation_shares WHERE id = %L', :'granted')), '0', 'what is revoked is no row of the grantee''s');
SELECT is(pg_temp.got(:'worker_token', format('SELECT count(*) FROM chat.conversation_shares WHERE id = %L', :'writing')), '0', 'nor is what has expired');
SELECT is(pg_temp.got(:'bob_token', 'SELECT count(*) FROM chat.conversation_shares WHERE user_id <> grantee_id'), '1', 'what is in force is');
SELECT is(chat_private.share_now(:'alice', share), NULL, 'what has ended is not in force') FROM unnest(ARRAY[:'granted', :'writing', :'bob']::uuid[]) share;

-- the owner's limits are the owner's to know
SELECT pg_temp.got(:'alice_token', format('SELECT chat.grant_conversation(%L, $$wendy$$, $$write$$)', :'conv')) AS limited \gset
SELECT chat.admin_save_plan('tight', 'Tight', limits => '{"messages_per_day": 1, "attachment_bytes": 99}'), chat.admin_set_plan(:'alice', 'tight');
SELECT is(pg_temp.message_of(:'worker_token', format('SELECT chat.send_to_shared(%L, $$x$$, %L)', :'limited', :'m4')),
          'the limits of the conversation''s owner leave no room for this', 'a plan''s number is not told');
SELECT is(pg_temp.message_of(:'worker_token', format('SELECT chat.send_to_shared(%L, $$x$$, %L, %L)', :'limited', :'m4', jsonb_build_array(jsonb_build_object('data', encode(convert_to(repeat('x', 100), 'UTF8'), 'base64'))))),
          'the limits of the conversation''s owner leave no room for this', 'nor how much room there is for files');

-- people who go
SELECT chat.admin_delete_user(:'bob');
SELECT is((SELECT count(*)::int FROM chat.conversation_shares WHERE grantee_id = :'bob'), 0, 'grants go with the grantee');
SELECT chat.admin_delete_user(:'alice');
SELECT is((SELECT count(*)::int FROM chat.conversation_shares), 0, 'and with the owner');
SELECT is(pg_temp.try(NULL, format('SELECT chat.read_share(%L)', :'live')), 'P0002', 'as do links');
SELECT * FROM finish();
ROLLBACK;
