-- Mail: the templates, what waits to be sent, and the hashes of the tokens that mails carry.

CREATE TABLE chat.mail_templates (
  kind text NOT NULL,
  language text NOT NULL CHECK (language ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$'),
  subject text NOT NULL CHECK (subject <> '' AND char_length(subject) <= 500),
  body text NOT NULL CHECK (body <> '' AND octet_length(body) <= 100000),
  is_default boolean NOT NULL DEFAULT false,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (kind, language)
);
COMMENT ON TABLE chat.mail_templates IS 'The texts of mails by kind and language, with placeholders such as {{display_name}}; edited with chat.admin_set_mail_template';
COMMENT ON COLUMN chat.mail_templates.language IS 'A language tag: en, es, pt-BR';
COMMENT ON COLUMN chat.mail_templates.is_default IS 'True: the row is as pgchat installed it, so a dump leaves it out and CREATE EXTENSION brings it back';

INSERT INTO chat.mail_templates (kind, language, subject, body, is_default) VALUES
  ('verify_email', 'en', 'Confirm your e-mail address for {{app_name}}',
E'Hello {{display_name}},\n\nplease confirm that this address is yours:\n\n{{app_url}}/verify-email?token={{token}}\n\nThe link works until {{expires_at}}. If you did not open an account, ignore this mail.\n', true),
  ('verify_email', 'es', 'Confirma tu correo para {{app_name}}',
E'Hola {{display_name}}:\n\nConfirma que esta dirección es tuya:\n\n{{app_url}}/verify-email?token={{token}}\n\nEl enlace sirve hasta {{expires_at}}. Si no abriste una cuenta, ignora este correo.\n', true),
  ('reset_password', 'en', 'Reset your password for {{app_name}}',
E'Hello {{display_name}},\n\nchoose a new password here:\n\n{{app_url}}/reset-password?token={{token}}\n\nThe link works once, until {{expires_at}}. If you did not ask for it, ignore this mail: your password stays as it is.\n', true),
  ('reset_password', 'es', 'Restablece tu contraseña de {{app_name}}',
E'Hola {{display_name}}:\n\nElige una nueva contraseña aquí:\n\n{{app_url}}/reset-password?token={{token}}\n\nEl enlace sirve una sola vez, hasta {{expires_at}}. Si no lo pediste, ignora este correo: tu contraseña no cambia.\n', true),
  ('set_password', 'en', 'Choose your password for {{app_name}}',
E'Hello {{display_name}},\n\nan administrator asks you to choose a password:\n\n{{app_url}}/reset-password?token={{token}}\n\nThe link works once, until {{expires_at}}.\n', true),
  ('set_password', 'es', 'Elige tu contraseña de {{app_name}}',
E'Hola {{display_name}}:\n\nUn administrador te pide que elijas una contraseña:\n\n{{app_url}}/reset-password?token={{token}}\n\nEl enlace sirve una sola vez, hasta {{expires_at}}.\n', true),
  ('password_changed', 'en', 'Your password for {{app_name}} was changed',
E'Hello {{display_name}},\n\nthe password of your account was changed, and its other sessions were ended. If this was not you, reset it now: {{app_url}}\n', true),
  ('password_changed', 'es', 'Tu contraseña de {{app_name}} ha cambiado',
E'Hola {{display_name}}:\n\nLa contraseña de tu cuenta ha cambiado y sus otras sesiones se cerraron. Si no fuiste tú, restablécela ahora: {{app_url}}\n', true),
  ('invitation', 'en', 'You are invited to {{app_name}}',
E'Hello,\n\n{{inviter}} invites you to {{app_name}}. Open your account here:\n\n{{app_url}}/register?invitation={{token}}\n\nThe invitation is for {{email}} and works until {{expires_at}}.\n', true),
  ('invitation', 'es', 'Te invitan a {{app_name}}',
E'Hola:\n\n{{inviter}} te invita a {{app_name}}. Abre tu cuenta aquí:\n\n{{app_url}}/register?invitation={{token}}\n\nLa invitación es para {{email}} y sirve hasta {{expires_at}}.\n', true);

CREATE TABLE chat_private.outbox (
  -- No foreign key: who is invited has no account yet, and is the nil UUID.
  user_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT chat.uuid_v7(),
  kind text NOT NULL,
  recipient text,
  language text,
  invitation_id uuid,
  state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'expired', 'dropped')),
  attempts integer NOT NULL DEFAULT 0,
  next_attempt_at timestamptz DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,
  error text CHECK (char_length(error) <= 1000),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  finished_at timestamptz,
  PRIMARY KEY (user_id, id),
  CHECK ((next_attempt_at IS NULL) = (state NOT IN ('queued', 'sending')))
);
CREATE INDEX outbox_queue_idx ON chat_private.outbox (next_attempt_at, user_id) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX outbox_finished_idx ON chat_private.outbox (finished_at, user_id) WHERE finished_at IS NOT NULL;
CREATE INDEX outbox_id_idx ON chat_private.outbox (id, user_id);
COMMENT ON TABLE chat_private.outbox IS 'Mails to be sent and, for 30 days, those that were. No text and no token: both are made when a sender claims the mail with chat.outbox_claim';
COMMENT ON COLUMN chat_private.outbox.recipient IS 'NULL: nobody; a request for an address without an account is kept as if it were one until it is claimed';
COMMENT ON COLUMN chat_private.outbox.state IS 'queued, sending (claimed), sent, failed (given up), expired, dropped (there was no reason to send it any more)';
COMMENT ON COLUMN chat_private.outbox.next_attempt_at IS 'When it can be claimed, again if the sender says nothing until then; NULL once it is finished';

CREATE TABLE chat_private.account_tokens (
  user_id uuid NOT NULL REFERENCES chat.users (id) ON DELETE CASCADE,
  token_hash bytea NOT NULL,
  purpose text NOT NULL CHECK (purpose IN ('verify_email', 'reset_password')),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, token_hash)
);
COMMENT ON TABLE chat_private.account_tokens IS 'The hashes of the tokens that verify an address or reset a password; removed by their use';
