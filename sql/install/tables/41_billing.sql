-- Billing: what plans are sold as, and subscriptions and payments as a payment provider told them.

CREATE TABLE chat.plan_prices (
  provider text NOT NULL CHECK (provider ~ '^[a-z0-9][a-z0-9_-]{0,49}$'),
  price_id text NOT NULL CHECK (octet_length(price_id) BETWEEN 1 AND 255),
  -- No foreign key, nor has chat.users one: plans are made inactive, never removed.
  plan text NOT NULL,
  is_active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (provider, price_id)
);
COMMENT ON TABLE chat.plan_prices IS 'Which plan is bought with which price of a payment provider; clients see the active ones. chat.admin_save_plan_price edits them.';
COMMENT ON COLUMN chat.plan_prices.price_id IS 'As the provider names it, such as price_1MoBy5LkdIwHu7ixZhnattbh';
COMMENT ON COLUMN chat.plan_prices.plan IS 'The code of a row of chat.plans';
COMMENT ON COLUMN chat.plan_prices.is_active IS 'False: clients do not see it; those who pay it keep its plan';

CREATE TABLE chat.subscriptions (
  user_id uuid NOT NULL REFERENCES chat.users (id) ON DELETE CASCADE,
  provider text NOT NULL,
  external_id text NOT NULL CHECK (octet_length(external_id) BETWEEN 1 AND 255),
  customer text NOT NULL,
  price text CHECK (octet_length(price) BETWEEN 1 AND 255),
  plan text,
  status text NOT NULL
    CHECK (status IN ('incomplete', 'incomplete_expired', 'trialing', 'active', 'past_due', 'canceled', 'unpaid', 'paused')),
  started_at timestamptz NOT NULL,
  current_period_start timestamptz,
  current_period_end timestamptz,
  cancel_at_period_end boolean NOT NULL DEFAULT false,
  trial_end timestamptz,
  canceled_at timestamptz,
  ended_at timestamptz,
  granted_plan text,
  event_at timestamptz NOT NULL,
  event_order smallint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (user_id, provider, external_id)
);
CREATE INDEX subscriptions_price_idx ON chat.subscriptions (price, user_id);
COMMENT ON TABLE chat.subscriptions IS 'Subscriptions as the payment provider last told them; a user sees their own, and only events of the provider change them';
COMMENT ON COLUMN chat.subscriptions.external_id IS 'As the provider names it';
COMMENT ON COLUMN chat.subscriptions.customer IS 'The payer, as the provider names them';
COMMENT ON COLUMN chat.subscriptions.price IS 'What is paid, as the provider names it; NULL: it did not say';
COMMENT ON COLUMN chat.subscriptions.plan IS 'The plan of this price in chat.plan_prices; NULL: none is known';
COMMENT ON COLUMN chat.subscriptions.started_at IS 'When it began; of several that are paid for, the latest gives the plan';
COMMENT ON COLUMN chat.subscriptions.cancel_at_period_end IS 'It ends with the current period';
COMMENT ON COLUMN chat.subscriptions.canceled_at IS 'When it was cancelled, which may be before it ends';
COMMENT ON COLUMN chat.subscriptions.granted_plan IS 'The plan that the account has from this subscription; NULL: it gives none now';
COMMENT ON COLUMN chat.subscriptions.event_at IS 'The time of the last event applied; none that is older changes the row';
COMMENT ON COLUMN chat.subscriptions.event_order IS 'Tells events of the same second apart: the higher is the later';

