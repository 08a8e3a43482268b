-- Reports of usage: sums equal the events whatever is rolled up, by whom they are seen, partitions, and what is dropped.
BEGIN;
\ir setup.psql
SELECT plan(36);

-- Random events of three people, in three months, of which the sums are taken in pieces.
CREATE TEMP TABLE made ON COMMIT DROP AS
SELECT CASE n % 3 WHEN 0 THEN :'alice'::uuid WHEN 1 THEN :'bob' ELSE '00000000-0000-0000-0000-000000000000' END AS user_id,
       (ARRAY['usage-a', 'usage-b', NULL])[1 + n % 4 % 3] AS model, (ARRAY['usage-p', 'usage-q'])[1 + n % 2] AS provider,
       (random() * 5000)::int AS input_tokens, (random() * 900)::int AS output_tokens, (random() * 1000000000000)::bigint AS cost_pico,
       (ARRAY['complete', 'complete', 'error', 'cancelled', 'incomplete'])[1 + n % 5] AS outcome,
       timestamptz '2021-01-30 12:00:00Z' + n * interval '25 minutes' AS created_at
FROM generate_series(1, 3000) n;
CREATE FUNCTION pg_temp.add_events(low int, high int) RETURNS void LANGUAGE sql AS $$
  INSERT INTO chat.usage_events (user_id, model, provider, input_tokens, output_tokens, cost, is_estimated, is_own_key, outcome, error_code, created_at)
  SELECT user_id, model, provider, input_tokens, output_tokens, chat_private.exact_cost(cost_pico), input_tokens % 7 = 0, output_tokens % 5 = 0, outcome,
         CASE WHEN outcome = 'error' THEN 'provider_failed' END, created_at
  FROM made ORDER BY created_at LIMIT high - low + 1 OFFSET low - 1
$$;
-- The engine may be at it, with what is committed.
CREATE FUNCTION pg_temp.roll_up(most int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  counted int := 0;
BEGIN
  PERFORM set_config('role', 'pgchat_engine', true);
  FOR i IN 1..200 LOOP
    counted := chat_private.roll_up_usage(most);
    EXIT WHEN counted > 0;
    PERFORM pg_sleep(0.01);
  END LOOP;
  PERFORM set_config('role', 'none', true);
  RETURN counted;
END $$;
-- What differs between the view and the events, of the made months.
CREATE FUNCTION pg_temp.differences() RETURNS bigint LANGUAGE sql AS $$
  WITH e AS (
    SELECT user_id, (created_at AT TIME ZONE 'UTC')::date AS day, coalesce(model, '') AS model, coalesce(provider, '') AS provider, count(*) AS attempts,
           count(*) FILTER (WHERE outcome <> 'complete') AS failed, count(*) FILTER (WHERE is_estimated) AS estimated,
           sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens, sum(coalesce(cached_tokens, 0)) AS cached_tokens, sum(cost) AS cost
    FROM chat.usage_events WHERE created_at < '2022-01-01' GROUP BY 1, 2, 3, 4)
  SELECT count(*) FROM (SELECT * FROM e FULL JOIN (SELECT * FROM chat.usage_by_model WHERE day < '2022-01-01') v
    USING (user_id, day, model, provider, attempts, failed, estimated, input_tokens, output_tokens, cached_tokens, cost)
    WHERE e.user_id IS NULL OR v.user_id IS NULL) d
$$;
SELECT pg_temp.add_events(1, 1000);
SELECT is(pg_temp.differences(), 0::bigint, 'without sums, the view is the events');
SELECT ok(pg_temp.roll_up(100000) >= 1000, 'events are rolled up');
SELECT is((SELECT count(*)::int FROM chat.usage_events WHERE seq > chat_private.usage_watermark()), 0, 'all of them');
SELECT is(pg_temp.differences(), 0::bigint, 'the sums are the events');
SELECT pg_temp.add_events(1001, 2000);
SELECT is(pg_temp.differences(), 0::bigint, 'as are sums and tail together');
SELECT is(pg_temp.roll_up(300), 300, 'a part is rolled up');
SELECT is(pg_temp.differences(), 0::bigint, 'which changes nothing');
SELECT pg_temp.add_events(2001, 3000), pg_temp.roll_up(1), pg_temp.roll_up(999);
SELECT is(pg_temp.differences(), 0::bigint, 'nor do others');
SELECT is((SELECT sum(cost) FROM chat.usage_by_day WHERE day < '2022-01-01'), (SELECT chat_private.exact_cost(sum(cost_pico)::bigint) FROM made), 'costs are exact to the last digit');

-- Reports.
SELECT is(pg_temp.value(:'alice', $$SELECT sum(cost) FROM chat.my_usage('2021-01-01', '2021-12-31')$$)::numeric,
          (SELECT chat_private.exact_cost(sum(cost_pico)::bigint) FROM made WHERE user_id = :'alice'), 'my_usage is one''s own');
SELECT is(pg_temp.value(:'alice', $$SELECT sum(attempts) FROM chat.my_usage('2021-02-01', '2021-02-01')$$)::bigint,
          (SELECT count(*) FROM made WHERE user_id = :'alice' AND (created_at AT TIME ZONE 'UTC')::date = '2021-02-01'), 'of whole days in UTC');
SELECT is(pg_temp.value(:'alice', 'SELECT count(*) FROM chat.my_usage()'), '0', 'by default of this month');
SELECT is(pg_temp.value(:'bob', $$SELECT count(DISTINCT user_id) || ',' || sum(attempts) FROM chat.usage_by_day WHERE day < '2022-01-01'$$), '1,1000', 'people see their own days');
SELECT is(pg_temp.value(:'bob', $$SELECT count(*) FROM chat.usage_rollups WHERE user_id <> chat.current_user_id()$$), '0', 'and sums');
SELECT is(pg_temp.value(NULL, 'SELECT count(*) FROM chat.usage_by_model'), '0', 'nobody sees none');
SELECT is(pg_temp.value(NULL, $$SELECT sum(attempts) FROM chat.usage_by_day WHERE day < '2022-01-01'$$, 'pgchat_service'), '3000', 'an operator sees all');
SELECT is((SELECT count(*)::int FROM (SELECT key, attempts, cost FROM chat.admin_usage('2021-01-01', '2021-12-31', what)) r
           FULL JOIN (SELECT CASE what WHEN 'day' THEN to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') WHEN 'month' THEN to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM')
                             WHEN 'user' THEN user_id::text WHEN 'model' THEN coalesce(model, '') WHEN 'provider' THEN provider ELSE outcome END AS key,
                             count(*) AS attempts, chat_private.exact_cost(sum(cost_pico)::bigint) AS cost FROM made GROUP BY 1) m USING (key, attempts, cost)
           WHERE r.key IS NULL OR m.key IS NULL), 0, 'admin_usage by ' || what || ' is the events')
