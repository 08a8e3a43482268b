-- Subscriptions: what an event says of one, and the plan that an account has from those it pays for.

CREATE OR REPLACE FUNCTION chat_private.is_paid_for(status text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN status IN ('active', 'trialing', 'past_due');
COMMENT ON FUNCTION chat_private.is_paid_for(text) IS
'Whether a subscription in this state gives its plan. One that is past due does, as long as the provider tries to collect.';

CREATE OR REPLACE FUNCTION chat_private.changed_plan(account chat.users) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  giving chat.subscriptions;
  gave chat.subscriptions;
BEGIN
  SELECT s.* INTO gave FROM chat.subscriptions s WHERE s.user_id = account.id AND s.granted_plan IS NOT NULL;
  SELECT s.* INTO giving FROM chat.subscriptions s
  WHERE s.user_id = account.id AND chat_private.is_paid_for(s.status)
    AND EXISTS (SELECT FROM chat.plans p WHERE p.code = s.plan AND p.is_active)
  ORDER BY s.started_at DESC, s.provider DESC, s.external_id DESC LIMIT 1;
  IF giving.user_id IS NULL AND chat_private.is_paid_for(gave.status) THEN
    -- What gave the plan is still paid for, and it cannot be told what for: the plan is not taken.
    RETURN NULL;
  END IF;
  UPDATE chat.subscriptions s SET granted_plan = NULL
  WHERE s.user_id = account.id AND s.granted_plan IS NOT NULL;
  UPDATE chat.subscriptions s SET granted_plan = giving.plan
  WHERE s.user_id = account.id AND s.provider = giving.provider AND s.external_id = giving.external_id;
  IF giving.plan = gave.granted_plan
     OR gave.user_id IS NOT NULL AND NOT chat_private.is_paid_for(gave.status) AND account.plan <> gave.granted_plan
     OR giving.user_id IS NULL AND gave.user_id IS NULL THEN
    RETURN NULL;
  END IF;
  RETURN coalesce(giving.plan, CASE account.role WHEN 'guest' THEN 'guest' ELSE chat_private.setting_text('default_plan') END);
END
$$;
COMMENT ON FUNCTION chat_private.changed_plan(chat.users) IS
'The plan that an account, as which the caller acts, is to have after a change of its subscriptions; NULL: the one it has. Notes which
subscription gives it: the latest of those that are paid for and have an active plan. What somebody has set since is kept when a
subscription ends or goes on, and gives way to what is newly bought.';

CREATE OR REPLACE FUNCTION chat_private.follow_subscriptions(user_id uuid, wait boolean DEFAULT true) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  previous chat_private.identity := chat_private.act_as(follow_subscriptions.user_id);
  account chat.users;
  wanted text;
BEGIN
  SELECT u.* INTO account FROM chat.users u WHERE u.id = follow_subscriptions.user_id FOR NO KEY UPDATE;
  wanted := chat_private.changed_plan(account);
  PERFORM chat_private.switch_identity(previous);
  IF wanted IS NULL OR wanted = account.plan THEN
    RETURN NULL;
  END IF;
  PERFORM chat_private.give_plan(account, wanted, 'billing.set_plan', follow_subscriptions.wait);
  RETURN wanted;
END
$$;
COMMENT ON FUNCTION chat_private.follow_subscriptions(uuid, boolean) IS
'Gives an account the plan of what it subscribes to, or takes it back. wait: as chat_private.audit. The new plan; NULL: it stays. Errors: 57P03 no engine.';

CREATE OR REPLACE FUNCTION chat_private.price_plan(provider text, price text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT p.plan FROM chat.plan_prices p WHERE p.provider = price_plan.provider AND p.price_id = price_plan.price
$$;
COMMENT ON FUNCTION chat_private.price_plan(text, text) IS 'The plan that is bought with a price; NULL: none is known.';

CREATE OR REPLACE FUNCTION chat_private.store_subscription(told chat.subscriptions) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  previous chat_private.identity := chat_private.act_as(told.user_id);
  is_stored boolean;
BEGIN
  INSERT INTO chat.subscriptions AS s (user_id, provider, external_id, customer, price, plan, status, started_at, current_period_start,
    current_period_end, cancel_at_period_end, trial_end, canceled_at, ended_at, event_at, event_order)
  VALUES (told.user_id, told.provider, told.external_id, told.customer, told.price, told.plan, told.status,
    coalesce(told.started_at, told.event_at), told.current_period_start, told.current_period_end,
    coalesce(told.cancel_at_period_end, false), told.trial_end, told.canceled_at, told.ended_at, told.event_at, told.event_order)
  ON CONFLICT (user_id, provider, external_id) DO UPDATE SET customer = excluded.customer, price = excluded.price,
    plan = excluded.plan, status = excluded.status, started_at = coalesce(told.started_at, s.started_at),
    current_period_start = excluded.current_period_start, current_period_end = excluded.current_period_end,
    cancel_at_period_end = excluded.cancel_at_period_end, trial_end = excluded.trial_end, canceled_at = excluded.canceled_at,
    ended_at = excluded.ended_at, event_at = excluded.event_at, event_order = excluded.event_order, updated_at = excluded.updated_at
  WHERE (s.event_at, s.event_order) <= (excluded.event_at, excluded.event_order);
  is_stored := FOUND;
  IF is_stored THEN
    -- Its first payment is often told before it.
    UPDATE chat.payments p SET plan = told.plan
    WHERE p.user_id = told.user_id AND p.provider = told.provider AND p.subscription = told.external_id AND p.plan IS NULL;
  END IF;
  PERFORM chat_private.switch_identity(previous);
  RETURN is_stored;
END
$$;
COMMENT ON FUNCTION chat_private.store_subscription(chat.subscriptions) IS
'Stores what an event says of a subscription, unless a later one has said something already. Whether it did.';

CREATE OR REPLACE FUNCTION chat_private.apply_subscription(user_id uuid, provider text, customer text, event_at timestamptz,
  event_order smallint, told jsonb, OUT outcome text, OUT detail text)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s chat.subscriptions := chat_private.told_subscription(told);
BEGIN
  IF apply_subscription.user_id = uuid 'ffffffff-ffff-ffff-ffff-ffffffffffff' THEN
    outcome := 'ignored';
    detail := 'account_removed';
    RETURN;
  END IF;
  s.user_id := apply_subscription.user_id;
  s.provider := apply_subscription.provider;
  s.customer := apply_subscription.customer;
  s.event_at := apply_subscription.event_at;
  s.event_order := apply_subscription.event_order;
  s.plan := chat_private.price_plan(s.provider, s.price);
  IF NOT chat_private.store_subscription(s) THEN
    outcome := 'stale';
    RETURN;
  END IF;
  outcome := 'applied';
  PERFORM chat_private.follow_subscriptions(s.user_id);
  IF chat_private.is_paid_for(s.status) THEN
    detail := CASE WHEN s.plan IS NULL THEN 'price_unknown'
                   WHEN NOT EXISTS (SELECT FROM chat.plans p WHERE p.code = s.plan AND p.is_active) THEN 'plan_inactive' END;
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.apply_subscription(uuid, text, text, timestamptz, smallint, jsonb) IS
'Applies what an event says of a subscription to the account of its customer, and gives the account the plan that follows.
Errors: 57P03 no engine.';

CREATE OR REPLACE FUNCTION chat.my_subscription()
RETURNS TABLE (provider text, external_id text, status text, price text, plan text, gives_plan boolean, started_at timestamptz,
  current_period_start timestamptz, current_period_end timestamptz, cancel_at_period_end boolean, trial_end timestamptz,
  canceled_at timestamptz, ended_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
BEGIN
  RETURN QUERY
    SELECT s.provider, s.external_id, s.status, s.price, s.plan, s.granted_plan IS NOT NULL, s.started_at, s.current_period_start,
           s.current_period_end, s.cancel_at_period_end, s.trial_end, s.canceled_at, s.ended_at
    FROM chat.subscriptions s WHERE s.user_id = caller_id
    ORDER BY s.granted_plan IS NOT NULL DESC, chat_private.is_paid_for(s.status) DESC, s.started_at DESC, s.external_id DESC LIMIT 1;
END
$$;
COMMENT ON FUNCTION chat.my_subscription() IS
'The current user''s subscription: the one that gives their plan, else the latest that is paid for, else the latest; no row for who has
none. gives_plan: whether the account has its plan from it. cancel_at_period_end: whether it ends with the current period.
Errors: 28000 nobody is authenticated.';
