-- Personas: the 45 that come with pgchat, how they are brought up to date, those of users and administrators, and who sees which.
BEGIN;
\ir people.psql
SELECT plan(172);
\set nil '''00000000-0000-0000-0000-000000000000'''
CREATE TEMP VIEW shipped AS SELECT * FROM chat.personas WHERE user_id = '00000000-0000-0000-0000-000000000000' AND is_default;
-- The words of each text, in order.
CREATE TEMP TABLE words ON COMMIT DROP AS
  SELECT code, array_agg(w.found[1] ORDER BY w.n) AS words
  FROM shipped, regexp_matches(lower(system_prompt), '[a-z0-9'']+', 'g') WITH ORDINALITY w (found, n) GROUP BY code;

-- What comes with pgchat.
SELECT is((SELECT count(*)::int FROM shipped), 45, 'there are 45');
SELECT is((SELECT string_agg(category || ' ' || n, ', ' ORDER BY category) FROM (SELECT category, count(*) AS n FROM shipped GROUP BY 1) c),
          'finance 4, growth 5, law_and_risk 4, operations 4, people 5, product 4, sceptics 4, society 5, strategy 5, technology 5', 'in ten categories');
SELECT is((SELECT category FROM shipped WHERE code = 'growth_hacker'), 'growth', 'one of them is growth_hacker');
SELECT is((SELECT array_agg(code ORDER BY code) FROM shipped WHERE category = 'sceptics'), '{devils_advocate,evidence_sceptic,first_principles_thinker,red_teamer}', 'and four doubt the rest');
SELECT set_eq('SELECT code, name, category, expertise, system_prompt FROM shipped', 'SELECT code, name, category, expertise, system_prompt FROM chat_private.shipped_personas()', 'they are as they came');
SELECT is_empty('SELECT code FROM shipped WHERE NOT is_active OR model IS NOT NULL', 'all are active, and speak with the deliberation''s model');
SELECT is_empty($$SELECT code, cardinality(words) FROM words WHERE cardinality(words) NOT BETWEEN 120 AND 250$$, 'each text has 120 to 250 words');
SELECT is_empty($$SELECT code FROM shipped WHERE char_length(expertise) NOT BETWEEN 60 AND 500 OR expertise ~ '[[:cntrl:]]' OR expertise !~ '[.]$' OR expertise ~ '[.!?] '$$, 'each expertise is a sentence of at most 500 characters');
SELECT is_empty($$SELECT code FROM shipped WHERE strpos(system_prompt, 'You are ' || name) <> 1$$, 'each text says who it is');
SELECT is_empty($$SELECT code FROM shipped WHERE system_prompt ~ '[*#`_{}<>]' OR system_prompt ~ '[^\n[:print:]]' OR system_prompt ~ '^\s|\s$|  |\n{3}'$$, 'in plain text');
SELECT is_empty($$SELECT a.code, part FROM shipped a, shipped b, regexp_split_to_table(b.name, '[ -]') part
                  WHERE a.code <> b.code AND a.system_prompt ~ ('\m' || part || '\M')$$, 'and names nobody else');
-- Distinct: neither names nor expertise twice, no run of six words in two texts, and no two texts of the same words.
SELECT is((SELECT count(DISTINCT part)::int FROM shipped, regexp_split_to_table(name, '[ -]') part), (SELECT count(*)::int FROM shipped, regexp_split_to_table(name, '[ -]') part), 'no two share a part of their names');
SELECT is_empty($$SELECT run, array_agg(code) FROM (SELECT DISTINCT code, array_to_string(words[i:i + 5], ' ') AS run FROM words, generate_series(1, cardinality(words) - 5) i) r
                  GROUP BY run HAVING count(*) > 1$$, 'no run of six words is in two texts');