FROM unnest(ARRAY['day', 'month', 'user', 'model', 'provider', 'outcome']) what;
SELECT is((SELECT sum(attempts)::int FROM chat.admin_usage('2021-02-01 23:00Z', '2021-02-02 01:00Z')),
          (SELECT count(*)::int FROM made WHERE (created_at AT TIME ZONE 'UTC')::date IN ('2021-02-01', '2021-02-02')), 'of whole days');
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.admin_usage()'), '42501', 'it is not for users');
SELECT is(pg_temp.outcome(NULL, 'SELECT chat.admin_usage(group_by => $$password$$)', 'pgchat_service'), '22023', 'nor by anything');
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.metrics()'), '42501', 'nor are metrics');
SELECT is((SELECT string_agg(line, ' ') FROM regexp_split_to_table(chat.metrics(), E'\n') line WHERE line LIKE '%{model="usage-a"}%' AND line NOT LIKE 'pgchat_cost%'),
          (SELECT format('pgchat_input_tokens_total{model="usage-a"} %s pgchat_output_tokens_total{model="usage-a"} %s', sum(input_tokens), sum(output_tokens))
           FROM made WHERE model = 'usage-a'), 'which are sums of all time');
SELECT is(chat_private.metric('x', 'gauge', 'Help.', 'k', ARRAY[E'a"b\\c\nd', 'z'], '{1.5,2}'),
          E'# HELP pgchat_x Help.\n# TYPE pgchat_x gauge\npgchat_x{k="a\\"b\\\\c\\nd"} 1.5\npgchat_x{k="z"} 2\n', 'labels are escaped');

-- What a conversation cost.
SELECT pg_temp.value(:'alice', 'SELECT chat.create_conversation()') AS talk \gset
INSERT INTO chat.usage_events (user_id, conversation_id, cost, outcome) VALUES (:'alice', :'talk', 0.5, 'complete'), (:'alice', :'talk', 0.25, 'error'), (:'bob', :'talk', 7, 'complete');
SELECT is(pg_temp.value(:'alice', format('SELECT chat.conversation_cost(%L)', :'talk')), '0.75', 'a conversation''s cost has its failures');
SELECT is(pg_temp.outcome(:'bob', format('SELECT chat.conversation_cost(%L)', :'talk')), 'P0002', 'and is its owner''s to know');

-- Partitions.
SELECT chat_private.add_usage_partition('2021-02-01'), chat_private.add_usage_partition('2021-03-01');
SELECT is((SELECT string_agg(c.relname || c.relrowsecurity || c.relforcerowsecurity, ' ' ORDER BY 1) FROM pg_inherits i JOIN pg_class c ON c.oid = inhrelid
           WHERE inhparent = 'chat.usage_events'::regclass AND relname LIKE '%\_2021\_%'), 'usage_events_2021_02truetrue usage_events_2021_03truetrue', 'months have partitions, closed to all');
SELECT is(pg_temp.differences(), 0::bigint, 'which have taken their events');
SELECT chat.admin_set_setting('usage_retention', '12');
SELECT is(pg_temp.value(NULL, 'SELECT chat_private.drop_old_usage(100000)', 'pgchat_engine'), '0', 'nothing is dropped that is not in the sums');
SELECT pg_temp.roll_up(100000);
SELECT is(pg_temp.value(NULL, 'SELECT chat_private.drop_old_usage(100000)', 'pgchat_engine'), '2', 'old months are dropped then');
SELECT is((SELECT count(*)::int FROM chat.usage_events WHERE created_at < '2022-01-01'), 0, 'those in the default partition, too');
SELECT is((SELECT sum(attempts)::int FROM chat.usage_by_day WHERE day < '2022-01-01'), 3000, 'their sums stay');
SELECT * FROM finish();
ROLLBACK;
