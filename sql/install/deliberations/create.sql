-- Opening a deliberation: its arguments, who takes part, and what a plan allows.

CREATE OR REPLACE FUNCTION chat_private.check_deliberation_limit(user_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  allowed bigint := chat_private.plan_limit(check_deliberation_limit.user_id, 'deliberations');
BEGIN
  IF allowed IS NULL THEN
    RETURN;
  END IF;
  -- So that of two that are made at once the second counts the first.
  PERFORM chat_private.lock_user(check_deliberation_limit.user_id);
  IF allowed <= (SELECT count(*) FROM chat.deliberations d WHERE d.user_id = check_deliberation_limit.user_id) THEN
    PERFORM chat_private.refuse_over_limit('deliberations', allowed);
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_deliberation_limit(uuid) IS
'Errors: PC303 the user has as many deliberations as the plan allows.';

CREATE OR REPLACE FUNCTION chat_private.check_caps(max_cost numeric, max_duration interval, max_rounds integer) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF check_caps.max_rounds NOT BETWEEN 1 AND 100 THEN
    RAISE EXCEPTION 'max_rounds must be 1 to 100' USING ERRCODE = '22023', HINT = 'The initial round counts.';
  ELSIF NOT (check_caps.max_cost > 0 AND check_caps.max_cost < 'Infinity') THEN
    RAISE EXCEPTION 'max_cost must be a positive number' USING ERRCODE = '22023', HINT = 'Leave it out where there is no cap.';
  ELSIF check_caps.max_duration <= interval '0' THEN
    RAISE EXCEPTION 'max_duration must be positive' USING ERRCODE = '22023', HINT = 'Leave it out where there is no cap.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_caps(numeric, interval, integer) IS 'Errors: 22023 one is out of range. NULL passes.';

CREATE OR REPLACE FUNCTION chat_private.check_persona_codes(persona_codes text[], options jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  stranger text;
BEGIN
  IF EXISTS (SELECT FROM unnest(check_persona_codes.persona_codes) c WHERE c IS NULL) THEN
    RAISE EXCEPTION 'a persona code must not be null' USING ERRCODE = '22004';
  ELSIF array_ndims(check_persona_codes.persona_codes) > 1
        OR cardinality(check_persona_codes.persona_codes) NOT BETWEEN 2 AND 12
        OR (SELECT count(DISTINCT c) <> count(*) FROM unnest(check_persona_codes.persona_codes) c) THEN
    RAISE EXCEPTION 'persona_codes must be 2 to 12 different codes' USING ERRCODE = '22023',
      HINT = 'chat.list_personas() lists them; without any, a model chooses.';
  END IF;
  SELECT m INTO stranger FROM jsonb_object_keys(coalesce(check_persona_codes.options -> 'models', '{}')) m
  WHERE NOT m = ANY (check_persona_codes.persona_codes) ORDER BY m LIMIT 1;
  IF stranger IS NOT NULL THEN
    RAISE EXCEPTION 'options.models names persona "%", which does not take part', left(stranger, 100) USING ERRCODE = 'PC002',
      HINT = 'Each of its members is one of persona_codes.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_persona_codes(text[], jsonb) IS
'Errors: 22004 one is NULL; 22023 not 2 to 12, or one comes twice; PC002 options.models names another. NULL passes.';

CREATE OR REPLACE FUNCTION chat_private.require_persona(user_id uuid, code text) RETURNS chat.personas
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  persona chat.personas := chat_private.find_persona(require_persona.user_id, require_persona.code);
BEGIN
  IF persona.id IS NULL THEN
    RAISE EXCEPTION 'persona "%" does not exist or is not active', left(require_persona.code, 100) USING ERRCODE = '42704',
      HINT = 'chat.list_personas() lists the personas.';
  END IF;
  RETURN persona;
END
$$;
COMMENT ON FUNCTION chat_private.require_persona(uuid, text) IS
'An active persona of a user, or else one for all. Errors: 42704 there is none.';

CREATE OR REPLACE FUNCTION chat_private.check_deliberation_models(user_id uuid, model text, persona_codes text[], options jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  code text;
  persona chat.personas;
  wanted text;
BEGIN
  PERFORM chat_private.resolve_model(check_deliberation_models.user_id, check_deliberation_models.model);
  IF check_deliberation_models.options ? 'moderator_model' THEN
    PERFORM chat_private.resolve_model(check_deliberation_models.user_id, check_deliberation_models.options ->> 'moderator_model');
  END IF;
  FOR code IN
    SELECT c FROM unnest(check_deliberation_models.persona_codes) c
    UNION SELECT m FROM jsonb_object_keys(coalesce(check_deliberation_models.options -> 'models', '{}')) m ORDER BY 1
  LOOP
    persona := chat_private.require_persona(check_deliberation_models.user_id, code);
    wanted := coalesce(check_deliberation_models.options -> 'models' ->> code, persona.model);
    IF wanted IS NOT NULL THEN
      PERFORM chat_private.resolve_model(check_deliberation_models.user_id, wanted);
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chat_private.check_deliberation_models(uuid, text, text[], jsonb) IS
'Looks up every persona and model that a deliberation names, so that what is unknown is refused before anything is stored.
Errors: 42704 no such persona or model; 42501 a model is not open to the user; PC003 no default model.';

CREATE OR REPLACE FUNCTION chat.create_deliberation(problem text, context jsonb DEFAULT NULL, persona_codes text[] DEFAULT NULL,
  max_rounds integer DEFAULT 10, model text DEFAULT NULL, max_cost numeric DEFAULT NULL, max_duration interval DEFAULT NULL,
  options jsonb DEFAULT '{}') RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  new_id uuid := chat.uuid_v7();
  given jsonb;
  seq integer;
BEGIN
  PERFORM chat_private.check_content(create_deliberation.problem);
  IF octet_length(create_deliberation.context::text) > chat_private.max_message_bytes() THEN
    RAISE EXCEPTION 'the context has more than % bytes', chat_private.max_message_bytes() USING ERRCODE = '54000',
      HINT = 'Shorten it, or have an administrator raise pgchat.max_message_bytes.';
  ELSIF jsonb_path_exists(create_deliberation.context, '$.**{101}') THEN
    RAISE EXCEPTION 'the context nests deeper than 100 levels' USING ERRCODE = '54000', HINT = 'Make it flatter, or pass it as a text.';
  ELSIF create_deliberation.max_rounds IS NULL THEN
    RAISE EXCEPTION 'max_rounds must not be null' USING ERRCODE = '22004';
  END IF;
  PERFORM chat_private.check_caps(create_deliberation.max_cost, create_deliberation.max_duration, create_deliberation.max_rounds);
  given := chat_private.deliberation_options(create_deliberation.options);
  PERFORM chat_private.check_persona_codes(create_deliberation.persona_codes, given);
  PERFORM chat_private.check_deliberation_models(caller_id, create_deliberation.model, create_deliberation.persona_codes, given);
  PERFORM chat_private.hold_account(caller_id);
  PERFORM chat_private.check_deliberation_limit(caller_id);
  INSERT INTO chat.deliberations (user_id, id, problem_statement, problem_context, max_rounds, model, max_cost, max_duration, options,
                                  sub_problems, choices)
  VALUES (caller_id, new_id, create_deliberation.problem, create_deliberation.context, create_deliberation.max_rounds,
          create_deliberation.model, create_deliberation.max_cost, create_deliberation.max_duration, given,
          given -> 'sub_problems', given -> 'choices');
  seq := chat_private.add_checkpoint(caller_id, new_id, 'created');
  IF create_deliberation.persona_codes IS NOT NULL THEN
    PERFORM chat_private.seat_personas(caller_id, new_id, create_deliberation.persona_codes, seq);
    PERFORM chat_private.seat_moderator(caller_id, new_id, seq);
  END IF;
  PERFORM chat_private.audit('deliberation.create', 'deliberation:' || new_id, wait => false);
  RETURN new_id;
END
$$;
COMMENT ON FUNCTION chat.create_deliberation(text, jsonb, text[], integer, text, numeric, interval, jsonb) IS
'Opens a deliberation of the current user on a problem and returns its id; chat.start_deliberation or chat.run_deliberation sets it
going. context: what else the board should know. persona_codes: who deliberates, 2 to 12 of chat.list_personas(), in this order; NULL: a
model chooses. They take part as they are now. max_rounds: 1 to 100, the initial round included. model: speaks for all that have none of
their own; NULL: the user''s default. max_cost: what all its calls may cost, in the currency of the models'' prices; max_duration: how long
it may run, pauses not counted; NULL: no cap. When one is reached it is paused. options: {models, moderator_model, persona_count,
sub_problems, choices, decompose, moderator, tally, quorum, min_rounds, max_interventions, convergence, call_options, call_timeout_ms}; see
docs/deliberations.md.
Errors: 28000 nobody is authenticated; 22004 problem, max_rounds or one of persona_codes is NULL; 2200F problem is blank; 54000 problem, context
or options are longer than pgchat.max_message_bytes, or context nests deeper than 100 levels; 22023 persona_codes, max_rounds, max_cost or max_duration; PC002 options; 42704 no such
persona or model; 42501 a model is not open to the user; PC003 no default model; PC303 the plan allows no more deliberations.';
