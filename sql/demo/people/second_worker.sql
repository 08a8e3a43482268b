-- Wen, a worker with a second factor: a table as a file, edited questions, and nothing that Tomás sees.
SELECT chat.authenticate((chat.login('worker2@demo.example', :'password', ip_address => '192.0.2.21', user_agent => 'Safari on iPhone')).session_token) AS ignored \gset
SELECT pg_temp.bring(pg_temp.document('till', 'Tuesday''s till is short', '12 days', $json$[
    {"id": "first", "user": "The till is short. Why?"},
    {"assistant": "I would need to know by how much, and what the journal says."},
    {"id": "edited", "after": "", "gap": "2 minutes", "user": "Tuesday's till is short by 14.20. The journal is attached. Which lines could it be?", "attachments": [{"sha256": "journal", "name": "till-tuesday.csv"}]},
    {"assistant": "Line 3 was booked as 2 flat whites and paid as 1 filter: 14.20 is exactly what two such mistakes and one croissant make. Lines 3 and 5 fit; ask who stood there at 8:40."},
    {"user": "That was me. How do I book it back?"},
    {"assistant": "Void line 3, book it anew as 1 filter, and write your name and the time on the slip.", "rating": 1, "feedback": "Right to the cent."}]$json$,
    jsonb_build_object('model', 'demo-small', 'tags', jsonb_build_array('till'), 'attachments', jsonb_build_array(jsonb_build_object('sha256', 'journal', 'media_type', 'text/csv',
      'data', translate(encode(convert_to(E'line,time,item,booked,paid\n1,08:31,filter,2.80,2.80\n2,08:36,croissant,3.40,3.40\n3,08:40,flat white x2,8.40,2.80\n4,08:44,filter x2,5.60,5.60\n5,08:52,cappuccino + croissant,8.60,0.00\n', 'UTF8'), 'base64'), E'\n', '')))))) AS till,
  pg_temp.bring(pg_temp.document('allergens', 'Allergens of the new cakes', '2 days', $json$[
    {"user": "Which allergens go on the card for the hazelnut slice?"},
    {"assistant": "Nuts (hazelnut), gluten (wheat), milk and egg. Ask the bakery whether it contains soy."},
    {"user": "They say lecithin."},
    {"assistant": "Then soy, unless it is sunflower lecithin: have them write it down."}]$json$, jsonb_build_object('model', 'demo-small', 'last_read_at', now() - interval '3 days'))) AS ignored \gset
