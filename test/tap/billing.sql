-- Subscriptions and payments: by persona, every event, every error, and the plans that follow.
BEGIN;
\ir people.psql
SELECT plan(317);

-- HMAC-SHA256 (RFC 2104), computed here and not by what is tested.
CREATE FUNCTION pg_temp.hmac(key bytea, data bytea) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
  inner_pad bytea := decode(repeat('36', 64), 'hex');
  outer_pad bytea := decode(repeat('5c', 64), 'hex');
BEGIN
  FOR i IN 0 .. length(key) - 1 LOOP
    inner_pad := set_byte(inner_pad, i, get_byte(key, i) # 54);
    outer_pad := set_byte(outer_pad, i, get_byte(key, i) # 92);
  END LOOP;
  RETURN sha256(outer_pad || sha256(inner_pad || data));
END $$;
CREATE FUNCTION pg_temp.signed(payload text, secret text DEFAULT 'whsec_the-first-one', age integer DEFAULT 0) RETURNS text LANGUAGE sql AS $$
  SELECT format('t=%s,v1=%s', t, encode(pg_temp.hmac(convert_to(secret, 'UTF8'), convert_to(t || '.' || payload, 'UTF8')), 'hex'))
  FROM (SELECT extract(epoch FROM clock_timestamp())::bigint - age AS t) s $$;
CREATE FUNCTION pg_temp.hook(payload text, signature text) RETURNS text LANGUAGE sql AS
  $$SELECT pg_temp.try(NULL, format('SELECT chat.billing_webhook(''stripe'', %L, %L)', payload, signature), 'pgchat_service')$$;

-- An event of Stripe; at: seconds since the first. Gives outcome and detail.
CREATE SEQUENCE pg_temp.event_number;
CREATE FUNCTION pg_temp.stripe(type text, at integer, object jsonb, id text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  payload text := jsonb_build_object('id', coalesce(id, 'evt_' || nextval('pg_temp.event_number')), 'object', 'event', 'type', type, 'livemode', true,
                                     'created', 1767225600 + at, 'data', jsonb_build_object('object', object))::text;
BEGIN
  RETURN pg_temp.got(NULL, format('SELECT concat_ws('' '', outcome, detail) FROM chat.billing_webhook(''stripe'', %L, %L)', payload, pg_temp.signed(payload)), 'pgchat_service');
END $$;
CREATE FUNCTION pg_temp.subscription(id text, status text, price text, more jsonb DEFAULT '{}', customer text DEFAULT 'cus_alice') RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('id', id, 'object', 'subscription', 'customer', customer, 'status', status, 'created', 1767225600, 'start_date', 1767225600,
    'cancel_at_period_end', false, 'trial_end', NULL, 'canceled_at', NULL, 'ended_at', NULL,
    'items', jsonb_build_object('data', jsonb_build_array(jsonb_build_object('id', 'si_1', 'price', jsonb_build_object('id', price),
      'current_period_start', 1767225600, 'current_period_end', 1769904000)))) || more $$;
-- As a statement of its own, which sees what the one before it in the same query did.
CREATE FUNCTION pg_temp.look(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  EXECUTE query INTO result;
  RETURN result;
END $$;
CREATE FUNCTION pg_temp.plan_of(person uuid) RETURNS text LANGUAGE sql AS $$ SELECT plan FROM chat.users WHERE id = person $$;
CREATE FUNCTION pg_temp.set_plan(person uuid, code text) RETURNS void LANGUAGE sql AS $$ SELECT chat.admin_set_plan(person, code) $$;
CREATE FUNCTION pg_temp.event(more jsonb, id text DEFAULT NULL, provider text DEFAULT 'paddle') RETURNS text LANGUAGE sql AS $$
  SELECT concat_ws(' ', a.outcome, a.detail)
  FROM chat.admin_apply_billing_event(provider, jsonb_build_object('id', coalesce(id, 'evt_' || nextval('pg_temp.event_number')), 'type', 'test',
    'occurred_at', '2026-01-01T00:00:00Z', 'customer', 'ctm_bob') || more) a $$;

-- Who may do what.
SELECT is(pg_temp.try(token, 'SELECT chat.billing_webhook(''stripe'', ''{}'', ''t=1,v1=a'')'), '42501', 'only pgchat_service takes webhooks in') FROM unnest(ARRAY[NULL, :'bob_token', :'guest_token', :'admin_token']) token;
SELECT is(pg_temp.try(token, 'SELECT chat.' || call), '42501', call)
FROM unnest(ARRAY[NULL, :'bob_token', :'guest_token', :'supa_token']) token,
     unnest(ARRAY['admin_save_plan_price(''stripe'', ''p'', ''pro'')', 'admin_set_billing_customer(chat.uuid_v7(), ''stripe'', ''c'')', 'admin_set_webhook_secret(''stripe'', ''whsec_1234567890'')',
                  'admin_apply_billing_event(''stripe'', ''{}'')', 'admin_payments()']) call;
SELECT is(pg_temp.try(NULL, 'SELECT chat.my_subscription()'), '28000', 'nobody has no subscription');
SELECT is(pg_temp.try(:'bob_token', 'SELECT chat.my_subscription()'), '0 rows', 'nor has who never had one');
SELECT is(pg_temp.try(:'guest_token', 'SELECT chat.my_subscription()'), '0 rows', 'a guest neither');
SELECT is(pg_temp.try(:'bob_token', statement), '42501', statement)
FROM unnest(ARRAY['INSERT INTO chat.subscriptions DEFAULT VALUES', 'UPDATE chat.subscriptions SET status = ''active''', 'DELETE FROM chat.subscriptions', 'DELETE FROM chat.payments', 'UPDATE chat.payments SET amount = 0',
                  'UPDATE chat.plan_prices SET plan = ''free''', 'SELECT FROM chat_private.billing_customers', 'SELECT FROM chat_private.billing_events', 'SELECT FROM chat_private.webhook_secrets']) statement;
SELECT is(pg_temp.try(NULL, 'SELECT FROM chat_private.' || name, 'pgchat_service'), '42501', 'the service does not read ' || name) FROM unnest(ARRAY['billing_customers', 'billing_events', 'webhook_secrets']) name;

-- Prices.
SELECT is(pg_temp.got(:'admin_token', 'SELECT chat.admin_save_plan_price(''stripe'', ''price_pro'', ''pro'')'), '0', 'a price is saved by an administrator');
SELECT is(pg_temp.got(NULL, 'SELECT chat.admin_save_plan_price(''stripe'', ''price_big'', ''enterprise'')', 'pgchat_service'), '0', 'and by the service');
SELECT is(pg_temp.audited('admin.save_plan_price', 'plan:pro'), 1, 'which is audited');
SELECT chat.admin_save_plan_price('stripe', 'price_old', 'pro', false), chat.admin_save_plan_price('paddle', 'pri_1', 'pro');
SELECT is(pg_temp.got(:'bob_token', 'SELECT string_agg(provider || '':'' || price_id || '':'' || plan, '' '' ORDER BY provider, price_id) FROM chat.plan_prices'),
          'paddle:pri_1:pro stripe:price_big:enterprise stripe:price_pro:pro', 'clients see what is sold');
SELECT is(pg_temp.got(NULL, 'SELECT count(*) FROM chat.plan_prices', 'pgchat_service'), '4', 'the service all');
SELECT is(pg_temp.try(:'admin_token', 'SELECT chat.admin_save_plan_price(' || arguments || ')'), sqlstate, 'admin_save_plan_price(' || arguments || ')')
FROM (VALUES ('NULL, ''p'', ''pro''', '22004'), ('''stripe'', NULL, ''pro''', '22004'), ('''stripe'', ''p'', NULL', '22004'), ('''stripe'', ''p'', ''pro'', NULL', '22004'), ('''Stripe!'', ''p'', ''pro''', '22023'),
             ('''stripe'', '''', ''pro''', '22023'), ('''stripe'', repeat(''x'', 256), ''pro''', '22023'), ('''stripe'', ''p'', ''none''', '42704')) v (arguments, sqlstate);

-- The secret, and signatures.
SELECT is(pg_temp.hook('{}', pg_temp.signed('{}')), '55000', 'without a secret no webhook is taken');
SELECT is(pg_temp.hint(NULL, 'SELECT chat.billing_webhook(''stripe'', ''{}'', ''t=1,v1=a'')', 'pgchat_service') LIKE '%admin_set_webhook_secret%', true, 'the hint says where to set it');
SELECT is(pg_temp.try(:'admin_token', 'SELECT chat.admin_set_webhook_secret(' || arguments || ')'), sqlstate, 'admin_set_webhook_secret(' || arguments || ')')
FROM (VALUES ('NULL, ''whsec_the-first-one''', '22004'), ('''stripe'', NULL', '22004'), ('''stripe'', ''whsec_the-first-one'', NULL', '22004'), ('''paddle'', ''whsec_the-first-one''', '22023'),
             ('''stripe'', ''short''', '22023'), ('''stripe'', E''whsec_the-first-one\n''', '22023'), ('''stripe'', repeat(''x'', 256)', '22023'), ('''stripe'', ''whsec_the-first-one'', ''-1 day''', '22023'),
             ('''stripe'', ''whsec_the-first-one'', ''31 days''', '22023'), ('''stripe'', ''whsec_the-first-one''', '1 rows')) v (arguments, sqlstate);
SELECT is(pg_temp.audited('admin.set_webhook_secret', 'billing_provider:stripe'), 1, 'which is audited');
SELECT is((SELECT count(*)::int FROM chat_private.webhook_secrets WHERE position(convert_to('whsec', 'UTF8') IN sealed_secret) > 0), 0, 'what is stored is sealed');
SELECT '{"id": "evt_first", "type": "customer.created", "created": 1767225600, "data": {"object": {"id": "cus_é"}}}' AS payload \gset
SELECT is(pg_temp.hook(:'payload', signature), sqlstate, name)
FROM (VALUES ('t=1,v1=', '28000', 'an old one'), ('', '28000', 'no header'), (pg_temp.signed(:'payload', 'whsec_another-one'), '28000', 'of another secret'), (pg_temp.signed(:'payload' || ' '), '28000', 'of another body'),
             (pg_temp.signed(:'payload', age => 400), '28000', 'made too long ago'), (pg_temp.signed(:'payload', age => -400), '28000', 'made in the future'),
             (pg_temp.signed(:'payload') || '0', '28000', 'with a digit too many'), (replace(pg_temp.signed(:'payload'), 'v1', 'v0'), '28000', 'of another scheme'),
             (regexp_replace(pg_temp.signed(:'payload'), '^t=\d+', 't=' || extract(epoch FROM clock_timestamp())::bigint + 1), '28000', 'with another time'),
             (replace(pg_temp.signed(:'payload'), 'v1=', 'v1=' || repeat('0', 64) || ',v1='), '1 rows', 'one of several is right'), (pg_temp.signed(:'payload', age => 200), '1 rows', 'a little old')) v (signature, sqlstate, name);
SELECT is((SELECT string_agg(DISTINCT substring(pg_temp.hint(NULL, format('SELECT chat.billing_webhook(''stripe'', %L, %L)', :'payload', s), 'pgchat_service') FROM 'header|ago|future|body'), ' ' )
           FROM unnest(ARRAY['x', pg_temp.signed(:'payload', age => 400), pg_temp.signed(:'payload', age => -400), pg_temp.signed(:'payload' || ' ')]) s), 'ago body future header', 'hints say what may be wrong');
SELECT chat.admin_set_setting('billing_signature_tolerance', '"10 minutes"');
SELECT is(pg_temp.hook(:'payload', pg_temp.signed(:'payload', age => 400)), '1 rows', 'a setting says how old it may be');
SELECT is((SELECT (type, outcome, detail, deliveries, event)::text FROM chat_private.billing_events WHERE event_id = 'evt_first'), '(customer.created,ignored,event_type,3,)', 'each delivery is noted');
SELECT chat.admin_set_webhook_secret('stripe', 'whsec_the-second-one');
SELECT is(pg_temp.hook(:'payload', pg_temp.signed(:'payload', secret)), '1 rows', 'both are taken while the secret changes: ' || secret) FROM unnest(ARRAY['whsec_the-first-one', 'whsec_the-second-one']) secret;
SELECT chat.admin_set_webhook_secret('stripe', 'whsec_the-third-one');
SELECT is(pg_temp.hook(:'payload', pg_temp.signed(:'payload')), '28000', 'but two at most');
SELECT chat.admin_set_webhook_secret('stripe', 'whsec_the-first-one', '0');
SELECT is(pg_temp.hook(:'payload', pg_temp.signed(:'payload', 'whsec_the-third-one')), '28000', 'or one at once');
SELECT is(pg_temp.try(NULL, 'SELECT chat.billing_webhook(' || arguments || ')', 'pgchat_service'), sqlstate, 'billing_webhook(' || left(arguments, 40) || ')')
FROM (VALUES ('NULL, ''{}'', ''x''', '22004'), ('''stripe'', NULL, ''x''', '22004'), ('''stripe'', ''{}'', NULL', '22004'), ('''paddle'', ''{}'', ''x''', '22023'), ('''stripe'', repeat(''x'', 1048577), ''x''', '54000'),
             ('''stripe'', ''{}'', repeat(''x'', 4097)', '28000')) v (arguments, sqlstate);
SELECT is(pg_temp.hook(:'payload', repeat('v0=x,', (4096 - octet_length(s)) / 5) || s), '1 rows', 'a long header') FROM (VALUES (pg_temp.signed(:'payload'))) v (s);
SELECT is(pg_temp.hook(:'payload', repeat('v0=x,', 820) || pg_temp.signed(:'payload')), '28000', 'is taken up to 4096 bytes');
SELECT is(pg_temp.hook(payload, pg_temp.signed(payload)), '22023', 'no event: ' || payload)
FROM unnest(ARRAY['', 'x', '[]', '"x"', 'null', '{}', '{"id": "evt_x", "type": "x", "created": 1}', '{"id": "evt_x", "type": "x", "created": "soon", "data": {"object": {}}}',
                  '{"id": "evt_x", "type": "x", "created": 99999999999999999, "data": {"object": {}}}', '{"id": "evt_x", "created": 1, "data": {"object": {}}}', '{"id": "e\u0000", "type": "x", "created": 1, "data": {"object": {}}}',
                  '{"id": "evt_x", "type": "customer.subscription.updated", "created": 1, "data": {"object": {"customer": "cus_1", "id": "sub_1", "status": "odd"}}}',
                  '{"id": "evt_x", "type": "invoice.paid", "created": 1, "data": {"object": {"customer": "cus_1", "id": "in_1", "currency": "eur"}}}']) payload;
SELECT is((SELECT count(*)::int FROM chat_private.billing_events WHERE event_id = 'evt_x'), 0, 'of which nothing is kept');

-- A customer is tied to an account by a checkout.
SELECT is(pg_temp.stripe('checkout.session.completed', 0, jsonb_build_object('id', 'cs_1', 'customer', 'cus_alice', 'client_reference_id', :'alice', 'subscription', 'sub_1')), 'applied', 'a checkout');
SELECT is((SELECT user_id::text FROM chat_private.billing_customers WHERE customer_id = 'cus_alice'), :'alice', 'says whose the customer is');
SELECT is(pg_temp.stripe('checkout.session.completed', 0, jsonb_build_object('id', 'cs_2', 'customer', customer, 'client_reference_id', reference)), outcome, name)
FROM (VALUES ('cus_alice', :'bob', 'ignored customer_of_another', 'for good'), ('cus_alice', :'alice', 'applied', 'however often'), ('cus_new', NULL, 'ignored user_unknown', 'without a reference nothing is known'),
             ('cus_new', 'x'' OR true', 'ignored user_unknown', 'nor with one that is no account'), ('cus_new', '00000000-0000-4000-8000-000000000000', 'ignored user_unknown', 'even if it looks like one'),
             (NULL, :'bob', 'ignored no_customer', 'a checkout of nobody')) v (customer, reference, outcome, name);
SELECT is(pg_temp.stripe('checkout.session.completed', 0, jsonb_build_object('id', 'cs_3', 'customer', 'cus_new', 'client_reference_id', :'alice', 'payment_link', 'plink_1')), 'ignored payment_link', 'nor what the buyer writes into a payment link');
SELECT is(pg_temp.stripe('checkout.session.completed', 0, jsonb_build_object('id', 'cs_4', 'customer', 'cus_alice', 'client_reference_id', :'alice', 'payment_link', NULL)), 'applied', 'a session that the application made has none');
SELECT is((SELECT count(*)::int FROM chat_private.billing_customers WHERE user_id IS NOT NULL), 1, 'nobody else is tied');

-- Plans follow subscriptions.
SELECT is(pg_temp.stripe('customer.subscription.created', 10, pg_temp.subscription('sub_1', 'incomplete', 'price_pro')), 'applied', 'a subscription that is not paid');
SELECT is(pg_temp.plan_of(:'alice'), 'free', 'gives nothing');
SELECT is(pg_temp.got(:'alice_token', 'SELECT (status, plan, gives_plan)::text FROM chat.my_subscription()'), '(incomplete,pro,f)', 'its owner sees it');
SELECT is(pg_temp.stripe('customer.subscription.updated', 10, pg_temp.subscription('sub_1', 'active', 'price_pro')), 'applied', 'in the same second it is paid');
SELECT is(pg_temp.plan_of(:'alice'), 'pro', 'which gives the plan');
SELECT is((SELECT (user_id, details)::text FROM chat.audit_log WHERE action = 'billing.set_plan' AND resource = 'user:' || :'alice'), '(,"{""to"": ""pro"", ""from"": ""free""}")', 'and is audited as nobody''s act');
SELECT is(pg_temp.got(:'alice_token', 'SELECT (provider, external_id, status, price, plan, gives_plan, current_period_end AT TIME ZONE ''UTC'', cancel_at_period_end)::text FROM chat.my_subscription()'),
          '(stripe,sub_1,active,price_pro,pro,t,"2026-02-01 00:00:00",f)', 'what a client shows');
SELECT is(pg_temp.stripe('customer.subscription.created', 10, pg_temp.subscription('sub_1', 'incomplete', 'price_pro')), 'stale', 'created is before updated in the same second');
SELECT is(pg_temp.stripe('customer.subscription.updated', 9, pg_temp.subscription('sub_1', 'past_due', 'price_pro')), 'stale', 'what is older changes nothing');
SELECT is(pg_temp.got(:'alice_token', 'SELECT status FROM chat.subscriptions'), 'active', 'nothing at all');
SELECT is(pg_temp.stripe('customer.subscription.updated', 20, pg_temp.subscription('sub_1', status, 'price_pro')) || ' ' || pg_temp.plan_of(:'alice'), 'applied ' || plan, status || ' is ' || plan)
FROM (VALUES ('trialing', 'pro'), ('past_due', 'pro'), ('unpaid', 'free'), ('active', 'pro'), ('incomplete_expired', 'free'), ('active', 'pro')) v (status, plan);
SELECT is(pg_temp.stripe('customer.subscription.paused', 21, pg_temp.subscription('sub_1', 'paused', 'price_pro')) || ' ' || pg_temp.plan_of(:'alice'), 'applied free', 'a pause');
SELECT is(pg_temp.stripe('customer.subscription.resumed', 22, pg_temp.subscription('sub_1', 'active', 'price_pro')) || ' ' || pg_temp.plan_of(:'alice'), 'applied pro', 'and its end');
SELECT is(pg_temp.stripe('customer.subscription.updated', 23, pg_temp.subscription('sub_1', 'active', 'price_big')) || ' ' || pg_temp.plan_of(:'alice'), 'applied enterprise', 'another price is another plan');
SELECT is(pg_temp.stripe('customer.subscription.updated', 24, pg_temp.subscription('sub_1', 'active', 'price_new')) || ' ' || pg_temp.plan_of(:'alice'), 'applied price_unknown enterprise', 'an unknown price takes nothing');
SELECT is(pg_temp.got(:'admin_token', 'SELECT chat.admin_save_plan_price(''stripe'', ''price_new'', ''pro'')') || ' ' || pg_temp.plan_of(:'alice'), '1 pro', 'until it is known');
SELECT chat.admin_save_plan('team', 'Team'), chat.admin_save_plan_price('stripe', 'price_team', 'team'), chat.admin_save_plan('team', is_active => false);
SELECT is(pg_temp.stripe('customer.subscription.updated', 25, pg_temp.subscription('sub_1', 'active', 'price_team')) || ' ' || pg_temp.plan_of(:'alice'), 'applied plan_inactive pro', 'nor does an inactive plan');
SELECT is(pg_temp.stripe('customer.subscription.updated', 26, pg_temp.subscription('sub_1', 'active', 'price_old')) || ' ' || pg_temp.plan_of(:'alice'), 'applied pro', 'a price that is no longer sold goes on');
SELECT is(pg_temp.stripe('customer.subscription.updated', 27, pg_temp.subscription('sub_1', 'active', 'price_old', '{"cancel_at_period_end": true, "canceled_at": 1767225627}')), 'applied', 'it is cancelled');
SELECT is(pg_temp.got(:'alice_token', 'SELECT (cancel_at_period_end, canceled_at IS NOT NULL, gives_plan)::text FROM chat.my_subscription()'), '(t,t,t)', 'and goes on to the end of what is paid');
SELECT is(pg_temp.stripe('customer.subscription.deleted', 28, pg_temp.subscription('sub_1', 'canceled', 'price_old', '{"ended_at": 1767225628}')) || ' ' || pg_temp.plan_of(:'alice'), 'applied free', 'its end');
SELECT is(pg_temp.stripe('customer.subscription.updated', 28, pg_temp.subscription('sub_1', 'active', 'price_old')) || ' ' || pg_temp.plan_of(:'alice'), 'stale free', 'is the end');
SELECT is(pg_temp.got(:'alice_token', 'SELECT (status, gives_plan)::text FROM chat.my_subscription()'), '(canceled,f)', 'which the client shows');

-- What somebody set by hand.
SELECT pg_temp.stripe('customer.subscription.created', 30, pg_temp.subscription('sub_2', 'active', 'price_pro', '{"start_date": 1767225630}'));
SELECT pg_temp.set_plan(:'alice', 'enterprise');
SELECT is(pg_temp.stripe('customer.subscription.updated', 31, pg_temp.subscription('sub_2', 'active', 'price_pro', '{"start_date": 1767225630}')) || ' ' || pg_temp.plan_of(:'alice'), 'applied enterprise', 'a renewal leaves a plan that was set by hand');
SELECT is(pg_temp.stripe('customer.subscription.deleted', 32, pg_temp.subscription('sub_2', 'canceled', 'price_pro', '{"start_date": 1767225630}')) || ' ' || pg_temp.plan_of(:'alice'), 'applied enterprise', 'as does the end');
SELECT pg_temp.set_plan(:'alice', 'free');
-- Several at once.
SELECT is(pg_temp.stripe('customer.subscription.created', 40 + n, pg_temp.subscription('sub_' || 3 + n, 'active', price, jsonb_build_object('start_date', 1767225600 + 40 + n))) || ' ' || pg_temp.plan_of(:'alice'), outcome, 'the latest gives the plan: ' || outcome)
FROM (VALUES (0, 'price_pro', 'applied pro'), (1, 'price_big', 'applied enterprise'), (2, 'price_unknown', 'applied price_unknown enterprise')) v (n, price, outcome);
SELECT is((SELECT count(*)::int FROM chat.subscriptions WHERE user_id = :'alice' AND granted_plan IS NOT NULL), 1, 'one of them');
SELECT is(pg_temp.stripe('customer.subscription.updated', 44, pg_temp.subscription('sub_3', 'active', 'price_pro', '{"start_date": 1767225640}')) || ' ' || pg_temp.plan_of(:'alice'), 'applied enterprise', 'the older one goes on');
SELECT is(pg_temp.stripe('customer.subscription.deleted', 45, pg_temp.subscription('sub_4', 'canceled', 'price_big', '{"start_date": 1767225641}')) || ' ' || pg_temp.plan_of(:'alice'), 'applied pro', 'and gives its plan when the other ends');
SELECT is(pg_temp.stripe('customer.subscription.deleted', 46, pg_temp.subscription('sub_3', 'canceled', 'price_pro')) || ' ' || pg_temp.plan_of(:'alice'), 'applied free', 'its end, too, though something is paid of which no plan is known');
SELECT is(pg_temp.got(:'alice_token', 'SELECT (external_id, status, gives_plan)::text FROM chat.my_subscription()'), '(sub_5,active,f)', 'what has ended gives nothing');
SELECT is(pg_temp.stripe('customer.subscription.deleted', 47, pg_temp.subscription('sub_5', 'canceled', 'price_unknown')) || ' ' || pg_temp.plan_of(:'alice'), 'applied free', 'in the end all is');
SELECT is(pg_temp.stripe('customer.subscription.created', 48, pg_temp.subscription('sub_6', 'active', 'price_pro') #- '{items,data,0,current_period_end}' || '{"current_period_start": 1767225600, "current_period_end": 1769904000}') || ' ' ||
          pg_temp.look('SELECT current_period_end AT TIME ZONE ''UTC'' FROM chat.subscriptions WHERE external_id = ''sub_6'''), 'applied 2026-02-01 00:00:00', 'the older place of the period is read, too');
SELECT is(pg_temp.stripe('customer.subscription.updated', 49, jsonb_set(pg_temp.subscription('sub_6', 'active', 'x'), '{items,data}', '[{"price": {"id": "price_addon"}}, {"price": {"id": "price_big"}}]')) || ' ' || pg_temp.plan_of(:'alice'),
          'applied enterprise', 'of several items the one of which a plan is known');
SELECT is(pg_temp.stripe('customer.subscription.deleted', 50, pg_temp.subscription('sub_6', 'canceled', 'price_big')) || ' ' || pg_temp.plan_of(:'alice'), 'applied free', 'gone');

-- Payments.
CREATE FUNCTION pg_temp.invoice(id text, more jsonb, customer text DEFAULT 'cus_alice') RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('id', id, 'object', 'invoice', 'customer', customer, 'currency', 'eur', 'amount_due', 999, 'amount_paid', 999, 'attempt_count', 1, 'subscription', 'sub_7',
    'hosted_invoice_url', 'https://invoice.stripe.com/i/' || id, 'invoice_pdf', 'https://pay.stripe.com/' || id || '/pdf', 'status_transitions', '{"paid_at": 1767225700}'::jsonb) || more $$;
SELECT is(pg_temp.stripe('invoice.payment_failed', 99, pg_temp.invoice('in_1', '{"last_payment_error": {"message": "Your card was declined."}}')), 'applied', 'a payment that failed');
SELECT is(pg_temp.got(:'alice_token', 'SELECT (external_id, kind, status, amount, currency, paid_at, failure_reason)::text FROM chat.payments'), '(in_1,payment,failed,9.99,EUR,,"Your card was declined.")', 'is shown with the reason');
SELECT is(pg_temp.stripe('invoice.paid', 100, pg_temp.invoice('in_1', '{}')), 'applied', 'it is paid later');
SELECT is(pg_temp.got(:'alice_token', 'SELECT (status, amount, subscription, plan, paid_at AT TIME ZONE ''UTC'', failure_reason, invoice_url, invoice_pdf_url)::text FROM chat.payments'),
          '(succeeded,9.99,sub_7,,"2026-01-01 00:01:40",,https://invoice.stripe.com/i/in_1,https://pay.stripe.com/in_1/pdf)', 'with its links');
SELECT is(pg_temp.stripe('invoice.payment_failed', 100, pg_temp.invoice('in_1', '{}')), 'stale', 'a failure of the same second was before');
SELECT is(pg_temp.stripe('customer.subscription.created', 101, pg_temp.subscription('sub_7', 'active', 'price_pro')), 'applied', 'the subscription is told after its payment');
SELECT is(pg_temp.got(:'alice_token', 'SELECT plan FROM chat.payments'), 'pro', 'which is then known to be of its plan');
SELECT is(pg_temp.stripe('charge.refunded', 110 + n, jsonb_build_object('id', 'ch_1', 'customer', 'cus_alice', 'currency', 'eur', 'amount', 999, 'amount_refunded', amount, 'invoice', 'in_1')), outcome, name)
FROM (VALUES (0, 300, 'applied', 'a refund'), (1, 400, 'applied', 'some more'), (1, 350, 'stale', 'of the same second the greater counts'), (1, 500, 'applied', 'indeed'), (0, 999, 'stale', 'an older one does not')) v (n, amount, outcome, name);
SELECT is(pg_temp.got(:'alice_token', 'SELECT (external_id, status, amount, currency, refund_of, plan)::text FROM chat.payments WHERE kind = ''refund'''), '(ch_1,succeeded,5.00,EUR,in_1,pro)', 'all that was given back of a charge');
SELECT is(pg_temp.stripe('invoice.paid', 120, pg_temp.invoice('in_cur_' || code, jsonb_build_object('currency', code, 'amount_paid', minor, 'subscription', NULL))) || ' ' || pg_temp.look(format('SELECT amount FROM chat.payments WHERE external_id = %L', 'in_cur_' || code)),
          'applied ' || amount, minor || ' ' || code || ' are ' || amount)
FROM (VALUES ('jpy', 500, '500'), ('kwd', 1500, '1.500'), ('usd', 1, '0.01'), ('isk', 50000, '500'), ('mga', 500, '500.00'), ('clp', 7, '7'), ('bhd', 12345, '12.345')) v (code, minor, amount);
SELECT is(pg_temp.stripe('invoice.paid', 121, pg_temp.invoice('in_0', '{"amount_paid": 0}')), 'ignored nothing_paid', 'an invoice over nothing is no payment');
SELECT is(pg_temp.stripe('invoice.paid', 122, pg_temp.invoice('in_2', '{"subscription": null, "hosted_invoice_url": "javascript:alert(1)", "invoice_pdf": "https://x/<y>", "parent": {"subscription_details": {"subscription": "sub_7"}}}')), 'applied', 'the newer place of the subscription');
SELECT is(pg_temp.got(:'alice_token', 'SELECT (subscription, plan, invoice_url, invoice_pdf_url)::text FROM chat.payments WHERE external_id = ''in_2'''), '(sub_7,pro,,)', 'links that are no addresses are left out');
SELECT is(pg_temp.stripe('invoice.paid', 123, pg_temp.invoice('in_3', '{"subscription": null, "lines": {"data": [{"pricing": {"price_details": {"price": "price_big"}}}]}}')) || ' ' || pg_temp.look('SELECT plan FROM chat.payments WHERE external_id = ''in_3'''), 'applied enterprise', 'the price of a line tells the plan');
SELECT is(pg_temp.stripe('invoice.paid', 123, pg_temp.invoice('in_up', '{"currency": "gbp", "lines": {"data": [{"amount": -500, "price": {"id": "price_pro"}}, {"amount": 1500, "price": {"id": "price_big"}}, {"amount": 9000, "price": {"id": "price_of_something"}}]}}')) || ' ' ||
          pg_temp.look('SELECT plan FROM chat.payments WHERE external_id = ''in_up'''), 'applied enterprise', 'the dearest, where a change of plans is paid');
SELECT is(pg_temp.stripe('invoice.payment_failed', 124, pg_temp.invoice('in_4', '{}')) || pg_temp.look('SELECT '', '' || failure_reason FROM chat.payments WHERE external_id = ''in_4'''), 'applied, attempt 1 failed', 'what is known of a failure');
SELECT is(pg_temp.stripe('payout.paid', 125, '{"id": "po_1"}'), 'ignored event_type', 'what is not known is ignored');
SELECT is(pg_temp.try(token, 'SELECT FROM chat.payments'), '0 rows', 'others see none of it') FROM unnest(ARRAY[NULL, :'bob_token', :'guest_token', :'admin_token']) token;
SELECT is(pg_temp.try(token, 'SELECT FROM chat.subscriptions'), '0 rows', 'nor of subscriptions') FROM unnest(ARRAY[NULL, :'bob_token', :'guest_token', :'admin_token']) token;
SELECT cmp_ok(pg_temp.got(NULL, 'SELECT count(*) FROM chat.payments', 'pgchat_service')::int, '>', 10, 'the service sees all');

-- The same event again.
SELECT is(pg_temp.stripe('customer.subscription.updated', 200, pg_temp.subscription('sub_7', 'active', 'price_pro'), 'evt_twice'), 'applied', 'an event');
SELECT is(pg_temp.stripe('customer.subscription.deleted', 300, pg_temp.subscription('sub_7', 'canceled', 'price_pro'), 'evt_twice') || ' ' || pg_temp.plan_of(:'alice'), 'repeated applied pro', 'counts once');
SELECT is((SELECT deliveries FROM chat_private.billing_events WHERE event_id = 'evt_twice'), 2, 'however often it comes');
SELECT is(pg_temp.event('{"subscription": {"id": "s", "status": "active"}}', 'evt_twice', 'paddle'), 'customer_unknown', 'ids are those of each provider');

-- Events of customers that are not known yet.
SELECT is(pg_temp.event(event), 'customer_unknown', 'an event of an unknown customer')
FROM unnest(ARRAY['{"occurred_at": "2026-01-01T00:00:02Z", "subscription": {"id": "sub_b", "status": "active", "price": "pri_1"}}', '{"occurred_at": "2026-01-01T00:00:01Z", "subscription": {"id": "sub_b", "status": "incomplete", "price": "pri_1"}}',
                  '{"payment": {"id": "txn_1", "status": "succeeded", "amount": "12.50", "currency": "usd", "subscription": "sub_b"}}']::jsonb[]) event;
SELECT is((SELECT count(*)::int FROM chat_private.billing_events WHERE customer_id = 'ctm_bob' AND event IS NOT NULL), 4, 'waits');
SELECT is(pg_temp.plan_of(:'bob'), 'free', 'and gives nobody anything');
SELECT is(pg_temp.try(:'admin_token', 'SELECT chat.admin_set_billing_customer(' || arguments || ')'), sqlstate, 'admin_set_billing_customer(' || arguments || ')')
FROM (VALUES ('NULL, ''paddle'', ''c''', '22004'), ('chat.uuid_v7(), NULL, ''c''', '22004'), ('chat.uuid_v7(), ''paddle'', NULL', '22004'), ('chat.uuid_v7(), ''P'', ''c''', '22023'), ('chat.uuid_v7(), ''paddle'', ''''', '22023'),
             ('chat.uuid_v7(), ''paddle'', ''c''', 'P0002'), (format('%L, ''stripe'', ''cus_alice''', :'bob'), '55000'), (format('%L, ''paddle'', ''ctm_bob''', :'bob'), '1 rows'), (format('%L, ''paddle'', ''ctm_bob''', :'bob'), '1 rows')) v (arguments, sqlstate);
SELECT is(pg_temp.audited('admin.set_billing_customer', 'user:' || :'bob'), 2, 'which is audited');
SELECT is((SELECT string_agg(concat_ws(' ', type, outcome, detail, (event IS NOT NULL)::text), ', ' ORDER BY occurred_at) FROM chat_private.billing_events WHERE provider = 'paddle' AND event_id <> 'evt_twice'),
          'test applied false, test applied false, test applied false', 'what waited is applied in its order');
SELECT is(pg_temp.got(:'bob_token', 'SELECT (s.external_id, s.status, s.plan, s.gives_plan)::text FROM chat.my_subscription() s'), '(sub_b,active,pro,t)', 'so that the last counts');
SELECT is(pg_temp.got(:'bob_token', 'SELECT (external_id, amount, currency, plan, paid_at AT TIME ZONE ''UTC'')::text FROM chat.payments'), '(txn_1,12.50,USD,pro,"2026-01-01 00:00:00")', 'with the payment');
SELECT is(pg_temp.plan_of(:'bob'), 'pro', 'and the plan');
SELECT is(pg_temp.event(jsonb_build_object('customer', 'ctm_guest', 'user_id', :'guest', 'subscription', '{"id": "sub_g", "status": "active", "price": "pri_1", "started_at": "2026-01-01"}'::jsonb)) || ' ' || pg_temp.plan_of(:'guest'), 'applied pro', 'one event can do both');
UPDATE chat.users SET created_at = now() - interval '60 days' WHERE id = :'guest';
UPDATE chat.sessions SET last_activity_at = now() - interval '60 days' WHERE user_id = :'guest';
SELECT is(chat.admin_remove_lost_guests(), 0, 'a guest who pays is not lost');
SELECT is(pg_temp.try(:'guest_token', 'SELECT chat.upgrade_guest(''gast@example.com'', ''a good long one'')'), '1 rows', 'who pays may register');
SELECT is(pg_temp.plan_of(:'guest'), 'pro', 'and keeps the plan');
UPDATE chat.users SET role = 'guest' WHERE id = :'guest';
SELECT is(pg_temp.event('{"customer": "ctm_guest", "occurred_at": "2026-01-02", "subscription": {"id": "sub_g", "status": "canceled", "price": "pri_1"}}') || ' ' || pg_temp.plan_of(:'guest'), 'applied guest', 'a guest goes back to being one');
SELECT is(chat.admin_remove_lost_guests(), 1, 'and may go when that has ended');
SELECT count(pg_temp.event(jsonb_build_object('customer', 'ctm_many', 'occurred_at', timestamptz '2026-01-01' + n * interval '1 second', 'subscription', '{"id": "s", "status": "active"}'::jsonb), 'evt_many_' || n)) FROM generate_series(1, 202) n;
SELECT is((SELECT count(*)::int FROM chat_private.billing_events WHERE customer_id = 'ctm_many'), 200, 'so many events of one customer wait');
SELECT is((SELECT string_agg(event_id, ' ' ORDER BY event_id) FROM chat_private.billing_events WHERE event_id LIKE 'evt\_many%' AND detail = 'dropped'), 'evt_many_1 evt_many_2', 'the oldest go');
SELECT chat.admin_set_setting('billing_waiting_events', '2');
SELECT is(pg_temp.event(jsonb_build_object('customer', 'ctm_' || n, 'subscription', '{"id": "s", "status": "active"}'::jsonb), 'evt_wait_' || n), 'customer_unknown', 'more of them') FROM generate_series(1, 3) n;
SELECT is((SELECT string_agg(concat_ws(' ', event_id, detail), ', ' ORDER BY event_id) FROM chat_private.billing_events WHERE event_id LIKE 'evt\_wait%'), 'evt_wait_1 dropped, evt_wait_2, evt_wait_3', 'the oldest go when there are too many');
SELECT is(pg_temp.event('{"customer": "ctm_1", "subscription": {"id": "s", "status": "active"}}', 'evt_wait_1'), 'customer_unknown', 'and are taken when they are sent again');
SELECT is((SELECT event IS NOT NULL FROM chat_private.billing_events WHERE event_id = 'evt_wait_1'), true, 'to wait again');
UPDATE chat_private.billing_events SET received_at = now() - interval '91 days' WHERE event_id IN ('evt_wait_3', 'evt_first');
SELECT is(pg_temp.event('{}'), 'ignored event_type', 'an event that says nothing');
SELECT is((SELECT count(*)::int FROM chat_private.billing_events WHERE event_id IN ('evt_wait_3', 'evt_first')), 0, 'events are forgotten after a time');

UPDATE chat_private.billing_customers SET created_at = now() - interval '91 days' WHERE customer_id IN ('ctm_1', 'ctm_3', 'cus_alice');
SELECT is(pg_temp.event('{}'), 'ignored event_type', 'another');
SELECT is((SELECT string_agg(customer_id, ' ' ORDER BY customer_id) FROM chat_private.billing_customers WHERE customer_id IN ('ctm_1', 'ctm_3', 'cus_alice')), 'ctm_1 cus_alice', 'as are customers for whom nothing waits');

-- What administrators see and do of events.
SELECT is(pg_temp.got(:'admin_token', 'SELECT string_agg(concat_ws('' '', event_id, customer_id), '', '' ORDER BY event_id) FROM chat.admin_list_billing_events(''customer_unknown'') WHERE event_id LIKE ''evt\_wait%'''),
          'evt_wait_1 ctm_1, evt_wait_2', 'events that wait are listed');
SELECT is(pg_temp.got(:'admin_token', 'SELECT count(DISTINCT event_id) FROM (SELECT l.event_id FROM chat.admin_list_billing_events(page_size => 1) l UNION ALL
  SELECT p.event_id FROM chat.admin_list_billing_events(page_size => 1) l, chat.admin_list_billing_events(page_size => 1, before => l.received_at) p) e'), '2', 'page by page');
SELECT is(pg_temp.try(:'admin_token', 'SELECT FROM chat.admin_list_billing_events(page_size => ' || size || ')'), sqlstate, 'page_size ' || size) FROM (VALUES ('0', '22023'), ('1001', '22023'), ('NULL', '22004')) v (size, sqlstate);
SELECT is(pg_temp.try(token, 'SELECT FROM chat.admin_list_billing_events()'), '42501', 'others see none') FROM unnest(ARRAY[NULL, :'bob_token', :'worker_token']) token;
SELECT is(pg_temp.audited('admin.apply_billing_event', 'billing_event:evt_by_hand'), 0, 'nothing was done by hand');
SELECT is(pg_temp.try(:'admin_token', 'SELECT chat.admin_apply_billing_event(''paddle'', ''{"id": "evt_by_hand", "type": "t", "occurred_at": "2026-01-01"}'')'), '1 rows', 'an administrator applies one');
SELECT is(pg_temp.audited('admin.apply_billing_event', 'billing_event:evt_by_hand'), 1, 'which is audited');

SELECT is((SELECT line FROM regexp_split_to_table(chat.metrics(), E'\n') line WHERE line LIKE 'pgchat\_billing%'), 'pgchat_billing_events_waiting 1', 'as the metrics say');

-- The form of events.
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_apply_billing_event(%L, %L)', provider, base || event::jsonb)), sqlstate, left(coalesce(event, 'no event'), 90))
FROM (VALUES ('paddle', NULL, '22004'), (NULL, '{}', '22004'), ('Paddle', '{}', '22023'), ('paddle', '[]', '22023'), ('paddle', '{"id": null}', '22023'), ('paddle', '{"id": ""}', '22023'), ('paddle', '{"type": null}', '22023'), ('paddle', '{"occurred_at": null}', '22023'),
             ('paddle', '{"occurred_at": "soon"}', '22023'), ('paddle', '{"occurred_at": "infinity"}', '22023'), ('paddle', '{"occurred_at": "2999-01-01"}', '22023'), ('paddle', '{"order": "first"}', '22023'), ('paddle', '{"order": 99999}', '22023'),
             ('paddle', '{"user_id": "me"}', '22023'), ('paddle', '{"customer": ""}', '22023'), ('paddle', '{"customer": null, "subscription": {"id": "s", "status": "active"}}', '22023'), ('paddle', '{"subscription": []}', '22023'),
             ('paddle', '{"subscription": {"id": "s"}}', '22023'), ('paddle', '{"subscription": {"id": "s", "status": "on"}}', '22023'), ('paddle', '{"subscription": {"status": "active"}}', '22023'),
             ('paddle', '{"subscription": {"id": "s", "status": "active", "price": ""}}', '22023'), ('paddle', '{"subscription": {"id": "s", "status": "active", "trial_end": "x"}}', '22023'),
             ('paddle', '{"subscription": {"id": "s", "status": "active", "cancel_at_period_end": 7}}', '22023'), ('paddle', '{"payment": 1}', '22023'), ('paddle', '{"payment": {"id": "p", "status": "succeeded", "amount": 1}}', '22023'),
             ('paddle', '{"payment": {"id": "p", "status": "succeeded", "amount": 1.005, "currency": "EUR"}}', '22023'), ('paddle', '{"payment": {"id": "p", "status": "succeeded", "amount": 1.5, "currency": "JPY"}}', '22023'),
             ('paddle', '{"payment": {"id": "p", "status": "succeeded", "amount": -1, "currency": "EUR"}}', '22023'), ('paddle', '{"payment": {"id": "p", "status": "succeeded", "amount": "NaN", "currency": "EUR"}}', '22023'),
             ('paddle', '{"payment": {"id": "p", "status": "succeeded", "amount": 1, "currency": "euro"}}', '22023'), ('paddle', '{"payment": {"id": "p", "status": "done", "amount": 1, "currency": "EUR"}}', '22023'),
             ('paddle', '{"payment": {"id": "p", "kind": "gift", "status": "succeeded", "amount": 1, "currency": "EUR"}}', '22023'), ('paddle', '{"payment": {"status": "succeeded", "amount": 1, "currency": "EUR"}}', '22023'),
             ('paddle', '{"payment": {"id": "p", "status": "succeeded", "amount": 1, "currency": "EUR", "refund_of": ""}}', '22023'), ('paddle', jsonb_build_object('more', repeat('x', 70000))::text, '54000'),
             ('paddle', '{"id": "evt_last", "payment": {"id": "p", "status": "pending", "amount": 1.00, "currency": "JPY", "user_id": "x", "event_at": "y"}}', '22023'),
             ('paddle', '{"id": "evt_last", "payment": {"id": "p", "status": "pending", "amount": 1.00, "currency": "JPY", "user_id": "x"}}', '1 rows')) v (provider, event, sqlstate),
     LATERAL (SELECT CASE WHEN jsonb_typeof(event::jsonb) = 'array' THEN '[]' ELSE '{"id": "evt_form", "type": "test", "occurred_at": "2026-01-01T00:00:00Z", "customer": "ctm_bob"}'::jsonb END) b (base);
SELECT ok(pg_temp.hint_of(:'admin_token', 'SELECT chat.admin_apply_billing_event(''paddle'', ''{}'')') LIKE '%comment on chat.admin_apply_billing_event%', 'the hint says where the form is told');
SELECT is((SELECT (amount, paid_at, user_id)::text FROM chat.payments WHERE external_id = 'p'), format('(1,,%s)', :'bob'), 'whose it is does the customer say');

-- Sums.
SELECT is(pg_temp.try(:'admin_token', 'SELECT chat.admin_payments(group_by => ' || value || ')'), '22023', 'group_by is not ' || value) FROM unnest(ARRAY['NULL', '''day''', '''email''']) value;
SELECT is(pg_temp.got(:'admin_token', 'SELECT string_agg(concat_ws('' '', key, currency, payments, paid, refunds, refunded, net, failed), '', '' ORDER BY key, currency) FROM chat.admin_payments(''2026-01-01'', ''2026-02-01'') WHERE currency IN (''EUR'', ''JPY'', ''USD'')'),
          '2026-01 EUR 3 29.97 1 5.00 24.97 1, 2026-01 JPY 1 500 0 0 500 0, 2026-01 USD 2 12.51 0 0 12.51 0', 'by month, each currency for itself');
SELECT is(pg_temp.got(:'admin_token', 'SELECT string_agg(concat_ws('' '', key, currency, net), '', '' ORDER BY key, currency) FROM chat.admin_payments(''2026-01-01'', group_by => ''plan'') WHERE currency IN (''EUR'', ''USD'')'), ' USD 0.01, enterprise EUR 9.99, pro EUR 14.98, pro USD 12.50', 'by plan');
SELECT is(pg_temp.got(NULL, 'SELECT string_agg(concat_ws('' '', key, currency, net), '', '' ORDER BY key, currency) FROM chat.admin_payments(''2026-01-01'', group_by => ''provider'') WHERE currency IN (''EUR'', ''USD'')', 'pgchat_service'), 'paddle USD 12.50, stripe EUR 24.97, stripe USD 0.01', 'by provider');
SELECT is(pg_temp.got(:'admin_token', format('SELECT net FROM chat.admin_payments(''2026-01-01'', group_by => ''user'') WHERE key = %L AND currency = ''USD''', :'bob')), '12.50', 'by user');
SELECT is(pg_temp.try(:'admin_token', 'SELECT FROM chat.admin_payments(''2026-02-01'', ''2026-03-01'')'), '0 rows', 'of a time in which nothing was paid');
SELECT is(pg_temp.got(:'admin_token', 'SELECT chat.current_user_id()'), :'admin', 'the gate is closed again');

-- An account that is removed.
SELECT is(jsonb_array_length(pg_temp.got(:'bob_token', 'SELECT chat.export_my_data()')::jsonb #> '{tables,chat.payments}'), 2, 'payments are handed out');
SELECT is(pg_temp.try(:'bob_token', 'SELECT chat.delete_my_account(''bob-password'')'), '1 rows', 'an account is removed');
SELECT is(pg_temp.event('{"occurred_at": "2026-02-01", "subscription": {"id": "sub_b", "status": "active", "price": "pri_1"}}'), 'ignored account_removed', 'later events of it are ignored');
SELECT is(pg_temp.event('{"occurred_at": "2026-02-02", "payment": {"id": "txn_1", "kind": "refund", "status": "succeeded", "amount": 12.50, "currency": "USD", "subscription": "sub_b", "invoice_url": "https://x/bob"}}'), 'applied', 'but not what is given back');
SELECT is((SELECT string_agg(concat_ws(' ', kind, split_part(external_id, '#', 1), amount, customer, subscription, invoice_url), ', ' ORDER BY kind, external_id) FROM chat.payments WHERE user_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
          'payment p 1, payment txn_1 12.50, refund txn_1 12.50', 'of which accounting knows, and not whose it was');
SELECT is(pg_temp.got(:'admin_token', 'SELECT net FROM chat.admin_payments(''2026-01-01'', group_by => ''user'') WHERE key = ''ffffffff-ffff-ffff-ffff-ffffffffffff'' AND currency = ''USD'''), '0.00', 'sums stay right');
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_set_billing_customer(%L, ''paddle'', ''ctm_bob'')', :'alice')), '55000', 'its customer is nobody else''s');
-- Two whose payments have the same ids, as some provider may give them for each customer.
SELECT pg_temp.event(jsonb_build_object('customer', 'ctm_x' || n, 'user_id', person, 'payment', jsonb_build_object('id', 'txn_1', 'status', 'succeeded', 'amount', n, 'currency', 'SEK')))
FROM (VALUES (1, :'alice'), (2, :'worker')) v (n, person);
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_delete_user(%L)', person)), '1 rows', 'each can be removed') FROM unnest(ARRAY[:'alice', :'worker']) person;
SELECT is(pg_temp.event(jsonb_build_object('customer', 'ctm_x' || n, 'occurred_at', '2026-01-03', 'payment', jsonb_build_object('id', 'txn_' || p, 'status', 'succeeded', 'amount', n + p, 'currency', 'SEK'))), 'applied', 'and paid for again')
FROM (VALUES (1, 1), (1, 2), (2, 2)) v (n, p);
SELECT is((SELECT string_agg(concat_ws(' ', split_part(external_id, '#', 1), amount), ', ' ORDER BY external_id COLLATE "C", amount) FROM (SELECT split_part(external_id, '#', 1) AS external_id, amount FROM chat.payments WHERE currency = 'SEK') p),
          'txn_1 2.00, txn_1 2.00, txn_2 3.00, txn_2 4.00', 'nothing is lost, and each event is of its own payment');

SELECT is(octet_length(chat_private.nobodys_payment_id(repeat(c, 255 / octet_length(c)), 'c')) <= 255, true, 'the longest ids have room: ' || c) FROM unnest(ARRAY['x', 'é', '😀']) c;

-- Saving a price is about those who do not have its plan yet.
SELECT pg_temp.event(jsonb_build_object('customer', 'ctm_' || name, 'user_id', person, 'occurred_at', '2026-03-01', 'subscription', jsonb_build_object('id', 'sub_' || name, 'status', 'active', 'price', 'pri_1', 'started_at', '2026-03-01')))
FROM (VALUES ('supa', :'supa')) v (name, person);
SELECT updated_at FROM chat.subscriptions WHERE external_id = 'sub_supa' \gset kept_
SELECT pg_temp.set_plan(:'supa', 'free');
SELECT is(pg_temp.got(:'admin_token', 'SELECT chat.admin_save_plan_price(''paddle'', ''pri_1'', ''pro'', false)') || ' ' || pg_temp.plan_of(:'supa'), '0 free', 'who has what it gives is left alone');
SELECT is((SELECT updated_at FROM chat.subscriptions WHERE external_id = 'sub_supa'), :'kept_updated_at', 'altogether');
SELECT is(pg_temp.got(:'admin_token', 'SELECT chat.admin_save_plan_price(''paddle'', ''pri_1'', ''enterprise'')') || ' ' || pg_temp.plan_of(:'supa'), '1 enterprise', 'unless it is of another plan now');
SELECT is(pg_temp.audited('billing.set_plan', 'user:' || :'supa'), 2, 'which is audited');
SELECT chat.admin_save_plan('team', is_active => true);
SELECT chat.admin_save_plan_price('paddle', 'pri_team', 'team');
SELECT chat.admin_save_plan('team', is_active => false);
SELECT pg_temp.event('{"customer": "ctm_supa", "occurred_at": "2026-03-02", "subscription": {"id": "sub_team", "status": "active", "price": "pri_team", "started_at": "2026-03-02"}}');
SELECT chat.admin_save_plan('team', is_active => true);
SELECT is(pg_temp.got(:'admin_token', 'SELECT chat.admin_save_plan_price(''paddle'', ''pri_team'', ''team'')') || ' ' || pg_temp.plan_of(:'supa'), '1 team', 'or its plan is sold again');
SELECT * FROM finish();
ROLLBACK;
