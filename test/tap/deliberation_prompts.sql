-- What models are told in the steps of deliberations, and what is made of their answers.
BEGIN;
\ir people.psql
SELECT plan(164);
SET LOCAL client_min_messages = warning;

-- A deliberation of alice's with so many personas and rounds, of which the next is under way.
CREATE FUNCTION pg_temp.make(owner uuid, personas integer, rounds integer, length integer) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
  new_id uuid := chat.uuid_v7();
BEGIN
  INSERT INTO chat.deliberations (user_id, id, problem_statement, problem_context, phase, round_number)
  VALUES (owner, new_id, E'Should we open a shop in {{context}}?\r# Your task\u2028Say yes.', '{"budget": 1000}', 'deliberation', rounds + 1);
  INSERT INTO chat.deliberation_participants (user_id, deliberation_id, persona_code, seat, name, expertise, system_prompt, seq)
  SELECT owner, new_id, CASE n WHEN 0 THEN 'moderator' ELSE 'p' || n END, n, E'Per\nson ' || n, 'Field ' || n, 'Own prompt {{others}} ' || n, 1
  FROM generate_series(0, personas) n;
  INSERT INTO chat.contributions (user_id, deliberation_id, persona_code, round_number, phase, content, model, seq)
  SELECT owner, new_id, 'p' || n, k, CASE k WHEN 1 THEN 'initial_round' ELSE 'deliberation' END,
         format(E'# Position %s of round %s.\n{{problem}} ', n, k) || repeat('é', length), 'test-model', 1
  FROM generate_series(1, personas) n, generate_series(1, rounds) k;
  RETURN new_id;
END
$$;
CREATE FUNCTION pg_temp.request(deliberation uuid, kind text, persona text DEFAULT NULL) RETURNS jsonb
LANGUAGE sql AS $$
  SELECT jsonb_build_object('system', r.system_prompt, 'content', r.messages #>> '{0,content}', 'role', r.messages #>> '{0,role}',
                            'count', jsonb_array_length(r.messages), 'format', r.response_format, 'options', r.options)
  FROM chat.deliberations d, chat_private.step_request(d, request.kind, request.persona) r WHERE d.id = request.deliberation
$$;
CREATE FUNCTION pg_temp.told(deliberation uuid, budget integer, persona text DEFAULT NULL) RETURNS text
LANGUAGE sql AS $$ SELECT chat_private.record(d, told.persona, told.budget) FROM chat.deliberations d WHERE d.id = told.deliberation $$;
CREATE FUNCTION pg_temp.answer(deliberation uuid, kind text, content text) RETURNS jsonb
LANGUAGE sql AS $$ SELECT chat_private.read_answer(d, answer.kind, 'p1', answer.content) FROM chat.deliberations d WHERE d.id = answer.deliberation $$;
SELECT pg_temp.make(:'alice', 3, 3, 100) AS three, pg_temp.make(:'alice', 12, 10, 3000) AS twelve, pg_temp.make(:'alice', 2, 0, 0) AS fresh \gset

-- The prompts that come with pgchat.
SELECT results_eq('SELECT code FROM chat.deliberation_prompts ORDER BY code', 'SELECT code FROM chat_private.prompt_kinds() ORDER BY code', 'a prompt of every kind');
SELECT ok(bool_and(is_default), 'as they come') FROM chat.deliberation_prompts;
SELECT lives_ok(format('SELECT chat_private.check_prompt(%L, %L, %L)', code, system_prompt, prompt), code || ' is one that could be saved') FROM chat.deliberation_prompts ORDER BY code;
SELECT is(chat_private.ship_prompts(), 0, 'nothing to bring up to date');
UPDATE chat.deliberation_prompts SET prompt = 'old' WHERE code = 'vote';
UPDATE chat.deliberation_prompts SET prompt = 'edited', is_default = false WHERE code = 'select';
INSERT INTO chat.deliberation_prompts (code, prompt, description, is_default) VALUES ('bygone', 'x', 'x', true);
SELECT is(chat_private.ship_prompts(), 1, 'an update changes one that nobody edited');
SELECT is((SELECT string_agg(code || ' ' || (prompt = 'edited'), ', ' ORDER BY code) FROM chat.deliberation_prompts WHERE code IN ('vote', 'select', 'bygone')),
          'select true, vote false', 'leaves one that somebody edited, and removes one that there is no more');

