-- What the administrator does last: second factors, a budget, an account switched off; and somebody who guesses a password.
DO $$
BEGIN
  PERFORM chat.login('admin@demo.example', 'is it this one?', ip_address => '198.51.100.7', user_agent => 'curl');
EXCEPTION WHEN invalid_password THEN
  NULL;
END
$$;
SELECT chat.authenticate(:'admin_token') AS ignored \gset
SELECT chat.admin_import_totp(:'supervisor_id', :'totp_secret') AS ignored, chat.admin_import_totp(:'second_worker_id', :'totp_secret') AS ignored,
       chat.admin_set_budget(:'spender_id', 0.5) AS ignored, chat.admin_set_limits(:'worker_id', '{"requests_per_minute": 30, "cost_per_month": 5}') AS ignored,
       chat.admin_set_active(:'leaver_id', false) AS ignored,
       (SELECT count(*) FROM chat.admin_read_conversation(:'handover')) AS ignored \gset
