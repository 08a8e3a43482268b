-- Stripe's events in the form that is the same for all providers. Members have moved between versions of its API; both places are read.

CREATE OR REPLACE FUNCTION chat_private.stripe_id(value jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE jsonb_typeof(value) WHEN 'string' THEN value #>> '{}' WHEN 'object' THEN value ->> 'id' END;
COMMENT ON FUNCTION chat_private.stripe_id(jsonb) IS 'The id of something that is given by its id or as a whole.';

CREATE OR REPLACE FUNCTION chat_private.stripe_time(value jsonb) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN to_timestamp((value #>> '{}')::bigint);
COMMENT ON FUNCTION chat_private.stripe_time(jsonb) IS 'A time given in seconds since 1970; NULL for null.';

CREATE OR REPLACE FUNCTION chat_private.stripe_amount(value jsonb, currency text) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  code text := upper(stripe_amount.currency);
  decimals integer := chat_private.currency_decimals(code);
  -- Where Stripe counts otherwise than ISO 4217.
  digits integer := CASE WHEN code IN ('ISK', 'UGX') THEN 2 WHEN code = 'MGA' THEN 0 ELSE decimals END;
BEGIN
  RETURN round((stripe_amount.value #>> '{}')::bigint / power(10::numeric, digits), decimals);
END
$$;
COMMENT ON FUNCTION chat_private.stripe_amount(jsonb, text) IS
'An amount in units of the currency, from one in its smallest unit as Stripe counts it.';

CREATE OR REPLACE FUNCTION chat_private.stripe_price(items jsonb) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT i.price
  FROM (SELECT coalesce(chat_private.stripe_id(e.item -> 'price'), chat_private.stripe_id(e.item -> 'plan'),
                        chat_private.stripe_id(e.item #> '{pricing,price_details,price}')) AS price,
               CASE jsonb_typeof(e.item -> 'amount') WHEN 'number' THEN (e.item ->> 'amount')::numeric END AS amount, e.n
        FROM jsonb_array_elements(CASE jsonb_typeof(stripe_price.items) WHEN 'array' THEN stripe_price.items END) WITH ORDINALITY e (item, n)) i
  WHERE i.price IS NOT NULL
  ORDER BY EXISTS (SELECT FROM chat.plan_prices p WHERE p.provider = 'stripe' AND p.price_id = i.price) DESC, i.amount DESC NULLS LAST, i.n LIMIT 1
$$;
COMMENT ON FUNCTION chat_private.stripe_price(jsonb) IS
'The price of the items of a subscription, or lines of an invoice: of those of which a plan is known, else of all, the one that costs
most on an invoice, where what is given back for the plan before has a line, too; else the first.';

CREATE OR REPLACE FUNCTION chat_private.stripe_subscription(object jsonb) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT jsonb_build_object(
    'id', object ->> 'id', 'status', object ->> 'status',
    'price', coalesce(chat_private.stripe_price(object #> '{items,data}'), chat_private.stripe_id(object -> 'plan')),
    'started_at', coalesce(chat_private.stripe_time(object -> 'start_date'), chat_private.stripe_time(object -> 'created')),
    'current_period_start', coalesce(chat_private.stripe_time(object -> 'current_period_start'),
                                     chat_private.stripe_time(object #> '{items,data,0,current_period_start}')),
    'current_period_end', coalesce(chat_private.stripe_time(object -> 'current_period_end'),
                                   chat_private.stripe_time(object #> '{items,data,0,current_period_end}')),
    'cancel_at_period_end', coalesce(object -> 'cancel_at_period_end', 'false'),
    'trial_end', chat_private.stripe_time(object -> 'trial_end'), 'canceled_at', chat_private.stripe_time(object -> 'canceled_at'),
    'ended_at', chat_private.stripe_time(object -> 'ended_at'))
$$;
COMMENT ON FUNCTION chat_private.stripe_subscription(jsonb) IS 'What Stripe says of a subscription.';

CREATE OR REPLACE FUNCTION chat_private.stripe_invoice(object jsonb, is_paid boolean) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT jsonb_build_object(
    'id', object ->> 'id', 'kind', 'payment', 'status', CASE WHEN is_paid THEN 'succeeded' ELSE 'failed' END,
    'amount', chat_private.stripe_amount(object -> CASE WHEN is_paid THEN 'amount_paid' ELSE 'amount_due' END, object ->> 'currency'),
    'currency', object ->> 'currency',
    'subscription', coalesce(chat_private.stripe_id(object -> 'subscription'),
                             chat_private.stripe_id(object #> '{parent,subscription_details,subscription}')),
    'price', chat_private.stripe_price(object #> '{lines,data}'),
    'paid_at', CASE WHEN is_paid THEN chat_private.stripe_time(object #> '{status_transitions,paid_at}') END,
    'failure_reason', CASE WHEN NOT is_paid THEN coalesce(object #>> '{last_payment_error,message}', object #>> '{last_finalization_error,message}',
      'attempt ' || (object ->> 'attempt_count') || ' failed') END,
    'invoice_url', object ->> 'hosted_invoice_url', 'invoice_pdf_url', object ->> 'invoice_pdf')
$$;
COMMENT ON FUNCTION chat_private.stripe_invoice(jsonb, boolean) IS 'What Stripe says of an invoice that was paid, or could not be collected.';

CREATE OR REPLACE FUNCTION chat_private.stripe_refund(object jsonb, occurred_at timestamptz) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT jsonb_build_object(
    'id', object ->> 'id', 'kind', 'refund', 'status', 'succeeded',
    'amount', chat_private.stripe_amount(object -> 'amount_refunded', object ->> 'currency'), 'currency', object ->> 'currency',
    'refund_of', chat_private.stripe_id(object -> 'invoice'), 'paid_at', stripe_refund.occurred_at)
$$;
COMMENT ON FUNCTION chat_private.stripe_refund(jsonb, timestamptz) IS 'What Stripe says of a charge of which something was given back.';

CREATE OR REPLACE FUNCTION chat_private.stripe_event(payload jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kind text := payload ->> 'type';
  object jsonb := payload #> '{data,object}';
  occurred_at timestamptz := chat_private.stripe_time(payload -> 'created');
  event jsonb := jsonb_build_object('id', payload ->> 'id', 'type', kind, 'occurred_at', occurred_at);
  customer text := chat_private.stripe_id(object -> 'customer');
  reference text := object ->> 'client_reference_id';
BEGIN
  IF num_nulls(payload ->> 'id', kind, occurred_at) > 0 OR jsonb_typeof(object) IS DISTINCT FROM 'object' THEN
    RAISE EXCEPTION USING ERRCODE = '22023';
  END IF;
  IF kind NOT IN ('checkout.session.completed', 'customer.subscription.created', 'customer.subscription.updated', 'customer.subscription.paused',
                  'customer.subscription.resumed', 'customer.subscription.deleted', 'invoice.paid', 'invoice.payment_failed', 'charge.refunded') THEN
    RETURN event;
  ELSIF customer IS NULL THEN
    -- A checkout of a guest, or a charge beside all accounts.
    RETURN event || '{"ignored": "no_customer"}';
  END IF;
  event := event || jsonb_build_object('customer', customer);
  CASE
    WHEN kind = 'checkout.session.completed' THEN
      -- In a payment link the buyer can write there what they like, such as the id of somebody whose plan this would change.
      event := event || CASE WHEN object ->> 'payment_link' IS NOT NULL THEN '{"ignored": "payment_link"}'
                             WHEN reference ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN jsonb_build_object('user_id', reference)
                             ELSE '{"ignored": "user_unknown"}' END;
    WHEN kind = 'customer.subscription.created' THEN
      event := event || jsonb_build_object('order', 0, 'subscription', chat_private.stripe_subscription(object));
    WHEN kind IN ('customer.subscription.updated', 'customer.subscription.paused', 'customer.subscription.resumed') THEN
      event := event || jsonb_build_object('order', 1, 'subscription', chat_private.stripe_subscription(object));
    WHEN kind = 'customer.subscription.deleted' THEN
      event := event || jsonb_build_object('order', 2, 'subscription', chat_private.stripe_subscription(object));
    WHEN kind IN ('invoice.paid', 'invoice.payment_failed') THEN
      event := event || CASE WHEN kind = 'invoice.paid' AND object ->> 'amount_paid' = '0' THEN '{"ignored": "nothing_paid"}'
        ELSE jsonb_build_object('order', (kind = 'invoice.paid')::integer, 'payment', chat_private.stripe_invoice(object, kind = 'invoice.paid')) END;
    ELSE
      event := event || jsonb_build_object('payment', chat_private.stripe_refund(object, occurred_at));
  END CASE;
  RETURN event;
END
$$;
COMMENT ON FUNCTION chat_private.stripe_event(jsonb) IS
'An event of Stripe in the form of chat.admin_apply_billing_event; ignored: why nothing comes of it.
Errors: 22023 and others of class 22, it is none.';
