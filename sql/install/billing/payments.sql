-- Payments: what an event says of one, the sums of all, and what is left of them when a person goes.

CREATE OR REPLACE FUNCTION chat_private.paid_plan(paid chat.payments, price text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(
    chat_private.price_plan(paid.provider, paid_plan.price),
    (SELECT s.plan FROM chat.subscriptions s WHERE s.user_id = paid.user_id AND s.provider = paid.provider AND s.external_id = paid.subscription),
    (SELECT p.plan FROM chat.payments p
     WHERE p.user_id = paid.user_id AND p.provider = paid.provider AND p.external_id = paid.refund_of AND p.kind = 'payment'))
$$;
COMMENT ON FUNCTION chat_private.paid_plan(chat.payments, text) IS
'The plan that is paid for, or whose price is given back: by the price, the subscription, or the payment refunded; NULL: not known.';

CREATE OR REPLACE FUNCTION chat_private.nobodys_payment_id(id text, customer text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
-- Together no more than 255 bytes.
RETURN CASE WHEN octet_length(id) <= 222 THEN id ELSE left(id, 55) END || '#' || left(encode(sha256(convert_to(jsonb_build_array(customer, id)::text, 'UTF8')), 'hex'), 32);
COMMENT ON FUNCTION chat_private.nobodys_payment_id(text, text) IS
'The id of a payment of a removed account: the provider''s (of one longer than 222 bytes the first 55 characters), and a digest
that tells payments of different customers with the same id apart, and not which payments are of the same customer. NULL for NULL.';

CREATE OR REPLACE FUNCTION chat_private.apply_payment(user_id uuid, provider text, customer text, event_at timestamptz,
  event_order smallint, told jsonb) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  paid chat.payments := chat_private.told_payment(told);
  previous chat_private.identity := chat_private.act_as(apply_payment.user_id);
  is_stored boolean;
BEGIN
  paid.user_id := apply_payment.user_id;
  paid.provider := apply_payment.provider;
  IF paid.user_id = uuid 'ffffffff-ffff-ffff-ffff-ffffffffffff' THEN
    paid.external_id := chat_private.nobodys_payment_id(paid.external_id, apply_payment.customer);
    paid.refund_of := chat_private.nobodys_payment_id(paid.refund_of, apply_payment.customer);
    paid.subscription := NULL;
    paid.failure_reason := NULL;
    paid.invoice_url := NULL;
    paid.invoice_pdf_url := NULL;
  ELSE
    paid.customer := apply_payment.customer;
  END IF;
  INSERT INTO chat.payments AS p (user_id, provider, external_id, kind, customer, subscription, refund_of, plan, status, amount, currency,
    paid_at, failure_reason, invoice_url, invoice_pdf_url, event_at, event_order)
  VALUES (paid.user_id, paid.provider, paid.external_id, paid.kind, paid.customer, paid.subscription, paid.refund_of,
    chat_private.paid_plan(paid, told ->> 'price'), paid.status, paid.amount, paid.currency,
    CASE WHEN paid.status = 'succeeded' THEN coalesce(paid.paid_at, apply_payment.event_at) END, paid.failure_reason,
    paid.invoice_url, paid.invoice_pdf_url, apply_payment.event_at, apply_payment.event_order)
  ON CONFLICT (user_id, provider, external_id, kind) DO UPDATE SET customer = excluded.customer, subscription = excluded.subscription,
    refund_of = excluded.refund_of, plan = coalesce(p.plan, excluded.plan), status = excluded.status, amount = excluded.amount,
    currency = excluded.currency, paid_at = excluded.paid_at, failure_reason = excluded.failure_reason,
    invoice_url = excluded.invoice_url, invoice_pdf_url = excluded.invoice_pdf_url, event_at = excluded.event_at,
    event_order = excluded.event_order, updated_at = excluded.updated_at
  -- What was given back of a charge only grows, which tells refunds of the same second apart.
  WHERE (p.event_at, p.event_order, CASE p.kind WHEN 'refund' THEN p.amount ELSE 0 END)
     <= (excluded.event_at, excluded.event_order, CASE p.kind WHEN 'refund' THEN excluded.amount ELSE 0 END);
  is_stored := FOUND;
  PERFORM chat_private.switch_identity(previous);
  RETURN CASE WHEN is_stored THEN 'applied' ELSE 'stale' END;
END
$$;
COMMENT ON FUNCTION chat_private.apply_payment(uuid, text, text, timestamptz, smallint, jsonb) IS
'Stores what an event says of a payment, unless a later one has said something already: applied or stale. Of a removed account only
what accounting needs.';

CREATE OR REPLACE FUNCTION chat_private.anonymise_billing(user_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  nobody CONSTANT uuid := uuid 'ffffffff-ffff-ffff-ffff-ffffffffffff';
  taken chat.payments[];
  previous chat_private.identity := chat_private.enter_gate();
BEGIN
  -- Customers first, as elsewhere. Whoever is tying another one has locked the account: what they did is seen below, and who comes
  -- later finds no account.
  PERFORM chat_private.hold_billing_customers(anonymise_billing.user_id);
  PERFORM FROM chat.users u WHERE u.id = anonymise_billing.user_id FOR NO KEY UPDATE;
  UPDATE chat_private.billing_customers c SET user_id = nobody WHERE c.user_id = anonymise_billing.user_id;
  PERFORM chat_private.act_as(anonymise_billing.user_id);
  WITH removed AS (DELETE FROM chat.payments p WHERE p.user_id = anonymise_billing.user_id RETURNING p.*)
  SELECT array_agg(r::chat.payments) INTO taken FROM removed r;
  PERFORM chat_private.act_as(nobody);
  INSERT INTO chat.payments (user_id, provider, external_id, kind, refund_of, plan, status, amount, currency, paid_at, event_at, event_order, created_at)
  SELECT nobody, t.provider, chat_private.nobodys_payment_id(t.external_id, t.customer), t.kind,
         chat_private.nobodys_payment_id(t.refund_of, t.customer), t.plan, t.status, t.amount, t.currency, t.paid_at, t.event_at, t.event_order, t.created_at
  FROM unnest(taken) t;
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat_private.anonymise_billing(uuid) IS
'Makes a user''s payments those of the UUID of only ones, with amount, currency, times and the provider''s ids alone, and has later
events of the same customers be nobody''s.';

CREATE OR REPLACE FUNCTION chat.admin_payments(from_time timestamptz DEFAULT NULL, to_time timestamptz DEFAULT NULL, group_by text DEFAULT 'month')
RETURNS TABLE (key text, currency text, payments bigint, paid numeric, refunds bigint, refunded numeric, net numeric, failed bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  first_moment timestamptz := coalesce(admin_payments.from_time, date_trunc('month', clock_timestamp(), 'UTC'));
  end_moment timestamptz := coalesce(admin_payments.to_time, 'infinity');
  previous chat_private.identity := chat_private.open_gate();
BEGIN
  IF coalesce(admin_payments.group_by, '') NOT IN ('month', 'plan', 'provider', 'user') THEN
    RAISE EXCEPTION 'group_by is not valid' USING ERRCODE = '22023', HINT = 'It is month, plan, provider or user.';
  END IF;
  RETURN QUERY
    SELECT CASE admin_payments.group_by WHEN 'month' THEN to_char(coalesce(p.paid_at, p.event_at) AT TIME ZONE 'UTC', 'YYYY-MM')
             WHEN 'plan' THEN coalesce(p.plan, '') WHEN 'provider' THEN p.provider ELSE p.user_id::text END AS group_key,
           p.currency,
           count(*) FILTER (WHERE p.kind = 'payment' AND p.status = 'succeeded'),
           coalesce(sum(p.amount) FILTER (WHERE p.kind = 'payment' AND p.status = 'succeeded'), 0),
           count(*) FILTER (WHERE p.kind = 'refund' AND p.status = 'succeeded'),
           coalesce(sum(p.amount) FILTER (WHERE p.kind = 'refund' AND p.status = 'succeeded'), 0),
           coalesce(sum(CASE p.kind WHEN 'payment' THEN p.amount ELSE -p.amount END) FILTER (WHERE p.status = 'succeeded'), 0),
           count(*) FILTER (WHERE p.status = 'failed')
    FROM chat.payments p
    WHERE coalesce(p.paid_at, p.event_at) >= first_moment AND coalesce(p.paid_at, p.event_at) < end_moment
    GROUP BY 1, 2 ORDER BY 1, 2;
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat.admin_payments(timestamptz, timestamptz, text) IS
'What was paid and given back, a row for each currency: sums of different currencies are never added up. from_time: by default the
first of this month in UTC. to_time: not included; by default no end. group_by: month (YYYY-MM in UTC), plan (empty: not known),
provider or user (the UUID of only ones: removed accounts). payments, paid: those that succeeded. net: paid less refunded. failed:
how many invoices are not paid because collecting failed.
Errors: 42501 not an administrator; 22023 group_by.';
