-- Limits: setting them, what is refused, what the engine is told of them.
BEGIN;
\ir setup.psql
SELECT plan(42);

-- Who may set what.
SELECT is(pg_temp.outcome(:'alice', format(call, :'alice')), '42501', 'not for users: ' || call)
FROM unnest(ARRAY['SELECT chat.admin_set_limits(%L, $${}$$)', 'SELECT chat.admin_set_budget(%L, 1000)']) call;
SELECT is(pg_temp.outcome(:'alice', 'UPDATE chat.user_limits SET limits = $${}$$'), '42501', 'nor by hand');
SELECT is(pg_temp.outcome(NULL, format('SELECT chat.admin_set_limits(%L, %L)', :'alice', limits), 'pgchat_service'), outcome, limits || ': ' || outcome)
FROM (VALUES ('{"requests_per_minute": 5, "concurrent_calls": 2, "tokens_per_day": 1000, "cost_per_month": 2.5}', '1 rows'),
             ('{"requests_per_minute": null}', '1 rows'), ('{"requests_per_minute": -1}', '22023'), ('{"requests_per_minute": "5"}', '22023'),
             ('{"requests_per_minute": 1.5}', '22023'), ('{"concurrent_calls": 1000000}', '22023'), ('{"tokens_per_day": 1e15}', '22023'),
             ('{"cost_per_month": -0.01}', '22023'), ('{"cost_per_month": 1e7}', '22023'), ('{"cost_per_month": "1"}', '22023'), ('{"cost_per_month": []}', '22023'),
             ('{"messages_per_day": 5}', '22023'), ('[]', '22023'), ('5', '22023')) t (limits, outcome);
SELECT is(pg_temp.outcome(NULL, 'SELECT chat.admin_set_limits(NULL, $${}$$)', 'pgchat_service'), '22004', 'whose they are must be said');
SELECT is(pg_temp.outcome(NULL, 'SELECT chat.admin_set_limits(chat.uuid_v7(), $${}$$)', 'pgchat_service'), 'P0002', 'and be somebody');
SELECT is(pg_temp.outcome(NULL, 'SELECT chat.admin_set_budget(chat.uuid_v7(), 1)', 'pgchat_service'), 'P0002', 'for a budget, too');
SELECT is(pg_temp.outcome(NULL, format('SELECT chat.admin_set_budget(%L, -1)', :'alice'), 'pgchat_service'), '22023', 'which is no debt');
SELECT is(pg_temp.outcome(NULL, 'SELECT chat.admin_set_budget(NULL, 1)', 'pgchat_service'), '22004', 'nor nobody''s');

