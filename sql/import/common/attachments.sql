-- Writes staged_attachments: files of messages, each stored once for a user and put to its message in their order.
CREATE OR REPLACE FUNCTION pg_temp.store_file(user_id uuid, data text, media_type text, OUT file_id uuid, OUT problem text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  url text[] := regexp_match(left(data, 300), '^data:([^;,]*)[^,]*;base64,');
  bytes bytea := pg_temp.as_bytes(CASE WHEN url IS NULL THEN data ELSE substr(data, strpos(data, ',') + 1) END);
BEGIN
  IF data IS NULL THEN
    RETURN;
  ELSIF bytes IS NULL OR octet_length(bytes) = 0 THEN
    problem := 'base64_broken';
    RETURN;
  END IF;
  file_id := chat_private.store_attachment(store_file.user_id, bytes, coalesce(store_file.media_type, nullif(url[1], '')));
EXCEPTION
  WHEN data_exception THEN
    problem := 'file_damaged';
  WHEN program_limit_exceeded THEN
    problem := 'file_too_large';
  WHEN SQLSTATE 'PC308' THEN
    problem := 'file_over_quota';
END
$$;

UPDATE staged_attachments s SET state = 'there', new_id = m.new_id
FROM chat.import_map m WHERE m.system = :'system' AND m.source_table = s.source_table AND m.old_id = s.old_id;

-- Also those of messages that were there, for what was refused may have been mended.
CREATE TEMP TABLE stored_files ON COMMIT DROP AS
SELECT a.source_table, a.old_id, m.user_id, m.id AS message_id, p.state AS message_state, p.reason AS message_reason, f.file_id, f.problem
FROM staged_attachments a
LEFT JOIN placed_messages p ON p.source_table = a.message_table AND p.old_id = a.message_old_id
LEFT JOIN chat.messages m ON m.user_id = p.user_id AND m.id = p.new_id
-- Called for each row, whatever is joined.
CROSS JOIN LATERAL pg_temp.store_file(m.user_id, CASE WHEN m.id IS NOT NULL THEN coalesce(a.data, '') END, a.media_type) f
WHERE a.state = 'new';

UPDATE staged_attachments s SET new_id = f.file_id, user_id = f.user_id,
  state = CASE WHEN f.file_id IS NULL THEN 'refused' ELSE 'new' END,
  reason = CASE WHEN f.file_id IS NULL THEN coalesce(f.problem, CASE WHEN f.message_reason = 'owner_refused' THEN f.message_reason
    WHEN f.message_state = 'refused' THEN 'message_refused' WHEN f.message_state = 'there' THEN 'message_gone' ELSE 'message_missing' END) END
FROM stored_files f WHERE s.source_table = f.source_table AND s.old_id = f.old_id;

INSERT INTO chat.message_attachments (user_id, message_id, position, attachment_id, name)
SELECT f.user_id, f.message_id, row_number() OVER (PARTITION BY f.user_id, f.message_id ORDER BY s.position, s.old_id)
  + coalesce((SELECT max(e.position) FROM chat.message_attachments e WHERE e.user_id = f.user_id AND e.message_id = f.message_id), 0), f.file_id, left(s.name, 255)
FROM staged_attachments s JOIN stored_files f ON f.source_table = s.source_table AND f.old_id = s.old_id WHERE s.state = 'new';
UPDATE chat.messages m SET attachment_count = m.attachment_count + l.files
FROM (SELECT f.user_id, f.message_id, count(*) AS files FROM stored_files f WHERE f.file_id IS NOT NULL GROUP BY 1, 2) l
WHERE m.user_id = l.user_id AND m.id = l.message_id;

INSERT INTO found (source_table, old_id, user_id, kind, reason, details)
SELECT s.source_table, s.old_id, s.user_id, 'refused', s.reason, jsonb_build_object('message', s.message_old_id, 'characters', length(s.data))
FROM staged_attachments s WHERE s.state = 'refused';

INSERT INTO chat.import_map (user_id, system, source_table, old_id, new_id)
SELECT s.user_id, :'system', s.source_table, s.old_id, s.new_id FROM staged_attachments s WHERE s.state = 'new';

INSERT INTO counted (source_table, read, written, already_there, refused, kept_aside)
SELECT s.source_table, count(*), count(*) FILTER (WHERE s.state = 'new'), count(*) FILTER (WHERE s.state = 'there'),
       count(*) FILTER (WHERE s.state = 'refused'), 0 FROM staged_attachments s GROUP BY s.source_table;
