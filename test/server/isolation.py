#!/usr/bin/python3
"""Nobody reads or changes a row of another person, whichever door is tried, with two people on real connections."""

import contextlib
import uuid

import psycopg

from support import mock
from support.database import Person, connect, events, role, rows, service, value
from support.databases import open_replies, wait_for_status
from support.tap import diag, equal, run, skip_all, test, wait_until

OWNED = """
  SELECT c.oid::regclass::text, a.attname FROM pg_class c
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = CASE c.oid WHEN 'chat.users'::regclass THEN 'id' ELSE 'user_id' END
  WHERE c.relnamespace IN ('chat'::regnamespace, 'chat_private'::regnamespace) AND c.relkind IN ('r', 'p') AND NOT a.attisdropped AND NOT c.relispartition
  ORDER BY 1"""
# Rows of what has no other way into this test; p is a person, with a conversation c and a message m of theirs.
FURTHER = (
    "INSERT INTO chat.folders (user_id, name) SELECT p, 'f' FROM parts",
    "INSERT INTO chat.subscriptions (user_id, provider, external_id, customer, status, started_at, event_at)"
    " SELECT p, 'stripe', p, p, 'active', now(), now() FROM parts",
    "INSERT INTO chat.payments (user_id, provider, external_id, kind, status, amount, currency, event_at)"
    " SELECT p, 'stripe', p, 'payment', 'succeeded', 1, 'EUR', now() FROM parts",
    "INSERT INTO chat_private.billing_customers (provider, customer_id, user_id) SELECT 'stripe', p, p FROM parts",
    "INSERT INTO chat.system_prompts (user_id, name, content) SELECT p, 'p', 'secret' FROM parts",
    "INSERT INTO chat.conversation_templates (user_id, name) SELECT p, 't' FROM parts",
    "INSERT INTO chat.conversation_summaries (user_id, conversation_id, last_message_id, content) SELECT p, c, m, 'secret' FROM parts",
    "INSERT INTO chat.conversation_imports (user_id, source, source_id, conversation_id) SELECT p, 'pgchat', 'x', c FROM parts",
    "INSERT INTO chat.message_attachments (user_id, message_id, position, attachment_id) SELECT p, m, 1, a FROM parts",
    "INSERT INTO chat_private.search_progress (user_id) SELECT p FROM parts ON CONFLICT DO NOTHING",
    "INSERT INTO chat_private.search_chunks (user_id, language, head, conversation_ids, words, grams) SELECT p, 'simple', '', '{}', '', '' FROM parts",
    "INSERT INTO chat.personas (user_id, code, name, expertise, category, system_prompt) SELECT p, 'p', 'P', 'secret', 'own', 'secret' FROM parts",
    "INSERT INTO chat.deliberations (user_id, id, problem_statement) SELECT p, p, 'secret' FROM parts",
    "INSERT INTO chat.deliberation_participants (user_id, deliberation_id, persona_code, seat, name, expertise, system_prompt, seq)"
    " SELECT p, p, 'p', 1, 'P', 'secret', 'secret', 1 FROM parts",
    "INSERT INTO chat.deliberation_steps (user_id, id, deliberation_id, kind, phase, round_number, model, state, finished_at)"
    " SELECT p, p, p, 'initial', 'initial_round', 1, 'm', 'complete', now() FROM parts",
    "INSERT INTO chat.contributions (user_id, deliberation_id, persona_code, round_number, phase, content, model, seq)"
    " SELECT p, p, 'p', 1, 'initial_round', 'secret', 'm', 1 FROM parts",
    "INSERT INTO chat.votes (user_id, deliberation_id, persona_code, choice, seq) SELECT p, p, 'p', 'secret', 1 FROM parts",
    "INSERT INTO chat.deliberation_rounds (user_id, deliberation_id, round_number, speakers, verdict, seq) SELECT p, p, 1, 1, 'continue', 1 FROM parts",
    "INSERT INTO chat.deliberation_checkpoints (user_id, deliberation_id, seq, event, phase, round_number, status, state, total_cost, total_tokens)"
    " SELECT p, p, 1, 'created', 'initial_round', 1, 'active', '{}', 0, 0 FROM parts",
    "INSERT INTO chat.import_map (user_id, system, source_table, old_id, new_id) SELECT p, 'other', 'users', p, p FROM parts",
    "INSERT INTO chat.import_findings (user_id, system, source_table, old_id, kind, reason) SELECT p, 'other', 'users', p, 'changed', 'name_cut' FROM parts",
    "INSERT INTO chat_private.imported_tokens (user_id, token_hash, session_id)"
    " SELECT p, sha256(p::text::bytea), (SELECT s.id FROM chat.sessions s WHERE s.user_id = p LIMIT 1) FROM parts")