SELECT is_empty($$SELECT run, array_agg(code) FROM (SELECT code, array_to_string(w[i:i + 3], ' ') AS run
                    FROM (SELECT code, regexp_split_to_array(lower(expertise), '\W+') AS w FROM shipped) s, generate_series(1, cardinality(w) - 4) i) r
                  GROUP BY run HAVING count(DISTINCT code) > 1$$, 'no run of four words is in the expertise of two');
SELECT cmp_ok((SELECT max(s.common / (s.a + s.b - s.common)) FROM (
                 SELECT (SELECT count(*) FROM (SELECT unnest(a.words) INTERSECT SELECT unnest(b.words)) i)::numeric AS common,
                        (SELECT count(DISTINCT w) FROM unnest(a.words) w) AS a, (SELECT count(DISTINCT w) FROM unnest(b.words) w) AS b
                 FROM words a JOIN words b ON a.code < b.code) s), '<', 0.25, 'no two texts have a quarter of their words in common');

-- The catalogue.
SELECT is(pg_temp.got(token, $$SELECT count(*) || ' ' || count(*) FILTER (WHERE is_personal) FROM chat.list_personas()$$), '45 0', who || ' sees the 45')
FROM (VALUES (:'alice_token', 'a user'), (:'guest_token', 'a guest'), (:'worker_token', 'a worker'), (:'admin_token', 'an administrator')) t (token, who);
SELECT is(pg_temp.try(NULL, 'SELECT * FROM chat.list_personas()'), '28000', 'nobody lists them');
SELECT is(pg_temp.got(:'alice_token', $$SELECT string_agg(code, ' ') FROM chat.list_personas('finance')$$), 'actuary economist finance_director venture_investor', 'those of a category');
SELECT is(pg_temp.got(:'alice_token', format($$SELECT string_agg(code, ' ') FROM chat.list_personas(search => %L)$$, search)), wanted, what)
FROM (VALUES ('GROWTH_h', 'growth_hacker', 'those found by code'), (' Willingness to pay ', 'pricing_specialist', 'by expertise'), ('valverde', 'growth_hacker', 'by name'), ('%', NULL, 'nothing stands for anything')) t (search, wanted, what);
SELECT is(pg_temp.got(:'alice_token', $$SELECT count(*) FROM chat.list_personas('finance', 'unit economics')$$), '1', 'by both');
SELECT is(pg_temp.got(:'alice_token', $$SELECT count(*) FROM chat.list_personas(NULL, '')$$), '45', 'an empty text finds all');
SELECT is(pg_temp.got(:'alice_token', $$SELECT code || ' ' || (system_prompt <> '') FROM chat.list_personas() LIMIT 1$$), 'actuary true', 'by category and code, with their texts');

-- One's own.
CREATE FUNCTION pg_temp.mine(persona_code text, words text DEFAULT 'You are mine.') RETURNS text LANGUAGE sql AS $$
  SELECT format('SELECT chat.save_persona(%L, %L, %L, %L)', persona_code, 'Name of ' || persona_code, 'Knows ' || persona_code || '.', words)
$$;
SELECT is(pg_temp.try(:'alice_token', pg_temp.mine('aunt')), '1 rows', 'a user keeps one');
SELECT is((SELECT (user_id, name, expertise, category, system_prompt, model, is_active, is_default)::text FROM chat.personas WHERE code = 'aunt'),
          format('(%s,"Name of aunt","Knows aunt.",own,"You are mine.",,t,f)', :'alice'), 'as it was given');
