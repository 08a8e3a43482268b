-- Providers that answer by themselves, without a network: models that echo, models with prices and scripted answers, and one of a real
-- provider that is switched off.
\ir answers.sql
SELECT chat.admin_register_provider('demo-live', 'echo', options => '{"latency_ms": 300, "tokens_per_second": 15}') AS ignored,
       chat.admin_register_provider('demo', 'echo', options => jsonb_build_object('latency_ms', 20, 'answers', :'answers'::jsonb)) AS ignored \gset
SELECT chat.admin_register_model('demo-live', 'demo-echo', 'Echo', '{"description": "Says what it is told, a word at a time.", "context_window": 16000, "capabilities": ["tools", "vision"]}') AS ignored,
       chat.admin_register_model('demo', 'demo-small', 'Demo small',
         '{"description": "Cheap.", "context_window": 32000, "input_price": 0.2, "output_price": 0.8, "capabilities": ["tools", "json"]}') AS ignored,
       chat.admin_register_model('demo', 'demo-large', 'Demo large',
         '{"description": "Dear, for plan pro, supervisors, and whom it was granted to.", "context_window": 128000, "input_price": 2.5, "output_price": 10, "cached_price": 0.25, "capabilities": ["tools", "vision", "thinking", "json"]}') AS ignored,
       chat.admin_register_model('demo-openai', 'demo-gpt-4o-mini', 'GPT-4o mini', '{"provider_model": "gpt-4o-mini", "context_window": 128000, "input_price": 0.15, "output_price": 0.6}') AS ignored \gset
SELECT chat.admin_set_model_active('demo-gpt-4o-mini', false) AS ignored,
       chat.admin_set_model_open('demo-large', false) AS ignored,
       chat.admin_grant_model('demo-large', plan => 'pro') AS ignored,
       chat.admin_grant_model('demo-large', role => 'supervisor') AS ignored,
       chat.admin_grant_model('demo-large', user_id => :'worker_id') AS ignored,
       chat.admin_grant_model('demo-large', user_id => :'spender_id') AS ignored \gset