# What this user owns is for all.
FOR_ALL = uuid.UUID(int=0)
alice = bob = None


def client():
    """A connection with the rights of a client and no identity."""
    return connect(user=role("pgchat_client"))


def attempt(connection, statement, *arguments):
    """What the statement did: the number of rows, or its SQLSTATE."""
    try:
        with connection.transaction():
            return connection.execute(statement, arguments or None).rowcount
    except psycopg.Error as error:
        return error.sqlstate


def whole_text(error):
    """Everything that an error tells its client."""
    diag_fields = [getattr(error.diag, name) for name in dir(error.diag) if name.startswith(("message_", "column", "constraint"))]
    return " ".join(str(field) for field in diag_fields if field)


@test("two people, every user-owned table: SELECT, INSERT, UPDATE and DELETE of the other's rows give 0 rows or 42501")
def _():
    global alice, bob
    alice, bob = Person("alice"), Person("bob")
    for person in alice, bob:
        conversation = person.conversation(mock.model("text=secret"))
        person.value("SELECT chat.ask(%s, 'a secret')", conversation)
        person.value("SELECT chat.llm_result(chat.llm_submit('a secret', %s))", mock.model("text=secret"))
        wait_until(lambda: person.value("SELECT count(*) FROM chat.usage_events") >= 2, "the usage is recorded")
        wait_until(lambda: person.value("SELECT count(*) FROM chat.usage_rollups") >= 1, "the usage is rolled up")
    tried = 0
    with connect() as admin:
        for person in alice, bob:
            # First, for it makes the master key where there is none, which is refused once something sealed is stored.
            value(admin, "SELECT chat.admin_grant_model(%s, %s)", mock.model("text=secret"), person.id)
            person.value("SELECT chat.set_api_key('mock-openai', 'sk-isolation-1234')")
            admin.execute("INSERT INTO chat_private.totp_factors (user_id, sealed_key) VALUES (%s, 'sealed')", (person.id,))
            admin.execute("INSERT INTO chat_private.totp_steps (user_id, factor_id, step) VALUES (%s, chat.uuid_v7(), 1)", (person.id,))
            for table in "recovery_codes", "used_recovery_codes":
                admin.execute(f"INSERT INTO chat_private.{table} (user_id, code_hash) VALUES (%s, 'hash')", (person.id,))
            admin.execute("INSERT INTO chat.identities (user_id, provider, subject) VALUES (%s, 'idp', %s)", (person.id, person.name))
            admin.execute("INSERT INTO chat.user_limits (user_id, limits) VALUES (%s, '{}')", (person.id,))
            person.value("SELECT chat.issue_refresh_token()")
            person.rows("SELECT * FROM chat.share_conversation((SELECT id FROM chat.conversations LIMIT 1))")
            file = person.value("SELECT chat.add_attachment('secret')")
            for statement in FURTHER:
                admin.execute("WITH parts AS (SELECT user_id AS p, conversation_id AS c, id AS m, %s::uuid AS a FROM chat.messages"
                              f" WHERE user_id = %s LIMIT 1) {statement}", (file, person.id))
            value(admin, "SELECT chat.request_password_reset(%s)", f"{person.name}@example.com")
        rows(admin, "SELECT chat.outbox_claim(10)")
        owned = rows(admin, OWNED)
        assert len(owned) >= 10, owned
        for table, owner in owned:
            for thief, victim in (bob, alice), (alice, bob):
                row = value(admin, f"SELECT to_jsonb(t)::text FROM {table} t WHERE {owner} = %s LIMIT 1", victim.id)
                assert row, f"{table} has no row of {victim.name}"
                columns = [name for name, in rows(
                    admin, "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
                    " AND NOT attisdropped AND attgenerated = ''", table)]
                statements = [f"SELECT * FROM {table} WHERE {owner} = %s", f"SELECT {owner} FROM {table} WHERE {owner} = %s",
                              f"DELETE FROM {table} WHERE {owner} = %s",
                              *(f"UPDATE {table} SET {name} = {name} WHERE {owner} = %s" for name in columns)]
                for statement in statements:
                    outcome = attempt(thief.connection, statement, victim.id)
                    assert outcome in (0, "42501"), f"{statement}: {outcome}"
                    tried += 1
                written = ", ".join(columns)
                insert = f"INSERT INTO {table} ({written}) SELECT {written} FROM jsonb_populate_record(NULL::{table}, %s)"
                equal(attempt(thief.connection, insert, row), "42501", insert)
                equal(attempt(thief.connection, f"TRUNCATE {table} CASCADE"), "42501", f"TRUNCATE {table}")
                tried += 2
    diag(f"{len(owned)} tables, {tried} statements")


