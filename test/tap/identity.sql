-- The identity: a client cannot set it by any route, and it ends with what set it.
BEGIN;
\ir setup.psql
SELECT plan(27);

SELECT is(pg_temp.outcome(:'bob', statement), '42501', 'refused: ' || statement)
FROM unnest(ARRAY[
  format('SET app.current_user_id = %L', :'alice'),
  format('SET LOCAL app.current_user_id = %L', :'alice'),
  format('SELECT set_config($$app.current_user_id$$, %L, true)', :'alice'),
  format('SELECT set_config($$app.current_user_id$$, %L, false)', :'alice'),
  format('SELECT set_config($$APP.Current_User_Id$$, %L, false)', :'alice'),
  format('UPDATE pg_settings SET setting = %L WHERE name = $$app.current_user_id$$', :'alice'),
  format('ALTER ROLE CURRENT_USER SET app.current_user_id = %L', :'alice'),
  format('ALTER DATABASE %I SET app.current_user_id = %L', current_database(), :'alice'),
  format('CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql SET app.current_user_id = %L AS $$SELECT 1$$', :'alice'),
  'RESET app.current_user_id',
  'SET app.current_user_role = $$admin$$',
  'SELECT set_config($$app.current_user_role$$, $$admin$$, true)',
  'SET app.current_session_id = $$00000000-0000-7000-8000-000000000001$$',
  format('SELECT chat_private.set_identity(%L, $$admin$$, NULL, true)', :'alice'),
  format('SELECT chat_private.act_as(%L)', :'alice'),
  format('SELECT chat_private.switch_identity(ROW(%L, NULL, NULL))', :'alice')]) statement;

-- RESET ALL is open to everybody: it may take an identity away, never give one.
SELECT chat_private.set_identity(:'alice', 'user', NULL, true);
SET LOCAL ROLE pgchat_client;
RESET ALL;
RESET ROLE;
SET LOCAL search_path = tap, public, pg_temp;
SELECT is(chat.current_user_id(), NULL, 'RESET ALL leaves nobody');
SET LOCAL client_min_messages = warning;

-- Savepoints and errors.
SELECT chat_private.set_identity(:'alice', 'user', NULL, true);
SAVEPOINT s;
SELECT chat_private.set_identity(:'bob', 'user', NULL, true);
SELECT is(chat.current_user_id(), :'bob', 'an identity set after a savepoint');
ROLLBACK TO s;
SELECT is(chat.current_user_id(), :'alice', 'is undone by going back to it');

-- Acting as another, as register and login do.
UPDATE chat.users SET role = 'supervisor' WHERE id = :'alice';
SELECT chat.login('alice', 'alice-password');
SELECT id AS session FROM chat.sessions WHERE user_id = :'alice' ORDER BY id DESC LIMIT 1 \gset
SELECT chat_private.set_identity(:'alice', 'supervisor', :'session', true);
SELECT chat.register('frank@example.com', 'frank-password');
SELECT is((chat.current_user_id(), chat.current_user_role(), chat_private.current_session_id())::text,
          format('(%s,supervisor,%s)', :'alice', :'session'), 'registering another keeps the whole identity');
SELECT throws_ok($$SELECT chat.register('bob@example.com', 'bob-password')$$, '23505', NULL, 'a registration that fails half way');
SELECT is((chat.current_user_id(), chat.current_user_role(), chat_private.current_session_id())::text,
          format('(%s,supervisor,%s)', :'alice', :'session'), 'keeps it too');
SELECT throws_ok($$SELECT chat.login('bob', 'wrong-password')$$, '28P01', NULL, 'and so does a login');
SELECT is(chat.current_user_id(), :'alice', 'that is refused');

-- A value that is no UUID is refused when it is set, by a superuser too, so that policies never see one.
SELECT throws_ok($$SET LOCAL app.current_user_id = 'x'$$, '22023', NULL, 'a user id is a UUID');
SELECT chat_private.set_identity(NULL, NULL, NULL, true);
SELECT is((chat.current_user_id(), chat.current_user_role(), chat_private.current_session_id())::text, '(,,)', 'a cleared identity');
SELECT is(pg_temp.outcome(NULL, 'SELECT * FROM chat.conversations'), '0 rows', 'sees nothing');
SELECT * FROM finish();
ROLLBACK;
