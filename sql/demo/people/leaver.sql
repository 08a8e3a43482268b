-- Leo, who left: his account will be disabled, his conversations stay.
SELECT chat.authenticate((chat.login('leaver@demo.example', :'password', ip_address => '192.0.2.50', user_agent => 'Chrome on Windows')).session_token) AS ignored \gset
SELECT pg_temp.bring(pg_temp.document('handover', 'What whoever follows me should know', '31 days', $json$[
    {"user": "List what whoever follows me should know: keys, alarm, suppliers."},
    {"assistant": "Keys: with Alma. Alarm: off before 5:15. Suppliers: milk on Monday and Thursday, cups every second week."}]$json$, '{"model": "demo-small"}')) AS handover \gset