@test("one's own rows are all there; without an identity there are none")
def _():
    with connect() as admin, client() as nobody:
        for table, owner in rows(admin, OWNED):
            if table.startswith("chat_private"):
                equal(attempt(nobody, f"SELECT * FROM {table}"), "42501", table)
                continue
            equal(attempt(nobody, f"SELECT * FROM {table} WHERE {owner} <> %s", FOR_ALL), 0, table)
            equal(alice.value(f"SELECT count(*) FROM {table} WHERE {owner} <> %s", FOR_ALL),
                  value(admin, f"SELECT count(*) FROM {table} WHERE {owner} = %s", alice.id), table)
        equal(value(nobody, "SELECT chat.current_user_id()"), None)
        for call in ("chat.me()", "chat.create_conversation()", "chat.list_conversations()", "chat.llm_complete('x')",
                     "chat.llm_submit('x')", f"chat.stream_message('{uuid.uuid4()}')", "chat.logout()"):
            equal(attempt(nobody, f"SELECT {call}"), "28000", call)


@test("the ids of another person's things are refused as if they did not exist, live streams too")
def _():
    live = open_replies(alice, 1, "tokens=400&rate=100&text=")[0]
    wait_for_status("streaming", 1)
    conversation, = alice.rows("SELECT conversation_id FROM chat.messages WHERE id = %s", live)[0]
    request = alice.value("SELECT chat.llm_submit('x', %s)", mock.model("latency_ms=2000"))
    mine = bob.conversation(mock.model())
    key = alice.value("SELECT id FROM chat.list_api_keys() LIMIT 1")
    folder = alice.value("SELECT chat.create_folder(%s)", uuid.uuid4().hex)
    prompt = alice.value("SELECT chat.save_system_prompt(%s, 'secret')", uuid.uuid4().hex)
    template = alice.value("SELECT chat.save_template(%s)", uuid.uuid4().hex)
    file = alice.value("SELECT chat.add_attachment('what is only mine')")
    share, = alice.rows("SELECT share_id FROM chat.share_conversation(%s, includes_later => true)", conversation)[0]
    things = (("folders", folder), ("system_prompts", prompt), ("conversation_templates", template), ("attachments", file),
              ("conversation_shares", share))

    def kept():
        return [*(alice.value(f"SELECT to_jsonb(t) FROM chat.{table} t WHERE id = %s", thing) for table, thing in things),
                alice.rows("SELECT title, tags, folder_id, system_prompt, context_strategy FROM chat.conversations WHERE id = %s", conversation)]

    before = kept()
    calls = [("SELECT chat.stream_message(%s)", live), ("SELECT chat.read_stream(%s, 0, 500)", live), ("SELECT chat.cancel_message(%s)", live),
             ("SELECT chat.retry_message(%s)", live), ("SELECT chat.edit_message(%s, 'x')", live), ("SELECT chat.regenerate_message(%s)", live),
             ("SELECT chat.continue_message(%s)", live), ("SELECT chat.rate_message(%s, 1)", live),
             ("SELECT chat.send_tool_results(%s, '[]')", live), ("SELECT chat.list_message_attachments(%s)", live),
             ("SELECT chat.llm_result(%s)", request), ("SELECT chat.llm_result(%s, 500)", request), ("SELECT chat.llm_cancel(%s)", request),
             ("SELECT chat.send_message(%s, 'x')", conversation),
             ("SELECT chat.send_message(%s, 'x', options => '{\"when_busy\": \"queue\", \"on_duplicate\": \"return\"}')", conversation),
             ("SELECT chat.ask(%s, 'x')", conversation), ("CALL chat.send_and_wait(%s, 'x')", conversation),
             ("SELECT chat.list_messages(%s)", conversation), ("SELECT chat.list_messages(%s, NULL, 10)", conversation),
             ("SELECT chat.update_conversation(%s, title => 'x')", conversation), ("SELECT chat.delete_conversation(%s)", conversation),
             ("SELECT chat.mark_conversation_read(%s)", conversation), ("SELECT chat.set_conversation_tags(%s, '{x}')", conversation),
             ("SELECT chat.move_conversation(%s, NULL)", conversation), ("SELECT chat.fork_conversation(%s)", conversation),
             ("SELECT chat.set_context_strategy(%s, 'error')", conversation), ("SELECT chat.list_summaries(%s)", conversation),
             ("SELECT chat.context_preview(%s)", conversation), ("SELECT chat.conversation_cost(%s)", conversation),
             ("SELECT chat.search_messages('x', %s)", conversation), ("SELECT chat.find_duplicates(%s)", conversation),
             ("SELECT chat.export_conversation(%s)", conversation), ("SELECT chat.export_conversation(%s, 'markdown')", conversation),
             ("SELECT chat.share_conversation(%s)", conversation),
             (f"SELECT chat.grant_conversation(%s, '{bob.id}')", conversation),
             ("SELECT chat.list_my_shares(%s)", conversation), ("SELECT chat.read_supervised_conversation(%s)", conversation),
             (f"SELECT chat.use_system_prompt(%s, (SELECT chat.save_system_prompt('{uuid.uuid4().hex}', 'x')))", conversation),
             ("SELECT chat.list_supervised_conversations(%s)", alice.id),
             ("SELECT chat.activate_api_key(%s)", key), ("SELECT chat.delete_api_key(%s)", key),
             ("SELECT chat.find_conversations(%s)", folder), ("SELECT chat.create_folder('x', %s)", folder),
             ("SELECT chat.update_folder(%s, 'x')", folder), ("SELECT chat.delete_folder(%s)", folder),
             ("SELECT chat.delete_folder(%s, true)", folder),
             ("SELECT chat.save_system_prompt('x', 'x', id => %s)", prompt), ("SELECT chat.delete_system_prompt(%s)", prompt),
             ("SELECT chat.save_template('x', id => %s)", template), ("SELECT chat.delete_template(%s)", template),
             ("SELECT chat.create_from_template(%s)", template),
             ("SELECT chat.attachment_content(%s)", file), ("SELECT chat.delete_attachment(%s)", file),
             ("SELECT chat.update_share(%s, never_expires => true)", share), ("SELECT chat.revoke_share(%s)", share),
             ("SELECT chat.read_shared_conversation(%s)", share), ("SELECT chat.send_to_shared(%s, 'x')", share),
             (f"SELECT chat.read_shared_stream(%s, '{live}')", share), (f"SELECT chat.cancel_shared_message(%s, '{live}')", share),
             (f"SELECT chat.shared_attachment_content(%s::uuid, '{live}', 1)", share),
             *((f"SELECT chat.{call}", live) for call in (
                 f"send_message('{mine}', 'x', parent_id => %s)", f"list_messages('{mine}', leaf_id => %s)", f"list_messages('{mine}', %s, 10)",
                 f"select_branch('{mine}', %s)", f"fork_conversation('{mine}', at_message => %s)", f"context_preview('{mine}', leaf_id => %s)",
                 f"share_conversation('{mine}', leaf_id => %s)")),
             (f"SELECT chat.select_branch(%s, '{live}')", conversation), (f"SELECT chat.move_conversation('{mine}', %s)", folder),
             (f"SELECT chat.use_system_prompt('{mine}', %s)", prompt),
             (f"SELECT chat.send_message('{mine}', 'x', attachments => jsonb_build_array(jsonb_build_object('attachment_id', %s::uuid)))", file)]
    for call, theirs in calls:
        answers = []
        for wanted in theirs, uuid.uuid4():
            try:
                answers.append(bob.rows(call, wanted))
            except psycopg.Error as error:
                answers.append((error.sqlstate, whole_text(error).replace(str(wanted), "ID")))
        equal(answers[0], answers[1], call)
        assert answers[0] == [] or answers[0][0] == "P0002", f"{call}: {answers[0]}"
    equal(kept(), before, "what was tried")
    read = list(events(alice.connection, live))
    equal(read[-1][1], "done", "the stream that was tried")
    diag(f"{len(calls)} calls; the stream went on to event {read[-1][0]}")


