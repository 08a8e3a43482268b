-- Webhooks of payment providers: the secrets they are signed with, and taking one in.

CREATE OR REPLACE FUNCTION chat_private.check_webhook(id uuid, sealed_secret bytea, signature text, payload text, tolerance integer) RETURNS text
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pgchat_check_webhook';
COMMENT ON FUNCTION chat_private.check_webhook(uuid, bytea, text, text, integer) IS
'Asks the engine whether a signature is that of a payload under a secret of chat_private.webhook_secrets: valid, wrong, malformed,
too_old or too_early, by more than tolerance seconds.
Errors: PC201 no usable master key; PC202 the secret cannot be opened; 57P03 no engine; 25006 on a standby.';

CREATE OR REPLACE FUNCTION chat_private.check_webhook_provider(provider text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.check_billing_provider(check_webhook_provider.provider);
  IF check_webhook_provider.provider <> 'stripe' THEN
    RAISE EXCEPTION 'webhooks of this provider are not known' USING ERRCODE = '22023',
      HINT = 'Only those of stripe are; give events of others to chat.admin_apply_billing_event.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_webhook_provider(text) IS 'Errors: 22004 NULL; 22023 no provider whose webhooks are known.';

CREATE OR REPLACE FUNCTION chat.admin_set_webhook_secret(provider text, secret text, keep_previous interval DEFAULT '1 day') RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  new_id uuid := chat.uuid_v7();
BEGIN
  PERFORM chat_private.require_admin();
  PERFORM chat_private.check_webhook_provider(admin_set_webhook_secret.provider);
  IF admin_set_webhook_secret.secret IS NULL OR admin_set_webhook_secret.keep_previous IS NULL THEN
    RAISE EXCEPTION 'secret and keep_previous must not be null' USING ERRCODE = '22004';
  ELSIF length(admin_set_webhook_secret.secret) NOT BETWEEN 16 AND 255 OR admin_set_webhook_secret.secret !~ '^[\x21-\x7e]+$' THEN
    RAISE EXCEPTION 'secret is not one of a webhook' USING ERRCODE = '22023',
      HINT = 'It has 16 to 255 characters of ASCII without spaces, such as whsec_…; see that no line feed was pasted with it.';
  ELSIF admin_set_webhook_secret.keep_previous NOT BETWEEN interval '0' AND interval '30 days' THEN
    RAISE EXCEPTION 'keep_previous is not valid' USING ERRCODE = '22023', HINT = 'It is from 0 to 30 days.';
  END IF;
  -- One after the other, so that one secret is the present one. The engine, which is asked below, may seal the rows anew meanwhile.
  LOCK TABLE chat_private.webhook_secrets IN SHARE UPDATE EXCLUSIVE MODE;
  DELETE FROM chat_private.webhook_secrets w WHERE w.provider = admin_set_webhook_secret.provider AND w.valid_until IS NOT NULL;
  UPDATE chat_private.webhook_secrets w SET valid_until = clock_timestamp() + admin_set_webhook_secret.keep_previous
  WHERE w.provider = admin_set_webhook_secret.provider;
  INSERT INTO chat_private.webhook_secrets (id, provider, sealed_secret)
  VALUES (new_id, admin_set_webhook_secret.provider,
          chat_private.seal('webhook_secret', uuid '00000000-0000-0000-0000-000000000000', new_id,
                            convert_to(admin_set_webhook_secret.secret, 'UTF8')));
  PERFORM chat_private.audit('admin.set_webhook_secret', 'billing_provider:' || admin_set_webhook_secret.provider);
END
$$;
COMMENT ON FUNCTION chat.admin_set_webhook_secret(text, text, interval) IS
'Keeps the secret with which a payment provider signs its webhooks, sealed and shown to nobody again. provider: stripe. secret: 16 to
255 visible characters of ASCII, whole as the provider shows it. keep_previous: for how long the secret before it is taken, too, from 0
to 30 days; the one before that no longer is. Pass the secret as a bind parameter.
Errors: 42501 not an administrator; 22004 an argument is NULL; 22023 one is not valid; 57P03 no engine; PC201 no master key.';

CREATE OR REPLACE FUNCTION chat_private.refuse_webhook(verdict text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'the signature of the webhook is not valid' USING ERRCODE = '28000', HINT = CASE verdict
    WHEN 'malformed' THEN 'Pass the header Stripe-Signature as it came.'
    WHEN 'too_old' THEN 'It was made longer ago than the setting billing_signature_tolerance allows; see that the clocks are right.'
    WHEN 'too_early' THEN 'It was made in the future; see that the clocks are right.'
    ELSE 'Pass the body exactly as it came, and see that the secret is that of this endpoint.' END;
END
$$;
COMMENT ON FUNCTION chat_private.refuse_webhook(text) IS 'Errors: 28000, always, with a hint that fits what chat_private.check_webhook says.';

CREATE OR REPLACE FUNCTION chat_private.verify_webhook(provider text, payload text, signature text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  tolerance integer := extract(epoch FROM least(chat_private.setting_text('billing_signature_tolerance')::interval, interval '1 day'))::integer;
  known chat_private.webhook_secrets;
  verdict text;
BEGIN
  FOR known IN
    SELECT w.* FROM chat_private.webhook_secrets w
    WHERE w.provider = verify_webhook.provider AND (w.valid_until IS NULL OR w.valid_until > clock_timestamp()) ORDER BY w.id DESC
  LOOP
    verdict := chat_private.check_webhook(known.id, known.sealed_secret, verify_webhook.signature, verify_webhook.payload, tolerance);
    IF verdict = 'valid' THEN
      RETURN;
    END IF;
  END LOOP;
  IF verdict IS NULL THEN
    RAISE EXCEPTION 'no secret is known with which these webhooks are signed' USING ERRCODE = '55000',
      HINT = 'An administrator sets it with chat.admin_set_webhook_secret.';
  END IF;
  PERFORM chat_private.refuse_webhook(verdict);
END
$$;
COMMENT ON FUNCTION chat_private.verify_webhook(text, text, text) IS
'Errors: 28000 the signature is not valid; 55000 there is no secret; PC201, PC202, 57P03 and 25006 as chat_private.check_webhook.';

CREATE OR REPLACE FUNCTION chat.billing_webhook(provider text, payload text, signature text, OUT outcome text, OUT detail text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  event jsonb;
BEGIN
  PERFORM chat_private.check_webhook_provider(billing_webhook.provider);
  IF billing_webhook.payload IS NULL OR billing_webhook.signature IS NULL THEN
    RAISE EXCEPTION 'payload and signature must not be null' USING ERRCODE = '22004';
  ELSIF octet_length(billing_webhook.payload) > 1048576 THEN
    RAISE EXCEPTION 'the payload has more than 1048576 bytes' USING ERRCODE = '54000', HINT = 'No event of the provider is that long.';
  ELSIF octet_length(billing_webhook.signature) > 4096 THEN
    PERFORM chat_private.refuse_webhook('malformed');
  END IF;
  PERFORM chat_private.verify_webhook(billing_webhook.provider, billing_webhook.payload, billing_webhook.signature);
  BEGIN
    event := chat_private.stripe_event(billing_webhook.payload::jsonb);
  EXCEPTION WHEN data_exception THEN
    RAISE EXCEPTION 'the payload is no event of the provider' USING ERRCODE = '22023',
      HINT = 'It is a JSON object with id, type, created and data -> object.';
  END;
  SELECT a.outcome, a.detail INTO outcome, detail FROM chat_private.apply_billing_event(billing_webhook.provider, event) a;
END
$$;
COMMENT ON FUNCTION chat.billing_webhook(text, text, text) IS
'Takes in a webhook of a payment provider, for an application''s endpoint, which then answers 200 whatever the outcome. provider:
stripe. payload: the body, byte for byte as it came, at most 1048576 bytes. signature: the header Stripe-Signature, at most
4096 bytes. Applied are
checkout.session.completed, customer.subscription.created, updated, deleted, paused and resumed, invoice.paid, invoice.payment_failed and
charge.refunded. outcome, detail: as chat.admin_apply_billing_event. For pgchat_service.
Errors: 22004 an argument is NULL; 22023 another provider, or the payload is no event; 54000 it is too long; 28000 the signature is
not valid, or older than the setting billing_signature_tolerance allows; 55000 no secret is set; PC201, PC202 no usable master key, or
another one; 57P03 no engine; 25006 on a standby.';
