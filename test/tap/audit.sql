-- The audit log: what a row holds, which change of the log is found, who reads it, and what is let go of.
BEGIN;
\ir setup.psql
SELECT plan(71);
SELECT coalesce(max(id), 0) AS before FROM chat.audit_log \gset

-- What a row holds
SELECT chat.login('alice', 'alice-password', NULL, '192.0.2.7', 'browser');
SELECT id AS session FROM chat.sessions WHERE user_id = :'alice' ORDER BY id DESC LIMIT 1 \gset
SELECT chat_private.set_identity(:'alice', 'user', :'session', true);
SELECT chat_private.audit('test.first', 'user:' || :'bob', '{"number": 1.10}');
SELECT chat_private.audit('test.second', NULL, NULL, 'refused', :'bob', '2001:db8::1', repeat('x', 600));
SELECT chat_private.set_identity(NULL, NULL, NULL, true);
SELECT chat_private.audit('test.third', outcome => 'failure');
SELECT is((SELECT (user_id, resource, details, outcome, ip_address, user_agent)::text FROM chat.audit_log WHERE id > :before AND action = 'test.first'),
          format('(%s,user:%s,"{""number"": 1.10}",success,192.0.2.7,browser)', :'alice', :'bob'),
          'by default it is the current user, from where their session was opened');
SELECT is((SELECT (user_id, resource, details, outcome, ip_address, char_length(user_agent))::text FROM chat.audit_log
           WHERE id > :before AND action = 'test.second'), format('(%s,,{},refused,2001:db8::1,512)', :'bob'), 'or what is given');
SELECT is((SELECT (user_id, outcome, ip_address)::text FROM chat.audit_log WHERE id > :before AND action = 'test.third'),
          '(,failure,)', 'or nobody');
SELECT ok((SELECT bool_and(transaction_id = pg_current_xact_id()) FROM chat.audit_log WHERE id > :before AND action LIKE 'test.%'),
          'the transaction of the caller');
SELECT is((SELECT array_agg(action ORDER BY id) FROM chat.audit_log WHERE id > :before),
          ARRAY['login', 'test.first', 'test.second', 'test.third'], 'rows are in the order in which they were written');
SELECT ok((SELECT max(id) - :before = count(*) FROM chat.audit_log WHERE id > :before), 'their numbers have no gap');
SELECT throws_ok($$SELECT chat_private.audit('x', outcome => 'maybe')$$, 'XX000', NULL, 'an outcome there is not');
SELECT throws_ok($$SELECT chat_private.audit(NULL)$$, 'XX000', NULL, 'no action');
SELECT throws_ok($$SELECT chat_private.ask_ledger('forge', '{}')$$, '22023', NULL, 'an act there is not, asked for');
SELECT throws_ok($$SELECT chat_private.tell_ledger('forge', '{}')$$, '22023', NULL, 'or told');
SELECT is((SELECT max(id) FROM chat.audit_log), (:before + 4)::bigint, 'none of which was written');

