-- Uma, a user of plan pro: folders in folders, tags, branches, a picture, thinking, prompts and templates of her own, a key of her own.
SELECT chat.authenticate((chat.login('user@demo.example', :'password', ip_address => '192.0.2.30', user_agent => 'Firefox on macOS')).session_token) AS ignored \gset
SELECT chat.update_settings('demo-large', '{"language": "en", "title_rule": "first_words"}') IS NULL AS ignored,
       chat.save_system_prompt('Haiku', 'Answer with a haiku, whatever you are asked.', 'For bad days') AS haiku_prompt,
       chat.save_template('Tasting notes', title => 'Tasting {{bean}}', messages => '[{"role": "assistant", "content": "What do you smell first in {{bean}}?"}]') AS tasting_template,
       -- No key of anybody, and its model is switched off.
       chat.set_api_key('demo-openai', 'sk-demo-this-is-not-a-key-0000', 'private') AS ignored,
       chat.save_persona('harbour_regular', 'Old Jorun', 'Thirty years of standing in line at the harbour.', 'You are Jorun, who has had coffee at the harbour every morning since 1994, and says so.') IS NULL AS ignored \gset
SELECT chat.create_folder('Plans') AS plans_folder \gset
SELECT chat.create_folder('Café', :'plans_folder') AS cafe_folder, chat.create_folder('Private') AS private_folder \gset

-- A cup on dark ground, 48 x 48.
\set sign 'iVBORw0KGgoAAAANSUhEUgAAADAAAAAwCAIAAADYYG7QAAAAjklEQVR42u3XwQ2AMAiF4U7jyQk8OJcDOkaHMXEAC5hHSPgbTj19gZbSse1HqRiAALUHzXctdxqDKBklA6QA3dcZDkAGkIslB3kTlg1amlLPkMWUfagB2UAfJjJUClTilpXrQ+U6dbm3rMf4ETZpR9gEjXumVmsiQ75UE/x16DT8y/6ApmxRMkCAAAFyxQNKP/U1m6NzxQAAAABJRU5ErkJggg=='
SELECT pg_temp.bring(pg_temp.document('name', 'A name for the winter blend', '20 days', $json$[
    {"user": "We need a name for the winter blend: dark, plum, a little smoke."},
    {"id": "plain", "assistant": "Three: Harbour Winter, Night Ferry, Plum & Ember."},
    {"id": "second", "after": "1", "gap": "30 seconds", "model": "demo-small", "assistant": "Winter Blend No. 1."},
    {"id": "third", "after": "1", "gap": "30 seconds", "assistant": "Night Ferry. It says dark, cold and on the way home, and nobody else in town could use it.", "rating": 1},
    {"id": "label", "user": "Night Ferry it is. A line for the label?"},
    {"id": "line", "assistant": "Night Ferry: plum, ember, and the last light on the water."},
    {"id": "shorter", "after": "third", "gap": "3 minutes", "user": "Night Ferry it is. A line for the label, at most five words?"},
    {"assistant": "Plum, ember, last light home."}]$json$, '{"model": "demo-large", "is_pinned": true, "folder": ["Plans", "Café"], "tags": ["names", "winter"], "description": "Edited and regenerated: four branches"}')) AS blend,
  pg_temp.bring(pg_temp.document('rent', 'Rent at the terminal', '15 days', $json$[
    {"user": "The port offers 38 m² for 4,200 a month, or a kiosk of 9 m² for 900. Margin is 1.90 a cup. How many cups a day does each need, 26 days a month?"},
    {"assistant": "The room needs 86 cups a day for its rent alone, the kiosk 19.", "thinking": "4200 / 1.90 = 2210.5 cups a month; / 26 = 85.02, so 86. 900 / 1.90 = 473.7; / 26 = 18.2, so 19. Wages are not in it, and I should say so."},
    {"user": "And with two people at 15 an hour, six hours a day?"},
    {"assistant": "Wages are 180 a day, which is 95 cups more: 181 for the room with the same two, 114 for the kiosk.", "thinking": "2 * 6 * 15 = 180. 180 / 1.90 = 94.7, so 95. 86 + 95 = 181, 19 + 95 = 114.", "rating": 1},
    {"user": "Put that into a table."},
    {"assistant": "| | room | kiosk |\n|---|---|---|\n| rent | 4,200 | 900 |\n| cups for rent | 86 | 19 |\n| cups with wages | 181 | 114 |"}]$json$,
    '{"model": "demo-large", "folder": ["Plans", "Café"], "tags": ["figures", "terminal"], "system_prompt": "You check figures before you use them. Name what you assume, show how you calculated, and say how sure you are."}')) AS rent,
  pg_temp.bring(pg_temp.document('sign', 'Does the sign work?', '7 days', $json$[
    {"user": "Does this work as a sign for the kiosk?", "attachments": [{"sha256": "sign", "name": "sign.png"}]},
    {"assistant": "The cup reads from far away; the brown on the dark ground does not. Make the ground lighter, or the cup white.", "rating": -1, "feedback": "The ground is the port's, we cannot change it."}]$json$,
    jsonb_build_object('model', 'demo-large', 'folder', jsonb_build_array('Plans', 'Café'), 'attachments', jsonb_build_array(jsonb_build_object('sha256', 'sign', 'media_type', 'image/png', 'data', :'sign'))))) AS ignored,
  pg_temp.bring(pg_temp.document('move', 'Boxes for the move', '33 days', $json$[
    {"user": "How many boxes for a flat of two rooms?"}, {"model": "demo-gpt-4o-mini", "assistant": "Forty, if you own books; twenty-five, if you do not."}, {"user": "I own books."},
    {"model": "demo-gpt-4o-mini", "assistant": "Then forty small ones. Books in large boxes are the reason people lose friends.", "rating": 1}]$json$, '{"folder": ["Private"], "is_archived": true}')) AS ignored,
  pg_temp.bring(pg_temp.document('tasting', 'Tasting Huila', '26 days', $json$[
    {"assistant": "What do you smell first in Huila?", "input_tokens": null, "output_tokens": null, "cost": null, "model": null, "latency_ms": null, "first_token_ms": null, "finish_reason": null}, {"user": "Red apple, then cocoa."},
    {"assistant": "Apple is its acid, cocoa its roast. Let it cool for two minutes: if the apple turns to plum, it is as it should be."}]$json$, '{"model": "demo-large", "tags": ["tasting"]}')) AS ignored \gset
-- As people shared it: with Tomás, who may write, and by a link, whose token is shown once.
SELECT chat.grant_conversation(:'blend', 'worker@demo.example', 'write') AS ignored, chat.grant_conversation(:'rent', 'spender@demo.example', 'read', '90 days') AS ignored,
       (SELECT token FROM chat.share_conversation(:'blend', allows_fork => true)) AS share_link \gset
