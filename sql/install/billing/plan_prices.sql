-- What plans are sold as: prices of payment providers. For administrators and pgchat_service.

CREATE OR REPLACE FUNCTION chat_private.reprice_subscriptions(user_id uuid, provider text, price text, plan text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  previous chat_private.identity := chat_private.act_as(reprice_subscriptions.user_id);
BEGIN
  PERFORM FROM chat.users u WHERE u.id = reprice_subscriptions.user_id FOR NO KEY UPDATE;
  UPDATE chat.subscriptions s SET plan = reprice_subscriptions.plan, updated_at = clock_timestamp()
  WHERE s.user_id = reprice_subscriptions.user_id AND s.provider = reprice_subscriptions.provider
    AND s.price = reprice_subscriptions.price AND s.plan IS DISTINCT FROM reprice_subscriptions.plan;
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat_private.reprice_subscriptions(uuid, text, text, text) IS 'Has a user''s subscriptions with a price be of another plan.';

CREATE OR REPLACE FUNCTION chat.admin_save_plan_price(provider text, price_id text, plan text, is_active boolean DEFAULT true)
RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity;
  payers uuid[];
  payer uuid;
  changed integer := 0;
BEGIN
  PERFORM chat_private.require_admin();
  PERFORM chat_private.check_billing_provider(admin_save_plan_price.provider);
  IF num_nulls(admin_save_plan_price.price_id, admin_save_plan_price.plan, admin_save_plan_price.is_active) > 0 THEN
    RAISE EXCEPTION 'price_id, plan and is_active must not be null' USING ERRCODE = '22004';
  ELSIF NOT chat_private.is_external_id(admin_save_plan_price.price_id) THEN
    RAISE EXCEPTION 'price_id is not valid' USING ERRCODE = '22023', HINT = 'It has 1 to 255 bytes, such as price_1MoBy5LkdIwHu7ixZhnattbh.';
  END IF;
  PERFORM chat_private.check_plan_code(admin_save_plan_price.plan);
  -- Waits for events under way, and has others wait. Who can only read the table can take no lock in the way of this.
  LOCK TABLE chat.plan_prices IN SHARE ROW EXCLUSIVE MODE;
  INSERT INTO chat.plan_prices AS p (provider, price_id, plan, is_active)
  VALUES (admin_save_plan_price.provider, admin_save_plan_price.price_id, admin_save_plan_price.plan, admin_save_plan_price.is_active)
  ON CONFLICT (provider, price_id) DO UPDATE SET plan = excluded.plan, is_active = excluded.is_active, updated_at = excluded.updated_at;
  previous := chat_private.enter_gate();
  payers := ARRAY(SELECT DISTINCT s.user_id FROM chat.subscriptions s
                  WHERE s.provider = admin_save_plan_price.provider AND s.price = admin_save_plan_price.price_id
                    AND (s.plan IS DISTINCT FROM admin_save_plan_price.plan
                         -- The plan may have been inactive.
                         OR s.granted_plan IS NULL AND chat_private.is_paid_for(s.status))
                  ORDER BY s.user_id);
  PERFORM chat_private.switch_identity(previous);
  FOREACH payer IN ARRAY payers LOOP
    PERFORM chat_private.reprice_subscriptions(payer, admin_save_plan_price.provider, admin_save_plan_price.price_id, admin_save_plan_price.plan);
    changed := changed + (chat_private.follow_subscriptions(payer, wait => false) IS NOT NULL)::integer;
  END LOOP;
  -- Waits for the engine, and so for what it was told of the accounts before; without one nothing is saved.
  PERFORM chat_private.audit('admin.save_plan_price', 'plan:' || admin_save_plan_price.plan,
    jsonb_build_object('provider', admin_save_plan_price.provider, 'price', admin_save_plan_price.price_id, 'is_active', admin_save_plan_price.is_active));
  RETURN changed;
END
$$;
COMMENT ON FUNCTION chat.admin_save_plan_price(text, text, text, boolean) IS
'Says which plan is bought with a price of a payment provider; those who pay it have that plan from now on. Returns how many accounts
changed theirs. provider: such as stripe. price_id: as the provider names it. plan: the code of an active plan. is_active: whether
clients see the price; false takes nothing from those who pay it.
Errors: 42501 not an administrator; 22004 an argument is NULL; 22023 provider or price_id; 42704 no such plan; 57P03 no engine.';
