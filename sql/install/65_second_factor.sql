-- The second factor as logging in asks for it: no account has one yet.

CREATE OR REPLACE FUNCTION chat_private.mfa_state(user_id uuid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'none'
$$;
COMMENT ON FUNCTION chat_private.mfa_state(uuid) IS
'none, enrolled, or required where one is demanded that is not enrolled yet.';

CREATE OR REPLACE FUNCTION chat_private.check_second_factor(user_id uuid, code text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT false
$$;
COMMENT ON FUNCTION chat_private.check_second_factor(uuid, text) IS 'Whether the code proves the user''s second factor.';
