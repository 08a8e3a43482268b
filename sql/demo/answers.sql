-- What the models of provider demo answer, by what they are told: on the boards of boards.sql in their words, on any other board something that
-- fits its form, in conversations to two questions. All else they echo. Sets the variable answers.
CREATE TEMP TABLE answers (n serial, wanted text[], thinking text, reply text, tool_calls jsonb) ON COMMIT DROP;

-- Each speaks first, then answers the others, then votes.
CREATE FUNCTION pg_temp.speaks(problem text, code text, first text, second text, choice text, ranking text[], reasoning text, confidence numeric) RETURNS void
LANGUAGE sql AS $$
  WITH frame AS (
    SELECT 'You are ' || p.name || ', one of' AS text FROM chat.personas p WHERE p.code = speaks.code AND p.user_id = '00000000-0000-0000-0000-000000000000')
  INSERT INTO pg_temp.answers (wanted, reply)
  SELECT ARRAY[speaks.problem, f.text, s.mark], s.said
  FROM frame f, (VALUES ('This is the first round.', speaks.first), ('This is round ', speaks.second),
    ('deliberation_vote', jsonb_build_object('choice', speaks.choice, 'ranking', speaks.ranking, 'approvals', speaks.ranking[1:2], 'reasoning', speaks.reasoning, 'confidence', speaks.confidence)::text)) s (mark, said)
$$;

\set terminal 'second café at the ferry terminal'
INSERT INTO answers (wanted, reply) VALUES
  (ARRAY[:'terminal', 'deliberation_decompose'], '{"sub_problems": [{"title": "Demand", "description": "How many of the ferry''s passengers would buy coffee, and when."}, {"title": "Capacity", "description": "Whether roastery and people can serve a second counter without the first one suffering."}]}'),
  (ARRAY[:'terminal', 'deliberation_synthesize'], jsonb_build_object(
    'summary', 'The board recommends a kiosk at the ferry terminal from April, on a lease that can be ended after a season. Morning crossings promise demand, but nobody has counted passengers in winter, and the roastery is full on Tuesdays and Fridays. A kiosk tests both for about a sixth of the money. If it sells 180 cups on a weekday by June, plan the café; if not, close it in October.',
    'majority_view', 'Three of five prefer the kiosk: it answers the two open questions, demand outside the season and capacity, before 140,000 are spent.',
    'dissent', jsonb_build_array(jsonb_build_object('position', 'Open the café at once', 'personas', jsonb_build_array('brand_storyteller'), 'reasoning', 'The corner site will be let to somebody else by summer, and a kiosk shows the brand at its smallest.'),
                                 jsonb_build_object('position', 'Wait a year', 'personas', jsonb_build_array('devils_advocate'), 'reasoning', 'The first café has missed its plan in two quarters, and attention is what it lacks most.')),
    'open_risks', jsonb_build_array('Passengers in winter have not been counted.', 'The second roaster may not be found by April.', 'The landlord may want two years.'),
    'recommendations', jsonb_build_array('Count passengers on four weekdays in January.', 'Ask the port for a kiosk lease of one season.', 'Train a second roaster before March.'))::text),
  (ARRAY[:'terminal', 'the whole board'], 'You all speak of the ferry, and none of you has said who opens the shutters at half past five. Marisol, how many people does a kiosk need on a weekday? Gudmund, below how many cups is it closed again? Lazarus, what would you want to see in the first café before you agreed?');
