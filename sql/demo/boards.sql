-- Boards of personas: one of Uma, who is still logged in, which the engine takes to its end; and one of Tomás, which stops at its cap of money. They begin
-- when all this is committed.
SELECT chat.create_deliberation('Should Fog Harbour Coffee open a second café at the ferry terminal next spring?',
    context => '{"money": 160000, "people": 6, "first_cafe": "two quarters below plan", "offers": {"room": {"m2": 38, "rent": 4200}, "kiosk": {"m2": 9, "rent": 900}}}',
    persona_codes => '{finance_director,field_operator,brand_storyteller,devils_advocate,head_roaster}', max_rounds => 2, model => 'demo-large', max_cost => 5,
    options => '{"choices": [{"id": "open", "label": "Open the café", "description": "Sign for the corner, open in April."}, {"id": "kiosk", "label": "A kiosk first", "description": "A lease of one season, and a count."}, {"id": "wait", "label": "Wait a year", "description": "Bring the first café to its plan."}], "tally": "ranked", "call_options": {"max_tokens": 900}}') AS board \gset
SELECT chat.start_deliberation(:'board') AS ignored \gset

SELECT chat.authenticate((chat.login('worker@demo.example', :'password', ip_address => '192.0.2.20', user_agent => 'Chrome on Android')).session_token) AS ignored \gset
SELECT chat.create_deliberation('How should we staff the counter in July, when two of six are away?',
    persona_codes => '{field_operator,organisational_psychologist,finance_director}', max_rounds => 2, model => 'demo-large', max_cost => 0.042,
    options => '{"decompose": false, "choices": [{"id": "students", "label": "Hire students"}, {"id": "shorter_hours", "label": "Shorter hours"}, {"id": "extra_shifts", "label": "Extra shifts"}], "call_options": {"max_tokens": 900}}') AS paused_board \gset
SELECT chat.start_deliberation(:'paused_board') AS ignored \gset
