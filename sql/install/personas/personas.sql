-- Personas: which one a code means for a user, the catalogue to choose from, and each user's own.

CREATE OR REPLACE FUNCTION chat_private.find_persona(user_id uuid, code text) RETURNS chat.personas
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  found chat.personas;
BEGIN
  SELECT p.* INTO found FROM chat.personas p
  WHERE p.user_id = ANY (ARRAY[find_persona.user_id, uuid '00000000-0000-0000-0000-000000000000'])
    AND p.code = find_persona.code AND p.is_active
  ORDER BY p.user_id = uuid '00000000-0000-0000-0000-000000000000' LIMIT 1;
  RETURN found;
END
$$;
COMMENT ON FUNCTION chat_private.find_persona(uuid, text) IS
'The active persona that a code means for a user, as whom the caller acts: their own before one for all. All NULL: there is none.';

CREATE OR REPLACE FUNCTION chat_private.persona_catalogue(user_id uuid) RETURNS SETOF chat.personas
LANGUAGE plpgsql STABLE ROWS 50 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT DISTINCT ON (p.code) p.* FROM chat.personas p
    WHERE p.user_id = ANY (ARRAY[persona_catalogue.user_id, uuid '00000000-0000-0000-0000-000000000000']) AND p.is_active
    ORDER BY p.code, p.user_id = uuid '00000000-0000-0000-0000-000000000000';
END
$$;
COMMENT ON FUNCTION chat_private.persona_catalogue(uuid) IS
'The active personas that a user, as whom the caller acts, can choose from, by code; one of their own hides one for all of the same
code.';

