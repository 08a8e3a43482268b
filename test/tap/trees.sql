-- The tree of messages: siblings and pages of a branch, other versions of a message, and which branch is shown.
BEGIN;
\ir setup.psql
SELECT plan(69);
SELECT is_empty($$SELECT * FROM (SELECT attnum, attname, format_type(atttypid, atttypmod) FROM pg_attribute
                  WHERE attrelid = 'chat.messages'::regclass AND attnum > 0 AND NOT attisdropped) m
                FULL JOIN (SELECT attnum, attname, format_type(atttypid, atttypmod) FROM pg_attribute
                  WHERE attrelid = 'chat.listed_message'::regclass AND attnum > 0 AND NOT attisdropped
                    AND attname NOT IN ('is_error', 'error_details', 'sibling_count', 'sibling_index')) l USING (attnum, attname, format_type)
                WHERE m.attname IS NULL OR l.attname IS NULL$$, 'a listed message has the columns of a message');
SELECT pg_temp.value(:'alice', 'SELECT chat.create_conversation()') AS conv, pg_temp.value(:'alice', 'SELECT chat.create_conversation()') AS other \gset

-- One turn, whose reply the test ends as it likes.
CREATE FUNCTION pg_temp.say(conversation uuid, content text, outcome text DEFAULT 'complete', options jsonb DEFAULT '{}',
                            OUT question uuid, OUT reply uuid) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM chat_private.set_identity((SELECT user_id FROM chat.conversations WHERE id = conversation), 'user', NULL, true);
  SELECT s.user_message_id, s.assistant_message_id INTO question, reply FROM chat.send_message(conversation, content, options => options) s;
  PERFORM pg_temp.finish(reply, outcome);
  PERFORM chat_private.set_identity(NULL, NULL, NULL, true);
END $$;
CREATE FUNCTION pg_temp.finish(reply uuid, outcome text DEFAULT 'complete', said text DEFAULT 'fine') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE chat.messages SET status = outcome, content = said, content_hash = chat.content_hash(said), input_tokens = 7, cost = 0.5 WHERE id = reply;
  UPDATE chat_private.llm_requests SET state = outcome, queued_at = NULL, waits_for = NULL WHERE message_id = reply AND outcome NOT IN ('pending', 'streaming');
