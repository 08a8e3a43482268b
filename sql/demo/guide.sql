-- Says who can log in, and what to try.
SELECT format('SELECT chat.authenticate((chat.login(''%%s'', ''%s''%%s)).session_token, false)', :'password') AS login \gset
\echo
\echo 'These accounts are for trying things out. Their password is known to everybody: never let others reach this database.'
\echo
\pset border 2
SELECT u.email AS "log in as", :'password' AS password, u.username, u.role, u.plan, CASE WHEN f.user_id IS NOT NULL THEN 'TOTP' ELSE '' END AS "2nd factor",
       CASE WHEN u.is_active THEN '' ELSE 'disabled' END AS state,
       (SELECT count(*) FROM chat.conversations c WHERE c.user_id = u.id) AS conversations, n.what
FROM chat.users u
JOIN (VALUES (1, 'admin@demo.example', 'may call admin_ functions'), (2, 'supervisor@demo.example', 'sees conversations of both workers'), (3, 'worker@demo.example', 'daily notes, an error to retry, a tool, a paused board'),
             (4, 'worker2@demo.example', 'a file, edited questions'), (5, 'user@demo.example', 'folders, branches, picture, shares, own key, a finished board'),
             (6, 'spender@demo.example', 'Spanish, budget used up'), (7, 'leaver@demo.example', 'cannot log in'), (8, 'new@demo.example', 'has nothing yet')) n (place, email, what) ON n.email = u.email
LEFT JOIN chat_private.totp_factors f ON f.user_id = u.id
ORDER BY n.place;
\pset border 1
SELECT chat.totp_generate(:'totp_secret') AS code, 30 - extract(epoch FROM clock_timestamp())::bigint % 30 AS seconds_left \gset
\echo 'Secret for an authenticator app:' :totp_secret '(each of its codes works once for each account)'
\echo 'Its code now:' :code '(for' :seconds_left 'more seconds)'
\echo
\echo 'Five things to try:'
\echo
\echo '1. A reply, word by word as the model writes it:'
\echo
SELECT format('%s -Atq -v FETCH_COUNT=1 -c "%s" -c "%s"', :'psql', format(:'login', 'user@demo.example', ''),
              'SELECT (chat.llm_stream(''Every word of this arrives by itself, a fifteenth of a second after the one before.'', ''demo-echo'')).delta') AS line \gset
\echo '   ' :line
\echo
\echo '2. A supervisor logs in with a second factor, and reads what her workers wrote:'
\echo
SELECT format('%s -q -c "%s" -c "%s"', :'psql', format(:'login', 'supervisor@demo.example', format(', chat.totp_generate(''%s'')', :'totp_secret')),
              'SELECT display_name, title, last_message_at FROM chat.list_supervised_conversations()') AS line \gset
\echo '   ' :line
\echo
\echo '3. What a board of five personas decided, as a report in Markdown:'
\echo
SELECT format('%s -Atq -c "%s" -c "%s"', :'psql', format(:'login', 'user@demo.example', ''),
              'SELECT chat.export_deliberation(d.id) FROM chat.list_deliberations(''completed'') d LIMIT 1') AS line \gset
\echo '   ' :line
\echo
\echo '4. Another board stopped at its cap of money. Raise that, and follow it to its end:'
\echo
SELECT format('%s -q -c "%s" -c "%s" -c "%s"', :'psql', format(:'login', 'worker@demo.example', ''),
              'SELECT chat.resume_deliberation(d.id, max_cost => 2) FROM chat.list_deliberations(''paused'') d',
              'SELECT (f).phase, (f).name, (f).content FROM (SELECT chat.follow_deliberation(d.id) AS f FROM chat.list_deliberations(page_size => 1) d) x') AS line \gset
\echo '   ' :line
\echo
\echo '5. What all this cost, by user; and who is refused (PC307), as her budget is used up:'
\echo
SELECT format('%s -q -c "%s" -c "%s"', :'psql', format(:'login', 'admin@demo.example', ''),
              'SELECT u.email, a.attempts, a.failed, a.input_tokens, a.output_tokens, a.cost FROM chat.admin_usage(now() - interval ''60 days'', group_by => ''user'') a LEFT JOIN chat.users u ON u.id::text = a.key ORDER BY a.cost DESC') AS line \gset
\echo '   ' :line
SELECT format('%s -q -c "%s" -c "%s"', :'psql', format(:'login', 'spender@demo.example', ''), 'SELECT chat.llm_complete(''¿Y ahora?'', ''demo-large'')') AS line \gset
\echo '   ' :line
\echo
\echo 'docs/demo_data.md describes it all.'