CREATE OR REPLACE FUNCTION chat.list_personas(category text DEFAULT NULL, search text DEFAULT NULL)
RETURNS TABLE (code text, name text, expertise text, category text, model text, system_prompt text, is_personal boolean,
               created_at timestamptz, updated_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
  SELECT p.code, p.name, p.expertise, p.category, p.model, p.system_prompt, p.user_id = caller.id, p.created_at, p.updated_at
  FROM (SELECT chat_private.require_user() AS id) caller, chat_private.persona_catalogue(caller.id) p
  WHERE (list_personas.category IS NULL OR p.category = list_personas.category)
    AND (list_personas.search IS NULL
         OR strpos(lower(concat_ws(E'\n', p.code, p.name, p.expertise)), lower(btrim(list_personas.search))) > 0)
  ORDER BY p.category, p.code
$$;
COMMENT ON FUNCTION chat.list_personas(text, text) IS
'The personas that the current user can choose from: those for all and the user''s own (is_personal), which hide those for all of the
same code; without those that an administrator has switched off. category: only these. search: only those with this text in code,
name or expertise, in any case.
Errors: 28000 nobody is authenticated.';

CREATE OR REPLACE FUNCTION chat_private.check_persona_line(value text, what text, longest integer) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF value IS NULL THEN
    RAISE EXCEPTION '% must not be null', what USING ERRCODE = '22004';
  ELSIF value !~ '\S' OR value ~ '[[:cntrl:]]' THEN
    RAISE EXCEPTION 'the % of a persona must not be empty nor have control characters', what USING ERRCODE = '22023',
      HINT = 'Write it in one line.';
  ELSIF char_length(value) > longest THEN
    RAISE EXCEPTION 'the % of a persona has more than % characters', what, longest USING ERRCODE = '54000', HINT = 'Shorten it.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_persona_line(text, text, integer) IS
'Errors: 22004 NULL; 22023 empty, or more than a line; 54000 longer than so many characters.';

CREATE OR REPLACE FUNCTION chat_private.check_persona_code(code text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF code IS NULL THEN
    RAISE EXCEPTION 'code must not be null' USING ERRCODE = '22004';
  ELSIF code = 'moderator' THEN
    RAISE EXCEPTION 'the code "moderator" is that of the moderator of every deliberation' USING ERRCODE = '22023', HINT = 'Choose another code.';
  ELSIF code !~ '^[a-z][a-z0-9_]{0,49}$' THEN
    RAISE EXCEPTION 'the code of a persona is not valid' USING ERRCODE = '22023',
      HINT = '1 to 50 of a-z, 0-9 and _, beginning with a letter; for example "data_scientist".';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_persona_code(text) IS
'Errors: 22004 NULL; 22023 not 1 to 50 of a-z, 0-9 and _, beginning with a letter, or "moderator".';

CREATE OR REPLACE FUNCTION chat_private.check_persona(persona chat.personas) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.check_persona_code(persona.code);
  PERFORM chat_private.check_persona_line(persona.name, 'name', 255);
  PERFORM chat_private.check_persona_line(persona.expertise, 'expertise', 500);
  IF persona.category IS NULL THEN
    RAISE EXCEPTION 'category must not be null' USING ERRCODE = '22004';
  ELSIF persona.category !~ '^[a-z][a-z0-9_]{0,49}$' THEN
    RAISE EXCEPTION 'the category of a persona is not valid' USING ERRCODE = '22023',
      HINT = '1 to 50 of a-z, 0-9 and _, beginning with a letter; for example "finance".';
  END IF;
  IF persona.system_prompt IS NULL THEN
    RAISE EXCEPTION 'system_prompt must not be null' USING ERRCODE = '22004';
  END IF;
  PERFORM chat_private.check_content(persona.system_prompt);
  IF persona.model IS NOT NULL THEN
    PERFORM chat_private.resolve_model(persona.user_id, persona.model);
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_persona(chat.personas) IS
'Whether a persona can be kept, as whose owner the caller acts. Errors: as chat.save_persona, but for the number of personas.';

CREATE OR REPLACE FUNCTION chat_private.store_persona(persona chat.personas) RETURNS chat.personas
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  stored chat.personas;
BEGIN
  PERFORM chat_private.check_persona(persona);
  INSERT INTO chat.personas AS p (user_id, id, code, name, expertise, category, system_prompt, model, is_active, is_default, created_at, updated_at)
  VALUES (persona.user_id, coalesce(persona.id, chat.uuid_v7()), persona.code, persona.name, persona.expertise, persona.category,
          persona.system_prompt, persona.model, coalesce(persona.is_active, true), false, coalesce(persona.created_at, clock_timestamp()),
          clock_timestamp())
  ON CONFLICT (user_id, code) DO UPDATE
    SET name = excluded.name, expertise = excluded.expertise, category = excluded.category, system_prompt = excluded.system_prompt,
        model = excluded.model, is_active = excluded.is_active, is_default = false, updated_at = excluded.updated_at
  RETURNING p.* INTO stored;
  RETURN stored;
END
$$;
COMMENT ON FUNCTION chat_private.store_persona(chat.personas) IS
'Checks a persona and adds it, or replaces the one with its code, as whose owner the caller acts; it is then nothing that pgchat
installed. Errors: as chat.save_persona, but for the number of personas.';

CREATE OR REPLACE FUNCTION chat_private.persona_not_found() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'persona not found' USING ERRCODE = 'P0002', HINT = 'chat.list_personas() lists those there are.';
END
$$;
COMMENT ON FUNCTION chat_private.persona_not_found() IS 'Errors: P0002, always.';

CREATE OR REPLACE FUNCTION chat.save_persona(code text, name text, expertise text, system_prompt text, category text DEFAULT 'own',
                                             model text DEFAULT NULL) RETURNS chat.personas
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  most integer := chat_private.setting('personas_per_user')::integer;
  persona chat.personas;
BEGIN
  persona.user_id := chat_private.require_user();
  persona.code := save_persona.code;
  persona.name := save_persona.name;
  persona.expertise := save_persona.expertise;
  persona.category := save_persona.category;
  persona.system_prompt := save_persona.system_prompt;
  persona.model := nullif(save_persona.model, '');
  PERFORM chat_private.lock_user(persona.user_id);
  IF NOT EXISTS (SELECT FROM chat.personas p WHERE p.user_id = persona.user_id AND p.code = persona.code)
     AND (SELECT count(*) FROM chat.personas p WHERE p.user_id = persona.user_id) >= most THEN
    RAISE EXCEPTION 'a user has at most % personas', most USING ERRCODE = '54000',
      HINT = 'Remove one with chat.delete_persona(code), or have an administrator raise the setting personas_per_user.';
  END IF;
  RETURN chat_private.store_persona(persona);
END
$$;
COMMENT ON FUNCTION chat.save_persona(text, text, text, text, text, text) IS
'Keeps a persona of the current user''s own, in place of the one with this code if there is one, and returns it. Where one for all has
the same code, the user''s own goes before it. code: 1 to 50 of a-z, 0-9 and _, beginning with a letter, not "moderator". name: 1 to
255 characters. expertise: what it knows, in a line of at most 500 characters; by this a model chooses who deliberates. system_prompt:
who it is, at most pgchat.max_message_bytes. category: as a code. model: what speaks for it; NULL: the deliberation''s.
Errors: 28000 nobody is authenticated; 22004 an argument but model is NULL; 22023 code, name, expertise or category; 2200F
system_prompt is empty; 54000 a text is too long, or the user has as many as the setting personas_per_user allows; 42704 no such
model; 42501 the user may not use it.';

CREATE OR REPLACE FUNCTION chat.delete_persona(code text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
BEGIN
  IF delete_persona.code IS NULL THEN
    RAISE EXCEPTION 'code must not be null' USING ERRCODE = '22004';
  END IF;
  DELETE FROM chat.personas p WHERE p.user_id = caller_id AND p.code = delete_persona.code;
  IF NOT FOUND THEN
    PERFORM chat_private.persona_not_found();
  END IF;
END
$$;
COMMENT ON FUNCTION chat.delete_persona(text) IS
'Removes a persona of the current user''s own; deliberations that it takes part in keep its text, and one for all of the same code can
be chosen again. Errors: 28000 nobody is authenticated; 22004 code is NULL; P0002 it is none of mine.';