END $$;
-- A branch as "content index/count …".
CREATE FUNCTION pg_temp.shown(conversation uuid, leaf uuid DEFAULT NULL, page integer DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.value((SELECT user_id FROM chat.conversations WHERE id = conversation),
    format('SELECT string_agg(content || $s$ $s$ || sibling_index || $s$/$s$ || sibling_count, $s$, $s$) FROM chat.list_messages(%L, %L%s)',
           conversation, leaf, ', ' || page)) $$;
CREATE FUNCTION pg_temp.shown_all(conversation uuid, leaf uuid DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.value((SELECT user_id FROM chat.conversations WHERE id = conversation),
    format('SELECT string_agg(content || $s$ $s$ || sibling_index || $s$/$s$ || sibling_count, $s$, $s$) FROM chat.list_messages(%L, %L)', conversation, leaf)) $$;

SELECT * FROM pg_temp.say(:'conv', 'one', options => '{"temperature": 0.5}') \gset a_
SELECT * FROM pg_temp.say(:'conv', 'two') \gset b_
SELECT is(pg_temp.shown_all(:'conv'), 'one 1/1, fine 1/1, two 1/1, fine 1/1', 'without versions each is the only one');

-- edit_message of a question
SELECT chat_private.set_identity(:'alice', 'user', NULL, true);
INSERT INTO chat.attachments (user_id, id, sha256, media_type, byte_size) VALUES (:'alice', '00000000-0000-7000-8000-0000000000aa', sha256('x'), 'text/plain', 1);
INSERT INTO chat.message_attachments (user_id, message_id, position, attachment_id, name)
VALUES (:'alice', :'a_question', 1, '00000000-0000-7000-8000-0000000000aa', 'x.txt');
UPDATE chat.messages SET attachment_count = 1 WHERE id = :'a_question';
SELECT * FROM chat.edit_message(:'a_question', 'ONE') \gset e_
SELECT chat_private.set_identity(NULL, NULL, NULL, true);
SELECT is(pg_temp.shown_all(:'conv'), 'ONE 2/2,  1/1', 'an edited first message is a second beginning');
SELECT is((SELECT (m.role, m.status, m.parent_id, m.content_hash, m.attachment_count)::text FROM chat.messages m WHERE m.id = :'e_user_message_id'),
          ('user', 'complete', NULL::uuid, sha256('ONE'), 1)::text, 'stored like any message');
SELECT is((SELECT (a.position, a.attachment_id, a.name)::text FROM chat.message_attachments a WHERE a.message_id = :'e_user_message_id'),
          '(1,00000000-0000-7000-8000-0000000000aa,x.txt)', 'with the files of the old one');
SELECT is((SELECT (m.status, m.parent_id, q.id, q.state, q.options, q.model)::text FROM chat.messages m
           JOIN chat_private.llm_requests q ON q.message_id = m.id WHERE m.id = :'e_assistant_message_id'),
          ('pending', :'e_user_message_id', :'e_request_id', 'queued', '{"temperature": 0.5}'::jsonb, 'test-model')::text,
          'and a queued reply with the options of the old one''s');
SELECT is((SELECT active_leaf_id::text FROM chat.conversations WHERE id = :'conv'), :'e_assistant_message_id', 'which is shown');
SELECT is(pg_temp.shown_all(:'conv', :'b_reply'), 'one 1/2, fine 1/1, two 1/1, fine 1/1', 'the old branch is as it was');
SELECT pg_temp.finish(:'e_assistant_message_id');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.edit_message(%L, %L)', :'b_question', '')), '2200F', 'not without text');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.edit_message(%L, NULL)', :'a_question')), '22004', 'nor NULL');
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.edit_message(NULL, $$x$$)'), '22004', 'nor nothing');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.edit_message(%L, repeat($$x$$, 1048577))', :'a_question')), '54000', 'nor too much');
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.edit_message(chat.uuid_v7(), $$x$$)'), 'P0002', 'nor what is not there');
INSERT INTO chat.messages (user_id, id, conversation_id, role, content) VALUES (:'alice', '00000000-0000-7000-8000-0000000000bb', :'other', 'system', 's');
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.edit_message($$00000000-0000-7000-8000-0000000000bb$$, $$x$$)'), '22023', 'nor a system message');
SELECT chat.admin_save_plan('free', limits => '{"messages_per_day": 1}');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.edit_message(%L, $$x$$)', :'a_question')), 'PC303', 'an edit counts as a message does');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.regenerate_message(%L)', :'a_reply')), 'PC303', 'so does another reply');
SELECT chat.admin_save_plan('free', limits => '{}');

-- edit_message of a reply
SELECT count(*) AS requests FROM chat_private.llm_requests \gset
SELECT chat_private.set_identity(:'alice', 'user', NULL, true);
SELECT e.assistant_message_id AS r_assistant_message_id, e.user_message_id IS NULL AND e.request_id IS NULL AS r_asks_nobody
FROM chat.edit_message(:'b_reply', 'better') e \gset
SELECT chat_private.set_identity(NULL, NULL, NULL, true);
SELECT ok(:'r_asks_nobody', 'a corrected reply asks nobody');
SELECT is((SELECT count(*) FROM chat_private.llm_requests), :requests::bigint, 'and queues nothing');
SELECT is((SELECT (role, status, content, content_hash, metadata, parent_id, model, input_tokens)::text FROM chat.messages WHERE id = :'r_assistant_message_id'),
          ('assistant', 'complete', 'better', sha256('better'), '{"edited": true}'::jsonb, :'b_question', 'test-model', NULL::int)::text, 'it is complete and says so');
SELECT is(pg_temp.shown_all(:'conv'), 'one 1/2, fine 1/1, two 1/1, better 2/2', 'and shown beside the old one');

