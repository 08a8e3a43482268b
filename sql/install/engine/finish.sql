-- What the engine writes while a reply streams and when it ends: text, outcome, usage.

CREATE OR REPLACE FUNCTION chat_private.checkpoint_messages(user_ids uuid[], message_ids uuid[], contents text[],
                                                            thinkings text[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
BEGIN
  -- Three rows and two hundred want the same plan, and making it for their number takes longer than three take; so too in
  -- finish_requests and record_usage.
  UPDATE chat.messages m
  SET status = 'streaming', content = coalesce(r.content, m.content), thinking = coalesce(r.thinking, m.thinking),
      updated_at = clock_timestamp()
  FROM (SELECT w.user_id, w.id, u.content, u.thinking
        FROM unnest(checkpoint_messages.user_ids, checkpoint_messages.message_ids, checkpoint_messages.contents,
                    checkpoint_messages.thinkings) u (user_id, message_id, content, thinking)
        JOIN chat.messages w ON w.user_id = u.user_id AND w.id = u.message_id
        WHERE w.status IN ('pending', 'streaming')
        FOR NO KEY UPDATE OF w SKIP LOCKED) r
  WHERE m.user_id = r.user_id AND m.id = r.id;
END
$$;
COMMENT ON FUNCTION chat_private.checkpoint_messages(uuid[], uuid[], text[], text[]) IS
'Saves the text so far of replies in progress: arrays of equal length, one element a message. NULL text leaves what is there.';

CREATE OR REPLACE FUNCTION chat_private.lock_requests(user_ids uuid[], request_ids uuid[], durable boolean[])
RETURNS bigint[]
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
BEGIN
  RETURN ARRAY(
    SELECT u.n FROM unnest(lock_requests.user_ids, lock_requests.request_ids, lock_requests.durable)
                    WITH ORDINALITY u (user_id, request_id, durable, n)
    JOIN chat_private.llm_requests q ON q.user_id = u.user_id AND q.id = u.request_id
    WHERE u.durable AND q.state = 'running' AND q.message_id IS NULL
    FOR NO KEY UPDATE OF q SKIP LOCKED
  ) || ARRAY(
    SELECT u.n FROM unnest(lock_requests.user_ids, lock_requests.request_ids, lock_requests.durable)
                    WITH ORDINALITY u (user_id, request_id, durable, n)
    JOIN chat_private.llm_requests q ON q.user_id = u.user_id AND q.id = u.request_id
    JOIN chat.messages m ON m.user_id = q.user_id AND m.id = q.message_id
    WHERE u.durable AND q.state = 'running'
    FOR NO KEY UPDATE OF q, m SKIP LOCKED
  );
END
$$;
COMMENT ON FUNCTION chat_private.lock_requests(uuid[], uuid[], boolean[]) IS
'Locks the running requests among these, and their messages; returns their positions. What somebody else has locked, a
client that deletes the conversation for one, is not among them.';

CREATE OR REPLACE FUNCTION chat_private.busy_requests(user_ids uuid[], request_ids uuid[], durable boolean[],
                                                      locked bigint[]) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
BEGIN
  RETURN ARRAY(
    SELECT u.n FROM unnest(busy_requests.user_ids, busy_requests.request_ids, busy_requests.durable)
                    WITH ORDINALITY u (user_id, request_id, durable, n)
    JOIN chat_private.llm_requests q ON q.user_id = u.user_id AND q.id = u.request_id
    WHERE u.durable AND q.state = 'running' AND u.n <> ALL (busy_requests.locked));
END
$$;
COMMENT ON FUNCTION chat_private.busy_requests(uuid[], uuid[], boolean[], bigint[]) IS
'The positions of running requests that are not among the locked ones: they must be finished later.';

CREATE OR REPLACE FUNCTION chat_private.finish_messages(locked bigint[], user_ids uuid[], message_ids uuid[], models text[],
  statuses text[], contents text[], thinkings text[], tool_calls text[], finish_reasons text[], errors text[],
  input_tokens bigint[], output_tokens bigint[], cached_tokens bigint[], costs_pico bigint[], latencies_ms integer[],
  first_token_ms integer[], last_seqs integer[], sanitized boolean[], durable boolean[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
BEGIN
  UPDATE chat.messages m
  SET status = u.status, content = coalesce(u.content, m.content), thinking = coalesce(u.thinking, m.thinking),
      tool_calls = u.tool_calls::jsonb, content_hash = chat.content_hash(coalesce(u.content, m.content)),
      model = coalesce(u.model, m.model), finish_reason = u.finish_reason, error = u.error::jsonb,
      input_tokens = chat_private.token_count(u.input_tokens), output_tokens = chat_private.token_count(u.output_tokens),
      cached_tokens = chat_private.token_count(u.cached_tokens), cost = chat_private.exact_cost(u.cost_pico), latency_ms = u.latency_ms,
      first_token_ms = u.first_token_ms, last_seq = u.last_seq,
      metadata = CASE WHEN u.sanitized THEN m.metadata || jsonb '{"sanitized": true}' ELSE m.metadata END,
      updated_at = clock_timestamp()
  FROM unnest(finish_messages.user_ids, finish_messages.message_ids, finish_messages.models, finish_messages.statuses,
              finish_messages.contents, finish_messages.thinkings, finish_messages.tool_calls,
              finish_messages.finish_reasons, finish_messages.errors, finish_messages.input_tokens,
              finish_messages.output_tokens, finish_messages.cached_tokens, finish_messages.costs_pico,
              finish_messages.latencies_ms, finish_messages.first_token_ms, finish_messages.last_seqs,
              finish_messages.sanitized, finish_messages.durable)
       WITH ORDINALITY u (user_id, message_id, model, status, content, thinking, tool_calls, finish_reason, error,
                          input_tokens, output_tokens, cached_tokens, cost_pico, latency_ms, first_token_ms, last_seq,
                          sanitized, durable, n)
  WHERE (finish_messages.locked IS NULL OR u.n = ANY (finish_messages.locked)) AND u.durable
    AND m.user_id = u.user_id AND m.id = u.message_id AND m.status IN ('pending', 'streaming');
END
$$;
COMMENT ON FUNCTION chat_private.finish_messages(bigint[], uuid[], uuid[], text[], text[], text[], text[], text[], text[],
  text[], bigint[], bigint[], bigint[], bigint[], integer[], integer[], integer[], boolean[], boolean[]) IS
'Writes the outcome into the messages of durable replies, at the positions in locked; NULL: at all.';

CREATE OR REPLACE FUNCTION chat_private.exact_cost(cost_pico bigint) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN trim_scale(cost_pico * 0.000000000001);
COMMENT ON FUNCTION chat_private.exact_cost(bigint) IS 'A cost counted in units of 10^-12, as a number.';
