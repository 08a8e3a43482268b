-- Invitations: made, sent again, revoked, expired, accepted; and what they give.
BEGIN;
\ir people.psql
SELECT plan(52);
SELECT chat.admin_set_setting('registration', '"invitation"');
CREATE FUNCTION pg_temp.accept(address text, token text) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.try(NULL, format('SELECT chat.register(%L, ''entering-9-now'', invitation_token => %L)', address, token))
$$;
CREATE FUNCTION pg_temp.invitation(wanted uuid) RETURNS chat.invitations LANGUAGE sql AS $$ SELECT i.* FROM chat.invitations i WHERE i.id = wanted $$;

SELECT pg_temp.got(:'admin_token', format('SELECT chat.admin_invite(''New@example.com'', ''worker'', ''pro'', %L, ''3 days'')', :'supa')) AS inv \gset
SELECT is((SELECT (email, role, plan, supervisor_id, invited_by, accepted_at, sent_count, revoked_at)::text FROM pg_temp.invitation(:'inv')),
          format('(New@example.com,worker,pro,%s,%s,,0,)', :'supa', :'admin'), 'an invitation');
SELECT ok((SELECT expires_at - clock_timestamp() BETWEEN '2 days 23 hours' AND '3 days' FROM pg_temp.invitation(:'inv')), 'which lasts as long as was said');
SELECT is(pg_temp.audited('invitation.create', 'invitation:' || :'inv'), 1, 'and is audited');
SELECT * FROM chat.outbox_claim(10) \gset m_
SELECT is(:'m_recipient' || '|' || :'m_subject', 'New@example.com|You are invited to Chat', 'the mail');
SELECT ok(:'m_body' LIKE E'Hello,\n\nroot invites you to Chat.%/register?invitation=pgt\_%New@example.com%UTC.%', 'says who invites, where to, and until when');
SELECT substring(:'m_body' FROM 'pgt_[A-Za-z0-9_-]{64}') AS token \gset
SELECT is((SELECT sent_count FROM pg_temp.invitation(:'inv')), 1, 'it counts');
SELECT is(pg_temp.accept('other@example.com', :'token'), 'PC301', 'it is for its address only');
SELECT is(pg_temp.accept('new@example.com', 'pgt_x'), 'PC301', 'and for its token');
SELECT is(pg_temp.accept('new@example.com', NULL), '42501', 'without one there is no way in');
SELECT is(pg_temp.accept('nEW@example.com', :'token'), '1 rows', 'the address is compared in any case');
SELECT is((SELECT (role, plan, supervisor_id, email_verified_at IS NOT NULL)::text FROM chat.users WHERE email = 'nEW@example.com'),
          format('(worker,pro,%s,t)', :'supa'), 'the account has the role, the plan and the supervisor, and its address is verified');
SELECT is((SELECT (accepted_at IS NOT NULL, accepted_by)::text FROM pg_temp.invitation(:'inv')),
          format('(t,%s)', (SELECT id FROM chat.users WHERE email = 'nEW@example.com')), 'the invitation says who accepted it');
SELECT is(pg_temp.accept('nEW@example.com', :'token'), 'PC301', 'which happens once');
SELECT is(pg_temp.got(:'supa_token', 'SELECT count(*) FROM chat.list_supervised_users()'), '2', 'the supervisor sees the new worker');
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_resend_invitation(%L)', :'inv')), '55000', 'it is not sent again');
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_revoke_invitation(%L)', :'inv')), '55000', 'nor revoked');

-- sent again: the old token dies
SELECT chat.admin_invite('again@example.com') AS inv \gset
SELECT is((SELECT (role, plan, supervisor_id, invited_by)::text FROM pg_temp.invitation(:'inv')), '(user,free,,)', 'an invitation by the service, with the defaults');
SELECT pg_temp.mail_token('again@example.com') AS first \gset
UPDATE chat.invitations SET expires_at = expires_at - interval '6 days', last_sent_at = last_sent_at - interval '6 days', created_at = created_at - interval '6 days' WHERE id = :'inv';
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_resend_invitation(%L)', :'inv')), '1 rows', 'it is sent again');
SELECT is(pg_temp.accept('again@example.com', :'first'), 'PC301', 'the first token has ended');
SELECT pg_temp.mail_token('again@example.com') AS second \gset
SELECT is((SELECT (sent_count, expires_at - clock_timestamp() BETWEEN interval '6 days 23 hours' AND interval '7 days 1 minute')::text FROM pg_temp.invitation(:'inv')), '(2,t)', 'with the time it had at first');
SELECT pg_temp.got(:'admin_token', format('SELECT chat.admin_resend_invitation(%L, false)', :'inv')) AS third \gset
SELECT is(pg_temp.accept('again@example.com', :'second'), 'PC301', 'an operator without mail ends the second');
SELECT is((SELECT count(*)::int FROM chat.outbox_claim(10)), 0, 'sends no mail');
SELECT is(pg_temp.accept('again@example.com', :'third'), '1 rows', 'and hands over a third');