-- Every change is found
SELECT max(id) AS last, max(id) - 2 AS middle FROM chat.audit_log \gset
SELECT is((SELECT (first_bad_id, reason) FROM chat.verify_audit_log())::text, '(,)', 'the log as it was written');
SELECT is(rows_checked, (SELECT count(*) FROM chat.audit_log), 'all of it is looked at') FROM chat.verify_audit_log();
SELECT is((SELECT rows_checked::int FROM chat.verify_audit_log(:middle)), 3, 'or from a row on');
SELECT is((SELECT (first_bad_id, reason, rows_checked)::text FROM chat.verify_audit_log(:last + 1)), '(,,0)', 'or from behind the end');
CREATE FUNCTION pg_temp.found(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  found text;
BEGIN
  BEGIN
    EXECUTE change;
    SELECT first_bad_id || ' ' || reason INTO found FROM chat.verify_audit_log();
    RAISE EXCEPTION USING ERRCODE = 'UNDO1';
  EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
    RETURN found;
  END;
END $$;
SELECT is(pg_temp.found(format('UPDATE chat.audit_log SET %s WHERE id = %s', change, :middle)), :middle || ' altered', change)
FROM unnest(ARRAY['created_at = created_at + interval ''1 microsecond''', 'user_id = NULL', 'user_id = chat.uuid_v7()', 'action = ''x''',
  'resource = ''x''', 'resource = ''''', 'details = ''{"number": 1.1}''', 'outcome = ''failure''', 'ip_address = NULL', 'ip_address = ''192.0.2.7/31''',
  'user_agent = ''''', 'user_agent = NULL', 'transaction_id = NULL', 'transaction_id = ''1''', 'origin_salt = NULL', 'origin_salt = ''x''',
  'origin_hash = ''x''', 'origin_salt = NULL, ip_address = NULL', 'prev_hash = ''x''', 'hash = ''x''']) change;
SELECT is(pg_temp.found(format('DELETE FROM chat.audit_log WHERE id = %s', :middle)), :middle || ' missing', 'a row is gone');
SELECT is(pg_temp.found(format('DELETE FROM chat.audit_log WHERE id >= %s', :middle)), :middle || ' missing', 'the end is gone');
SELECT is(pg_temp.found(format('DELETE FROM chat.audit_log WHERE id = %s', :last)), :last || ' missing', 'the last is gone');
SELECT is(pg_temp.found('DELETE FROM chat.audit_log'), (SELECT pruned_id + 1 || ' missing' FROM chat_private.audit_head), 'all are gone');
SELECT is(pg_temp.found('DELETE FROM chat.audit_log WHERE id = (SELECT min(id) FROM chat.audit_log)'),
          (SELECT pruned_id + 1 || ' missing' FROM chat_private.audit_head), 'the first is gone');
SELECT is(pg_temp.found(format('INSERT INTO chat.audit_log SELECT (jsonb_populate_record(a, jsonb_build_object(''id'', %s))).* FROM chat.audit_log a
            WHERE id = %s', :last + 1, :middle)), :last + 1 || ' added', 'one was added at the end');
SELECT is(pg_temp.found('INSERT INTO chat.audit_log SELECT (jsonb_populate_record(a, ''{"id": -5}'')).* FROM chat.audit_log a LIMIT 1'),
          '-5 added', 'and at the beginning');
SELECT is(pg_temp.found(format('UPDATE chat.audit_log SET id = CASE id WHEN %1$s THEN %1$s + 1000 ELSE id END;
            UPDATE chat.audit_log SET id = %1$s WHERE id = %1$s + 1; UPDATE chat.audit_log SET id = %1$s + 1 WHERE id = %1$s + 1000', :middle)),
          :middle || ' altered', 'two have changed places');
SELECT is(pg_temp.found(format('UPDATE chat.audit_log a SET action = ''x'', hash = chat_private.audit_hash(prev_hash, id, created_at,
            user_id, ''x'', resource, details, outcome, transaction_id, origin_hash) WHERE id = %s', :middle)), :middle + 1 || ' altered',
          'with a hash of its own, the next one tells');
SELECT is(pg_temp.found(format('UPDATE chat.audit_log a SET action = ''x'', hash = chat_private.audit_hash(prev_hash, id, created_at,
            user_id, ''x'', resource, details, outcome, transaction_id, origin_hash) WHERE id = %s', :last)), :last || ' altered',
          'and after the last one the end of the chain');
SELECT is((SELECT (first_bad_id, reason) FROM chat.verify_audit_log())::text, '(,)', 'all of which was undone');

-- The form of a hash, so that another program can check it, too.
SELECT is(chat_private.audit_hash(decode(repeat('00', 32), 'hex'), 7, '2026-01-02 03:04:05.678901+00', '0190a000-0000-7000-8000-000000000001',
            'login', NULL, '{"b": 1.10, "a": "ü"}', 'success', '42', '\x0102'),
          sha256(convert_to('["' || repeat('00', 32) || '", 7, 1767323045678901, "0190a000-0000-7000-8000-000000000001", "login", null, '
            || '{"a": "ü", "b": 1.10}, "success", "42", "0102"]', 'UTF8')), 'a row''s hash is that of a JSON array');
SELECT is(chat_private.audit_origin_hash('\xff', '192.0.2.1', NULL), sha256('["ff", "192.0.2.1/32", null]'), 'so is its origin''s');

-- Who reads it
SELECT is(pg_temp.value(:'alice', 'SELECT array_agg(DISTINCT user_id)::text FROM chat.audit_log'), '{' || :'alice' || '}', 'users see their own rows');
SELECT is(pg_temp.value(NULL, 'SELECT count(*) FROM chat.audit_log'), '0', 'nobody sees none');
SELECT is(pg_temp.outcome(:'alice', 'SELECT * FROM chat.admin_list_audit_log()'), '42501', 'users do not list it');
SELECT is(pg_temp.outcome(:'alice', 'SELECT * FROM chat.verify_audit_log()'), '42501', 'nor verify it');
SELECT is(pg_temp.outcome(:'alice', statement, db_role), '42501', statement || ' by ' || db_role)
FROM unnest(ARRAY['UPDATE chat.audit_log SET action = $$x$$', 'DELETE FROM chat.audit_log', 'TRUNCATE chat.audit_log']) statement,
     unnest(ARRAY['pgchat_client', 'pgchat_service']) db_role;
SELECT is((SELECT array_agg(action ORDER BY id) FROM chat.admin_list_audit_log(action => 'test') WHERE id > :before),
          ARRAY['test.first', 'test.second', 'test.third'], 'an action and those below it');
SELECT is((SELECT count(*)::int FROM chat.admin_list_audit_log(action => 'tes')), 0, 'and not those that begin alike');
SELECT is((SELECT array_agg(action) FROM chat.admin_list_audit_log(:'bob', outcome => 'refused')), ARRAY['test.second'], 'a user''s rows of one outcome');
SELECT is((SELECT array_agg(id) FROM chat.admin_list_audit_log(page_size => 2, before_id => :last)), ARRAY[:last - 1, :last - 2]::bigint[],
          'the page after a row');
SELECT is((SELECT count(*)::int FROM chat.admin_list_audit_log(since => clock_timestamp(), until => clock_timestamp() + interval '1 day')), 0, 'by time');
SELECT throws_ok('SELECT chat.admin_list_audit_log(page_size => 0)', '22023', NULL, 'an empty page');

-- What is let go of. The engine is asked for nothing meanwhile, which would wait for this transaction; and it has written what
-- nobody waited for.
SELECT chat_private.audit('test.last');
INSERT INTO chat_private.audit_erasures (former_user_id) VALUES (:'alice');
SELECT set_config('role', 'pgchat_engine', true);
SELECT chat_private.erase_audit_origins(10000);
SELECT set_config('role', 'none', true);
SELECT is((SELECT count(*)::int FROM chat.audit_log WHERE user_id = :'alice' AND (ip_address, user_agent, origin_salt) IS DISTINCT FROM (NULL, NULL, NULL)), 0,
          'of a person who goes, addresses are erased');
SELECT is((SELECT (first_bad_id, reason) FROM chat.verify_audit_log())::text, '(,)', 'and the chain still verifies');
INSERT INTO chat.settings (key, value) VALUES ('audit_retention', '"1 hour"') ON CONFLICT (key) DO UPDATE SET value = excluded.value;
SELECT set_config('role', 'pgchat_engine', true);
SELECT is(chat_private.prune_audit_log(1000), 0, 'nothing is old');
SELECT set_config('role', 'none', true);
UPDATE chat.settings SET value = '"0"' WHERE key = 'audit_retention';
SELECT set_config('role', 'pgchat_engine', true);
SELECT is(chat_private.prune_audit_log(2), 2, 'only so many at once');
SELECT set_config('role', 'none', true);
SELECT is((SELECT (first_bad_id, reason) FROM chat.verify_audit_log())::text, '(,)', 'a chain whose beginning is gone verifies');
SELECT set_config('role', 'pgchat_engine', true);
SELECT ok(chat_private.prune_audit_log(1000000) > 0, 'all are old');
SELECT set_config('role', 'none', true);
SELECT is((SELECT (first_bad_id, reason, rows_checked) FROM chat.verify_audit_log())::text, '(,,0)', 'and so does one of which nothing is left');
SELECT * FROM finish();
ROLLBACK;