SELECT is(pg_temp.got(:'alice_token', $$SELECT (p).category || (p).model FROM chat.save_persona('aunt', 'Aunt', 'Knows.', 'You are an aunt.', 'family', 'test-model') p$$), 'familytest-model', 'replacing it gives it back');
SELECT is((SELECT count(*) || max(name) FROM chat.personas WHERE code = 'aunt'), '1Aunt', 'and leaves one');
SELECT is(pg_temp.try(:'bob_token', pg_temp.mine('aunt')), '1 rows', 'somebody else has codes of their own');
SELECT is(pg_temp.try(:'guest_token', pg_temp.mine('aunt')), '1 rows', 'a guest too');
SELECT is(pg_temp.got(:'alice_token', $$SELECT string_agg(name || is_personal, ' ') FROM chat.list_personas(search => 'aunt')$$), 'Aunttrue', 'each sees their own');
SELECT is(pg_temp.try(NULL, pg_temp.mine('aunt')), '28000', 'nobody keeps none');
SELECT is(pg_temp.try(:'alice_token', pg_temp.mine('growth_hacker', 'You are my own hacker.')), '1 rows', 'one of the code of one for all');
SELECT is(pg_temp.got(:'alice_token', $$SELECT string_agg(system_prompt || is_personal, ' ') FROM chat.list_personas(search => 'growth_hacker')$$), 'You are my own hacker.true', 'hides it');
SELECT is(pg_temp.got(:'bob_token', $$SELECT string_agg(name || is_personal, ' ') FROM chat.list_personas(search => 'growth_hacker')$$), 'Thiago Mbeki-Valverdefalse', 'from nobody else');
SELECT is((SELECT f.user_id FROM chat_private.find_persona(:'alice', 'growth_hacker') f), :'alice'::uuid, 'and goes before it');
SELECT is((SELECT f.user_id FROM chat_private.find_persona(:'bob', 'growth_hacker') f), :nil::uuid, 'for its owner only');
SELECT ok((SELECT f IS NULL FROM chat_private.find_persona(:'bob', 'nothing') f), 'where there is none, none is found');
SELECT is((SELECT count(*) || ' ' || count(DISTINCT code) || ' ' || count(*) FILTER (WHERE user_id = :'alice') FROM chat_private.persona_catalogue(:'alice')), '46 46 2', 'the catalogue has each code once');
SELECT chat.admin_register_model('test-provider', 'closed-model', options => '{"is_open": false}') \g /dev/null
CREATE TEMP TABLE bad ON COMMIT DROP AS
SELECT * FROM (VALUES ('NULL, ''x'', ''x'', ''x''', '22004', 'no code'), ('''x'', NULL, ''x'', ''x''', '22004', 'no name'), ('''x'', ''x'', NULL, ''x''', '22004', 'no expertise'),
             ('''x'', ''x'', ''x'', NULL', '22004', 'no system prompt'),
             ('''moderator'', ''x'', ''x'', ''x''', '22023', 'the moderator''s code'), ('''X'', ''x'', ''x'', ''x''', '22023', 'a code in capitals'), ('''1x'', ''x'', ''x'', ''x''', '22023', 'a code that begins with a digit'),
             ('''a-b'', ''x'', ''x'', ''x''', '22023', 'a code with a hyphen'), ('E''a\n'', ''x'', ''x'', ''x''', '22023', 'a code of two lines'), (''''', ''x'', ''x'', ''x''', '22023', 'an empty code'),
             ('repeat(''x'', 51), ''x'', ''x'', ''x''', '22023', 'a long code'), ('''x'', '' '', ''x'', ''x''', '22023', 'an empty name'), ('''x'', E''a\nb'', ''x'', ''x''', '22023', 'a name of two lines'),
             ('''x'', ''x'', '' '', ''x''', '22023', 'an empty expertise'), ('''x'', ''x'', E''a\nb'', ''x''', '22023', 'an expertise of two lines'),
             ('''x'', repeat(''x'', 256), ''x'', ''x''', '54000', 'a long name'), ('''x'', ''x'', repeat(''x'', 501), ''x''', '54000', 'a long expertise'),
             ('''x'', ''x'', ''x'', '' ''', '2200F', 'an empty system prompt'), ('''x'', ''x'', ''x'', repeat(''x'', 2000000)', '54000', 'a system prompt of 2 MB'),
             ('''x'', ''x'', ''x'', ''x'', ''My own''', '22023', 'a category with a space'), ('''x'', ''x'', ''x'', ''x'', ''''', '22023', 'an empty category'),
             ('''x'', ''x'', ''x'', ''x'', model => ''nothing''', '42704', 'no such model')) t (arguments, sqlstate, what);
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.save_persona(%s)', arguments)), sqlstate, what) FROM bad;
SELECT is(pg_temp.try(:'alice_token', $$SELECT chat.save_persona('x', 'x', 'x', 'x', NULL)$$), '22004', 'no category');
SELECT is(pg_temp.try(:'alice_token', $$SELECT chat.save_persona('x', 'x', 'x', 'x', model => 'closed-model')$$), '42501', 'a model that is not open');
SELECT matches(pg_temp.hint_of(:'alice_token', format('SELECT chat.save_persona(%s)', arguments)), hint, 'hint: ' || hint)
FROM (VALUES ('''moderator'', ''x'', ''x'', ''x''', 'another code'), ('''X'', ''x'', ''x'', ''x''', 'beginning with a letter'), ('''x'', E''a\nb'', ''x'', ''x''', 'in one line'), ('''x'', ''x'', repeat(''x'', 501), ''x''', 'Shorten'),
             ('''x'', ''x'', ''x'', ''x'', ''My own''', 'beginning with a letter'), ('''x'', ''x'', ''x'', ''x'', model => ''nothing''', 'list_models')) t (arguments, hint);
SELECT is((SELECT count(*)::int FROM chat.personas WHERE user_id = :'alice'), 2, 'what is refused leaves nothing');
SELECT is(pg_temp.try(:'alice_token', $$SELECT chat.save_persona(repeat('x', 50), repeat('x', 255), repeat('x', 500), 'x', repeat('x', 50), '')$$), '1 rows', 'the longest');

-- As many as the setting says.
SELECT is(chat_private.setting('personas_per_user'), '100', 'a user can have 100');
SELECT chat.admin_set_setting('personas_per_user', '4');
SELECT is(pg_temp.try(:'alice_token', pg_temp.mine('fourth')), '1 rows', 'as many as the setting allows');
SELECT is(pg_temp.try(:'alice_token', pg_temp.mine('fifth')), '54000', 'no more');
SELECT matches(pg_temp.hint_of(:'alice_token', pg_temp.mine('fifth')), 'delete_persona', 'what to do');
SELECT is(pg_temp.try(:'alice_token', pg_temp.mine('fourth', 'You are new.')), '1 rows', 'one of them can be replaced');
SELECT is(pg_temp.try(:'bob_token', pg_temp.mine('fifth')), '1 rows', 'and others'' do not count');

-- Removing.
SELECT is(pg_temp.try(token, format('SELECT chat.delete_persona(%L)', code)), sqlstate, what)
FROM (VALUES (1, :'alice_token', 'fifth', 'P0002', 'somebody else''s is not removed'), (2, :'admin_token', 'aunt', 'P0002', 'nor by an administrator'), (3, :'bob_token', 'red_teamer', 'P0002', 'nor one for all by a user'),
             (4, :'admin_token', 'red_teamer', 'P0002', 'or an administrator as a user'), (5, NULL, 'aunt', '28000', 'nor by nobody'), (6, :'alice_token', NULL, '22004', 'NULL'),
             (7, :'alice_token', 'growth_hacker', '1 rows', 'one''s own is'), (8, :'alice_token', 'growth_hacker', 'P0002', 'once')) t (n, token, code, sqlstate, what) ORDER BY n;
SELECT is((SELECT f.user_id FROM chat_private.find_persona(:'alice', 'growth_hacker') f), :nil::uuid, 'then the one for all is found again');
SELECT is(pg_temp.hint_of(:'alice_token', $$SELECT chat.delete_persona('x')$$), 'chat.list_personas() lists those there are.', 'hint of one that there is not');

-- Those who administer nothing, and the table itself.
SELECT is(pg_temp.try(token, statement), '42501', who || ' does not ' || statement)
FROM (VALUES (:'alice_token', 'a user'), (:'supa_token', 'a supervisor'), (:'guest_token', 'a guest'), (NULL, 'nobody')) w (token, who),
     (VALUES ($$SELECT chat.admin_save_persona('x', 'x', 'x', 'x')$$), ($$SELECT chat.admin_set_persona_active('red_teamer', false)$$), ($$SELECT chat.admin_delete_persona('red_teamer')$$)) s (statement);
SELECT is(pg_temp.outcome(person, statement, role), wanted, format('%s as %s: %s', statement, coalesce(left(person::text, 4), 'nobody'), role))
FROM (VALUES (:'alice'::uuid), (NULL)) p (person),
     (VALUES ('UPDATE chat.personas SET name = name WHERE is_default', 'pgchat_owner', '0 rows'), ('DELETE FROM chat.personas WHERE is_default', 'pgchat_owner', '0 rows'),
             ('DELETE FROM chat.personas WHERE is_default', 'pgchat_client', '42501'),
             ($$INSERT INTO chat.personas (user_id, code, name, expertise, category, system_prompt) VALUES ('00000000-0000-0000-0000-000000000000', 'x', 'x', 'x', 'x', 'x')$$, 'pgchat_owner', '42501')) s (statement, role, wanted);
SELECT is(pg_temp.value(:'bob', $$SELECT count(*) FROM chat.personas WHERE user_id NOT IN ('00000000-0000-0000-0000-000000000000', chat.current_user_id())$$), '0', 'a client reads those for all and their own');
SELECT is((SELECT count(*)::int FROM shipped), 45, 'so all are as they came');

-- admin_save_persona
SELECT is(pg_temp.got(:'admin_token', $$SELECT p.category FROM chat.admin_save_persona('house_expert', 'House', 'Knows the house.', 'You are the house.') p$$), 'general', 'an administrator adds one for all');
SELECT is(pg_temp.got(:'bob_token', $$SELECT name || is_personal FROM chat.list_personas(search => 'house_expert')$$), 'Housefalse', 'which all see');
SELECT is(pg_temp.got(NULL, $$SELECT p.name || p.expertise || p.model FROM chat.admin_save_persona('house_expert', expertise => 'Knows.', model => 'closed-model') p$$, 'pgchat_service'), 'HouseKnows.closed-model', 'the service changes a part of it, with any model');
SELECT is(pg_temp.got(:'admin_token', $$SELECT (p.name, p.category, p.model)::text FROM chat.admin_save_persona('house_expert', category => 'house', model => '') p$$), '(House,house,)', 'and takes the model away');
SELECT is(pg_temp.audited('admin.save_persona', 'persona:house_expert'), 3, 'audited');
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_save_persona(%s)', arguments)), sqlstate, 'for all: ' || what) FROM bad;
SELECT is((SELECT count(*)::int FROM chat.personas WHERE user_id = :nil), 46, 'what is refused leaves nothing');
SELECT id AS before FROM shipped WHERE code = 'red_teamer' \gset
SELECT is(pg_temp.got(:'admin_token', $$SELECT (p.id, p.name, p.is_default)::text FROM chat.admin_save_persona('red_teamer', 'Edited') p$$), format('(%s,Edited,f)', :'before'), 'one that came with pgchat is edited, and so no longer as it came');
SELECT isnt((SELECT system_prompt FROM chat.personas WHERE code = 'red_teamer'), '', 'with the text that it has');
SELECT is((SELECT count(*)::int FROM chat.personas WHERE code = 'red_teamer'), 1, 'there is one');

-- admin_set_persona_active
SELECT is(pg_temp.try(:'admin_token', $$SELECT chat.admin_set_persona_active('actuary', true)$$), '1 rows', 'to what it is');
SELECT ok((SELECT is_default FROM chat.personas WHERE code = 'actuary'), 'is no edit');
SELECT is(pg_temp.try(:'admin_token', $$SELECT chat.admin_set_persona_active('actuary', false)$$), '1 rows', 'one is switched off');
SELECT is(pg_temp.got(:'bob_token', $$SELECT count(*) FROM chat.list_personas(search => 'actuary')$$), '0', 'and cannot be chosen');
SELECT ok((SELECT f IS NULL FROM chat_private.find_persona(:'bob', 'actuary') f), 'nor found');
SELECT is(pg_temp.try(:'bob_token', pg_temp.mine('actuary')), '1 rows', 'but a user has their own of this code');
SELECT is((SELECT f.user_id FROM chat_private.find_persona(:'bob', 'actuary') f), :'bob'::uuid, 'which is found');
SELECT is(pg_temp.audited('admin.set_persona_active', 'persona:actuary'), 2, 'audited');
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_set_persona_active(%s)', arguments)), sqlstate, 'admin_set_persona_active: ' || arguments)
FROM (VALUES ('NULL, true', '22004'), ('''actuary'', NULL', '22004'), ('''nothing'', true', 'P0002'), ('''aunt'', true', 'P0002')) t (arguments, sqlstate);

-- An update of pgchat, here of texts that an earlier version had: what nobody edited is refreshed, nothing else is changed or removed.
UPDATE chat.personas SET expertise = 'Old.', system_prompt = 'Old.', name = 'Old', category = 'old' WHERE code IN ('economist', 'red_teamer') AND user_id = :nil;
INSERT INTO chat.personas (user_id, code, name, expertise, category, system_prompt, is_default) VALUES (:nil, 'retired', 'Retired', 'Old.', 'old', 'Old.', true);
DELETE FROM chat.personas WHERE user_id = :nil AND code = 'historian';
CREATE TEMP TABLE as_before ON COMMIT DROP AS SELECT * FROM chat.personas WHERE NOT (user_id = :nil AND code IN ('economist', 'historian'));
\ir ../../sql/install/personas/update_shipped.sql
SELECT is_empty($$SELECT s.code FROM chat_private.shipped_personas() s LEFT JOIN shipped p USING (code, name, category, expertise, system_prompt)
                  WHERE p.code IS NULL AND s.code NOT IN ('red_teamer', 'actuary')$$, 'those that nobody edited are as they come now, and what was missing is there');
SELECT set_eq($$SELECT * FROM chat.personas WHERE NOT (user_id = '00000000-0000-0000-0000-000000000000' AND code IN ('economist', 'historian'))$$, 'SELECT * FROM as_before', 'all else is as it was: edited, switched off, retired, users''');
SELECT is(chat_private.ship_personas(), 0, 'and a second time nothing is changed');

-- admin_delete_persona
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_delete_persona(%L)', code)), sqlstate, 'admin_delete_persona: ' || coalesce(code, 'NULL'))
FROM (VALUES (1, NULL, '22004'), (2, 'nothing', 'P0002'), (3, 'aunt', 'P0002'), (4, 'house_expert', '1 rows'), (5, 'house_expert', 'P0002'), (6, 'retired', '1 rows'), (7, 'red_teamer', '1 rows'), (8, 'actuary', '1 rows')) t (n, code, sqlstate) ORDER BY n;
SELECT set_eq('SELECT code, name, category, expertise, system_prompt FROM shipped', 'SELECT code, name, category, expertise, system_prompt FROM chat_private.shipped_personas()', 'those that come with pgchat are as they came');
SELECT ok((SELECT bool_and(is_active) FROM shipped), 'and active');
SELECT is((SELECT count(*)::int FROM chat.personas WHERE user_id = :nil), 45, 'the others are gone');
SELECT is((SELECT count(*)::int FROM chat.audit_log WHERE action = 'admin.delete_persona' AND outcome = 'success' AND details ->> 'as_shipped' = (resource IN ('persona:red_teamer', 'persona:actuary'))::text), 4, 'audited');
SELECT is((SELECT string_agg(code, ' ' ORDER BY code) FROM chat.personas WHERE user_id = :'bob'), 'actuary aunt fifth', 'and users'' own stay');
SELECT * FROM finish();
ROLLBACK;