@test("clients may not call what is for operators")
def _():
    for call in ("chat.stream_gateway()", "chat.engine_status()", "chat_private.claim_requests(10)", "chat_private.recover_requests()",
                 f"chat_private.set_identity('{alice.id}', 'admin', NULL, true)", f"chat_private.act_as('{alice.id}')",
                 "chat.admin_register_provider('x', 'echo')", f"chat.admin_read_conversation('{uuid.uuid4()}')", "chat.admin_list_conversations()",
                 f"chat.admin_reassign_conversation('{uuid.uuid4()}', '{bob.id}')", "chat.admin_create_system_prompt('x', 'x')",
                 f"chat.admin_update_system_prompt('{uuid.uuid4()}', 'x')", f"chat.admin_set_default_system_prompt('{uuid.uuid4()}')",
                 f"chat.admin_delete_system_prompt('{uuid.uuid4()}')", "chat.admin_save_template('x')", f"chat.admin_delete_template('{uuid.uuid4()}')",
                 "chat.admin_set_provider_key('x', 'y')", "chat.admin_rotate_master_key()", "chat.admin_set_default_model('x')",
                 f"chat_private.cancel_call('{alice.id}', '{uuid.uuid4()}')", f"chat_private.wait_request('{alice.id}', '{uuid.uuid4()}', 10)"):
        equal(attempt(bob.connection, f"SELECT {call}"), "42501", call)
    for name in "pgchat_service", "pgchat_owner", "pgchat_engine", "postgres":
        equal(attempt(bob.connection, f"SET ROLE {name}"), "42501", name)
        equal(attempt(bob.connection, f"SET SESSION AUTHORIZATION {name}"), "42501", name)
    with service() as operator:
        assert value(operator, "SELECT count(DISTINCT user_id) FROM chat.messages") >= 2, "an operator sees all"


