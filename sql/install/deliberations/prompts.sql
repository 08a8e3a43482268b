-- The prompts of deliberations as rows: which there are, what each may hold, editing them, and bringing those that nobody edited up to date.

CREATE OR REPLACE FUNCTION chat_private.prompt_kinds()
RETURNS TABLE (code text, placeholders text[], required text[], description text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 12 SET search_path = pg_catalog, pg_temp AS $$
  VALUES
    ('persona', '{name,expertise,persona,others}'::text[], '{persona}'::text[],
     'The system prompt of whoever speaks for a persona. persona: the persona''s own; others: the rest of the board, a line each'),
    ('decompose', '{problem,context}', '{problem}', 'Divides the problem into sub-problems'),
    ('select', '{problem,context,sub_problems,catalogue,count}', '{problem,catalogue,count}',
     'Chooses the board. catalogue: the personas there are, a line each; count: how many to choose'),
    ('initial', '{problem,context,sub_problems,round,max_rounds}', '{problem}', 'The first round, in which no persona sees another'),
    ('contribute', '{problem,context,sub_problems,record,round,max_rounds}', '{problem,record}', 'Every round after the first. record: what was said so far'),
    ('moderate_stalling', '{problem,context,sub_problems,participants,record,round,max_rounds}', '{record}', 'The moderator, when positions no longer move'),
    ('moderate_drift', '{problem,context,sub_problems,participants,record,round,max_rounds}', '{problem,record}', 'The moderator, when the discussion has left the problem'),
    ('moderate_one_sided', '{problem,context,sub_problems,participants,record,round,max_rounds}', '{record}', 'The moderator, when all agree too early'),
    ('choices', '{problem,context,sub_problems,participants,record}', '{problem,record}', 'Writes down what is voted on'),
    ('vote', '{problem,context,sub_problems,record,choices}', '{choices}', 'The vote of a persona. choices: what is voted on, with ids'),
    ('synthesize', '{problem,context,sub_problems,participants,record,choices,votes,outcome}', '{problem,record,outcome}',
     'Writes the conclusion. votes: who voted how and why; outcome: the result as it was counted'),
    ('synthesize_text', '{problem,context,sub_problems,participants,record,choices,votes,outcome}', '{problem,record,outcome}',
     'Writes the conclusion as text, where the model gave none of the form that synthesize asks for')
$$;
COMMENT ON FUNCTION chat_private.prompt_kinds() IS
'The prompts of deliberations: what the placeholders in each may be, and which must be in the prompt.';

CREATE OR REPLACE FUNCTION chat_private.ship_prompts() RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  changed integer;
BEGIN
  DELETE FROM chat.deliberation_prompts p
  WHERE p.is_default AND NOT EXISTS (SELECT FROM chat_private.shipped_prompts() s WHERE s.code = p.code);
  INSERT INTO chat.deliberation_prompts AS p (code, system_prompt, prompt, description, is_default)
  SELECT s.code, s.system_prompt, s.prompt, k.description, true
  FROM chat_private.shipped_prompts() s JOIN chat_private.prompt_kinds() k ON k.code = s.code
  ON CONFLICT (code) DO UPDATE
    SET system_prompt = excluded.system_prompt, prompt = excluded.prompt, description = excluded.description, updated_at = now()
    WHERE p.is_default AND (p.system_prompt, p.prompt, p.description) IS DISTINCT FROM (excluded.system_prompt, excluded.prompt, excluded.description);
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN changed;
END
$$;
COMMENT ON FUNCTION chat_private.ship_prompts() IS
'Adds the prompts that come with pgchat, and brings up to date those that nobody has edited; returns how many that were.';

DO $ship$
BEGIN
  PERFORM chat_private.ship_prompts();
END
$ship$;

CREATE OR REPLACE FUNCTION chat_private.check_prompt(code text, system_prompt text, prompt text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  most_bytes CONSTANT integer := 100000;
  known record;
  missing text;
BEGIN
  SELECT k.placeholders, k.required INTO known FROM chat_private.prompt_kinds() k WHERE k.code = check_prompt.code;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no prompt "%"', left(check_prompt.code, 100) USING ERRCODE = '22023',
      HINT = (SELECT format('It is one of %s.', string_agg(k.code, ', ' ORDER BY k.code)) FROM chat_private.prompt_kinds() k);
  ELSIF greatest(octet_length(check_prompt.system_prompt), octet_length(check_prompt.prompt)) > most_bytes THEN
    RAISE EXCEPTION 'a text has more than % bytes', most_bytes USING ERRCODE = '54000', HINT = 'Shorten it.';
  ELSIF check_prompt.prompt !~ '\S' THEN
    RAISE EXCEPTION 'the prompt is empty' USING ERRCODE = '22023', HINT = 'Pass NULL to have the one that comes with pgchat again.';
  ELSIF check_prompt.code = 'persona' AND check_prompt.system_prompt IS NOT NULL THEN
    RAISE EXCEPTION 'prompt "persona" is a system prompt itself' USING ERRCODE = '22023', HINT = 'Put the whole text into prompt, and pass NULL for system_prompt.';
  END IF;
  PERFORM chat_private.check_template(check_prompt.prompt, known.placeholders);
  PERFORM chat_private.check_template(check_prompt.system_prompt, known.placeholders);
  SELECT r.name INTO missing FROM unnest(known.required) WITH ORDINALITY r (name, n)
  WHERE strpos(check_prompt.prompt, '{{' || r.name || '}}') = 0 ORDER BY r.n LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'the prompt is of no use without {{%}}', missing USING ERRCODE = '22023', HINT = 'Put it into the prompt.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_prompt(text, text, text) IS
'Errors: 22023 no such prompt, an empty one, a placeholder that it does not know, or one missing that it needs; 54000 more than 100000 bytes.';

CREATE OR REPLACE FUNCTION chat.admin_set_deliberation_prompt(code text, system_prompt text, prompt text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  own_system_prompt CONSTANT text := nullif(admin_set_deliberation_prompt.system_prompt, '');
BEGIN
  PERFORM chat_private.require_admin();
  IF admin_set_deliberation_prompt.code IS NULL THEN
    RAISE EXCEPTION 'code must not be null' USING ERRCODE = '22004';
  END IF;
  IF admin_set_deliberation_prompt.prompt IS NULL THEN
    PERFORM chat_private.check_prompt(admin_set_deliberation_prompt.code, NULL, s.prompt)
    FROM (SELECT (SELECT t.prompt FROM chat_private.shipped_prompts() t WHERE t.code = admin_set_deliberation_prompt.code) AS prompt) s;
    UPDATE chat.deliberation_prompts p SET is_default = true
    WHERE p.code = admin_set_deliberation_prompt.code AND NOT p.is_default;
    PERFORM chat_private.ship_prompts();
  ELSE
    PERFORM chat_private.check_prompt(admin_set_deliberation_prompt.code, own_system_prompt, admin_set_deliberation_prompt.prompt);
    UPDATE chat.deliberation_prompts p
    SET system_prompt = own_system_prompt, prompt = admin_set_deliberation_prompt.prompt, is_default = false, updated_at = now()
    WHERE p.code = admin_set_deliberation_prompt.code;
  END IF;
  PERFORM chat_private.audit('admin.set_deliberation_prompt', 'deliberation_prompt:' || admin_set_deliberation_prompt.code,
                             jsonb_build_object('is_default', admin_set_deliberation_prompt.prompt IS NULL));
END
$$;
COMMENT ON FUNCTION chat.admin_set_deliberation_prompt(text, text, text) IS
'Changes what models are asked in deliberations, for steps that are queued from now on. code: one of
chat.admin_list_deliberation_prompts(). system_prompt: who the model is told to be; in a step of a persona it comes after the
persona''s own, NULL: nothing does. prompt: the message, at most 100000 bytes, with the placeholders that the list names; NULL:
both texts as they came with pgchat again, which updates of pgchat may then change.
Errors: 42501 not an administrator; 22004 code is NULL; 22023 no such prompt, an empty one, a placeholder it does not know, or one
missing that it needs; 54000 a text is too long.';

CREATE OR REPLACE FUNCTION chat.admin_list_deliberation_prompts()
RETURNS TABLE (code text, system_prompt text, prompt text, description text, placeholders text[], required text[], is_default boolean,
               updated_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 12 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM chat_private.require_admin();
  RETURN QUERY
    SELECT p.code, p.system_prompt, p.prompt, k.description, k.placeholders, k.required, p.is_default, p.updated_at
    FROM chat_private.prompt_kinds() k JOIN chat.deliberation_prompts p ON p.code = k.code ORDER BY k.code;
END
$$;
COMMENT ON FUNCTION chat.admin_list_deliberation_prompts() IS
'What models are asked in deliberations: each prompt, what it is for, the placeholders it may have and those its prompt must have,
and whether it is as it came with pgchat.
Errors: 42501 not an administrator.';
