-- Figures for a monitoring system, in the text format that Prometheus reads.

CREATE OR REPLACE FUNCTION chat_private.engine_figures(OUT by_rate bigint, OUT by_concurrency bigint, OUT by_tokens bigint, OUT by_budget bigint,
                                                       OUT suspended_providers bigint)
LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgchat_engine_figures';
COMMENT ON FUNCTION chat_private.engine_figures() IS
'How many calls the limits of accounts have refused since the engine''s start, by limit, and how many providers are suspended
now; NULLs where no engine runs.';

CREATE OR REPLACE FUNCTION chat_private.metric(name text, kind text, help text, label text, keys text[], figures numeric[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  lines text;
BEGIN
  SELECT string_agg(CASE WHEN metric.label IS NULL THEN format(E'pgchat_%s %s\n', metric.name, m.figure)
                    ELSE format(E'pgchat_%s{%s="%s"} %s\n', metric.name, metric.label,
                                replace(replace(replace(m.key, '\', '\\'), '"', '\"'), E'\n', '\n'), m.figure) END, '' ORDER BY m.key)
  INTO lines FROM unnest(metric.keys, metric.figures) m (key, figure) WHERE m.figure IS NOT NULL;
  RETURN coalesce(format(E'# HELP pgchat_%1$s %3$s\n# TYPE pgchat_%1$s %2$s\n', metric.name, metric.kind, metric.help) || lines, '');
END
$$;
COMMENT ON FUNCTION chat_private.metric(text, text, text, text, text[], numeric[]) IS
'One metric in the text format of Prometheus, a line for each key; label NULL: a single figure without one. Nothing where there
is no figure.';

CREATE OR REPLACE FUNCTION chat_private.usage_metrics() RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  result text := '';
  previous chat_private.identity := chat_private.enter_gate();
  sums record;
BEGIN
  FOR sums IN
    SELECT s.kind, array_agg(s.key) AS keys, array_agg(s.attempts) AS attempts, array_agg(s.input_tokens) AS input_tokens,
           array_agg(s.output_tokens) AS output_tokens, array_agg(s.cost) AS cost
    FROM (SELECT u.kind, u.key, sum(u.attempts) AS attempts, sum(u.input_tokens) AS input_tokens, sum(u.output_tokens) AS output_tokens,
                 sum(u.cost) AS cost
          FROM (SELECT t.kind, t.key, t.attempts, t.input_tokens, t.output_tokens, t.cost FROM chat_private.usage_totals t
                WHERE t.kind IN ('model', 'outcome', 'error')
                UNION ALL
                SELECT k.kind, k.key, 1, coalesce(e.input_tokens, 0), coalesce(e.output_tokens, 0), coalesce(e.cost, 0)
                FROM chat.usage_events e,
                     LATERAL (VALUES ('model', coalesce(e.model, '')), ('outcome', e.outcome), ('error', e.error_code)) k (kind, key)
                WHERE e.seq > chat_private.usage_watermark() AND k.key IS NOT NULL) u
          GROUP BY u.kind, u.key) s
    GROUP BY s.kind ORDER BY s.kind
  LOOP
    result := result || CASE sums.kind
      WHEN 'outcome' THEN chat_private.metric('attempts_total', 'counter', 'Requests to providers, by outcome.', 'outcome', sums.keys, sums.attempts)
      WHEN 'error' THEN chat_private.metric('failures_total', 'counter', 'Requests to providers that failed, by error.', 'code', sums.keys, sums.attempts)
      ELSE chat_private.metric('input_tokens_total', 'counter', 'Tokens of prompts, by model.', 'model', sums.keys, sums.input_tokens)
        || chat_private.metric('output_tokens_total', 'counter', 'Tokens of replies, by model.', 'model', sums.keys, sums.output_tokens)
        || chat_private.metric('cost_total', 'counter', 'Cost in the currency of the prices, by model.', 'model', sums.keys, sums.cost) END;
  END LOOP;
  PERFORM chat_private.switch_identity(previous);
  RETURN result;
END
$$;
COMMENT ON FUNCTION chat_private.usage_metrics() IS 'The metrics of usage, of all users and all time.';

CREATE OR REPLACE FUNCTION chat.metrics() RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  engine record;
  figures record;
BEGIN
  SELECT s.* INTO engine FROM chat.engine_status() s;
  SELECT f.* INTO figures FROM chat_private.engine_figures() f;
  RETURN chat_private.metric('engine_up', 'gauge', 'Whether the engine runs.', NULL, '{x}', ARRAY[(engine.state = 'running')::integer])
    || chat_private.metric('calls_in_flight', 'gauge', 'Calls that providers are answering.', NULL, '{x}', ARRAY[engine.calls_in_flight])
    || chat_private.metric('calls_waiting', 'gauge', 'Calls that wait in the engine.', NULL, '{x}', ARRAY[engine.calls_waiting])
    || chat_private.metric('queue_depth', 'gauge', 'Durable requests that the engine has not taken.', NULL, '{x}', ARRAY[engine.queue_depth])
    || chat_private.metric('readers', 'gauge', 'Sessions that read streams.', NULL, '{x}', ARRAY[engine.readers])
    || chat_private.metric('calls_total', 'counter', 'Calls since the start of the engine.', NULL, '{x}', ARRAY[engine.calls_total])
    || chat_private.metric('retries_total', 'counter', 'Attempts that were repeated since the start of the engine.', NULL, '{x}', ARRAY[engine.retried_total])
    || chat_private.metric('refused_total', 'counter', 'Calls that limits have refused since the start of the engine, by limit.', 'limit',
         '{requests_per_minute,concurrent_calls,tokens_per_day,cost_per_month}',
         ARRAY[figures.by_rate, figures.by_concurrency, figures.by_tokens, figures.by_budget])
    || chat_private.metric('suspended_providers', 'gauge', 'Providers that are not asked for a while because they failed.', NULL, '{x}',
         ARRAY[figures.suspended_providers])
    || chat_private.metric('billing_events_waiting', 'gauge', 'Events of payment providers whose customer is nobody''s yet.', NULL, '{x}',
         ARRAY[(SELECT count(*) FROM chat_private.billing_events e WHERE e.event IS NOT NULL)])
    || chat_private.usage_metrics();
END
$$;
COMMENT ON FUNCTION chat.metrics() IS
'The figures of this database in the text format that Prometheus reads: calls, what they used and cost, failures by error, what
the engine does now, what limits have refused, and events of payment providers that wait. For pgchat_service.
Errors: 57P03 the library was not preloaded.';
