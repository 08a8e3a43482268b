-- What the administrator decides for all: who may register, default model, titles, limits of plans, money.
SELECT chat.admin_set_default_model('demo-small') \g /dev/null
SELECT chat.admin_set_setting(s.key, s.value)
FROM (VALUES ('app_name', jsonb '"Fog Harbour Chat"'), ('registration', '"domains"'), ('registration_domains', '["demo.example"]'),
             ('totp_domains', '["demo.example"]'), ('title_rule', '"first_words"'), ('cost_per_month', '250'), ('user_keys_allowed', 'true')) s (key, value) \g /dev/null
SELECT chat.admin_save_plan('free', limits => '{"messages_per_day": 200, "requests_per_minute": 60, "cost_per_month": 2}'),
       chat.admin_save_plan('pro', limits => '{"concurrent_calls": 16, "cost_per_month": 50}') \g /dev/null

