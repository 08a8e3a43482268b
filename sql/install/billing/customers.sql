-- Whose a customer of a payment provider is, and the events that came before anybody knew.

CREATE OR REPLACE FUNCTION chat_private.lock_billing_customer(provider text, customer_id text) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.enter_gate();
  owner_id uuid;
BEGIN
  INSERT INTO chat_private.billing_customers AS c (provider, customer_id)
  VALUES (lock_billing_customer.provider, lock_billing_customer.customer_id)
  ON CONFLICT (provider, customer_id) DO UPDATE SET customer_id = c.customer_id
  RETURNING c.user_id INTO owner_id;
  PERFORM chat_private.switch_identity(previous);
  RETURN owner_id;
END
$$;
COMMENT ON FUNCTION chat_private.lock_billing_customer(text, text) IS
'Whose this customer is, NULL where nobody knows; one transaction after the other goes on for each. Who locks customers and accounts
locks customers first.';

CREATE OR REPLACE FUNCTION chat_private.hold_billing_customers(user_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.enter_gate();
BEGIN
  PERFORM FROM chat_private.billing_customers c
  WHERE c.user_id = hold_billing_customers.user_id ORDER BY c.provider, c.customer_id FOR UPDATE;
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat_private.hold_billing_customers(uuid) IS
'Has events of an account''s customers wait; for what removes accounts, before it locks anything else of them.';

CREATE OR REPLACE FUNCTION chat_private.apply_waiting_events(provider text, customer_id text, user_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  waiting chat_private.billing_events;
  became record;
BEGIN
  FOR waiting IN
    SELECT e.* FROM chat_private.billing_events e
    WHERE e.provider = apply_waiting_events.provider AND e.customer_id = apply_waiting_events.customer_id AND e.event IS NOT NULL
    ORDER BY e.occurred_at, (e.event ->> 'order')::smallint, e.received_at
  LOOP
    SELECT a.* INTO became FROM chat_private.apply_told(apply_waiting_events.user_id, waiting.provider, waiting.event) a;
    UPDATE chat_private.billing_events e SET outcome = became.outcome, detail = became.detail, customer_id = NULL, event = NULL
    WHERE e.provider = waiting.provider AND e.event_id = waiting.event_id;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chat_private.apply_waiting_events(text, text, uuid) IS
'Applies, in the order in which they happened, the events of a customer that waited for an account.';

CREATE OR REPLACE FUNCTION chat_private.tie_billing_customer(provider text, customer_id text, user_id uuid) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.enter_gate();
  owner_id uuid;
BEGIN
  owner_id := chat_private.lock_billing_customer(tie_billing_customer.provider, tie_billing_customer.customer_id);
  PERFORM FROM chat.users u WHERE u.id = tie_billing_customer.user_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    PERFORM chat_private.switch_identity(previous);
    RETURN 'user_unknown';
  ELSIF owner_id IS NULL THEN
    UPDATE chat_private.billing_customers c SET user_id = tie_billing_customer.user_id
    WHERE c.provider = tie_billing_customer.provider AND c.customer_id = tie_billing_customer.customer_id;
  END IF;
  PERFORM chat_private.switch_identity(previous);
  IF owner_id IS NULL THEN
    PERFORM chat_private.apply_waiting_events(tie_billing_customer.provider, tie_billing_customer.customer_id, tie_billing_customer.user_id);
  ELSIF owner_id <> tie_billing_customer.user_id THEN
    RETURN 'customer_of_another';
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION chat_private.tie_billing_customer(text, text, uuid) IS
'Makes a customer an account''s, and applies the events that waited for it. What stands in the way: user_unknown or
customer_of_another; NULL: nothing.';

CREATE OR REPLACE FUNCTION chat.admin_set_billing_customer(user_id uuid, provider text, customer_id text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  obstacle text;
BEGIN
  PERFORM chat_private.require_admin();
  PERFORM chat_private.check_billing_provider(admin_set_billing_customer.provider);
  IF admin_set_billing_customer.user_id IS NULL OR admin_set_billing_customer.customer_id IS NULL THEN
    RAISE EXCEPTION 'user_id and customer_id must not be null' USING ERRCODE = '22004';
  ELSIF NOT chat_private.is_external_id(admin_set_billing_customer.customer_id) THEN
    RAISE EXCEPTION 'customer_id is not valid' USING ERRCODE = '22023', HINT = 'It has 1 to 255 bytes, such as cus_NffrFeUfNV2Hib.';
  END IF;
  -- As chat_private.apply_billing_event does.
  LOCK TABLE chat.plan_prices IN ROW EXCLUSIVE MODE;
  obstacle := chat_private.tie_billing_customer(admin_set_billing_customer.provider, admin_set_billing_customer.customer_id,
                                                admin_set_billing_customer.user_id);
  IF obstacle = 'user_unknown' THEN
    RAISE EXCEPTION 'user not found' USING ERRCODE = 'P0002', HINT = 'chat.admin_list_users() lists the accounts.';
  ELSIF obstacle IS NOT NULL THEN
    RAISE EXCEPTION 'this customer belongs to another account' USING ERRCODE = '55000',
      HINT = 'A customer is one account''s for good: have the payment provider make another one.';
  END IF;
  PERFORM chat_private.audit('admin.set_billing_customer', 'user:' || admin_set_billing_customer.user_id,
    jsonb_build_object('provider', admin_set_billing_customer.provider));
END
$$;
COMMENT ON FUNCTION chat.admin_set_billing_customer(uuid, text, text) IS
'Says whose a customer of a payment provider is, for good, and applies the events of this customer that have waited for it. An account
can have several customers. customer_id: as the provider names it, 1 to 255 bytes.
Errors: 42501 not an administrator; 22004 an argument is NULL; 22023 provider or customer_id; P0002 no such account; 55000 the
customer is another account''s; 57P03 no engine.';