-- regenerate_message
SELECT chat_private.set_identity(:'alice', 'user', NULL, true);
SELECT * FROM chat.regenerate_message(:'b_reply') \gset g_
SELECT chat_private.set_identity(NULL, NULL, NULL, true);
SELECT is(pg_temp.shown_all(:'conv'), 'one 1/2, fine 1/1, two 1/1,  3/3', 'another reply is the third');
SELECT is((SELECT (m.status, q.state, q.id)::text FROM chat.messages m JOIN chat_private.llm_requests q ON q.message_id = m.id
           WHERE m.id = :'g_assistant_message_id'), format('(pending,queued,%s)', :'g_request_id'), 'and queued');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.regenerate_message(%L)', id)), '55006', 'not while one is in progress: ' || what)
FROM (VALUES (:'b_reply', 'beside it'), (:'g_assistant_message_id', 'it'), (:'b_question', 'below its message')) t (id, what);
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.edit_message(%L, $$x$$)', :'g_assistant_message_id')), '55006', 'nor is it edited meanwhile');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.rate_message(%L, 1)', :'g_assistant_message_id')), '55006', 'nor rated');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.continue_message(%L)', :'g_assistant_message_id')), '55006', 'nor continued');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.fork_conversation(%L, %L)', :'conv', :'g_assistant_message_id')), '55006', 'nor forked at');
SELECT pg_temp.finish(:'g_assistant_message_id', 'error', '');
UPDATE chat.messages SET error = '{"code": "x", "message": "went wrong"}' WHERE id = :'g_assistant_message_id';
SELECT is(pg_temp.value(:'alice', format('SELECT (is_error, error_details)::text FROM chat.list_messages(%L) WHERE id = %L', :'conv', :'g_assistant_message_id')),
          '(t,"{""code"": ""x"", ""message"": ""went wrong""}")', 'a failed reply is listed as one');
SELECT is(pg_temp.value(:'alice', format('SELECT bool_or(is_error) FROM chat.list_messages(%L, %L)', :'conv', :'b_reply')), 'false', 'others are not');
SELECT chat.admin_register_model('test-provider', 'm2');
SELECT pg_temp.value(:'alice', format('SELECT assistant_message_id FROM chat.regenerate_message(%L, $$m2$$)', :'b_question')) AS by_m2 \gset
SELECT is((SELECT (parent_id, model)::text FROM chat.messages WHERE id = :'by_m2'), format('(%s,m2)', :'b_question'), 'by another model, named by the message');
SELECT pg_temp.finish(:'by_m2');
UPDATE chat.models SET is_active = false WHERE name = 'm2';
SELECT pg_temp.value(:'alice', format('SELECT assistant_message_id FROM chat.regenerate_message(%L)', :'by_m2')) AS instead \gset
SELECT is((SELECT model FROM chat.messages WHERE id = :'instead'), 'test-model', 'where its model is gone, by the conversation''s');
SELECT pg_temp.finish(:'instead');
DELETE FROM chat_private.llm_requests WHERE message_id = :'a_reply';
SELECT pg_temp.value(:'alice', format('SELECT request_id FROM chat.regenerate_message(%L)', :'a_reply')) AS optionless \gset
SELECT is((SELECT (model, options)::text FROM chat_private.llm_requests WHERE id = :'optionless'), '(test-model,{})', 'where its request is gone, without options');
SELECT pg_temp.finish((SELECT message_id FROM chat_private.llm_requests WHERE id = :'optionless'));
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.regenerate_message(%L, $$m2$$)', :'a_reply')), '42704', 'not by a model that is gone');
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.regenerate_message(NULL)'), '22004', 'regenerate NULL');
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.regenerate_message(chat.uuid_v7())'), 'P0002', 'regenerate what is not there');
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.regenerate_message($$00000000-0000-7000-8000-0000000000bb$$)'), '22023', 'regenerate a system message');