@test("errors never show another person's data")
def _():
    secret = f"swordfish-{uuid.uuid4().hex}"
    conversation = alice.conversation()
    alice.value("UPDATE chat.conversations SET title = %s, description = %s WHERE id = %s RETURNING true", secret, secret, conversation)
    alice.value("UPDATE chat.users SET display_name = %s RETURNING true", secret)
    theirs = [secret, alice.name, str(alice.id), alice.token]
    bad = [("UPDATE chat.conversations SET title = repeat('x', 501)", ()), ("UPDATE chat.conversations SET title = NULL", ()),
           ("UPDATE chat.users SET display_name = repeat('x', 201)", ()),
           ("UPDATE chat.user_settings SET preferences = '[]'", ()),
           ("SELECT chat.send_message(%s, 'x')", (conversation,)), ("SELECT chat.ask(%s, 'x')", (conversation,)),
           ("UPDATE chat.conversations SET user_id = %s", (alice.id,)), ("DELETE FROM chat.users WHERE id = %s", (alice.id,)),
           ("SELECT 1 / (title = %s)::int FROM chat.conversations", (secret,)),
           ("SELECT title::int FROM chat.conversations WHERE title <> 'New Conversation'", ()),
           ("SELECT chat.create_conversation(repeat('x', 501))", ()), ("SELECT chat.register(%s, 'another-password-7')", (f"{alice.name}@example.com",)),
           ("SELECT chat.login(%s, 'wrong-password-7')", (f"{alice.name}@example.com",)),
           ("SELECT chat.authenticate(%s)", (alice.token[:-3] + "xyz",))]
    failed = 0
    for connection in bob.connect(), alice.connect():
        mine = connection.execute("SELECT chat.current_user_id()").fetchone()[0] == alice.id
        for statement, arguments in bad:
            try:
                connection.execute(statement, arguments)
            except psycopg.Error as error:
                failed += 1
                told = whole_text(error)
                assert "Failing row" not in told, told
                given = " ".join(map(str, arguments))
                assert mine or not any(part in told and part not in given for part in theirs), f"{statement}: {told}"
    diag(f"{failed} errors looked at")
    assert failed >= 15, failed