-- claimed twice, as after a sender's crash: both mails may have arrived
SELECT chat.admin_invite('twice@example.com') AS inv \gset
SELECT pg_temp.mail_token('twice@example.com') AS first \gset
UPDATE chat_private.outbox SET next_attempt_at = clock_timestamp() WHERE invitation_id = :'inv';
SELECT isnt(pg_temp.mail_token('twice@example.com'), :'first', 'a mail given out again has a token of its own');
SELECT is(pg_temp.accept('twice@example.com', :'first'), '1 rows', 'and that of the first still works');

-- revoked, expired
SELECT chat.admin_invite('gone@example.com') AS inv \gset
SELECT pg_temp.mail_token('gone@example.com') AS token \gset
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_revoke_invitation(%L)', :'inv')), '1 rows', 'an invitation is revoked');
SELECT is(pg_temp.accept('gone@example.com', :'token'), 'PC301', 'and its token ends');
SELECT is(pg_temp.audited('invitation.revoke', 'invitation:' || :'inv'), 1, 'which is audited');
SELECT isnt(pg_temp.got(:'admin_token', 'SELECT chat.admin_invite(''gone@example.com'')'), NULL, 'the address can be invited anew');
SELECT is(pg_temp.try(:'admin_token', 'SELECT chat.admin_invite(''GONE@example.com'')'), '23505', 'once');
SELECT pg_temp.mail_token('gone@example.com') AS token \gset
UPDATE chat.invitations SET expires_at = clock_timestamp() WHERE email = 'gone@example.com' AND revoked_at IS NULL;
SELECT is(pg_temp.accept('gone@example.com', :'token'), 'PC301', 'an expired token does nothing');
SELECT is(pg_temp.try(:'admin_token', 'SELECT chat.admin_invite(''GONE@example.com'')'), '1 rows', 'after which it can be invited again');
SELECT chat.admin_revoke_invitation(id) FROM chat.invitations WHERE email = 'GONE@example.com';
SELECT is((SELECT count(*)::int FROM chat.outbox_claim(10)), 0, 'a mail that waited for a revoked invitation is not sent');

-- other modes
SELECT chat.admin_invite('late@example.com') AS inv \gset
SELECT pg_temp.mail_token('late@example.com') AS token \gset
SELECT chat.admin_set_setting('registration', '"closed"');
SELECT is(pg_temp.accept('late@example.com', :'token'), '42501', 'closed is closed to the invited, too');
SELECT chat.admin_set_setting('registration', '"domains"');
SELECT is(pg_temp.got(:'guest_token', format('SELECT chat.upgrade_guest(''late@example.com'', ''entering-9-now'', invitation_token => %L)', :'token')), '', 'a guest accepts one, of any domain');
SELECT is((SELECT accepted_by FROM pg_temp.invitation(:'inv')), :'guest', 'and stays who they are');

-- bad input
SELECT is(pg_temp.try(:'admin_token', statement), outcome, statement)
FROM (VALUES ('SELECT chat.admin_invite(NULL)', '22004'), ('SELECT chat.admin_invite(''x'')', '22023'), ('SELECT chat.admin_invite(''x@example.com'', ''king'')', '22023'),
             ('SELECT chat.admin_invite(''x@example.com'', ''guest'')', '22023'), ('SELECT chat.admin_invite(''x@example.com'', NULL)', '22004'),
             ('SELECT chat.admin_invite(''x@example.com'', plan => ''none'')', '42704'), ('SELECT chat.admin_invite(''x@example.com'', expires_in => ''-1 day'')', '22023'),
             ('SELECT chat.admin_invite(''x@example.com'', expires_in => NULL)', '22023'),
             (format('SELECT chat.admin_invite(''x@example.com'', supervisor_id => %L)', :'bob'), '55000'),
             ('SELECT chat.admin_invite(''x@example.com'', supervisor_id => chat.uuid_v7())', 'P0002'),
             ('SELECT chat.admin_invite(''bob@example.com'')', '23505'),
             ('SELECT chat.admin_revoke_invitation(chat.uuid_v7())', 'P0002'), ('SELECT * FROM chat.admin_list_invitations(0)', '22023'),
             ('SELECT * FROM chat.admin_list_invitations(NULL)', '22004')) t (statement, outcome);
SELECT is(pg_temp.got(:'admin_token', 'SELECT string_agg(email, '','') FROM chat.admin_list_invitations(2)'), 'late@example.com,GONE@example.com', 'the latest come first');
SELECT is(pg_temp.got(:'admin_token', format('SELECT email FROM chat.admin_list_invitations(1, %L)', (SELECT id FROM chat.invitations WHERE email = 'late@example.com'))), 'GONE@example.com', 'page by page');
SELECT * FROM finish();
ROLLBACK;
