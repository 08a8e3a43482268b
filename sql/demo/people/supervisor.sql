-- Sofia, who supervises both workers: she looks at theirs, which the audit log notes, and has one of her own.
SELECT chat.authenticate((chat.login('supervisor@demo.example', :'password', ip_address => '192.0.2.10', user_agent => 'Firefox on Windows')).session_token) AS ignored \gset
SELECT pg_temp.bring(pg_temp.document('review', 'Half-year talk with Tomás', '6 days', $json$[
    {"user": "Which questions should I put to a roaster in his first half-year talk?"},
    {"assistant": "What went better than you expected? What would you stop? Whom do you ask when you are stuck? And: which batch are you proud of?", "thinking": "Open questions, few, nothing that sounds like an exam."}]$json$, '{"model": "demo-large", "tags": ["people"]}')) AS ignored,
  (SELECT count(*) FROM chat.list_supervised_conversations()) AS supervised,
  (SELECT count(*) FROM chat.read_supervised_conversation(:'till')) AS read \gset ignored_
