-- Reads what other systems keep as JSON of messages: calls of tools, images, and numbers of tokens and costs.

-- A whole number that a column of chat.messages takes, else NULL.
CREATE OR REPLACE FUNCTION pg_temp.as_count(value text) RETURNS integer
LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN value ~ '^[0-9]{1,9}(\.0+)?$' THEN value::numeric::integer END $$;
CREATE OR REPLACE FUNCTION pg_temp.as_cost(value text) RETURNS numeric
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN value ~* '^\$?[0-9]{1,12}(\.[0-9]{1,30})?(e-?[0-9]{1,2})?$' AND ltrim(value, '$')::numeric < 1e12 THEN ltrim(value, '$')::numeric END
$$;

-- Calls of tools as chat.messages.tool_calls has them: of OpenAI's form, or of Ollama's without ids and with arguments that are objects.
-- NULL where some of it calls nothing.
CREATE OR REPLACE FUNCTION pg_temp.as_tool_calls(given jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN bool_and(jsonb_typeof(c.name) = 'string') THEN jsonb_agg(jsonb_build_object('id', c.id, 'type', 'function',
    'function', jsonb_build_object('name', c.name, 'arguments', CASE jsonb_typeof(c.arguments) WHEN 'string' THEN c.arguments #>> '{}' ELSE coalesce(nullif(c.arguments, 'null'), '{}')::text END)) ORDER BY c.n) END
  FROM (SELECT e.n, coalesce(nullif(e.value ->> 'id', ''), nullif(e.value ->> 'tool_call_id', ''), 'call_' || e.n) AS id,
          coalesce(e.value #> '{function,name}', e.value -> 'name') AS name,
          coalesce(e.value #> '{function,arguments}', e.value -> 'arguments', e.value -> 'args', e.value -> 'input') AS arguments
        FROM jsonb_array_elements(CASE jsonb_typeof(given) WHEN 'array' THEN given ELSE jsonb_build_array(given) END) WITH ORDINALITY e (value, n)) c
$$;

-- The images in a value: texts of base64 or data URLs, or objects that hold one under some name, one or an array of them. link: it is
-- elsewhere; data NULL as well: it is nothing.
CREATE OR REPLACE FUNCTION pg_temp.as_images(given jsonb, OUT n bigint, OUT data text, OUT link text, OUT name text, OUT media_type text) RETURNS SETOF record
LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
  SELECT e.n, CASE WHEN t.is_link OR t.content IS NULL THEN NULL
           -- The alphabet for URLs, and what is left out at the end, are told from the text.
           WHEN t.content ~ '^data:' THEN t.content
           ELSE (SELECT b.text || repeat('=', (4 - length(b.text) % 4) % 4) FROM (SELECT rtrim(translate(t.content, '-_' || E' \n\r\t', '+/'), '=') AS text) b) END,
    CASE WHEN t.is_link THEN t.content END, left(coalesce(e.value ->> 'name', e.value ->> 'filename'), 255),
    coalesce(e.value ->> 'media_type', e.value ->> 'mime_type', e.value ->> 'mimeType', CASE WHEN e.value ->> 'type' LIKE '%/%' THEN e.value ->> 'type' END)
  FROM jsonb_array_elements(CASE jsonb_typeof(given) WHEN 'array' THEN given ELSE jsonb_build_array(given) END) WITH ORDINALITY e (value, n),
  LATERAL (SELECT x.content, x.content ~* '^https?://' AS is_link FROM (SELECT btrim(CASE jsonb_typeof(e.value) WHEN 'string' THEN e.value #>> '{}' WHEN 'object' THEN
      coalesce(e.value ->> 'data', e.value ->> 'base64', e.value #>> '{image_url,url}', e.value #>> '{source,data}', e.value ->> 'url', e.value ->> 'image') END, E' \n\r\t') AS content) x) t
$$;