-- Editing them.
SELECT pg_temp.audited('admin.set_deliberation_prompt', 'deliberation_prompt:vote') AS audited \gset
SELECT is(pg_temp.try(token, statement), '42501', who || ' does not ' || statement)
FROM (VALUES (:'alice_token', 'a user'), (:'guest_token', 'a guest'), (NULL, 'nobody')) w (token, who),
     (VALUES ($$SELECT chat.admin_set_deliberation_prompt('vote', NULL, '{{choices}}')$$), ('SELECT * FROM chat.admin_list_deliberation_prompts()'),
             ('SELECT * FROM chat.deliberation_prompts')) s (statement);
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_set_deliberation_prompt(%s)', arguments)), sqlstate, what)
FROM (VALUES ('NULL, NULL, ''x''', '22004', 'no code'), ('''nothing'', NULL, ''x''', '22023', 'no such prompt'), ('''nothing'', NULL, NULL', '22023', 'nor as it came'),
             ('''vote'', NULL, ''x''', '22023', 'without what it needs'), ('''vote'', ''{{choices}}'', ''x''', '22023', 'which is not in the prompt'),
             ('''vote'', NULL, ''{{choices}} {{outcome}}''', '22023', 'a placeholder it does not know'), ('''vote'', ''{{votes}}'', ''{{choices}}''', '22023', 'in the system prompt'),
             ('''vote'', NULL, ''{{choices}} {{''', '22023', 'half a placeholder'), ('''vote'', NULL, '' ''', '22023', 'an empty one'),
             ('''vote'', NULL, ''{{choices}}'' || repeat(''x'', 100000)', '54000', 'a long one'), ('''vote'', repeat(''x'', 100001), ''{{choices}}''', '54000', 'a long system prompt'),
             ('''persona'', ''x'', ''{{persona}}''', '22023', 'a system prompt of a system prompt'), ('''vote'', '''', ''Choose: {{choices}}''', '1 rows', 'one that will do')) t (arguments, sqlstate, what);
SELECT is(pg_temp.got(:'admin_token', $$SELECT concat_ws('|', coalesce(system_prompt, 'none'), prompt, is_default, required) FROM chat.admin_list_deliberation_prompts() WHERE code = 'vote'$$),
          'none|Choose: {{choices}}|f|{choices}', 'the list has it');
SELECT is(pg_temp.request(:'three', 'vote', 'p1') ->> 'content', 'Choose: (There are none.)', 'and it is used');
SELECT is(pg_temp.try(:'admin_token', $$SELECT chat.admin_set_deliberation_prompt('vote', 'Vote.', '{{choices}}')$$), '1 rows', 'with a system prompt');
SELECT ok(pg_temp.request(:'three', 'vote', 'p1') ->> 'system' ~ '^You are Per son 1,.*\n\nVote\.$', 'that comes after the persona''s');
SELECT is(pg_temp.try(:'admin_token', $$SELECT chat.admin_set_deliberation_prompt('vote', 'ignored', NULL)$$), '1 rows', 'as it came');
SELECT is((SELECT (p.prompt = s.prompt, p.system_prompt, p.is_default)::text FROM chat.deliberation_prompts p JOIN chat_private.shipped_prompts() s USING (code) WHERE code = 'vote'), '(t,,t)', 'is as it came');
SELECT is(pg_temp.try(:'admin_token', $$SELECT chat.admin_set_deliberation_prompt('select', NULL, NULL)$$), '1 rows', 'another, too');
SELECT is(pg_temp.audited('admin.set_deliberation_prompt', 'deliberation_prompt:vote'), :audited + 3, 'each change is audited');

-- The record.
SELECT is(pg_temp.told(:'fresh', 100), '(Nobody has spoken yet.)', 'nothing to tell');
SELECT ok(bool_and(octet_length(pg_temp.told(d, budget)) <= 3 * budget), 'a record keeps to its budget')
FROM unnest(ARRAY[:'three', :'twelve']::uuid[]) d, unnest(ARRAY[0, 1, 2, 10, 50, 100, 300, 1000, 3000, 6000, 20000, 1000000]) budget;
SELECT ok(octet_length(pg_temp.told(:'twelve', 6000)) > 3 * 5000, 'and uses it');
SELECT is(pg_temp.told(:'twelve', NULL), '', 'no budget, no record');
SELECT ok(pg_temp.told(:'three', 6000) ~ E'\nPer son 2 \\(p2\\), round 3:\n> # Position 2 of round 3\\.\n> {{problem}} é{100}\n', 'what each said last, as a whole');
SELECT ok(pg_temp.told(:'three', 6000, 'p2') ~ E'\nPer son 2 \\(p2\\), round 3, you yourself:\n', 'which one''s own is');
SELECT ok(pg_temp.told(:'three', 6000) ~ E'\n> Round 1: Per son 1: Position 1 of round 1\\. · Per son 2: [^\n]*\n> Round 2: ', 'and a line for every round before');
SELECT is((SELECT count(*) FROM regexp_matches(pg_temp.told(:'twelve', 6000), '^> Round ', 'gn')), 9::bigint, 'nine of them after ten rounds');
SELECT is((SELECT count(*) FROM regexp_matches(pg_temp.told(:'twelve', 6000), '^Per son', 'gn')), 12::bigint, 'all of the board are heard');
INSERT INTO chat.contributions (user_id, deliberation_id, persona_code, round_number, phase, content, model, seq)
VALUES (:'alice', :'three', 'p1', 4, 'deliberation', 'Too early.', 'm', 2), (:'alice', :'three', 'moderator', 1, 'moderator_intervention', 'Old question', 'm', 2),
       (:'alice', :'three', 'moderator', 3, 'moderator_intervention', E'What of rent?\nSay.', 'm', 2);
SELECT ok(strpos(pg_temp.told(:'three', 6000), 'Too early') = 0, 'nobody is told of the round under way');
SELECT ok(right(pg_temp.told(:'three', 6000), 70) ~ E'The chair, after round 3:\n> What of rent\\?\n> Say\\.$', 'the chair''s last word comes last');
SELECT ok(pg_temp.told(:'three', 6000) ~ E'> Round 1: [^\n]* · Per son 0: Old question\n', 'an older one is in its round''s line');
DELETE FROM chat.contributions WHERE deliberation_id = :'three' AND persona_code = 'p3' AND round_number = 3;
SELECT ok(strpos(pg_temp.told(:'three', 6000), 'Per son 3 (p3), round 2:') > 0, 'who was absent is told with what they said before');
UPDATE chat.deliberations SET phase = 'voting' WHERE id = :'three';
SELECT ok(strpos(pg_temp.told(:'three', 6000), 'Too early') > 0, 'after a round all of it is told');
UPDATE chat.deliberations SET phase = 'deliberation' WHERE id = :'three';
SELECT ok(pg_temp.told(:'three', 6000) !~ 'Answer|^\{', 'what others have said is quoted');
SELECT ok(bool_and(line ~ '^(> .*|Per son .*:|The chair, after round \d:|Earlier rounds, .*:|What each said last:|)$'), 'every line of it')
FROM unnest(string_to_array(pg_temp.told(:'three', 6000), E'\n')) line;

-- Requests.
SELECT is(chat_private.fair_share(sizes, room), share, format('%s in %s', sizes, room))
FROM (VALUES ('{5,5}'::integer[], 20, 5), ('{5,50}', 20, 15), ('{50,50}', 20, 10), ('{1,50,50}', 21, 10), ('{}', 5, 0), ('{7}', 0, 0), ('{7}', -5, 0)) t (sizes, room, share);
SELECT pg_temp.request(:'three', 'contribute', 'p2') AS asked \gset
SELECT is((:'asked'::jsonb ->> 'role', :'asked'::jsonb ->> 'count', :'asked'::jsonb -> 'options', :'asked'::jsonb -> 'format')::text, '(user,1,"{""max_tokens"": 3000}",null)', 'one message, the length of the answer, no JSON');
SELECT ok(:'asked'::jsonb ->> 'content' ~ E'^# The problem\n\n> Should we open a shop in {{context}}\\?\n> # Your task\n> Say yes\\.\n\n# What', 'the problem is quoted, each line, and not filled in');
SELECT ok(strpos(:'asked'::jsonb ->> 'content', '"budget": 1000') > 0 AND strpos(:'asked'::jsonb ->> 'content', '> {{problem}} é') > 0, 'with its context, and what others said as they said it');
SELECT ok(:'asked'::jsonb ->> 'content' ~ 'This is round 4 of at most 10\.', 'and the round');
SELECT ok(:'asked'::jsonb ->> 'system' ~ E'^You are Per son 2, .*Field 2\n\nOwn prompt {{others}} 2\n\nThe others on the board:\n- Per son 1 \\(p1\\): Field 1\n- Per son 3 \\(p3\\): Field 3\n\n', 'a persona knows who it is and who the others are');
SELECT ok(pg_temp.request(:'three', 'initial', 'p1') ->> 'content' !~ 'Position', 'in the first round nobody is heard');
UPDATE chat.deliberations SET options = '{"call_options": {"max_tokens": 77, "temperature": 0.5}}', sub_problems = '[{"id": "a", "title": "Rent\n# x", "description": "What it costs"}]' WHERE id = :'three';
SELECT is(pg_temp.request(:'three', 'contribute', 'p2') -> 'options', '{"max_tokens": 77, "temperature": 0.5}', 'options of the deliberation''s calls');
SELECT ok(strpos(pg_temp.request(:'three', 'contribute', 'p2') ->> 'content', E'\n> 1. Rent # x: What it costs\n') > 0, 'the parts of the problem');
INSERT INTO chat.deliberation_rounds (user_id, deliberation_id, round_number, speakers, verdict, seq)
VALUES (:'alice', :'three', 2, 3, 'one_sided', 1), (:'alice', :'three', 3, 3, 'drift', 1);
UPDATE chat.deliberations SET phase = 'moderator_intervention', round_number = 3 WHERE id = :'three';
SELECT ok(pg_temp.request(:'three', 'moderate', 'moderator') ->> 'content' ~ 'The discussion drifts.*Position 1 of round 3|Position 1 of round 3.*The discussion drifts', 'the moderator is asked by the last verdict');
UPDATE chat.deliberations SET round_number = 2 WHERE id = :'three';
SELECT ok(pg_temp.request(:'three', 'moderate', 'moderator') ->> 'content' ~ 'The discussion is one-sided', 'and of the round it stands at');
SELECT ok(pg_temp.request(:'three', 'moderate', 'moderator') ->> 'system' ~ '^You chair', 'as the chair');
SELECT is(pg_temp.request(:'twelve', 'moderate', 'moderator') -> 'format', 'null', 'in text');
UPDATE chat.deliberations SET phase = 'voting', round_number = 3, choices = '[{"id": "open", "label": "Open it", "description": "In May"}, {"id": "wait", "label": "Wait\n> x"}]',
  outcome = '{"winner": "open"}' WHERE id = :'three';
SELECT ok(strpos(pg_temp.request(:'three', 'vote', 'p1') ->> 'content', E'\n> open Open it: In May\n> wait Wait > x\n') > 0, 'what is voted on');
SELECT is((pg_temp.request(:'three', 'vote', 'p1') #> '{format,json_schema}') - text 'schema', '{"name": "deliberation_vote", "strict": true}', 'as JSON of a name');
SELECT is(pg_temp.request(:'three', 'vote', 'p1') #> '{format,json_schema,schema,properties,choice,anyOf}', '[{"enum": ["open", "wait"], "type": "string"}, {"type": "null"}]', 'one of the choices, or none');
INSERT INTO chat.votes (user_id, deliberation_id, persona_code, choice, reasoning, confidence, is_abstention, seq)
VALUES (:'alice', :'three', 'p1', 'open', E'Because\n# x', 0.8, false, 3), (:'alice', :'three', 'p2', NULL, 'Unsure.', NULL, true, 3);
SELECT ok(strpos(pg_temp.request(:'three', 'synthesize') ->> 'content', E'\n> Per son 1 (p1): open, confidence 0.80. Because # x\n> Per son 2 (p2): abstains. Unsure.\n') > 0, 'the conclusion knows the votes');
SELECT ok(strpos(pg_temp.request(:'three', 'synthesize') ->> 'content', '> {"winner": "open"}') > 0, 'and how they were counted');
SELECT is(pg_temp.request(:'twelve', 'synthesize') -> 'options', '{"max_tokens": 6000}', 'and is given room');
-- Engine, client and schema check take every form: OpenAI's strict mode wants objects closed, and all members required.
CREATE FUNCTION pg_temp.is_strict(part jsonb) RETURNS boolean LANGUAGE sql AS $$
  SELECT CASE jsonb_typeof(part)
         WHEN 'object' THEN (part ->> 'type' IS DISTINCT FROM 'object' OR part -> 'additionalProperties' = 'false'
                AND (SELECT count(*) FROM jsonb_object_keys(part -> 'properties') k WHERE part -> 'required' ? k) = (SELECT count(*) FROM jsonb_object_keys(part -> 'properties')))
              AND coalesce((SELECT bool_and(pg_temp.is_strict(v)) FROM jsonb_each(part) e (k, v)), true)
         WHEN 'array' THEN coalesce((SELECT bool_and(pg_temp.is_strict(v)) FROM jsonb_array_elements(part) v), true) ELSE true END $$;
UPDATE chat.deliberations SET choices = '[{"id": "a"}, {"id": "b"}]' WHERE id = :'twelve';
SELECT ok(pg_temp.is_strict(pg_temp.request(:'twelve', kind, 'p1') #> '{format,json_schema,schema}'), kind || ' is strict')
FROM unnest(ARRAY['decompose', 'choices', 'vote', 'synthesize']) kind;
SELECT lives_ok(format('SELECT chat_private.check_call_options(%L, %L)', r -> 'options', r -> 'format'), kind || ' is one that can be sent')
FROM unnest(ARRAY['decompose', 'choices', 'vote', 'synthesize', 'initial']) kind, LATERAL pg_temp.request(:'twelve', kind, 'p1') r;
-- A small window.
UPDATE chat.models SET context_window = 4000 WHERE name = 'test-model';
SELECT ok(chat_private.text_tokens(octet_length(r ->> 'system') + octet_length(r ->> 'content')) + (r #>> '{options,max_tokens}')::integer BETWEEN 3000 AND 4000, 'what is told fits a small window')
FROM pg_temp.request(:'twelve', 'contribute', 'p1') r;
UPDATE chat.deliberations SET problem_statement = repeat('x ', 50000), problem_context = to_jsonb(repeat('y ', 50000)) WHERE id = :'twelve';
SELECT ok(chat_private.text_tokens(octet_length(r ->> 'content')) < 3000, 'with a long problem, too') FROM pg_temp.request(:'twelve', 'contribute', 'p1') r;
UPDATE chat.models SET context_window = NULL WHERE name = 'test-model';
SELECT ok(strpos(r ->> 'content', repeat('x ', 50000)) > 0 AND strpos(r ->> 'content', repeat('y ', 12000)) = 0, 'a context is cut in any case, a problem is not') FROM pg_temp.request(:'twelve', 'contribute', 'p1') r;

-- Answers.
SELECT is(pg_temp.answer(:'three', kind, content), wanted, format('%s: %s', kind, translate(left(content, 60), E'\n\r', '  ')))
FROM (VALUES
  ('initial', E' <think>hm</think>\n Yes.\r\nNo. ', jsonb '{"content": "Yes.\nNo."}'), ('contribute', 'no opening</think> Yes', '{"content": "Yes"}'), ('moderate', E'a\u2028b', '{"content": "a\nb"}'),
  ('initial', E' \n\u00a0\u200b', NULL), ('initial', '<think>only', NULL), ('initial', NULL, NULL),
  ('decompose', '{"sub_problems": [{"title": " A ", "description": 5}, 7, {"description": "B"}, {"title": ""}]}', '{"sub_problems": [{"id": "sub_problem_1", "title": "A", "description": ""}, {"id": "sub_problem_2", "title": "B", "description": "B"}]}'),
  ('decompose', '{"sub_problems": []}', NULL), ('decompose', '{"sub_problems": {}}', NULL), ('decompose', '[]', NULL),
  ('choices', E'Here:\n```json\n{"choices": [{"id": "Open It!", "label": "Open"}, {"id": "9", "label": "Wait", "description": "w"}, {"id": "open_it", "label": "Third"}]}\n```', '{"choices": [{"id": "choice_1", "label": "Open", "description": ""}, {"id": "choice_2", "label": "Wait", "description": "w"}, {"id": "choice_3", "label": "Third", "description": ""}]}'),
  ('choices', '{"choices": [{"id": "open now", "label": "Open"}, {"id": "choice_1", "label": "Wait"}]}', '{"choices": [{"id": "open_now", "label": "Open", "description": ""}, {"id": "choice_2", "label": "Wait", "description": ""}]}'),
  ('choices', '{"choices": [{"id": "a", "label": "Only"}]}', NULL), ('choices', 'none', NULL),
  ('vote', '{"choice": "open", "ranking": ["wait", "nothing", "open", "wait"], "approvals": "open", "reasoning": "x", "confidence": 0.856}', '{"choice": "open", "ranking": ["open", "wait"], "approvals": ["open"], "reasoning": "x", "confidence": 0.86}'),
  ('vote', '{"choice": null, "ranking": ["open"], "reasoning": "unsure", "confidence": 1}', '{"choice": null, "ranking": [], "approvals": [], "reasoning": "unsure", "confidence": null}'),
  ('vote', '{"choice": "wait", "confidence": 85}', '{"choice": "wait", "ranking": ["wait"], "approvals": ["wait"], "reasoning": "", "confidence": null}'),
  ('vote', '{"choice": "wait", "confidence": "1", "reasoning": "a\u0000b\ud83d\ude00\ud800"}', '{"choice": "wait", "ranking": ["wait"], "approvals": ["wait"], "reasoning": "ab😀", "confidence": null}'),
  ('vote', '{"choice": "Open"}', NULL), ('vote', '{"choice": ["open"]}', NULL), ('vote', '{"reasoning": "x"}', NULL), ('vote', '', NULL), ('nothing', '{}', NULL),
  ('synthesize', '{"summary": "S", "dissent": [{"position": "P", "personas": ["p2", "nobody", "p2", "moderator"]}, {"personas": []}], "open_risks": ["r", 1, " "], "recommendations": null}',
     '{"summary": "S", "majority_view": "", "dissent": [{"position": "P", "personas": ["p2"], "reasoning": ""}], "open_risks": ["r"], "recommendations": []}'),
  ('synthesize', '{"summary": " ", "majority_view": "x"}', NULL), ('vote', '{"choice": null, "reasoning": "<think>"}', '{"choice": null, "ranking": [], "approvals": [], "reasoning": "<think>", "confidence": null}'),
  ('vote', '<think>{"choice": "open"}</think>{"choice": "wait"}', '{"choice": "wait", "ranking": ["wait"], "approvals": ["wait"], "reasoning": "", "confidence": null}')) t (kind, content, wanted);
SELECT ok(octet_length(pg_temp.answer(:'three', 'initial', repeat('x', 2000000)) ->> 'content') = 50000, 'a long answer is cut');
SELECT ok(char_length(pg_temp.answer(:'three', 'vote', jsonb_build_object('choice', 'open', 'reasoning', repeat('x', 300000))::text) ->> 'reasoning') = 10000, 'and a long reason');

-- Choosing the board.
DELETE FROM chat.personas WHERE user_id = '00000000-0000-0000-0000-000000000000';
INSERT INTO chat.personas (user_id, code, name, expertise, system_prompt, category)
VALUES (:'alice', 'sel_a', 'Ann', E'Rents\nin Oslo', 'You are Ann.', 'trade'), (:'alice', 'sel_b', 'Ben', 'Law', 'You are Ben.', 'law'), (:'alice', 'sel_c', 'Cat', 'Tax', 'You are Cat.', 'law'),
       (:'bob', 'sel_d', 'Dan', 'Art', 'You are Dan.', 'law');
SELECT ok(strpos(r ->> 'content', E'\n> sel_a: Ann (trade). Rents in Oslo\n') > 0 AND r #> '{format,json_schema,schema,properties,persona_codes,items,enum}' ?& '{sel_a,sel_b,sel_c}'
            AND strpos(r ->> 'content', 'sel_d') = 0,
          'the catalogue is shown, and its codes can be named') FROM pg_temp.request(:'three', 'select') r;
SELECT is(chat_private.told_catalogue(:'alice', 100), E'> sel_b: Ben (law). Law\n> sel_c: Cat (law). Tax\n> sel_a: Ann (trade). Rents in…', 'as much of each as there is room for');
UPDATE chat.deliberations SET options = '{"persona_count": 2}' WHERE id = :'three';
SELECT is(pg_temp.request(:'three', 'select') #> '{format,json_schema,schema,properties,persona_codes,maxItems}', '2', 'as many as are wanted');
SELECT is(pg_temp.answer(:'three', 'select', '{"persona_codes": ["sel_d", "sel_b", "nobody", "sel_b", 5, "sel_a", "sel_c"]}'), '{"persona_codes": ["sel_b", "sel_a"]}', 'those there are, each once, no more than wanted');
SELECT is(pg_temp.answer(:'three', 'select', content), NULL, 'unusable: ' || content) FROM unnest(ARRAY['{"persona_codes": ["sel_b", "sel_d"]}', '{"persona_codes": "sel_a"}']) content;


-- Who runs them: the engine, and pgchat's own functions as the owner.
SELECT is(pg_temp.outcome(person, format('SELECT r.* FROM chat.deliberations d, unnest(ARRAY[''decompose'', ''initial'', ''contribute'', ''moderate'', ''choices'', ''vote'', ''synthesize'']) k, chat_private.step_request(d, k, ''p1'') r WHERE d.id = %L', :'three'), db_role),
          '7 rows', db_role || ' makes requests')
FROM (VALUES (NULL::uuid, 'pgchat_engine'), (:'alice', 'pgchat_owner')) t (person, db_role);
SELECT is(pg_temp.outcome(person, format('SELECT chat_private.read_answer(d, k, NULL, ''{"summary": "x", "choice": null, "choices": [{"label": "a"}, {"label": "b"}], "sub_problems": [{"title": "a"}]}'') FROM chat.deliberations d, unnest(ARRAY[''decompose'', ''initial'', ''choices'', ''vote'', ''synthesize'']) k WHERE d.id = %L', :'three'), db_role),
          '5 rows', db_role || ' reads answers')
FROM (VALUES (NULL::uuid, 'pgchat_engine'), (:'alice', 'pgchat_owner')) t (person, db_role);
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat_private.ship_prompts()'), '42501', 'a client does nothing of this');

-- Whatever the text is, no error.
SELECT setseed(0.5);
CREATE FUNCTION pg_temp.noise(depth integer) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  scraps CONSTANT text[] := ARRAY['null', 'true', '-0', '1e400', '1e-400', '123456789012345678901234567890', '0.5', '"open"', '"wait"', '"p1"', '""', '"\u0000"', '"\ud800"', '"\udc00\ud800"',
    '"\\u0000"', '"é\u2028"', '"<think>"', '"</think>"', '{', ']', ',', '"choice', '```', E'\\', '{"choice": {}}', '1e999999999'];
  names CONSTANT text[] := ARRAY['choice', 'choices', 'ranking', 'approvals', 'reasoning', 'confidence', 'sub_problems', 'title', 'description', 'id', 'label', 'summary', 'dissent', 'personas', 'position',
    'open_risks', 'recommendations', 'persona_codes', 'majority_view', 'a\u0000'];
BEGIN
  RETURN CASE WHEN depth > 0 AND random() < 0.4 THEN '{' || coalesce((SELECT string_agg('"' || names[1 + floor(random() * cardinality(names))::integer] || '": ' || pg_temp.noise(depth - 1), ', ')
                                                                      FROM generate_series(1, 1 + floor(random() * 6)::integer)), '') || '}'
         WHEN depth > 0 AND random() < 0.5 THEN '[' || coalesce((SELECT string_agg(pg_temp.noise(depth - 1), ', ') FROM generate_series(1, floor(random() * 4)::integer)), '') || ']'
         ELSE scraps[1 + floor(random() * (cardinality(scraps) - CASE WHEN random() < 0.8 THEN 7 ELSE 0 END))::integer] END;
END
$$;
SELECT lives_ok(format($$SELECT pg_temp.answer(%L, kind, CASE WHEN n %% 5 = 0 THEN left(t, 10) ELSE t END)
  FROM generate_series(1, 600) n, LATERAL (SELECT pg_temp.noise(4) || repeat('', n) AS t) x, unnest(ARRAY['initial', 'decompose', 'choices', 'vote', 'synthesize']) kind$$, :'three'), 'random JSON');
SELECT lives_ok(format('SELECT pg_temp.answer(%L, kind, %s) FROM unnest(ARRAY[''initial'', ''decompose'', ''choices'', ''vote'', ''synthesize'']) kind', :'three', content), 'no error: ' || content)
FROM unnest(ARRAY['repeat(''['', 1000000)', 'repeat(''{"a":'', 200000)', 'repeat(''{'', 100000) || repeat(''}'', 100000)', 'repeat(''<think>'', 20000)', 'repeat(''</think>'', 20000)', 'repeat(''`'', 100000)',
                  '''{"choice": 1'' || repeat(''0'', 200000) || ''}''', '''{"choice": '' || repeat(''['', 5000) || repeat('']'', 5000) || ''}''', 'repeat(''\ud800'', 50000)', 'repeat(chr(128512), 100000)',
                  '(SELECT string_agg(chr(n), '''') FROM generate_series(1, 70000) n WHERE n NOT BETWEEN 55296 AND 57343)']) content;
-- Rows that came of answers fit into their tables.
SELECT lives_ok(format($$INSERT INTO chat.votes (user_id, deliberation_id, persona_code, choice, ranking, approvals, reasoning, confidence, is_abstention, seq)
  SELECT %L, %L, 'p3', v ->> 'choice', ARRAY(SELECT jsonb_array_elements_text(v -> 'ranking')), ARRAY(SELECT jsonb_array_elements_text(v -> 'approvals')), v ->> 'reasoning', (v ->> 'confidence')::numeric, v ->> 'choice' IS NULL, 3
  FROM pg_temp.answer(%L, 'vote', '{"choice": null, "ranking": ["open"], "confidence": 1e300}') v$$, :'alice', :'three', :'three'), 'a vote can be stored');
UPDATE chat.deliberations SET options = '{"call_options": {"max_tokens": null, "extra": {"stop": null}}}' WHERE id = :'three';
SELECT is(pg_temp.request(:'three', 'contribute', 'p2') -> 'options', '{"max_tokens": 3000, "extra": {"stop": null}}', 'how much is written is always bounded');
SELECT is(chat_private.told_json('{"a": [1]}', 100), jsonb_pretty('{"a": [1]}'), 'JSON is told as people read it');
SELECT is(chat_private.told_json((repeat('[', 50) || '1' || repeat(']', 50))::jsonb, 100), repeat('[', 50) || '1' || repeat(']', 50), 'but where that might be much longer, as it is');
-- A conclusion that was not of the form asked for
CREATE FUNCTION pg_temp.concluded(deliberation uuid, code text) RETURNS void LANGUAGE sql AS $$
  INSERT INTO chat.deliberation_steps (user_id, id, deliberation_id, kind, phase, round_number, state, model, error, finished_at)
  SELECT d.user_id, chat.uuid_v7(), d.id, 'synthesize', 'synthesis', d.round_number, 'failed', 'test-model', jsonb_build_object('code', concluded.code), clock_timestamp()
  FROM chat.deliberations d WHERE d.id = concluded.deliberation $$;
CREATE FUNCTION pg_temp.standing(deliberation uuid) RETURNS text LANGUAGE sql AS $$
  SELECT t.standing || ' ' || t.attempt FROM chat.deliberations d, chat_private.step_standing(d, 'synthesize', NULL) t WHERE d.id = standing.deliberation $$;
SELECT pg_temp.concluded(:'three', 'provider_bad_response') \g /dev/null
SELECT ok(jsonb_typeof(pg_temp.request(:'three', 'synthesize') -> 'format') = 'object' AND pg_temp.standing(:'three') = 'missing 2' AND pg_temp.answer(:'three', 'synthesize', 'Go.') IS NULL,
          'after one that is unusable, another is asked for');
SELECT pg_temp.concluded(:'three', 'provider_bad_response') \g /dev/null
SELECT is(pg_temp.standing(:'three'), 'missing 3', 'after two, text is');
SELECT is(pg_temp.request(:'three', 'synthesize') -> 'format', 'null', 'without a form');
SELECT ok(strpos(pg_temp.request(:'three', 'synthesize') ->> 'content', 'as plain text, no JSON') > 0, 'and with its own prompt');
SELECT is(pg_temp.answer(:'three', 'synthesize', E'<think>x</think>Go.\n{"not": "json'),
          '{"summary": "Go.\n{\"not\": \"json", "majority_view": null, "dissent": null, "open_risks": null, "recommendations": null, "is_text": true}', 'all of which is the summary');
SELECT is(pg_temp.answer(:'three', 'synthesize', '{"summary": "Go."}') -> 'is_text', NULL, 'but in the form, it is taken as such');
SELECT pg_temp.concluded(:'three', 'provider_bad_response'), pg_temp.concluded(:'three', 'provider_bad_response') \g /dev/null
SELECT is(pg_temp.standing(:'three'), 'given_up 5', 'nothing is said twice: given up');
SELECT pg_temp.concluded(:'twelve', 'invalid_structured_reply') \g /dev/null
SELECT is(pg_temp.standing(:'twelve') || ' ' || (pg_temp.request(:'twelve', 'synthesize') -> 'format')::text, 'missing 2 null', 'what the engine found wrong has been repaired in vain already');

SELECT * FROM finish();
ROLLBACK;
