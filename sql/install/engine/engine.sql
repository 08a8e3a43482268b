-- The engine as SQL sees it: its state, waking it, and cancelling or awaiting one of its calls.

CREATE OR REPLACE FUNCTION chat.engine_status(OUT state text, OUT pid integer, OUT started_at timestamptz, OUT calls_in_flight bigint,
  OUT calls_waiting bigint, OUT readers bigint, OUT calls_total bigint, OUT completed_total bigint, OUT failed_total bigint, OUT retried_total bigint, OUT queue_depth bigint)
LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgchat_engine_status';
COMMENT ON FUNCTION chat.engine_status() IS
'The engine of this database: state (none, starting, running, stopping; wrong version: the
SQL of this database is of another version than the library, and the rest is NULL), what it does now, and totals since its start.
calls_waiting: taken but waiting for room under pgchat.max_calls; readers: sessions reading streams; queue_depth: durable
requests not yet taken. For pgchat_service.
Errors: 57P03 the library was not preloaded.';

CREATE OR REPLACE FUNCTION chat_private.wake_engine() RETURNS void
LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgchat_wake_engine';
COMMENT ON FUNCTION chat_private.wake_engine() IS
'Has the engine look into its queue when this transaction commits.';

CREATE OR REPLACE FUNCTION chat_private.catalog_changed() RETURNS trigger
LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgchat_catalog_changed';
COMMENT ON FUNCTION chat_private.catalog_changed() IS
'Has the engine read providers, models and settings anew when this transaction commits.';

CREATE OR REPLACE FUNCTION chat_private.accounts_changed() RETURNS trigger
LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgchat_accounts_changed';
COMMENT ON FUNCTION chat_private.accounts_changed() IS
'Has the engine read what it knows of users (roles, plans, limits, rights, keys) anew, each with the next call of the user,
when this transaction commits.';

CREATE OR REPLACE FUNCTION chat_private.ask_ledger(act text, payload jsonb) RETURNS jsonb
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pgchat_ask_ledger';
COMMENT ON FUNCTION chat_private.ask_ledger(text, jsonb) IS
'Has the engine run chat_private.ledger_<act>(payload) in a transaction of its own and returns its answer once that is
committed: neither ROLLBACK nor a time-out of the caller undoes it. The act must need no lock that the caller holds.
Errors: 22023 no such act; 57P03 no engine, or it could not write in time; 25006 on a standby.';

CREATE OR REPLACE FUNCTION chat_private.tell_ledger(act text, payload jsonb) RETURNS void
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pgchat_tell_ledger';
COMMENT ON FUNCTION chat_private.tell_ledger(text, jsonb) IS
'chat_private.ask_ledger without waiting for it, and without an error where no engine runs: for what need not be certain.
Errors: 22023 no such act.';

CREATE OR REPLACE FUNCTION chat_private.cancel_call(user_id uuid, request_id uuid) RETURNS boolean
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pgchat_cancel_call';
COMMENT ON FUNCTION chat_private.cancel_call(uuid, uuid) IS
'Has the engine abort a call of this user; false when it has none of that id in flight. What has arrived is kept.
Errors: 57P03 no engine.';

CREATE OR REPLACE FUNCTION chat_private.wait_request(user_id uuid, request_id uuid, wait_ms integer) RETURNS boolean
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pgchat_wait_request';
COMMENT ON FUNCTION chat_private.wait_request(uuid, uuid, integer) IS
'Waits until the engine has stored the result of a durable request; false when wait_ms milliseconds passed first.
Errors: 57P03 no engine; 08007 the engine ended meanwhile.';

CREATE OR REPLACE FUNCTION chat_private.queue_depth() RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT count(*) FROM chat_private.llm_requests q WHERE q.queued_at IS NOT NULL
$$;
COMMENT ON FUNCTION chat_private.queue_depth() IS
'Durable requests of all users that the engine has not taken yet; for pgchat_engine, whose policy shows them.';
