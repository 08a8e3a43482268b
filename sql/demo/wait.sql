-- Waits until the engine has taken both boards as far as they go.
\echo The engine takes two boards of personas through their rounds ...
SELECT set_config('demo.boards', concat_ws(',', :'board', :'paused_board'), false) AS ignored \gset
DO $$
DECLARE
  waited_since CONSTANT timestamptz := clock_timestamp();
BEGIN
  WHILE EXISTS (SELECT FROM chat.deliberations d WHERE d.id = ANY (string_to_array(current_setting('demo.boards'), ',')::uuid[]) AND d.status = 'active') LOOP
    IF clock_timestamp() > waited_since + interval '60 seconds' THEN
      RAISE WARNING 'the boards are still deliberating; chat.list_deliberations() tells how far they are';
      EXIT;
    END IF;
    PERFORM pg_sleep(0.05);
  END LOOP;
END
$$;
\echo 'Done. A link that Uma shared, for chat.read_share; it is stored nowhere:' :share_link