-- What the engine is told.
CREATE FUNCTION pg_temp.told(person uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  PERFORM set_config('role', 'pgchat_engine', true);
  SELECT concat_ws(' ', role, plan, coalesce(requests_per_minute::text, '-'), coalesce(concurrent_calls::text, '-'), coalesce(tokens_per_day::text, '-'),
                   coalesce(cost_per_month_pico::text, '-'), own_keys_exempt, tokens_today, cost_this_month_pico)
  INTO result FROM chat_private.engine_accounts(ARRAY[person]);
  PERFORM set_config('role', 'none', true);
  RETURN result;
END $$;
SELECT chat.admin_set_limits(:'alice', '{"requests_per_minute": 5, "tokens_per_day": 1000}'), chat.admin_set_budget(:'alice', 2.5);
SELECT is(pg_temp.told(:'alice'), 'user free 5 - 1000 2500000000000 t 0 0', 'a user''s limits');
SELECT chat.admin_save_plan('free', limits => '{"requests_per_minute": 7, "concurrent_calls": 3, "cost_per_month": 1}');
SELECT is(pg_temp.told(:'alice'), 'user free 5 3 1000 2500000000000 t 0 0', 'come before those of the plan');
SELECT is(pg_temp.told(:'bob'), 'user free 7 3 - 1000000000000 t 0 0', 'which hold for others');
SELECT chat.admin_set_budget(:'alice', NULL), chat.admin_set_limits(:'bob', '{"cost_per_month": null}');
SELECT is(pg_temp.told(:'alice'), 'user free 5 3 1000 1000000000000 t 0 0', 'a budget can be the plan''s again');
SELECT is(pg_temp.told(:'bob'), 'user free 7 3 - - t 0 0', 'or none');
SELECT is(pg_temp.told(chat.uuid_v7()), '- - - - t 0 0', 'nobody has no limits');
CREATE FUNCTION pg_temp.told_active(people uuid[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  PERFORM set_config('role', 'pgchat_engine', true);
  SELECT string_agg(a.is_active::text, ' ' ORDER BY array_position(people, a.user_id)) INTO result FROM chat_private.engine_accounts(people) a;
  PERFORM set_config('role', 'none', true);
  RETURN result;
END $$;
UPDATE chat.users SET is_active = false WHERE id = :'bob';
SELECT is(pg_temp.told_active(ARRAY[:'alice', :'bob', chat.uuid_v7()::text, '00000000-0000-0000-0000-000000000000']::uuid[]), 'true false false true',
          'who is disabled or not there is not active; the installation is');
UPDATE chat.users SET is_active = true WHERE id = :'bob';
SELECT matches((SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'chat.users'::regclass AND tgname = 'accounts_changed'),
               'AFTER DELETE OR UPDATE OF role, plan, is_active OR TRUNCATE', 'the engine learns of both');
SELECT is((SELECT limits ->> 'requests_per_minute' FROM chat.plans WHERE code = 'guest'), '60', 'guests may make 60 requests a minute');

-- What was used.
CREATE TEMP TABLE before ON COMMIT DROP AS SELECT split_part(pg_temp.told('00000000-0000-0000-0000-000000000000'), ' ', 7)::bigint AS cost;
INSERT INTO chat.usage_events (user_id, input_tokens, output_tokens, cost, is_own_key, outcome, created_at)
VALUES (:'alice', 10, 5, 0.5, false, 'complete', clock_timestamp()), (:'alice', 1, 1, 0.25, true, 'error', clock_timestamp()),
       (:'alice', 1000, 1000, 9, false, 'complete', clock_timestamp() - interval '40 days'), (:'bob', 1, 1, 8, false, 'complete', clock_timestamp()),
       ('00000000-0000-0000-0000-000000000000', 1, 1, 16, false, 'complete', clock_timestamp());
SELECT is(pg_temp.told(:'alice'), 'user free 5 3 1000 1000000000000 t 17 500000000000', 'today''s tokens and this month''s cost count, without one''s own keys');
SELECT is(split_part(pg_temp.told('00000000-0000-0000-0000-000000000000'), ' ', 7)::bigint - (SELECT cost FROM before), 24500000000000, 'the installation pays for all');
SELECT chat.admin_set_setting('own_keys_exempt_from_budget', 'false'), chat.admin_set_setting('cost_per_month', '100.5');
SELECT is(pg_temp.told(:'alice'), 'user free 5 3 1000 1000000000000 f 17 750000000000', 'unless they are told to');
SELECT is(split_part(pg_temp.told('00000000-0000-0000-0000-000000000000'), ' ', 4), '100500000000000', 'it has a budget, too');
SELECT is(pg_temp.value(:'alice', $$SELECT string_agg(concat_ws(' ', name, allowed, used, resets_at > now()), ', ' ORDER BY name) FROM chat.my_limits()$$),
          'concurrent_calls 3, cost_per_month 1 0.75 t, requests_per_minute 5, tokens_per_day 1000 17 t', 'people see their limits');
SELECT is(pg_temp.outcome(NULL, 'SELECT chat.my_limits()'), '28000', 'when they say who they are');

-- What is not in the roll-ups yet.
SELECT chat_private.roll_up_usage(1000000) AS rolled_up \gset
SELECT ok(:rolled_up >= 5, 'the events are in the roll-ups');
SELECT is(pg_temp.told(:'alice'), 'user free 5 3 1000 1000000000000 f 17 750000000000', 'where they count as before');
INSERT INTO chat.usage_events (user_id, id, input_tokens, output_tokens, cost, outcome)
VALUES (:'alice', chat.uuid_v7(), 1, 1, 0.125, 'complete'),
       -- Of a session whose clock was behind.
       (:'alice', chat_private.id_at(clock_timestamp() - interval '5 seconds'), 100, 0, 0, 'complete');
SELECT is(pg_temp.told(:'alice'), 'user free 5 3 1000 1000000000000 f 119 875000000000', 'later events count, too');
SELECT is(split_part(pg_temp.told('00000000-0000-0000-0000-000000000000'), ' ', 7)::bigint - (SELECT cost FROM before), 24875000000000, 'for the installation, too');
DELETE FROM chat.usage_events WHERE seq <= chat_private.usage_watermark();
SELECT is(pg_temp.told(:'alice'), 'user free 5 3 1000 1000000000000 f 119 875000000000', 'also when the events before them are gone');
SELECT * FROM finish();
ROLLBACK;
