-- How a batch of calls ends: the queue's rows, their conversations, usage; and what an engine that died left behind.

CREATE OR REPLACE FUNCTION chat_private.touch_conversations(user_ids uuid[], conversation_ids uuid[], durable boolean[])
RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
BEGIN
  -- A conversation that is locked is being changed by its owner, who moves its time too. last_message_at, which is indexed,
  -- was set when the reply's row was added: so this is a heap-only update.
  UPDATE chat.conversations c SET updated_at = clock_timestamp(), last_reply_at = clock_timestamp()
  WHERE c.ctid = ANY (ARRAY(
    SELECT v.ctid
    FROM unnest(touch_conversations.user_ids, touch_conversations.conversation_ids, touch_conversations.durable)
         u (user_id, conversation_id, durable)
    JOIN chat.conversations v ON v.user_id = u.user_id AND v.id = u.conversation_id
    WHERE u.durable
    FOR NO KEY UPDATE OF v SKIP LOCKED));
END
$$;
COMMENT ON FUNCTION chat_private.touch_conversations(uuid[], uuid[], boolean[]) IS
'Sets updated_at and last_reply_at of the conversations of durable replies.';

CREATE OR REPLACE FUNCTION chat_private.close_requests(locked bigint[], user_ids uuid[], request_ids uuid[], models text[],
  statuses text[], contents text[], thinkings text[], tool_calls text[], finish_reasons text[], errors text[],
  input_tokens bigint[], output_tokens bigint[], cached_tokens bigint[], costs_pico bigint[], latencies_ms integer[],
  durable boolean[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
BEGIN
  UPDATE chat_private.llm_requests q
  SET state = u.status, finished_at = clock_timestamp(), error = u.error::jsonb,
      -- Of a step there is always a result, for what it cost is counted when it is applied; of a long answer no more is kept than can
      -- be used, for all of a round is applied while the engine records nothing else.
      result = CASE WHEN q.message_id IS NULL AND (u.status = 'complete' OR u.content <> '' OR q.purpose = 'deliberation') THEN
        chat_private.result_json(CASE q.purpose WHEN 'deliberation' THEN left(u.content, 1000000) ELSE u.content END,
          CASE q.purpose WHEN 'deliberation' THEN left(u.thinking, 100000) ELSE u.thinking END,
          CASE WHEN q.purpose IS DISTINCT FROM 'deliberation' THEN u.tool_calls::jsonb END, u.finish_reason, coalesce(u.model, q.model),
          chat_private.token_count(u.input_tokens), chat_private.token_count(u.output_tokens), chat_private.token_count(u.cached_tokens),
          chat_private.exact_cost(u.cost_pico), u.latency_ms, q.id) END
  FROM unnest(close_requests.user_ids, close_requests.request_ids, close_requests.models, close_requests.statuses,
              close_requests.contents, close_requests.thinkings, close_requests.tool_calls, close_requests.finish_reasons,
              close_requests.errors, close_requests.input_tokens, close_requests.output_tokens,
              close_requests.cached_tokens, close_requests.costs_pico, close_requests.latencies_ms, close_requests.durable)
       WITH ORDINALITY u (user_id, request_id, model, status, content, thinking, tool_calls, finish_reason, error,
                          input_tokens, output_tokens, cached_tokens, cost_pico, latency_ms, durable, n)
  WHERE (close_requests.locked IS NULL OR u.n = ANY (close_requests.locked)) AND u.durable
    AND q.user_id = u.user_id AND q.id = u.request_id AND q.state = 'running';
END
$$;
COMMENT ON FUNCTION chat_private.close_requests(bigint[], uuid[], uuid[], text[], text[], text[], text[], text[], text[],
  text[], bigint[], bigint[], bigint[], bigint[], integer[], boolean[]) IS
'Writes the outcome into the queue''s rows of durable requests, at the positions in locked; NULL: at all.';

CREATE OR REPLACE FUNCTION chat_private.finish_durable(locked bigint[], user_ids uuid[], request_ids uuid[],
  message_ids uuid[], models text[], statuses text[], contents text[], thinkings text[], tool_calls text[],
  finish_reasons text[], errors text[], input_tokens bigint[], output_tokens bigint[], cached_tokens bigint[],
  costs_pico bigint[], latencies_ms integer[], first_token_ms integer[], last_seqs integer[], sanitized boolean[],
  durable boolean[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.close_requests(locked, user_ids, request_ids, models, statuses, contents, thinkings, tool_calls,
    finish_reasons, errors, input_tokens, output_tokens, cached_tokens, costs_pico, latencies_ms, durable);
  PERFORM chat_private.finish_messages(locked, user_ids, message_ids, models, statuses, contents, thinkings, tool_calls,
    finish_reasons, errors, input_tokens, output_tokens, cached_tokens, costs_pico, latencies_ms, first_token_ms, last_seqs,
    sanitized, durable);
END
$$;
COMMENT ON FUNCTION chat_private.finish_durable(bigint[], uuid[], uuid[], uuid[], text[], text[], text[], text[], text[],
  text[], text[], bigint[], bigint[], bigint[], bigint[], integer[], integer[], integer[], boolean[],
  boolean[]) IS
'Writes the outcomes into the queue and the messages, at the positions in locked; NULL: at all.';

CREATE OR REPLACE FUNCTION chat_private.release_ended(locked bigint[], user_ids uuid[], request_ids uuid[], message_ids uuid[],
                                                      durable boolean[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
BEGIN
  -- Mostly nobody waits for anything: that is one probe of an empty index.
  IF EXISTS (SELECT FROM chat_private.llm_requests w WHERE w.waits_for IS NOT NULL) THEN
    PERFORM chat_private.release_waiting(array_agg(u.user_id), array_agg(u.message_id), array_agg(u.request_id))
    FROM unnest(release_ended.user_ids, release_ended.request_ids, release_ended.message_ids, release_ended.durable)
         WITH ORDINALITY u (user_id, request_id, message_id, durable, n)
    WHERE u.durable AND (release_ended.locked IS NULL OR u.n = ANY (release_ended.locked));
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.release_ended(bigint[], uuid[], uuid[], uuid[], boolean[]) IS
'Queues the requests that waited for durable ones, at the positions in locked; NULL: at all.';

CREATE OR REPLACE FUNCTION chat_private.finish_requests(user_ids uuid[], request_ids uuid[], message_ids uuid[],
  conversation_ids uuid[], models text[], statuses text[], contents text[], thinkings text[], tool_calls text[],
  finish_reasons text[], errors text[], input_tokens bigint[], output_tokens bigint[], cached_tokens bigint[],
  costs_pico bigint[], latencies_ms integer[], first_token_ms integer[], last_seqs integer[], sanitized boolean[],
  durable boolean[], OUT busy_ids uuid[], OUT has_steps boolean)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan
SET lock_timeout = '10ms' AS $$
#variable_conflict use_column
DECLARE
  -- Mostly there is none: that is one probe of an empty index.
  has_side_requests CONSTANT boolean := EXISTS (SELECT FROM chat_private.llm_requests q WHERE q.purpose IS NOT NULL);
  -- For others' tokens wait meanwhile.
  most_steps CONSTANT bigint := 8;
  held_up uuid[];
  locked bigint[];
  busy bigint[] := ARRAY[]::bigint[];
BEGIN
  has_steps := has_side_requests AND EXISTS (SELECT FROM chat_private.llm_requests q WHERE q.purpose = 'deliberation');
  IF has_steps THEN
    -- The rows of deliberations are locked before those of requests, here as by clients.
    held_up := chat_private.hold_deliberations(user_ids, request_ids, most_steps);
    durable := ARRAY(SELECT u.durable AND u.id <> ALL (held_up)
                     FROM unnest(finish_requests.durable, finish_requests.request_ids) WITH ORDINALITY u (durable, id, n) ORDER BY u.n);
  END IF;
  BEGIN
    PERFORM chat_private.finish_durable(NULL, user_ids, request_ids, message_ids, models, statuses, contents, thinkings,
      tool_calls, finish_reasons, errors, input_tokens, output_tokens, cached_tokens, costs_pico, latencies_ms,
      first_token_ms, last_seqs, sanitized, durable);
  EXCEPTION WHEN lock_not_available THEN
    locked := chat_private.lock_requests(user_ids, request_ids, durable);
    busy := chat_private.busy_requests(user_ids, request_ids, durable, locked);
    PERFORM chat_private.finish_durable(locked, user_ids, request_ids, message_ids, models, statuses, contents, thinkings,
      tool_calls, finish_reasons, errors, input_tokens, output_tokens, cached_tokens, costs_pico, latencies_ms,
      first_token_ms, last_seqs, sanitized, durable);
  END;
  -- A side request is no reply: nobody has something new to read.
  PERFORM chat_private.touch_conversations(user_ids, ARRAY(
    SELECT CASE WHEN u.message_id IS NOT NULL THEN u.conversation_id END
    FROM unnest(conversation_ids, message_ids) WITH ORDINALITY u (conversation_id, message_id, n) ORDER BY u.n), durable);
  IF has_side_requests THEN
    PERFORM chat_private.apply_side_requests(user_ids, request_ids);
  END IF;
  IF has_steps THEN
    PERFORM chat_private.apply_deliberation_steps(user_ids, request_ids);
  END IF;
  PERFORM chat_private.release_ended(locked, user_ids, request_ids, message_ids, durable);
  busy_ids := ARRAY(SELECT request_ids[b] FROM unnest(busy) b) || held_up;
END
$$;
COMMENT ON FUNCTION chat_private.finish_requests(uuid[], uuid[], uuid[], uuid[], text[], text[], text[], text[], text[], text[],
  text[], bigint[], bigint[], bigint[], bigint[], integer[], integer[], integer[], boolean[], boolean[]) IS
'Records how durable calls ended, in the queue, the messages and the conversations: arrays of equal length, one element a call,
NULL where unknown. statuses: complete, incomplete, error, cancelled. tool_calls, errors: JSON. sanitized: U+FFFD stands for
bytes that were no text. costs_pico: units of 10^-12. A row that was deleted meanwhile is passed over. Steps of deliberations are
applied, and the deliberations moved on. Returns in busy_ids the requests of which nothing was recorded because somebody has
their rows, or their deliberation, locked, or because there are more steps than one transaction is to apply: bring them again later. has_steps: steps of deliberations may be among the calls.';

CREATE OR REPLACE FUNCTION chat_private.token_count(tokens bigint) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN tokens IS NOT NULL THEN greatest(least(tokens, 2147483647), 0)::integer END;
COMMENT ON FUNCTION chat_private.token_count(bigint) IS 'A number of tokens that a provider told, as it is stored: within the range of integer.';

CREATE OR REPLACE FUNCTION chat_private.record_usage(user_ids uuid[], request_ids uuid[], attempts integer[],
  conversation_ids uuid[], message_ids uuid[], models text[], providers text[], input_tokens bigint[], output_tokens bigint[],
  cached_tokens bigint[], costs_pico bigint[], estimated boolean[], cached boolean[], own_keys boolean[], outcomes text[],
  error_codes text[], latencies_ms integer[], first_token_ms integer[], has_steps boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
  -- In PL/pgSQL, which keeps its plan: a function in SQL is planned anew for each batch.
  INSERT INTO chat.usage_events (user_id, request_id, attempt, conversation_id, message_id, deliberation_id, model, provider,
                                 input_tokens, output_tokens, cached_tokens, cost, is_estimated, is_cached, is_own_key, outcome,
                                 error_code, latency_ms, first_token_ms)
  SELECT u.user_id, u.request_id, u.attempt, u.conversation_id, u.message_id,
         CASE WHEN record_usage.has_steps THEN (SELECT s.deliberation_id FROM chat.deliberation_steps s
                                                WHERE s.user_id = u.user_id AND s.id = u.request_id) END,
         u.model, u.provider,
         chat_private.token_count(u.input_tokens), chat_private.token_count(u.output_tokens), chat_private.token_count(u.cached_tokens), chat_private.exact_cost(u.cost_pico), u.estimated, u.cached, u.own_key,
         u.outcome, u.error_code, u.latency_ms, u.first_token_ms
  FROM unnest(record_usage.user_ids, record_usage.request_ids, record_usage.attempts, record_usage.conversation_ids,
              record_usage.message_ids, record_usage.models, record_usage.providers, record_usage.input_tokens,
              record_usage.output_tokens, record_usage.cached_tokens, record_usage.costs_pico, record_usage.estimated,
              record_usage.cached, record_usage.own_keys, record_usage.outcomes, record_usage.error_codes,
              record_usage.latencies_ms, record_usage.first_token_ms)
       u (user_id, request_id, attempt, conversation_id, message_id, model, provider, input_tokens, output_tokens, cached_tokens,
          cost_pico, estimated, cached, own_key, outcome, error_code, latency_ms, first_token_ms);
END
$$;
COMMENT ON FUNCTION chat_private.record_usage(uuid[], uuid[], integer[], uuid[], uuid[], text[], text[], bigint[], bigint[],
  bigint[], bigint[], boolean[], boolean[], boolean[], text[], text[], integer[], integer[], boolean) IS
'Records what attempts used: arrays of equal length, one element an attempt, NULL where unknown. costs_pico: units of 10^-12.
has_steps: as chat_private.finish_requests returned it.';

CREATE OR REPLACE FUNCTION chat_private.close_lost_requests(is_restored boolean) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  reason CONSTANT jsonb := jsonb '{"code": "outcome_unknown", "sqlstate": "08007",
    "message": "the server stopped while the model was answering; the request is not sent again by itself"}';
  steps CONSTANT integer := chat_private.recover_steps(reason, close_lost_requests.is_restored);
  recovered bigint;
BEGIN
  -- Reads the whole table: an index of running rows would cost each request more than this costs a server's start.
  WITH closed AS (
    UPDATE chat_private.llm_requests q
    SET state = 'error', error = reason, finished_at = clock_timestamp(), started_at = nullif(q.started_at, '-infinity')
    WHERE q.state = 'running' AND (q.started_at = '-infinity' OR NOT close_lost_requests.is_restored)
    RETURNING q.user_id, q.id, q.message_id, q.conversation_id, q.model,
              CASE WHEN q.purpose IS NULL THEN octet_length(q.messages::text) END AS message_bytes
  ), finished AS (
    UPDATE chat.messages m
    SET status = CASE m.content WHEN '' THEN 'error' ELSE 'incomplete' END, error = reason,
        content_hash = chat.content_hash(m.content), updated_at = clock_timestamp()
    FROM closed c
    WHERE m.user_id = c.user_id AND m.id = c.message_id AND m.status IN ('pending', 'streaming')
  ), used AS (
    -- What was used is not known; three bytes of text are a token, as the engine estimates.
    INSERT INTO chat.usage_events (user_id, request_id, conversation_id, message_id, model, provider, input_tokens, output_tokens,
                                   cached_tokens, cost, is_estimated, outcome, error_code)
    SELECT c.user_id, c.id, c.conversation_id, c.message_id, c.model, p.name, b.input_tokens, b.output_tokens, 0,
           trim_scale((b.input_tokens * coalesce(m.input_price, 0) + b.output_tokens * coalesce(m.output_price, 0)) / 1000000),
           true, 'error', 'outcome_unknown'
    FROM closed c
    LEFT JOIN chat.models m ON m.name = c.model
    LEFT JOIN chat.providers p ON p.id = m.provider_id
    CROSS JOIN LATERAL (
      SELECT (coalesce(c.message_bytes, sum(octet_length(t.content)) FILTER (WHERE t.id IS DISTINCT FROM c.message_id), 0) / 3)::integer AS input_tokens,
             (coalesce(sum(octet_length(t.content) + coalesce(octet_length(t.thinking), 0)) FILTER (WHERE t.id = c.message_id), 0) / 3)::integer AS output_tokens
      FROM chat.messages t WHERE t.user_id = c.user_id AND t.conversation_id = c.conversation_id) b
  )
  SELECT count(*) INTO recovered FROM closed;
  RETURN recovered::integer + steps;
END
$$;
COMMENT ON FUNCTION chat_private.close_lost_requests(boolean) IS
'Ends the requests that are running by their row, and of which the engine knows nothing: a reply with some text is incomplete, another
one an error, with error code outcome_unknown; none is sent again. What they used is estimated from the text. is_restored: only those
that a restored dump has brought. Returns how many there were.';

CREATE OR REPLACE FUNCTION chat_private.mark_restored() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.started_at := '-infinity';
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION chat_private.mark_restored() IS
'Row trigger of requests that are added as running: only a dump that is restored does that. The engine may be there already, and has
not sent them.';
CREATE OR REPLACE TRIGGER mark_restored BEFORE INSERT ON chat_private.llm_requests
  FOR EACH ROW WHEN (NEW.state = 'running') EXECUTE FUNCTION chat_private.mark_restored();

CREATE OR REPLACE FUNCTION chat_private.recover_requests() RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  recovered integer;
BEGIN
  -- The first that an engine does, and it sends nothing before that succeeds.
  PERFORM chat_private.require_library();
  PERFORM chat_private.skip_downtime();
  recovered := chat_private.close_lost_requests(false);
  PERFORM chat_private.release_stranded();
  BEGIN
    PERFORM chat_private.tidy_deliberations(1000);
  EXCEPTION WHEN OTHERS THEN
    -- It is done again with the tidying: nothing of it may keep the engine from starting.
    RAISE LOG 'pgchat: deliberations could not be moved on: % (%)', SQLERRM, SQLSTATE;
  END;
  RETURN recovered;
END
$$;
COMMENT ON FUNCTION chat_private.recover_requests() IS
'Ends the requests that an engine which died has left running: a reply with some text is incomplete, another one an error,
with error code outcome_unknown; none is sent again. Those that waited for them are queued. What they used is estimated from the text. Deliberations go on. Returns how many there were.
Errors: 55000 the engine is of the first version''s library.';
