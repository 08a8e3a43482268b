-- Putting the personas that come with pgchat into chat.personas: at the installation, at each update, and when one is to be as it came.

CREATE OR REPLACE FUNCTION chat_private.shipped_personas()
RETURNS TABLE (code text, name text, category text, expertise text, system_prompt text)
LANGUAGE sql IMMUTABLE ROWS 45 SET search_path = pg_catalog, pg_temp AS $$
  SELECT p.* FROM chat_private.shipped_personas_finance() p
  UNION ALL SELECT p.* FROM chat_private.shipped_personas_growth() p
  UNION ALL SELECT p.* FROM chat_private.shipped_personas_law_and_risk() p
  UNION ALL SELECT p.* FROM chat_private.shipped_personas_operations() p
  UNION ALL SELECT p.* FROM chat_private.shipped_personas_people() p
  UNION ALL SELECT p.* FROM chat_private.shipped_personas_product() p
  UNION ALL SELECT p.* FROM chat_private.shipped_personas_sceptics() p
  UNION ALL SELECT p.* FROM chat_private.shipped_personas_society() p
  UNION ALL SELECT p.* FROM chat_private.shipped_personas_strategy() p
  UNION ALL SELECT p.* FROM chat_private.shipped_personas_technology() p
$$;
COMMENT ON FUNCTION chat_private.shipped_personas() IS 'The personas that come with this version of pgchat, as they come.';

CREATE OR REPLACE FUNCTION chat_private.ship_personas(code text DEFAULT NULL) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  changed integer;
BEGIN
  INSERT INTO chat.personas AS p (user_id, code, name, category, expertise, system_prompt, is_default)
  SELECT uuid '00000000-0000-0000-0000-000000000000', s.code, s.name, s.category, s.expertise, s.system_prompt, true
  FROM chat_private.shipped_personas() s WHERE ship_personas.code IS NULL OR s.code = ship_personas.code
  ON CONFLICT (user_id, code) DO UPDATE
    SET name = excluded.name, category = excluded.category, expertise = excluded.expertise, system_prompt = excluded.system_prompt,
        updated_at = now()
    WHERE p.is_default
      AND (p.name, p.category, p.expertise, p.system_prompt) IS DISTINCT FROM (excluded.name, excluded.category, excluded.expertise, excluded.system_prompt);
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN changed;
END
$$;
COMMENT ON FUNCTION chat_private.ship_personas(text) IS
'Adds the personas that come with pgchat, of which code names one, and brings up to date those that nobody has edited; returns how many
that were. One that no longer comes with it stays. For callers that act as the nil UUID, or whom no policy binds.';

DO $ship$
BEGIN
  PERFORM chat_private.ship_personas();
END
$ship$;