@test("names in pg_temp and public capture nothing")
def _():
    attacker, victim = Person("mallory"), Person("victim")
    victim.conversation()
    login_role = role("pgchat_client")
    with connect() as admin:
        names = rows(admin, "SELECT relname FROM pg_class WHERE relnamespace IN ('chat'::regnamespace, 'chat_private'::regnamespace)"
                     " AND relkind IN ('r', 'v') GROUP BY 1")
        functions = rows(admin, """
            SELECT p.proname, pg_get_function_identity_arguments(p.oid), format_type(p.prorettype, NULL)
            FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND NOT p.proretset AND p.provariadic = 0
              AND p.proname IN ('now', 'btrim', 'left', 'strpos', 'format', 'lower', 'octet_length', 'char_length', 'clock_timestamp',
                'jsonb_typeof', 'to_jsonb', 'array_length', 'cardinality', 'current_setting', 'set_config', 'pg_has_role', 'repeat',
                'lpad', 'uuid_eq', 'normalize', 'coalesce')
              AND NOT EXISTS (SELECT FROM unnest(p.proargtypes) t WHERE t IN ('"any"'::regtype, 'anyelement'::regtype, 'internal'::regtype))""")
        ours = rows(admin, "SELECT p.proname, pg_get_function_identity_arguments(p.oid) FROM pg_proc p WHERE p.pronamespace IN"
                    " ('chat'::regnamespace, 'chat_private'::regnamespace) AND p.prokind = 'f' AND p.proargmodes IS NULL")
        admin.execute("GRANT CREATE ON SCHEMA public TO " + login_role)
    connection = attacker.connection
    connection.execute("SET check_function_bodies = off")
    for name, in names:
        connection.execute(f"CREATE TEMP TABLE {name} (user_id uuid, id uuid, captured int)")
    made = 0
    for schema in "public", "pg_temp":
        for name, arguments, returns in [*functions, *((name, arguments, "text") for name, arguments in ours)]:
            with contextlib.suppress(psycopg.Error):
                connection.execute(f"CREATE FUNCTION {schema}.{name}({arguments}) RETURNS {returns} LANGUAGE plpgsql AS"
                                   " $$BEGIN RAISE EXCEPTION 'captured %'; END$$".replace("%", name.replace("%", "")))
                made += 1
    connection.execute("CREATE FUNCTION public.same(uuid, uuid) RETURNS boolean LANGUAGE sql AS 'SELECT true'")
    connection.execute("CREATE OPERATOR public.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = public.same)")
    try:
        connection.execute("SET search_path = pg_temp, public, chat, chat_private, pg_catalog")
        conversation = value(connection, "SELECT chat.create_conversation(model => %s)", mock.model("text=uncaptured"))
        for statement, arguments in [
                ("SELECT chat.ask(%s, 'x')", (conversation,)), ("SELECT chat.send_message(%s, 'x')", (conversation,)),
                ("SELECT chat.list_messages(%s)", (conversation,)), ("SELECT chat.list_conversations()", ()), ("SELECT chat.me()", ()),
                ("SELECT * FROM chat.list_conversations(search => 'x')", ()),
                ("SELECT chat.llm_submit('x', %s)", (mock.model(),)), ("SELECT chat.llm_complete('x', %s)", (mock.model(),)),
                ("SELECT chat.register(%s, 'correct-horse-8')", (f"{uuid.uuid4().hex}@example.com",)),
                ("SELECT chat.login(%s, 'correct-horse-9')", (f"{attacker.name}@example.com",)),
                ("SELECT chat.authenticate(%s)", (attacker.token,)), ("SELECT chat.logout()", ())]:
            connection.execute(statement, arguments)
        equal(attempt(connection, "SELECT * FROM chat.conversations WHERE user_id OPERATOR(public.=) %s", victim.id), 0, "another's rows")
    finally:
        connection.close()
        with connect() as admin:
            admin.execute(f"DROP OWNED BY {login_role}")
            admin.execute(f"REVOKE CREATE ON SCHEMA public FROM {login_role}")
            admin.execute(f"GRANT pgchat_client TO {login_role}")
    diag(f"{len(names)} temporary tables and {made} functions with our names")


if not mock.PORT:
    skip_all("no mock provider")
run()
