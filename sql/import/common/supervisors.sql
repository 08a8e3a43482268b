-- Says who supervises whom, from the table that the variable supervisors names, with columns user_email and supervisor_email. Who has a
-- supervisor here keeps that one. What a row cannot mean is reported of the user, or of the address where there is none.
CREATE TEMP TABLE staged_supervisors (user_email text, supervisor_email text) ON COMMIT DROP;
SELECT :'supervisors' <> '' AS has_supervisors \gset
\if :has_supervisors
INSERT INTO staged_supervisors SELECT s.user_email, s.supervisor_email FROM :supervisors s;
\endif

CREATE TEMP TABLE matched_supervisors ON COMMIT DROP AS
SELECT DISTINCT ON (s.user_email) s.user_email, s.supervisor_email, u.id AS user_id, v.id AS supervisor_id,
  CASE WHEN u.id IS NULL THEN 'user_unknown' WHEN v.id IS NULL THEN 'supervisor_unknown'
       WHEN v.role NOT IN ('supervisor', 'admin') OR NOT v.is_active OR v.id = u.id THEN 'supervisor_unfit' END AS problem
FROM staged_supervisors s
LEFT JOIN chat_private.login_names n ON n.kind = 'email' AND n.name = chat_private.fold_name(btrim(s.user_email))
LEFT JOIN chat.users u ON u.id = n.user_id
LEFT JOIN chat_private.login_names o ON o.kind = 'email' AND o.name = chat_private.fold_name(btrim(s.supervisor_email))
LEFT JOIN chat.users v ON v.id = o.user_id
WHERE s.user_email IS NOT NULL
ORDER BY s.user_email, v.id NULLS LAST;

CREATE TEMP TABLE given_supervisors ON COMMIT DROP AS
SELECT u.id FROM matched_supervisors m JOIN chat.users u ON u.id = m.user_id AND u.supervisor_id IS NULL WHERE m.problem IS NULL;
UPDATE chat.users u SET supervisor_id = m.supervisor_id
FROM matched_supervisors m JOIN given_supervisors g ON g.id = m.user_id WHERE m.problem IS NULL AND u.id = m.user_id;
INSERT INTO found (source_table, old_id, user_id, kind, reason, details)
SELECT 'supervisors', left(m.user_email, 300), m.user_id, 'refused', m.problem, jsonb_build_object('supervisor', left(m.supervisor_email, 300))
FROM matched_supervisors m WHERE m.problem IS NOT NULL;
INSERT INTO counted (source_table, read, written, already_there, refused, kept_aside)
SELECT 'supervisors', count(*), count(*) FILTER (WHERE m.problem IS NULL AND g.id IS NOT NULL), count(*) FILTER (WHERE m.problem IS NULL AND g.id IS NULL),
       count(*) FILTER (WHERE m.problem IS NOT NULL), 0
FROM matched_supervisors m LEFT JOIN given_supervisors g ON g.id = m.user_id
HAVING count(*) > 0;
