-- Tomás, a worker: a note a day, a folder, a reply that failed and was tried again, one that failed and waits for that, and a tool.
SELECT chat.authenticate((chat.login('worker@demo.example', :'password', ip_address => '192.0.2.20', user_agent => 'Chrome on Android')).session_token) AS ignored \gset
SELECT chat.update_settings('demo-small', '{"language": "en", "theme": "dark"}') IS NULL AS ignored,
       chat.create_folder('Roastery') AS roastery_folder \gset

-- A turn on each working day of six weeks.
SELECT pg_temp.bring(pg_temp.document('stand-up', 'Stand-up notes', '42 days', jsonb_agg(line ORDER BY day, place),
         '{"model": "demo-small", "is_pinned": true, "folder": ["Roastery"], "tags": ["daily"]}')) AS stand_up
FROM (SELECT d.day, t.place, CASE t.place WHEN 1 THEN jsonb_build_object('at', d.day + interval '7 hours 50 minutes' + d.n * interval '37 seconds',
               'user', format('Batch %s: %s kg %s, first crack after %s minutes. %s', 400 + d.n, 12 + d.n % 7, (ARRAY['Sidamo', 'Huila', 'Mantiqueira', 'house blend'])[1 + d.n % 4],
                 8 + d.n % 3, (ARRAY['Two bags of chaff.', 'The cooler squeaks again.', 'Nothing else.'])[1 + d.n % 3]))
             ELSE jsonb_build_object('assistant', format('Noted: batch %s. %s', 400 + d.n, (ARRAY['That is a little earlier than last week.', 'As planned.', 'Shall I remind you to oil the cooler?'])[1 + d.n % 3])) END AS line
      FROM (SELECT g.day, row_number() OVER (ORDER BY g.day)::integer AS n
            FROM generate_series(date_trunc('day', now() - interval '42 days'), date_trunc('day', now() - interval '1 day'), interval '1 day') g (day)
            WHERE extract(isodow FROM g.day) < 6) d, (VALUES (1), (2)) t (place)) lines \gset

SELECT pg_temp.bring(pg_temp.document('grinder', 'The grinder is too coarse', '9 days', $json$[
    {"user": "The grinder is at 14 and the espresso runs through in 17 seconds. Which setting?"},
    {"id": "failed", "assistant": "Go to 1", "status": "error", "finish_reason": null, "cost": 0, "latency_ms": 60000,
     "error": {"code": "request_timeout", "sqlstate": "PC101", "message": "provider demo fell silent for 60 s", "hint": "Raise timeout_ms, or try again."}},
    {"id": "again", "after": "1", "gap": "40 seconds", "assistant": "Two steps finer, to 12, and pull again. You want 25 to 30 seconds for 36 g out of 18 g."},
    {"user": "12 gives 24 seconds."},
    {"assistant": "Then half a step more, to 11.5, or 0.3 g more coffee. Change one of them, not both.", "rating": 1}]$json$, '{"model": "demo-small", "folder": ["Roastery"]}')) AS ignored,
  pg_temp.bring(pg_temp.document('green-beans', 'How long do green beans keep?', '3 hours', $json$[
    {"user": "How long do green beans keep in the cold store?"},
    {"assistant": "", "status": "error", "finish_reason": null, "cost": 0, "input_tokens": 44, "output_tokens": 0,
     "error": {"code": "provider_failed", "sqlstate": "PC106", "message": "provider demo answered 503: overloaded", "hint": "Try again with chat.retry_message."}}]$json$,
     '{"model": "demo-small"}')) AS failed_conversation,
  pg_temp.bring(pg_temp.document('order', 'What is left of the Huila?', '4 days', $json$[
    {"user": "What is left of the Huila, and is it enough for Friday?"},
    {"assistant": "", "finish_reason": "tool_calls", "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "stock", "arguments": "{\"bean\": \"Huila\"}"}}]},
    {"tool": "{\"bean\": \"Huila\", \"kg\": 41.5, \"reserved\": 12}", "tool_call_id": "call_1"},
    {"assistant": "41.5 kg, of which 12 are reserved. Friday takes 25, so 4.5 kg are left over. Order before Thursday noon."}]$json$, '{"model": "demo-large", "folder": ["Roastery", "Orders"], "tags": ["orders"]}')) AS ignored \gset