-- continue_message
SELECT * FROM pg_temp.say(:'other', 'go on', 'incomplete', '{"seed": 4}') \gset c_
SELECT pg_temp.value(:'alice', format('SELECT assistant_message_id FROM chat.continue_message(%L)', :'c_reply')) AS more \gset
SELECT is((SELECT (m.parent_id, m.role, m.status, q.state, q.options)::text FROM chat.messages m JOIN chat_private.llm_requests q ON q.message_id = m.id
           WHERE m.id = :'more'), (:'c_reply', 'assistant', 'pending', 'queued', '{"seed": 4}'::jsonb)::text, 'a reply goes on below itself');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.continue_message(%L)', :'c_reply')), '55006', 'once at a time');
SELECT pg_temp.finish(:'more', 'cancelled', 'and');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.continue_message(%L)', :'more')), '1 rows', 'also one that was stopped with some text');
UPDATE chat.messages SET status = 'cancelled', content = '' WHERE parent_id = :'more';
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.continue_message(%L)', id)), state, 'continue ' || what)
FROM (VALUES (:'a_reply', '55000', 'a complete one'), ((SELECT id::text FROM chat.messages WHERE parent_id = :'more'), '55000', 'one without text'),
             (:'c_question', '22023', 'a question'), (chat.uuid_v7()::text, 'P0002', 'what is not there'), (NULL, '22004', 'nothing')) t (id, state, what);
UPDATE chat.messages SET tool_calls = '[]' WHERE id = :'c_reply';
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.continue_message(%L)', :'c_reply')), '55000', 'continue one that calls tools');

-- select_branch
SELECT is(pg_temp.value(:'alice', format('SELECT chat.select_branch(%L, %L)', :'conv', :'e_user_message_id')), :'e_assistant_message_id', 'another beginning');
SELECT is((SELECT active_leaf_id::text FROM chat.conversations WHERE id = :'conv'), :'e_assistant_message_id', 'is shown to its end');
SELECT is(pg_temp.value(:'alice', format('SELECT chat.select_branch(%L, %L)', :'conv', :'b_reply')), :'b_reply', 'a leaf stays itself');
SELECT is(pg_temp.value(:'alice', format('SELECT chat.select_branch(%L, %L)', :'conv', :'b_question')), :'instead', 'below a message the newest is taken');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.select_branch(%L, %L)', conv, id)), state, 'select ' || what)
FROM (VALUES (:'conv', :'c_reply', 'P0002', 'a message of another conversation'), (:'conv', NULL, '22004', 'no message'), (NULL, :'b_reply', '22004', 'no conversation'),
             (chat.uuid_v7()::text, :'b_reply', 'P0002', 'in no conversation of mine')) t (conv, id, state, what);

-- pages
SELECT is(pg_temp.shown(:'conv', NULL, 3), 'fine 1/2, two 1/1, fine 5/5', 'the last three');
SELECT is(pg_temp.shown(:'conv', :'a_question', 3), 'one 1/2', 'those before');
SELECT is(pg_temp.outcome(:'alice', format('SELECT * FROM chat.list_messages(%L, NULL, %s)', :'conv', page)), state, 'a page of ' || page)
FROM (VALUES ('0', '22023'), ('1001', '22023'), ('NULL', '22004')) t (page, state);

-- rate_message
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.rate_message(%L, -1, $$wrong$$)', :'b_reply')), '1 rows', 'a reply is rated');
SELECT is((SELECT (rating, feedback)::text FROM chat.messages WHERE id = :'b_reply'), '(-1,wrong)', 'and commented');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.rate_message(%L, NULL)', :'b_reply')), '1 rows', 'and taken back');
SELECT is((SELECT (rating, feedback)::text FROM chat.messages WHERE id = :'b_reply'), '(,)', 'without a trace');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.rate_message(%L, %s)', id, arguments)), state, 'rate ' || what)
FROM (VALUES (:'b_reply', '0', '22023', 'with 0'), (:'b_question', '1', '22023', 'a question'), (chat.uuid_v7()::text, '1', 'P0002', 'what is not there'),
             (NULL, '1', '22004', 'nothing'), (:'b_reply', '1, repeat($$x$$, 10001)', '54000', 'at length')) t (id, arguments, state, what);
SELECT * FROM finish();
ROLLBACK;
