-- Logging in with an identity at another service (OpenID Connect), and joining identities to accounts.

CREATE OR REPLACE FUNCTION chat_private.verify_id_token(issuer text, jwks_url text, client_id text, algorithms text, id_token text,
                                                        nonce text, access_token text) RETURNS jsonb
LANGUAGE c VOLATILE COST 100000 AS 'MODULE_PATHNAME', 'pgchat_verify_id_token';
COMMENT ON FUNCTION chat_private.verify_id_token(text, text, text, text, text, text, text) IS
'The claims of an ID token that the issuer has signed for this client and this login; the engine fetches the issuer''s keys and keeps
them. jwks_url: where they are; NULL: as the discovery document says. algorithms: names with commas. access_token: compared
with at_hash where both are there.
Errors: 28000 the token is not valid; 08001, PC102, PC106, PC107, PC108 the keys cannot be fetched; 57P03 no engine; 25006 on a
standby.';

CREATE OR REPLACE FUNCTION chat_private.check_oidc_url(name text, url text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF octet_length(check_oidc_url.url) > 2000 OR check_oidc_url.url !~ '^https?://[^][:space:][:cntrl:]@/?#\\]+(/[^[:space:][:cntrl:]?#]*)?(\?[^[:space:][:cntrl:]#]*)?$' THEN
    RAISE EXCEPTION '% is not a valid URL', check_oidc_url.name USING ERRCODE = '22023',
      HINT = 'It is an https URL; http is for hosts in pgchat.trusted_hosts.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_oidc_url(text, text) IS 'Errors: 22023 not a URL that the engine would ask. NULL passes.';

CREATE OR REPLACE FUNCTION chat.admin_register_oidc_provider(name text, issuer text, client_id text, jwks_url text DEFAULT NULL,
  algorithms text[] DEFAULT '{RS256,ES256,EdDSA}', organisation_claim text DEFAULT NULL, organisations text[] DEFAULT NULL,
  linking text DEFAULT 'verified_email', is_active boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  given chat_private.oidc_providers;
BEGIN
  PERFORM chat_private.require_admin();
  given := ROW(admin_register_oidc_provider.name, admin_register_oidc_provider.issuer, admin_register_oidc_provider.client_id,
    admin_register_oidc_provider.jwks_url, admin_register_oidc_provider.algorithms, admin_register_oidc_provider.organisation_claim,
    admin_register_oidc_provider.organisations, admin_register_oidc_provider.linking, admin_register_oidc_provider.is_active,
    clock_timestamp(), clock_timestamp());
  IF num_nulls(given.name, given.issuer, given.client_id, given.algorithms, given.linking, given.is_active) > 0 THEN
    RAISE EXCEPTION 'name, issuer, client_id, algorithms, linking and is_active must not be null' USING ERRCODE = '22004';
  END IF;
  PERFORM chat_private.check_oidc_url('issuer', given.issuer), chat_private.check_oidc_url('jwks_url', given.jwks_url);
  IF given.name !~ '^[a-z0-9][a-z0-9_.-]{0,62}$' OR given.client_id = '' OR given.linking NOT IN ('verified_email', 'never')
     OR NOT given.algorithms <@ '{RS256,ES256,EdDSA}' OR cardinality(given.algorithms) = 0
     OR given.organisations IS NOT NULL AND given.organisation_claim IS NULL THEN
    RAISE EXCEPTION 'name, client_id, algorithms, organisations or linking is not valid' USING ERRCODE = '22023',
      HINT = 'name: small letters, digits, _ . -; algorithms: of RS256, ES256, EdDSA; organisations needs organisation_claim; '
             'linking: verified_email or never.';
  END IF;
  INSERT INTO chat_private.oidc_providers AS p SELECT given.*
  ON CONFLICT (name) DO UPDATE SET issuer = excluded.issuer, client_id = excluded.client_id, jwks_url = excluded.jwks_url,
    algorithms = excluded.algorithms, organisation_claim = excluded.organisation_claim, organisations = excluded.organisations,
    linking = excluded.linking, is_active = excluded.is_active, updated_at = excluded.updated_at;
  PERFORM chat_private.audit('admin.register_oidc_provider', 'oidc_provider:' || given.name, jsonb_build_object(
    'issuer', given.issuer, 'linking', given.linking, 'is_active', given.is_active));
END
$$;
COMMENT ON FUNCTION chat.admin_register_oidc_provider(text, text, text, text, text[], text, text[], text, boolean) IS
'Lets people log in with an OpenID provider, or changes how. name: what chat.login_oidc calls it. issuer: exactly as the provider
writes it; its discovery document is at issuer/.well-known/openid-configuration. client_id: as whom the application is known
there, the audience of its tokens. jwks_url: where the keys are, in place of discovery. algorithms: what it signs with, of
RS256, ES256 and EdDSA. organisation_claim: the claim that names a person''s organisation; organisations: those that may log
in, NULL: all. linking: verified_email joins an identity by itself to the account with the same address where both the
provider and this database have verified it; never does not. is_active: false lets nobody in. For administrators and
pgchat_service.
Errors: 42501 not an administrator; 22004 one is NULL; 22023 one is not valid.';

CREATE OR REPLACE FUNCTION chat_private.refuse_identity(provider text, reason text, user_id uuid, ip_address inet, user_agent text)
RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.audit('login', 'oidc_provider:' || refuse_identity.provider,
    jsonb_build_object('provider', refuse_identity.provider, 'reason', refuse_identity.reason), 'refused', refuse_identity.user_id,
    refuse_identity.ip_address, refuse_identity.user_agent);
  PERFORM chat_private.refuse_signed_token();
END
$$;
COMMENT ON FUNCTION chat_private.refuse_identity(text, text, uuid, inet, text) IS
'Notes in the audit log why an identity was refused, and tells the caller nothing of it. Errors: 28000 always.';

CREATE OR REPLACE FUNCTION chat_private.read_identity(provider text, id_token text, nonce text, access_token text, ip_address inet,
                                                      user_agent text) RETURNS chat.identities
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known chat_private.oidc_providers;
  claims jsonb;
  said chat.identities;
BEGIN
  IF read_identity.provider IS NULL OR read_identity.id_token IS NULL OR read_identity.nonce IS NULL THEN
    RAISE EXCEPTION 'provider, id_token and nonce must not be null' USING ERRCODE = '22004',
      HINT = 'nonce is what the application sent with the authorization request.';
  END IF;
  SELECT p.* INTO known FROM chat_private.oidc_providers p WHERE p.name = read_identity.provider AND p.is_active;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'identity provider not found' USING ERRCODE = 'P0002',
      HINT = 'An administrator registers it with chat.admin_register_oidc_provider.';
  END IF;
  claims := chat_private.verify_id_token(known.issuer, known.jwks_url, known.client_id, array_to_string(known.algorithms, ','),
                                         read_identity.id_token, read_identity.nonce, read_identity.access_token);
  said.provider := known.name;
  said.subject := claims ->> 'sub';
  said.organisation := CASE WHEN jsonb_typeof(claims -> known.organisation_claim) IN ('string', 'number')
                       THEN left(claims ->> known.organisation_claim, 255) END;
  said.email := CASE WHEN jsonb_typeof(claims -> 'email') = 'string' AND octet_length(claims ->> 'email') <= 254 THEN claims ->> 'email' END;
  -- Some providers write it as a string.
  said.email_verified := said.email IS NOT NULL AND claims -> 'email_verified' IN ('true', '"true"');
  IF known.organisations IS NOT NULL AND (said.organisation = ANY (known.organisations)) IS NOT TRUE THEN
    PERFORM chat_private.refuse_identity(known.name, 'organisation', NULL, read_identity.ip_address, read_identity.user_agent);
  END IF;
  RETURN said;
END
$$;
COMMENT ON FUNCTION chat_private.read_identity(text, text, text, text, inet, text) IS
'The identity that a valid ID token gives, with no user yet.
Errors: 22004 provider, id_token or nonce is NULL; P0002 no such provider; 28000 the token is not valid, or its organisation may
not log in; and those of chat_private.verify_id_token.';

CREATE OR REPLACE FUNCTION chat_private.identity_owner(said chat.identities) RETURNS uuid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT n.user_id FROM chat_private.login_names n WHERE n.kind = 'identity' AND n.name = said.provider || ' ' || said.subject
$$;
COMMENT ON FUNCTION chat_private.identity_owner(chat.identities) IS 'The user who logs in with this identity, or NULL.';

CREATE OR REPLACE FUNCTION chat_private.add_identity(user_id uuid, said chat.identities) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  new_id uuid := chat.uuid_v7();
BEGIN
  PERFORM chat_private.hold_account(add_identity.user_id);
  INSERT INTO chat_private.login_names (kind, name, user_id)
  VALUES ('identity', said.provider || ' ' || said.subject, add_identity.user_id) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'this identity belongs to an account already' USING ERRCODE = '23505',
      HINT = 'Log in with it, or remove it there first.';
  END IF;
  INSERT INTO chat.identities (user_id, id, provider, subject, organisation, email, email_verified)
  VALUES (add_identity.user_id, new_id, said.provider, said.subject, said.organisation, said.email, said.email_verified);
  PERFORM chat_private.audit('identity.link', 'identity:' || new_id, jsonb_build_object('provider', said.provider), 'success',
                             add_identity.user_id);
  RETURN new_id;
END
$$;
COMMENT ON FUNCTION chat_private.add_identity(uuid, chat.identities) IS
'Joins an identity to the account of the user, as whom the caller acts. Errors: 23505 it belongs to an account already.';

CREATE OR REPLACE FUNCTION chat_private.account_to_link(said chat.identities) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found_id uuid := CASE WHEN said.email LIKE '%@%' THEN chat_private.find_login(said.email) END;
  policy text := (SELECT p.linking FROM chat_private.oidc_providers p WHERE p.name = said.provider);
  previous chat_private.identity;
  is_verified_here boolean;
BEGIN
  IF found_id IS NULL THEN
    RETURN NULL;
  END IF;
  previous := chat_private.act_as(found_id);
  SELECT u.email_verified_at IS NOT NULL INTO is_verified_here FROM chat.users u WHERE u.id = found_id;
  PERFORM chat_private.switch_identity(previous);
  IF policy = 'verified_email' AND said.email_verified AND is_verified_here THEN
    RETURN found_id;
  ELSIF NOT said.email_verified THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION 'this e-mail address is already registered' USING ERRCODE = '23505',
    HINT = 'Log in to that account and join the identity to it with chat.link_identity.';
END
$$;
COMMENT ON FUNCTION chat_private.account_to_link(chat.identities) IS
'The account that an identity without one may be joined to: that of its address, if the provider says that the address is the
person''s, and the account has proven it too. Otherwise whoever registers an address first that is not theirs, here or there,
would get the other''s account. NULL: none, a new one may be made.
Errors: 23505 the address is registered, and joining it by itself is not allowed.';

CREATE OR REPLACE FUNCTION chat_private.register_identity(said chat.identities) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  account chat.users;
  previous chat_private.identity;
BEGIN
  PERFORM chat_private.check_registration(CASE WHEN said.email_verified THEN said.email END, false, true);
  account.id := chat.uuid_v7();
  account.role := 'user';
  account.plan := chat_private.setting_text('default_plan');
  -- An address that nobody has verified would take the name of whoever has it.
  IF said.email_verified THEN
    PERFORM chat_private.check_email(said.email);
    account.email := said.email;
    account.email_verified_at := clock_timestamp();
  END IF;
  PERFORM chat_private.open_account(account, NULL);
  PERFORM chat_private.audit('account.register', 'user:' || account.id, jsonb_build_object('provider', said.provider), 'success', account.id);
  RETURN account.id;
END
$$;
COMMENT ON FUNCTION chat_private.register_identity(chat.identities) IS
'A new account without a password for an identity; with its address where the provider has verified it. The application asks for
consent before it sends people to a provider.
Errors: 42501 the setting registration does not let it in; 23505 the address is taken.';

CREATE OR REPLACE FUNCTION chat.login_oidc(provider text, id_token text, nonce text, ip_address inet DEFAULT NULL,
  user_agent text DEFAULT NULL, access_token text DEFAULT NULL, OUT session_token text, OUT user_id uuid,
  OUT expires_at timestamptz, OUT mfa_required boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  said chat.identities := chat_private.read_identity(login_oidc.provider, login_oidc.id_token, login_oidc.nonce,
                                                     login_oidc.access_token, login_oidc.ip_address, login_oidc.user_agent);
  owner_id uuid := chat_private.identity_owner(said);
  is_new boolean := owner_id IS NULL;
  previous chat_private.identity;
BEGIN
  user_id := coalesce(owner_id, chat_private.account_to_link(said));
  IF user_id IS NULL THEN
    user_id := chat_private.register_identity(said);
  END IF;
  previous := chat_private.act_as(login_oidc.user_id);
  -- First, as in chat.login.
  UPDATE chat.users u SET last_login_at = clock_timestamp() WHERE u.id = login_oidc.user_id AND u.is_active;
  IF NOT FOUND THEN
    PERFORM chat_private.refuse_identity(said.provider, 'disabled', login_oidc.user_id, login_oidc.ip_address, login_oidc.user_agent);
  END IF;
  IF is_new THEN
    PERFORM chat_private.add_identity(login_oidc.user_id, said);
  END IF;
  UPDATE chat.identities i SET last_login_at = clock_timestamp(), organisation = said.organisation, email = said.email,
    email_verified = said.email_verified
  WHERE i.user_id = login_oidc.user_id AND i.provider = said.provider AND i.subject = said.subject;
  mfa_required := chat_private.mfa_state(login_oidc.user_id) <> 'none';
  SELECT s.token, s.expires_at INTO login_oidc.session_token, login_oidc.expires_at
  FROM chat_private.open_session(login_oidc.user_id, login_oidc.ip_address, login_oidc.user_agent, NULL, login_oidc.mfa_required) s;
  PERFORM chat_private.audit('login', 'user:' || login_oidc.user_id, jsonb_build_object('provider', said.provider,
    'mfa_required', login_oidc.mfa_required), 'success', login_oidc.user_id, login_oidc.ip_address, login_oidc.user_agent);
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat.login_oidc(text, text, text, inet, text, text) IS
'Opens a session for the person whom an OpenID provider''s ID token names, as chat.login does for a password. provider: as
registered. nonce: what the application sent with the authorization request, kept in the person''s browser. access_token: where
given, compared with the claim at_hash. An identity seen for the first time is joined to the account of its address if both the
provider and this database have verified the address; otherwise a new account without a password is opened, if the setting
registration allows. A second factor of the account is asked for as after a password.
Errors: 22004 provider, id_token or nonce is NULL; P0002 no such provider; 28000 the token is not valid, whatever is wrong with it,
its organisation may not log in, or the account is not active; 42501 registration is not open to it; 23505 the address is
registered and cannot be joined by itself; 08001, PC102, PC106, PC107, PC108 the provider''s keys cannot be fetched; 57P03 no
engine; 25006 on a standby.';

CREATE OR REPLACE FUNCTION chat.link_identity(provider text, id_token text, nonce text, access_token text DEFAULT NULL) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller_id uuid := chat_private.require_user();
BEGIN
  PERFORM chat_private.require_unsigned();
  RETURN chat_private.add_identity(caller_id, chat_private.read_identity(link_identity.provider, link_identity.id_token,
    link_identity.nonce, link_identity.access_token, NULL, NULL));
END
$$;
COMMENT ON FUNCTION chat.link_identity(text, text, text, text) IS
'Lets the current user log in with the identity of this ID token, too; returns its id. Arguments as for chat.login_oidc.
Errors: 28000 nobody is authenticated, or the token is not valid; 42501 the current identity comes from a signed token; 23505 the
identity belongs to an account already; others as chat.login_oidc.';

CREATE OR REPLACE FUNCTION chat.unlink_identity(identity_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller_id uuid := chat_private.require_user();
  removed chat.identities;
BEGIN
  PERFORM chat_private.require_unsigned();
  -- Two sessions that each remove one of two identities must not both find the other.
  PERFORM FROM chat.users u WHERE u.id = caller_id FOR NO KEY UPDATE;
  DELETE FROM chat.identities i WHERE i.user_id = caller_id AND i.id = unlink_identity.identity_id RETURNING i.* INTO removed;
  IF removed.id IS NULL THEN
    RAISE EXCEPTION 'identity not found' USING ERRCODE = 'P0002', HINT = 'SELECT id FROM chat.identities lists yours.';
  END IF;
  IF NOT EXISTS (SELECT FROM chat_private.credentials c WHERE c.user_id = caller_id)
     AND NOT EXISTS (SELECT FROM chat.identities i WHERE i.user_id = caller_id) THEN
    RAISE EXCEPTION 'this is the only way into the account' USING ERRCODE = '55000',
      HINT = 'Set a password with chat.set_password, or join another identity, first.';
  END IF;
  DELETE FROM chat_private.login_names n
  WHERE n.kind = 'identity' AND n.name = removed.provider || ' ' || removed.subject AND n.user_id = caller_id;
  PERFORM chat_private.audit('identity.unlink', 'identity:' || removed.id, jsonb_build_object('provider', removed.provider));
END
$$;
COMMENT ON FUNCTION chat.unlink_identity(uuid) IS
'Takes an identity off the current user''s account; sessions that it opened go on.
Errors: 28000 nobody is authenticated; 42501 the current identity comes from a signed token; P0002 the current user has no such
identity; 55000 it is the only way in.';

CREATE OR REPLACE FUNCTION chat.set_password(new_password text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  account chat.users := chat.me();
BEGIN
  PERFORM chat_private.require_unsigned();
  IF account.role = 'guest' THEN
    RAISE EXCEPTION 'a guest has no password' USING ERRCODE = '42501', HINT = 'Register with chat.upgrade_guest.';
  END IF;
  IF EXISTS (SELECT FROM chat_private.credentials c WHERE c.user_id = account.id) THEN
    RAISE EXCEPTION 'the account has a password' USING ERRCODE = '55000', HINT = 'chat.change_password changes it.';
  END IF;
  IF account.email IS NULL AND account.username IS NULL THEN
    RAISE EXCEPTION 'the account has no name to log in with' USING ERRCODE = '55000',
      HINT = 'Choose a username first, with chat.update_profile.';
  END IF;
  PERFORM chat_private.check_password(set_password.new_password, account.email, account.username);
  PERFORM chat_private.set_password(account.id, set_password.new_password);
  PERFORM chat_private.audit('password.set', 'user:' || account.id);
END
$$;
COMMENT ON FUNCTION chat.set_password(text) IS
'Gives the current user''s account, which has none, a password, so that it can be logged in to without the identity provider.
Errors: 28000 nobody is authenticated; 42501 a guest, or the current identity comes from a signed token; 22004 NULL; 22023 not a
valid password; 55000 the account has one, or no address or username.';
