-- What people log in with: there are no passwords, so each has the identity that the other system knows them by.
INSERT INTO found (source_table, old_id, user_id, kind, reason, details)
SELECT 'users', s.old_id, s.new_id, 'changed', f.reason, f.details
FROM staged_users s JOIN :"source".users u ON u.id::text = s.old_id,
LATERAL (VALUES
  (s.plan IS NULL, 'plan_unknown', jsonb_build_object('subscription_tier', left(u.subscription_tier::text, 300))),
  (coalesce(lower(btrim(u.auth_provider::text)), '') NOT IN ('supabase', 'google', 'linkedin', 'github'), 'provider_unknown',
   jsonb_build_object('auth_provider', left(u.auth_provider::text, 300)))) f (applies, reason, details)
WHERE s.state = 'new' AND f.applies;

-- The ids are those of Supabase Auth, whichever provider it asked: so both can be the name of the issuer.
CREATE TEMP TABLE staged_identities ON COMMIT DROP AS
SELECT DISTINCT s.new_id AS user_id, s.old_id AS subject, p.name AS provider, s.email
FROM staged_users s JOIN :"source".users u ON u.id::text = s.old_id, LATERAL (VALUES ('supabase'), (lower(btrim(u.auth_provider::text)))) p (name)
WHERE s.state = 'new' AND p.name ~ '^[a-z0-9][a-z0-9_.-]{0,62}$' AND octet_length(s.old_id) BETWEEN 1 AND 255;

INSERT INTO chat_private.login_names (kind, name, user_id)
SELECT 'identity', i.provider || ' ' || i.subject, i.user_id FROM staged_identities i ON CONFLICT DO NOTHING;
INSERT INTO chat.identities (user_id, provider, subject, email, created_at)
SELECT i.user_id, i.provider, i.subject, i.email, u.created_at
FROM staged_identities i JOIN chat.users u ON u.id = i.user_id
JOIN chat_private.login_names n ON n.kind = 'identity' AND n.name = i.provider || ' ' || i.subject AND n.user_id = i.user_id;

INSERT INTO found (source_table, old_id, user_id, kind, reason, details)
SELECT 'users', i.subject, i.user_id, 'changed', 'identity_taken', jsonb_build_object('providers', jsonb_agg(i.provider))
FROM staged_identities i
WHERE NOT EXISTS (SELECT FROM chat.identities x WHERE x.user_id = i.user_id AND x.provider = i.provider AND x.subject = i.subject)
GROUP BY i.subject, i.user_id;
