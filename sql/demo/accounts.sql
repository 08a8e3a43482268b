-- Who there is: an administrator, a supervisor with two workers, users of two plans, one who will be disabled, and one who has just come.

-- The first administrator is made by the operator.
SELECT chat.admin_create_user('admin@demo.example', :'password', 'admin', 'alma', 'Alma Reyes', 'enterprise') AS admin_id \gset
-- What names a variable of the server is the operator's as well. The model stays off until somebody has a key.
SELECT chat.admin_register_provider('demo-openai', 'openai', NULL, NULL, '{"api_key_env": "OPENAI_API_KEY"}') AS ignored \gset

SELECT session_token AS admin_token FROM chat.login('admin@demo.example', :'password', ip_address => '192.0.2.1', user_agent => 'Firefox on Linux') \gset
SELECT chat.authenticate(:'admin_token') AS ignored \gset
SELECT chat.admin_create_user('supervisor@demo.example', :'password', 'supervisor', 'sofia', 'Sofia Lindqvist', 'pro') AS supervisor_id \gset
SELECT chat.admin_create_user('worker@demo.example', :'password', 'worker', 'tomas', 'Tomás Okoye', 'free', :'supervisor_id') AS worker_id,
       chat.admin_create_user('worker2@demo.example', :'password', 'worker', 'wen', 'Wen Haddad', 'free', :'supervisor_id') AS second_worker_id,
       chat.admin_create_user('user@demo.example', :'password', 'user', 'uma', 'Uma Castellanos', 'pro') AS user_id,
       chat.admin_create_user('spender@demo.example', :'password', 'user', 'ines', 'Inés Valdivia', 'free') AS spender_id,
       chat.admin_create_user('leaver@demo.example', :'password', 'user', 'leo', 'Leo Marchetti', 'free') AS leaver_id,
       chat.admin_create_user('new@demo.example', :'password', 'user', 'nia', 'Nia Brandt', 'free') AS new_id \gset
SELECT chat.admin_invite('invited@demo.example', 'worker', supervisor_id => :'supervisor_id', expires_in => '30 days') AS ignored \gset
