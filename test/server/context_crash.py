#!/usr/bin/python3
"""An engine that dies while a summary or a title is written: the reply that waited is answered, and nothing stays behind."""

import contextlib
import threading

from support import mock
from support.database import Person, connect, value
from support.databases import cluster, database, kill_engine, wait_for_engine
from support.scripted import Scripted
from support.tap import equal, run, test, wait_until


class Slow(Scripted):
    """Answers what has a system prompt, which is a side request here, only when the gate is open."""

    def __init__(self):
        super().__init__()
        self.gate, self.asked = threading.Event(), threading.Event()

    def answer(self, path, body):
        if body["messages"][0]["role"] == "system":
            self.asked.set()
            self.gate.wait(60)
        return super().answer(path, body)


@test("kill -9 of the engine while a summary, for which a reply waits, and a title are written")
def crash():
    slow = Slow()
    with database("summarised"):
        wait_for_engine()
        mock.register_provider("slow", slow.base_url + "/v1", "openai")
        mock.register_model("slow", "small", provider_model="small", context_window=1000)
        alice = Person("alice")
        talk = alice.value("SELECT chat.create_conversation(model => 'small')")
        alice.value("SELECT chat.set_context_strategy(%s, 'summarize', 200)", talk)
        with connect() as admin:
            leaf = value(admin, """
                WITH made AS (
                  INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, content)
                  SELECT %s, id, %s, lag(id) OVER (ORDER BY n), CASE n %% 2 WHEN 1 THEN 'user' ELSE 'assistant' END, 'm' || n || repeat(' word', 60)
                  FROM (SELECT n, chat.uuid_v7() AS id FROM generate_series(1, 20) n OFFSET 0) t RETURNING id)
                SELECT id FROM made ORDER BY id DESC LIMIT 1""", alice.id, talk)
            admin.execute("UPDATE chat.conversations SET active_leaf_id = %s WHERE id = %s", (leaf, talk))
        _, reply, request = alice.send(talk, "m21 now")
        wait_until(slow.asked.is_set, "the summary is asked for")
        with connect() as admin:
            value(admin, "SELECT chat_private.queue_side_request(%s, %s, 'title', NULL, NULL)", alice.id, talk)
            wait_until(lambda: value(admin, "SELECT count(*) FROM chat_private.llm_requests WHERE purpose IS NOT NULL AND state = 'running'") == 2,
                       "both are under way")
            equal(value(admin, "SELECT state FROM chat_private.llm_requests WHERE id = %s", request), "waiting")
        kill_engine()
        with connect() as admin:
            # A summary is one of several: what is left of the chain is asked for after the crash.
            slow.gate.set()
            wait_until(lambda: value(admin, "SELECT status FROM chat.messages WHERE id = %s", reply) not in ("pending", "streaming"), "the reply has ended", 60, 0.05)
            equal(value(admin, "SELECT status FROM chat.messages WHERE id = %s", reply), "complete")
            wait_until(lambda: value(admin, "SELECT count(*) FROM chat_private.llm_requests WHERE purpose IS NOT NULL") == 0,
                       "nothing of the side requests stays", 120, 0.1)
            equal(value(admin, "SELECT title_source FROM chat.conversations WHERE id = %s", talk), "rule")
            equal(value(admin, "SELECT count(*) FROM chat.usage_events WHERE error_code = 'outcome_unknown' AND is_estimated AND input_tokens > 0"), 2,
                  "what they used is guessed")


stack = contextlib.ExitStack()
stack.enter_context(cluster("context-crash"))
run(stack.close)
