-- Events of payment providers in a form that is the same for all: reading one, and applying it once.

CREATE OR REPLACE FUNCTION chat_private.bad_billing_event(problem text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'the event is not valid: %', bad_billing_event.problem USING ERRCODE = '22023',
    HINT = 'The comment on chat.admin_apply_billing_event says what an event has.';
END
$$;
COMMENT ON FUNCTION chat_private.bad_billing_event(text) IS 'Errors: 22023, always.';

CREATE OR REPLACE FUNCTION chat_private.check_billing_provider(provider text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF check_billing_provider.provider IS NULL THEN
    RAISE EXCEPTION 'provider must not be null' USING ERRCODE = '22004';
  ELSIF check_billing_provider.provider !~ '^[a-z0-9][a-z0-9_-]{0,49}$' THEN
    RAISE EXCEPTION 'provider is not valid' USING ERRCODE = '22023',
      HINT = 'It is the name of a payment provider, such as stripe: 1 to 50 of a-z, 0-9, _ and -.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_billing_provider(text) IS 'Errors: 22004 NULL; 22023 not the name of a payment provider.';

CREATE OR REPLACE FUNCTION chat_private.is_external_id(id text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(octet_length(id) BETWEEN 1 AND 255 AND id !~ '[[:cntrl:]]', false);
COMMENT ON FUNCTION chat_private.is_external_id(text) IS 'Whether a text can be the id that a payment provider gave to something.';

CREATE OR REPLACE FUNCTION chat_private.told_subscription(told jsonb) RETURNS chat.subscriptions
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s chat.subscriptions;
BEGIN
  IF jsonb_typeof(told) <> 'object' THEN
    PERFORM chat_private.bad_billing_event('subscription is not an object');
  END IF;
  BEGIN
    s := jsonb_populate_record(NULL::chat.subscriptions,
      (told - ARRAY['user_id', 'plan', 'granted_plan']) || jsonb_build_object('external_id', told -> 'id'));
  EXCEPTION WHEN data_exception THEN
    PERFORM chat_private.bad_billing_event('a time or truth value of subscription is none');
  END;
  IF NOT chat_private.is_external_id(s.external_id) THEN
    PERFORM chat_private.bad_billing_event('subscription -> id');
  ELSIF s.price IS NOT NULL AND NOT chat_private.is_external_id(s.price) THEN
    PERFORM chat_private.bad_billing_event('subscription -> price');
  ELSIF s.status IN ('incomplete', 'incomplete_expired', 'trialing', 'active', 'past_due', 'canceled', 'unpaid', 'paused') IS NOT TRUE THEN
    PERFORM chat_private.bad_billing_event('subscription -> status');
  END IF;
  RETURN s;
END
$$;
COMMENT ON FUNCTION chat_private.told_subscription(jsonb) IS
'The member subscription of an event, without whose it is, its plan and its event. Errors: 22023 it is not valid.';

CREATE OR REPLACE FUNCTION chat_private.currency_decimals(currency text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
  WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 0
  WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3
  WHEN currency IN ('CLF', 'UYW') THEN 4
  ELSE 2 END;
COMMENT ON FUNCTION chat_private.currency_decimals(text) IS 'How many decimals amounts of a currency have (ISO 4217).';

CREATE OR REPLACE FUNCTION chat_private.told_payment(told jsonb) RETURNS chat.payments
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  p chat.payments;
  link CONSTANT text := '^https?://[^[:space:][:cntrl:]<>"]+$';
BEGIN
  IF jsonb_typeof(told) <> 'object' THEN
    PERFORM chat_private.bad_billing_event('payment is not an object');
  END IF;
  BEGIN
    p := jsonb_populate_record(NULL::chat.payments, (told - ARRAY['user_id', 'plan']) || jsonb_build_object('external_id', told -> 'id'));
  EXCEPTION WHEN data_exception THEN
    PERFORM chat_private.bad_billing_event('the amount or time of payment is none');
  END;
  p.kind := coalesce(p.kind, 'payment');
  p.currency := upper(p.currency);
  IF NOT chat_private.is_external_id(p.external_id) THEN
    PERFORM chat_private.bad_billing_event('payment -> id');
  ELSIF p.kind NOT IN ('payment', 'refund') THEN
    PERFORM chat_private.bad_billing_event('payment -> kind');
  ELSIF p.status IN ('succeeded', 'failed', 'pending') IS NOT TRUE THEN
    PERFORM chat_private.bad_billing_event('payment -> status');
  ELSIF p.currency ~ '^[A-Z]{3}$' IS NOT TRUE THEN
    PERFORM chat_private.bad_billing_event('payment -> currency');
  ELSIF (p.amount >= 0 AND p.amount < 1e15 AND scale(trim_scale(p.amount)) <= chat_private.currency_decimals(p.currency)) IS NOT TRUE THEN
    PERFORM chat_private.bad_billing_event('payment -> amount');
  ELSIF p.subscription IS NOT NULL AND NOT chat_private.is_external_id(p.subscription)
        OR p.refund_of IS NOT NULL AND NOT chat_private.is_external_id(p.refund_of) THEN
    PERFORM chat_private.bad_billing_event('payment -> subscription or refund_of');
  END IF;
  p.amount := round(p.amount, chat_private.currency_decimals(p.currency));
  p.failure_reason := left(p.failure_reason, 1000);
  p.invoice_url := CASE WHEN p.invoice_url ~ link AND octet_length(p.invoice_url) <= 2000 THEN p.invoice_url END;
  p.invoice_pdf_url := CASE WHEN p.invoice_pdf_url ~ link AND octet_length(p.invoice_pdf_url) <= 2000 THEN p.invoice_pdf_url END;
  RETURN p;
END
$$;
COMMENT ON FUNCTION chat_private.told_payment(jsonb) IS
'The member payment of an event, without whose it is, its plan and its event. A link that is not http or https is left out.
Errors: 22023 it is not valid.';

CREATE OR REPLACE FUNCTION chat_private.check_billing_event(event jsonb, OUT event_id text, OUT type text, OUT occurred_at timestamptz,
  OUT event_order smallint, OUT customer text, OUT user_id uuid)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF jsonb_typeof(event) <> 'object' THEN
    PERFORM chat_private.bad_billing_event('it is not an object');
  ELSIF octet_length(event::text) > 65536 THEN
    RAISE EXCEPTION 'the event has more than 65536 bytes' USING ERRCODE = '54000', HINT = 'Leave out what pgchat does not read.';
  END IF;
  event_id := event ->> 'id';
  type := event ->> 'type';
  customer := event ->> 'customer';
  BEGIN
    occurred_at := event ->> 'occurred_at';
    event_order := coalesce(event ->> 'order', '0');
    user_id := event ->> 'user_id';
  EXCEPTION WHEN data_exception THEN
    PERFORM chat_private.bad_billing_event('occurred_at, order or user_id');
  END;
  IF NOT chat_private.is_external_id(event_id) THEN
    PERFORM chat_private.bad_billing_event('id');
  ELSIF coalesce(char_length(type) NOT BETWEEN 1 AND 100, true) THEN
    PERFORM chat_private.bad_billing_event('type');
  ELSIF coalesce(NOT isfinite(occurred_at) OR occurred_at > clock_timestamp() + interval '1 day', true) THEN
    PERFORM chat_private.bad_billing_event('occurred_at');
  ELSIF customer IS NULL AND event ?| ARRAY['subscription', 'payment', 'user_id']
        OR customer IS NOT NULL AND NOT chat_private.is_external_id(customer) THEN
    PERFORM chat_private.bad_billing_event('customer');
  END IF;
  IF event ? 'subscription' THEN
    PERFORM chat_private.told_subscription(event -> 'subscription');
  END IF;
  IF event ? 'payment' THEN
    PERFORM chat_private.told_payment(event -> 'payment');
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_billing_event(jsonb) IS
'What an event says of itself. Errors: 22023 it is not valid; 54000 it is too long.';

CREATE OR REPLACE FUNCTION chat_private.apply_told(user_id uuid, provider text, event jsonb, OUT outcome text, OUT detail text)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  head record;
  part text;
BEGIN
  SELECT h.* INTO head FROM chat_private.check_billing_event(apply_told.event) h;
  outcome := 'ignored';
  IF event ? 'payment' THEN
    outcome := chat_private.apply_payment(apply_told.user_id, apply_told.provider, head.customer, head.occurred_at, head.event_order, event -> 'payment');
  END IF;
  IF event ? 'subscription' THEN
    SELECT a.outcome, a.detail INTO part, detail
    FROM chat_private.apply_subscription(apply_told.user_id, apply_told.provider, head.customer, head.occurred_at, head.event_order, event -> 'subscription') a;
    outcome := CASE WHEN outcome = 'applied' THEN outcome ELSE part END;
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.apply_told(uuid, text, jsonb) IS
'Applies the subscription and the payment of an event to the account of its customer: applied, stale where it is older than what
is known, or ignored.';

CREATE OR REPLACE FUNCTION chat_private.prune_billing_events() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  oldest CONSTANT timestamptz := clock_timestamp() - chat_private.setting_text('billing_event_retention')::interval;
  previous chat_private.identity;
BEGIN
  DELETE FROM chat_private.billing_events e
  WHERE (e.provider, e.event_id) IN (
    SELECT o.provider, o.event_id FROM chat_private.billing_events o WHERE o.received_at < oldest
    ORDER BY o.received_at LIMIT 100 FOR UPDATE SKIP LOCKED);
  previous := chat_private.enter_gate();
  -- One in use is locked. Whoever waits for one that goes makes it anew.
  DELETE FROM chat_private.billing_customers c
  WHERE (c.provider, c.customer_id) IN (
    SELECT o.provider, o.customer_id FROM chat_private.billing_customers o
    WHERE o.user_id IS NULL AND o.created_at < oldest
      AND NOT EXISTS (SELECT FROM chat_private.billing_events w
                      WHERE w.provider = o.provider AND w.customer_id = o.customer_id AND w.event IS NOT NULL)
    ORDER BY o.created_at LIMIT 100 FOR UPDATE OF o SKIP LOCKED);
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat_private.prune_billing_events() IS
'Removes some of the events that are older than the setting billing_event_retention says, and of the customers whom nobody came to know;
each new event removes more than it adds.';

CREATE OR REPLACE FUNCTION chat_private.keep_waiting(provider text, event_id text, customer text, event jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  most_of_one CONSTANT integer := 200;
BEGIN
  UPDATE chat_private.billing_events e SET customer_id = keep_waiting.customer, event = keep_waiting.event
  WHERE e.provider = keep_waiting.provider AND e.event_id = keep_waiting.event_id;
  UPDATE chat_private.billing_events e SET customer_id = NULL, event = NULL, detail = 'dropped'
  WHERE (e.provider, e.event_id) IN (
    -- Those that somebody else is dropping, or applying, are theirs.
    SELECT d.provider, d.event_id FROM chat_private.billing_events d
    WHERE (d.provider, d.event_id) IN (
      (SELECT o.provider, o.event_id FROM chat_private.billing_events o
       WHERE o.provider = keep_waiting.provider AND o.customer_id = keep_waiting.customer AND o.event IS NOT NULL
       ORDER BY o.received_at DESC OFFSET most_of_one)
      UNION ALL
      (SELECT o.provider, o.event_id FROM chat_private.billing_events o WHERE o.event IS NOT NULL
       ORDER BY o.received_at DESC OFFSET chat_private.setting('billing_waiting_events')::integer))
    FOR UPDATE OF d SKIP LOCKED);
END
$$;
COMMENT ON FUNCTION chat_private.keep_waiting(text, text, text, jsonb) IS
'Keeps an event of a customer whom nobody knows yet; the oldest go where there are more than 200 of one customer, or more than the
setting billing_waiting_events in all.';

CREATE OR REPLACE FUNCTION chat_private.note_billing_event(provider text, event_id text, type text, occurred_at timestamptz) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  seen text;
BEGIN
  -- Of two deliveries at once the second waits here for the end of the first.
  INSERT INTO chat_private.billing_events (provider, event_id, type, occurred_at)
  VALUES (note_billing_event.provider, note_billing_event.event_id, note_billing_event.type, note_billing_event.occurred_at)
  ON CONFLICT (provider, event_id) DO NOTHING;
  IF FOUND THEN
    RETURN NULL;
  END IF;
  UPDATE chat_private.billing_events e SET deliveries = e.deliveries + 1, last_received_at = clock_timestamp(),
    received_at = CASE WHEN e.detail = 'dropped' THEN clock_timestamp() ELSE e.received_at END,
    outcome = CASE WHEN e.detail = 'dropped' THEN NULL ELSE e.outcome END, detail = nullif(e.detail, 'dropped')
  WHERE e.provider = note_billing_event.provider AND e.event_id = note_billing_event.event_id
  RETURNING e.outcome INTO seen;
  RETURN seen;
END
$$;
COMMENT ON FUNCTION chat_private.note_billing_event(text, text, text, timestamptz) IS
'Notes that an event was received. NULL: for the first time, or it was dropped while it waited; else what became of it then.';

CREATE OR REPLACE FUNCTION chat_private.apply_billing_event(provider text, event jsonb, OUT outcome text, OUT detail text)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  head record;
  owner_id uuid;
BEGIN
  SELECT h.* INTO head FROM chat_private.check_billing_event(apply_billing_event.event) h;
  detail := chat_private.note_billing_event(apply_billing_event.provider, head.event_id, head.type, head.occurred_at);
  IF detail IS NOT NULL THEN
    outcome := 'repeated';
    RETURN;
  END IF;
  PERFORM chat_private.prune_billing_events();
  -- So that a price that is saved meanwhile is either seen here, or sees what is stored here.
  LOCK TABLE chat.plan_prices IN ROW EXCLUSIVE MODE;
  IF head.user_id IS NOT NULL THEN
    detail := chat_private.tie_billing_customer(apply_billing_event.provider, head.customer, head.user_id);
    outcome := CASE WHEN detail IS NULL THEN 'applied' ELSE 'ignored' END;
  END IF;
  IF event ?| ARRAY['subscription', 'payment'] THEN
    owner_id := chat_private.lock_billing_customer(apply_billing_event.provider, head.customer);
    IF owner_id IS NULL THEN
      outcome := 'customer_unknown';
      PERFORM chat_private.keep_waiting(apply_billing_event.provider, head.event_id, head.customer, apply_billing_event.event - 'user_id');
    ELSE
      SELECT a.outcome, a.detail INTO outcome, detail
      FROM chat_private.apply_told(owner_id, apply_billing_event.provider, apply_billing_event.event) a;
    END IF;
  ELSIF outcome IS NULL THEN
    outcome := 'ignored';
    detail := coalesce(apply_billing_event.event ->> 'ignored', 'event_type');
  END IF;
  UPDATE chat_private.billing_events e SET outcome = apply_billing_event.outcome, detail = coalesce(e.detail, apply_billing_event.detail)
  WHERE e.provider = apply_billing_event.provider AND e.event_id = head.event_id;
END
$$;
COMMENT ON FUNCTION chat_private.apply_billing_event(text, jsonb) IS
'chat.admin_apply_billing_event for callers whose rights were looked at.';

CREATE OR REPLACE FUNCTION chat.admin_apply_billing_event(provider text, event jsonb, OUT outcome text, OUT detail text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.require_admin();
  PERFORM chat_private.check_billing_provider(admin_apply_billing_event.provider);
  IF admin_apply_billing_event.event IS NULL THEN
    RAISE EXCEPTION 'event must not be null' USING ERRCODE = '22004';
  END IF;
  SELECT a.outcome, a.detail INTO outcome, detail
  FROM chat_private.apply_billing_event(admin_apply_billing_event.provider, admin_apply_billing_event.event) a;
  -- What the application passes on is in the list of events; what an administrator does by hand is an act of theirs.
  IF chat.current_user_id() IS NOT NULL THEN
    PERFORM chat_private.audit('admin.apply_billing_event', 'billing_event:' || (admin_apply_billing_event.event ->> 'id'),
      jsonb_build_object('provider', admin_apply_billing_event.provider, 'outcome', outcome));
  END IF;
END
$$;
COMMENT ON FUNCTION chat.admin_apply_billing_event(text, jsonb) IS
'Applies an event of a payment provider, once. provider: its name. event: an object of at most 65536 bytes with id (of the event),
type (a name), occurred_at (ISO 8601), order (optional: a whole number that tells events of the same second apart, the higher is the
later), customer (the provider''s id of the payer), and one or more of
user_id: the account whose customer this is, from now on;
subscription: all there is to say of it: id, status (incomplete, incomplete_expired, trialing, active, past_due, canceled, unpaid or
paused), price, started_at, current_period_start, current_period_end, cancel_at_period_end, trial_end, canceled_at, ended_at;
payment: id, kind (payment or refund), status (succeeded, failed or pending), amount (in units of the currency), currency (ISO 4217),
subscription, refund_of, price, paid_at, failure_reason, invoice_url, invoice_pdf_url.
outcome: applied; repeated: this event was applied before; stale: it is older than what is known; customer_unknown: it waits for
chat.admin_set_billing_customer; ignored. detail: why it was ignored (event_type, nothing_paid, payment_link, user_unknown, customer_of_another,
account_removed), what it had become (of one repeated), or price_unknown or plan_inactive, where a subscription gives no plan.
Errors: 42501 not an administrator; 22004 an argument is NULL; 22023 provider or event; 54000 the event is too long; 57P03 no engine.';

CREATE OR REPLACE FUNCTION chat.admin_list_billing_events(with_outcome text DEFAULT NULL, page_size integer DEFAULT 50, before timestamptz DEFAULT NULL)
RETURNS TABLE (provider text, event_id text, type text, occurred_at timestamptz, received_at timestamptz, deliveries integer, outcome text,
               detail text, customer_id text)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  PERFORM chat_private.require_admin();
  PERFORM chat_private.check_page_size(admin_list_billing_events.page_size);
  RETURN QUERY
    SELECT e.provider, e.event_id, e.type, e.occurred_at, e.received_at, e.deliveries, e.outcome, e.detail, e.customer_id
    FROM chat_private.billing_events e
    WHERE (admin_list_billing_events.with_outcome IS NULL OR e.outcome = admin_list_billing_events.with_outcome)
      AND e.received_at < coalesce(admin_list_billing_events.before, 'infinity')
    ORDER BY e.received_at DESC, e.event_id LIMIT admin_list_billing_events.page_size;
END
$$;
COMMENT ON FUNCTION chat.admin_list_billing_events(text, integer, timestamptz) IS
'The events of payment providers that were received, the latest first, for the time of the setting billing_event_retention.
with_outcome: only those of which this became: applied, stale, ignored or customer_unknown. page_size: 1 to 1000. before: pass received_at
of a page''s last row to get the next page. deliveries: how often it came. customer_id: of one that waits for
chat.admin_set_billing_customer, whose it is at the provider.
Errors: 42501 not an administrator; 22004 page_size is NULL; 22023 it is out of range.';