SELECT pg_temp.speaks(:'terminal', 'finance_director',
  E'Not the café yet: a kiosk first, with a lease that ends.\n\nFitting out the café takes 140,000 and nine months of the first shop''s surplus. At a margin of 1.90 a cup and rent of 4,200 it needs 260 cups a day to pay, every day, and we have no figure for winter. The greatest risk in my view is that a kiosk sells less than a café would and misleads us. I would ask for a kiosk lease of one season, and count.',
  E'Still a kiosk, now with a number at which it is closed.\n\nAmaranta is right that the corner site may go. I have set that against 140,000: the option is worth some 8,000 to us, not more. Marisol''s two people a shift bring the kiosk to 95 cups a day to pay for itself. Below 120 in September I would close it, above 180 in June I would plan the café. What changed my view since the first round is her rota, which makes the kiosk cheaper than I had it.',
  'kiosk', '{kiosk,wait,open}', 'The kiosk buys the figure that is missing for a sixth of the money. Against it speaks that the site may be gone.', 0.8) IS NULL AS ignored,
 pg_temp.speaks(:'terminal', 'field_operator',
  E'A kiosk, because two people can run it and we have two.\n\nThe boats come at 6:10, 7:00 and 7:45. People have four minutes between gate and gangway: that is a window and a lid, not a table. A café needs five a day, and last summer we were short by one in eleven weeks of thirteen. The risk in what I say is rain, under which nobody queues outside. First I would stand there with a flask for a week.',
  E'A kiosk, opened by the people who close the roastery early.\n\nGudmund asks for a number and the chair for a rota: Dana and Piet at 5:30, one of them until noon, no new hire before June. Berit''s Tuesdays stay as they are, as kiosk beans are the house blend and come out of Monday''s batches. Lazarus fears for the first shop; it loses nobody before ten. I had not thought of rain shutters, which the port asks for: 900.',
  'kiosk', '{kiosk,open,wait}', 'Two people and four minutes a customer fit a kiosk. Rain is what I fear.', 0.85) IS NULL AS ignored,
 pg_temp.speaks(:'terminal', 'brand_storyteller',
  E'Open the café, for the terminal is where the town is met.\n\nThree hundred thousand visitors a year step ashore and see shutters. The corner with the bay window can be ours alone: the smell of roasting, the name above the door. Places are remembered, hatches are not. My risk is that the story is ready before the kitchen is. I would sign for the corner now and open in two steps, counter first.',
  E'Still the café, though I would open its counter a season before its tables.\n\nA kiosk of somebody else''s colours teaches passengers that we sell cups in passing; Gudmund prices the corner at 8,000, and forgets what a rival in that window costs us every day after. I agree with Marisol on the morning: four minutes, one counter. So take the corner, open the hatch side of it in April, and leave the room dark until people ask.',
  'open', '{open,kiosk,wait}', 'The corner comes once. What speaks against it is money, and winter.', 0.6) IS NULL AS ignored,
 pg_temp.speaks(:'terminal', 'devils_advocate',
  E'Do nothing this year.\n\nThe strongest case against all of this is the first café: two quarters below plan, and an owner who is needed there. Growth is what people propose who would rather not look at a problem they have. A kiosk is the same plan with better manners. I would change my mind if the first shop made its plan for two quarters running.',
  E'I still say wait, and the kiosk needs a better reason than that it is small.\n\nMarisol''s rota takes the two people on whom the first shop''s mornings rest; she says nobody is missed before ten, and last March somebody was, on nine days. Gudmund''s number for closing is the first honest thing here. If the board will have its kiosk, then write down now who ends it, and on which day.',
  'wait', '{wait,kiosk,open}', 'Attention is scarcer than money here. A kiosk with a day on which it ends I could live with.', 0.55) IS NULL AS ignored,
 pg_temp.speaks(:'terminal', 'head_roaster',
  E'A kiosk is what the roastery can carry.\n\nThe drum does 60 kilograms on a good day; Tuesdays and Fridays are full. A café takes 35 more a week, which is a third evening, and nobody has one. A kiosk takes 12, from Monday. Greatest risk: the new drum comes late and even 12 is too much at Christmas. First, train a second roaster.',
  E'A kiosk, if somebody beside me can roast by March.\n\nTo Lazarus: the day on which it ends is the day the drum stands still on a Tuesday, I shall tell you before the figures do. To Amaranta: the smell that you promise is a second drum, at 48,000, and stays where the chimney is. What is new from me: Ilka has asked to learn, and needs eight weeks.',
  'kiosk', '{kiosk,wait,open}', 'Twelve kilograms fit into Monday, thirty-five do not.', 0.9) IS NULL AS ignored \gset ignored_

\set july 'staff the counter in July'
INSERT INTO answers (wanted, reply) VALUES
  (ARRAY[:'july', 'deliberation_synthesize'], '{"summary": "Hire two students for five weeks, and let them begin a week before the others leave. Shorter hours are the fallback if only one is found by June.", "majority_view": "Two of three prefer students, because extra shifts were asked for last year and ended in two resignations.", "dissent": [{"position": "Shorter hours", "personas": ["finance_director"], "reasoning": "The last two hours of a July day sell less than they cost."}], "open_risks": ["Students may leave before the last week."], "recommendations": ["Advertise in May.", "Plan one week of training."]}'),
  (ARRAY[:'july', 'the whole board'], 'You agree on how many are missing and not on who decides. Say what each of you would need to know by the first of May.');
