-- The results of tools in a conversation: what is stored and queued, and what is refused.
BEGIN;
\ir setup.psql
SELECT plan(21);
SELECT pg_temp.value(:'alice', 'SELECT chat.create_conversation()') AS conv \gset
SELECT chat_private.set_identity(:'alice', 'user', NULL, true);
SELECT * FROM chat.send_message(:'conv', 'How is Oslo?') \gset s_
SELECT chat_private.set_identity(NULL, NULL, NULL, true);
CREATE FUNCTION pg_temp.attempt(person uuid, message uuid, results text, more text DEFAULT '') RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.outcome(person, format('SELECT chat.send_tool_results(%L, %L%s)', message, results, more))
$$;
\set both '[{"tool_call_id": "c2", "content": "noon"}, {"tool_call_id": "c1", "content": "-3 degrees"}]'

SELECT is(pg_temp.attempt(:'alice', :'s_assistant_message_id', :'both'), '55006', 'not while the reply is in progress');
UPDATE chat.messages SET status = 'complete', content = 'Hm.' WHERE id = :'s_assistant_message_id';
SELECT is(pg_temp.attempt(:'alice', :'s_assistant_message_id', :'both'), '22023', 'not where no tool was called');
SELECT isnt(pg_temp.hint(:'alice', format('SELECT chat.send_tool_results(%L, %L)', :'s_assistant_message_id', :'both')), NULL, 'with a hint');
UPDATE chat.messages SET tool_calls = '[{"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}},
  {"id": "c2", "type": "function", "function": {"name": "clock", "arguments": "{}"}}]' WHERE id = :'s_assistant_message_id';
SELECT is(pg_temp.attempt(:'alice', :'s_user_message_id', :'both'), '22023', 'not below a message of the user');
SELECT is(pg_temp.attempt(:'bob', :'s_assistant_message_id', :'both'), 'P0002', 'not by somebody else');
SELECT is(pg_temp.attempt(NULL, :'s_assistant_message_id', :'both'), '28000', 'not by nobody');
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.send_tool_results(NULL, $$[]$$)'), '22004', 'message NULL');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.send_tool_results(%L, NULL)', :'s_assistant_message_id')), '22004', 'results NULL');
SELECT is(pg_temp.attempt(:'alice', :'s_assistant_message_id', results), '22023', results) FROM unnest(ARRAY[
  '{}', '[]', '[7]', '[{"tool_call_id": "c1", "content": "x"}]',
  '[{"tool_call_id": "c1", "content": "x"}, {"tool_call_id": "c2", "content": 3}]',
  '[{"tool_call_id": "c1", "content": "x"}, {"tool_call_id": "c1", "content": "x"}]',
  '[{"tool_call_id": "c1", "content": "x"}, {"tool_call_id": "c2", "content": "x"}, {"tool_call_id": "c3", "content": "x"}]']) results;
SELECT is(pg_temp.attempt(:'alice', :'s_assistant_message_id', jsonb_build_array(
  jsonb_build_object('tool_call_id', 'c1', 'content', repeat('x', chat_private.max_message_bytes()::int + 1)),
  jsonb_build_object('tool_call_id', 'c2', 'content', ''))::text), '54000', 'a result that is too long');
SELECT is(pg_temp.attempt(:'alice', :'s_assistant_message_id', :'both', ', options => ''{"heat": 1}'''), 'PC002', 'an unknown option');
SELECT is(pg_temp.attempt(:'alice', :'s_assistant_message_id', :'both', ', model => ''no such'''), '42704', 'an unknown model');

SELECT chat_private.set_identity(:'alice', 'user', NULL, true);
SELECT * FROM chat.send_tool_results(:'s_assistant_message_id', :'both', options => '{"temperature": 0}') \gset t_
SELECT is((SELECT string_agg(format('%s %s %s', role, coalesce(tool_call_id, '-'), content), ', ' ORDER BY created_at)
           FROM chat.messages WHERE conversation_id = :'conv'),
          'user - How is Oslo?, assistant - Hm., tool c2 noon, tool c1 -3 degrees, assistant - ', 'results in their order, and a reply');
SELECT is((SELECT (m.status, q.state, q.options, q.model, c.active_leaf_id)::text FROM chat.messages m
           JOIN chat_private.llm_requests q ON q.message_id = m.id AND q.id = :'t_request_id'
           JOIN chat.conversations c ON c.id = m.conversation_id WHERE m.id = :'t_assistant_message_id'),
          ('pending', 'queued', '{"temperature": 0}'::jsonb, 'test-model', :'t_assistant_message_id')::text,
          'the reply is pending and queued, and ends the branch');
SELECT is((SELECT array_agg(id ORDER BY created_at) FROM chat.messages WHERE role = 'tool')::text, :'t_tool_message_ids', 'their ids are returned');
SELECT * FROM finish();
ROLLBACK;
