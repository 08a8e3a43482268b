-- What an imported conversation is looked at for before it is stored: it is somebody's file, and may say anything.

CREATE OR REPLACE FUNCTION chat_private.json_items(document text, OUT item text, OUT is_sanitized boolean) RETURNS SETOF record
LANGUAGE c IMMUTABLE STRICT ROWS 100 AS 'MODULE_PATHNAME', 'pgchat_json_items';
COMMENT ON FUNCTION chat_private.json_items(text) IS
'The elements of a JSON array, or the values of lines, each as text of its own that may still be no JSON. is_sanitized: U+FFFD
stands for \u0000 and lone surrogates, which jsonb refuses.';

CREATE OR REPLACE FUNCTION chat_private.order_tree(ids text[], parents text[], kept text[], is_lenient boolean,
                                                   OUT node integer, OUT parent integer, OUT id text, OUT is_kept boolean)
RETURNS SETOF record
LANGUAGE c IMMUTABLE STRICT ROWS 1000 AS 'MODULE_PATHNAME', 'pgchat_order_tree';
COMMENT ON FUNCTION chat_private.order_tree(text[], text[], text[], boolean) IS
'The nodes of a tree by their subscripts, parents before children and else in the order given. kept: true for nodes that stay;
parent: the nearest one above that stays. is_lenient: where a parent is missing its child is a root.
Errors: 22023 an id twice or missing, a parent missing, a cycle.';

CREATE OR REPLACE FUNCTION chat_private.time_within(value timestamptz, latest timestamptz, otherwise timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN isfinite(value) THEN greatest(least(value, latest), timestamptz '1970-01-01 00:00:00+00') ELSE otherwise END;
COMMENT ON FUNCTION chat_private.time_within(timestamptz, timestamptz, timestamptz) IS
'A time that an import gives, not later than latest and not before 1970; otherwise where it gives none.';

CREATE OR REPLACE FUNCTION chat_private.json_time(value jsonb) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  given numeric;
BEGIN
  IF jsonb_typeof(json_time.value) IS DISTINCT FROM 'number' THEN
    RETURN NULL;
  END IF;
  given := json_time.value::numeric;
  RETURN CASE WHEN given BETWEEN 0 AND 1e20 THEN to_timestamp(
    given / CASE WHEN given < 1e11 THEN 1 WHEN given < 1e14 THEN 1e3 WHEN given < 1e17 THEN 1e6 ELSE 1e9 END) END;
END
$$;
COMMENT ON FUNCTION chat_private.json_time(jsonb) IS
'A number as a time: seconds since 1970, or milli-, micro- or nanoseconds where it is too large for them. NULL for anything else.';

CREATE OR REPLACE FUNCTION chat_private.are_tool_calls(calls jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN jsonb_typeof(are_tool_calls.calls) = 'array' AND are_tool_calls.calls <> '[]' AND NOT EXISTS (
    SELECT FROM jsonb_array_elements(are_tool_calls.calls) c
    WHERE (jsonb_typeof(c -> 'id') = 'string' AND jsonb_typeof(c #> '{function,name}') = 'string'
           AND jsonb_typeof(c #> '{function,arguments}') = 'string') IS NOT TRUE);
END
$$;
COMMENT ON FUNCTION chat_private.are_tool_calls(jsonb) IS 'Whether a value is what chat.messages.tool_calls holds, and not empty.';

CREATE OR REPLACE FUNCTION chat_private.check_imported_messages(messages jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  most CONSTANT bigint := chat_private.max_message_bytes();
  bad record;
BEGIN
  SELECT e.n, 'is no object' AS problem INTO bad
  FROM jsonb_array_elements(check_imported_messages.messages) WITH ORDINALITY e (value, n)
  WHERE jsonb_typeof(e.value) <> 'object' LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'message % %', bad.n, bad.problem USING ERRCODE = '22023';
  END IF;
  SELECT m.n, CASE
      WHEN (m.role IN ('system', 'user', 'assistant', 'tool')) IS NOT TRUE THEN 'has no role that messages have'
      WHEN m.status NOT IN ('pending', 'streaming', 'complete', 'incomplete', 'error', 'cancelled') THEN 'has no status that messages have'
      WHEN greatest(octet_length(m.content), octet_length(m.thinking), octet_length(m.tool_calls::text), octet_length(m.error::text),
                    octet_length(m.metadata::text)) > most THEN format('has more than %s bytes', most)
      WHEN octet_length(concat(m.model, m.finish_reason, m.tool_call_id)) > 2000 THEN 'has a name that is too long'
      WHEN NOT chat_private.are_tool_calls(m.tool_calls) THEN 'has tool_calls of another form'
      WHEN jsonb_typeof(m.metadata) <> 'object' THEN 'has metadata that is no object'
      WHEN m.rating NOT IN (-1, 1) THEN 'has a rating other than 1 and -1'
      WHEN char_length(m.feedback) > 10000 THEN 'has a feedback of more than 10000 characters'
      WHEN least(m.input_tokens, m.output_tokens, m.cached_tokens, m.latency_ms, m.first_token_ms, m.cost) < 0
        OR m.cost > 1e12 THEN 'has a number that is out of range'
    END AS problem
  INTO bad
  FROM ROWS FROM (jsonb_to_recordset(check_imported_messages.messages) AS (
      role text, status text, content text, thinking text, tool_calls jsonb, tool_call_id text, model text, finish_reason text, error jsonb,
      metadata jsonb, rating smallint, feedback text, input_tokens integer, output_tokens integer, cached_tokens integer,
      latency_ms integer, first_token_ms integer, cost numeric, dropped boolean)) WITH ORDINALITY
    AS m (role, status, content, thinking, tool_calls, tool_call_id, model, finish_reason, error, metadata, rating, feedback,
          input_tokens, output_tokens, cached_tokens, latency_ms, first_token_ms, cost, dropped, n)
  WHERE m.dropped IS NOT TRUE
  ORDER BY 2 NULLS LAST, 1 LIMIT 1;
  IF bad.problem IS NOT NULL THEN
    RAISE EXCEPTION 'message % %', bad.n, bad.problem USING ERRCODE = '22023';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_imported_messages(jsonb) IS
'Errors: 22023, and others of class 22, for a message that cannot be stored or that no model could be told.';