SELECT pg_temp.speaks(:'july', 'field_operator',
  E'Hire students, and let them start a week early.\n\nTwo of six missing is every shift one short. I know no way of making five shifts out of four people that lasts longer than a fortnight. Risk: they leave in the last week, when the boats are fullest.',
  E'Students still, with one of us as their shadow for a week.\n\nGudmund counts the hours after six as a loss; he has not counted the people who come at six because they know we are open. I would keep Fridays long and the rest as he says.',
  'students', '{students,shorter_hours,extra_shifts}', 'It is the only way that adds hands.', 0.75) IS NULL AS ignored,
 pg_temp.speaks(:'july', 'organisational_psychologist',
  E'Ask those who stay before you decide anything.\n\nLast year extra shifts were announced, not offered; two people resigned in September. Students are fine where the team chooses them. What would change my mind: if nobody minds.',
  E'Students, chosen by those who will stand beside them.\n\nMarisol''s shadow week answers half of what worried me. The other half is fairness over who gets Friday evenings: let them draw.',
  'students', '{students,shorter_hours,extra_shifts}', 'It asks least of people who were asked too much last year.', 0.7) IS NULL AS ignored,
 pg_temp.speaks(:'july', 'finance_director',
  E'Close at six in July.\n\nThe last two hours bring 9 per cent of the day and cost 17. Shorter hours need no hire, no training and no apology. Risk: regulars who come late and do not come back.',
  E'Close at six but on Fridays, and hire one student and not two.\n\nWith Marisol''s Fridays the loss is 40 a week, which I can live with. One student covers what is then missing.',
  'shorter_hours', '{shorter_hours,students,extra_shifts}', 'Nine per cent of the day for seventeen of its cost.', 0.65) IS NULL AS ignored \gset ignored_

-- Any other board.
INSERT INTO answers (wanted, reply) VALUES
  (ARRAY['deliberation_decompose'], '{"sub_problems": [{"title": "What is gained", "description": "For whom, and by when."}, {"title": "What it takes", "description": "In money, time and goodwill."}]}'),
  (ARRAY['deliberation_select'], '{"persona_codes": ["finance_director", "field_operator", "devils_advocate"]}'),
  (ARRAY['deliberation_choices'], '{"choices": [{"id": "choice_1", "label": "Try it small", "description": "For a month, with a figure by which it is judged."}, {"id": "choice_2", "label": "Leave it", "description": "Nothing is done this year."}]}'),
  (ARRAY['deliberation_vote'], '{"choice": "choice_1", "ranking": ["choice_1", "choice_2"], "approvals": ["choice_1"], "reasoning": "A demo model always takes the first.", "confidence": 0.5}'),
  (ARRAY['deliberation_synthesize'], '{"summary": "The board of demo models would try it small, and look again in a month. Real models would have read the problem.", "majority_view": "Try it small.", "dissent": [], "open_risks": ["Nobody here can think."], "recommendations": ["Register a real provider, and ask again."]}'),
  (ARRAY['the whole board'], 'You all agree, and nobody has said what speaks against it. Who wants to?'),
  (ARRAY['This is the first round.'], E'Try it small first.\n\nI am a demo model and cannot read the problem; a real one would answer it from what its persona knows.'),
  (ARRAY['This is round '], E'I stay with a small trial.\n\nSomebody should say by what it is judged, and when it ends.');

-- In conversations.
INSERT INTO answers (wanted, thinking, reply, tool_calls) VALUES
  (ARRAY['weather at the harbour', 'degrees'], NULL, 'At the harbour it is foggy, with little wind. Take a jacket.', NULL),
  (ARRAY['weather at the harbour'], NULL, '', '[{"id": "call_weather", "type": "function", "function": {"name": "weather", "arguments": "{\"place\": \"harbour\"}"}}]'),
  (ARRAY['How many bags'], 'Each bag holds 250 g. 30 kg are 30,000 g. 30,000 / 250 = 120.', '120 bags of 250 g.', NULL);

SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('when', a.wanted, 'thinking', a.thinking, 'reply', a.reply, 'tool_calls', a.tool_calls)) ORDER BY a.n) AS answers FROM answers a \gset