CREATE TABLE chat.payments (
  -- No foreign key: what was paid stays, as nobody's, when an account is removed.
  user_id uuid NOT NULL,
  provider text NOT NULL,
  external_id text NOT NULL CHECK (octet_length(external_id) BETWEEN 1 AND 255),
  kind text NOT NULL CHECK (kind IN ('payment', 'refund')),
  customer text,
  subscription text CHECK (octet_length(subscription) BETWEEN 1 AND 255),
  refund_of text CHECK (octet_length(refund_of) BETWEEN 1 AND 255),
  plan text,
  status text NOT NULL CHECK (status IN ('succeeded', 'failed', 'pending')),
  amount numeric NOT NULL CHECK (amount >= 0 AND amount < 1e15),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  paid_at timestamptz,
  failure_reason text CHECK (char_length(failure_reason) <= 1000),
  invoice_url text CHECK (invoice_url ~ '^https?://[^[:space:][:cntrl:]<>"]+$' AND octet_length(invoice_url) <= 2000),
  invoice_pdf_url text CHECK (invoice_pdf_url ~ '^https?://[^[:space:][:cntrl:]<>"]+$' AND octet_length(invoice_pdf_url) <= 2000),
  event_at timestamptz NOT NULL,
  event_order smallint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (user_id, provider, external_id, kind)
);
COMMENT ON TABLE chat.payments IS 'Payments and refunds as the payment provider told them; a user sees their own. Those of removed accounts are kept for accounting, as the UUID of only ones';
COMMENT ON COLUMN chat.payments.external_id IS 'The invoice that was paid, or the charge that was refunded, as the provider names it; of a removed account with # and a digest after it';
COMMENT ON COLUMN chat.payments.subscription IS 'What was paid for: external_id in chat.subscriptions; NULL: something else, or not told';
COMMENT ON COLUMN chat.payments.refund_of IS 'Of a refund: external_id of the payment, where the provider says it';
COMMENT ON COLUMN chat.payments.plan IS 'The plan that was bought; NULL: not known';
COMMENT ON COLUMN chat.payments.amount IS 'In units of the currency, with as many decimals as it has: 9.99 EUR, 500 JPY, 1.500 KWD. Of a refund, all that was given back of this charge';
COMMENT ON COLUMN chat.payments.currency IS 'ISO 4217, such as EUR';
COMMENT ON COLUMN chat.payments.paid_at IS 'When it succeeded; NULL: it has not';
COMMENT ON COLUMN chat.payments.event_at IS 'The time of the last event applied; none that is older changes the row';
COMMENT ON COLUMN chat.payments.event_order IS 'As in chat.subscriptions';

CREATE TABLE chat_private.billing_customers (
  provider text NOT NULL,
  customer_id text NOT NULL CHECK (octet_length(customer_id) BETWEEN 1 AND 255),
  user_id uuid,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (provider, customer_id)
);
CREATE INDEX billing_customers_user_idx ON chat_private.billing_customers (user_id, created_at);
COMMENT ON TABLE chat_private.billing_customers IS 'Whose the customers of payment providers are';
COMMENT ON COLUMN chat_private.billing_customers.user_id IS 'NULL: nobody knows yet, and their events wait; the UUID of only ones: the account was removed';

CREATE TABLE chat_private.billing_events (
  provider text NOT NULL,
  event_id text NOT NULL CHECK (octet_length(event_id) BETWEEN 1 AND 255),
  type text NOT NULL CHECK (char_length(type) BETWEEN 1 AND 100),
  occurred_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  deliveries integer NOT NULL DEFAULT 1,
  outcome text CHECK (outcome IN ('applied', 'stale', 'ignored', 'customer_unknown')),
  detail text,
  customer_id text,
  event jsonb,
  PRIMARY KEY (provider, event_id),
  CHECK ((event IS NULL) = (customer_id IS NULL))
);
CREATE INDEX billing_events_received_idx ON chat_private.billing_events (received_at);
CREATE INDEX billing_events_waiting_idx ON chat_private.billing_events (provider, customer_id, received_at) WHERE event IS NOT NULL;
CREATE INDEX billing_events_oldest_waiting_idx ON chat_private.billing_events (received_at) WHERE event IS NOT NULL;
COMMENT ON TABLE chat_private.billing_events IS 'Each event of a payment provider that was received, so that one sent again changes nothing; kept for the time of the setting billing_event_retention';
COMMENT ON COLUMN chat_private.billing_events.outcome IS 'What became of it; customer_unknown: it waits for chat.admin_set_billing_customer, or was dropped, as detail says';
COMMENT ON COLUMN chat_private.billing_events.customer_id IS 'Whom an event that waits is about';
COMMENT ON COLUMN chat_private.billing_events.event IS 'An event that waits, in the form of chat.admin_apply_billing_event; NULL: it does not';

CREATE TABLE chat_private.webhook_secrets (
  id uuid PRIMARY KEY DEFAULT chat.uuid_v7(),
  provider text NOT NULL,
  sealed_secret bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  valid_until timestamptz
);
CREATE INDEX webhook_secrets_provider_idx ON chat_private.webhook_secrets (provider, id);
COMMENT ON TABLE chat_private.webhook_secrets IS 'The secrets with which payment providers sign their webhooks, sealed with the master key: one of each, and the one before it for a time';
COMMENT ON COLUMN chat_private.webhook_secrets.valid_until IS 'NULL: the present one';
