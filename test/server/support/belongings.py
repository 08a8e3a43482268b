"""A person with something of every kind, and the proof that all of it still works after the database was moved or updated."""

import json

from support.database import PASSWORD, Person, connect, engine, fails, role, value
from support.tap import equal, wait_until

SECRET = "sk-of-the-person"


class Owner(Person):
    """Has conversations, files, keys, shares, a second session and usage. provider: a KeyedProvider."""

    def __init__(self, provider):
        with connect() as admin:
            value(admin, "SELECT chat.admin_register_provider('kept', 'openai', %s)", provider.base_url)
            value(admin, "SELECT chat.admin_register_model('kept', 'kept')")
            value(admin, "SELECT chat.admin_set_default_model('kept')")
            value(admin, "SELECT chat.admin_set_setting('title_model', 'null')")
        super().__init__("owner")
        self.friend = Person("friend")
        self.value("SELECT chat.set_api_key('kept', %s)", SECRET)
        folder = self.value("SELECT chat.create_folder('Plans')")
        self.chat = self.value("SELECT chat.create_conversation('Kept', 'kept', 'Be brief')")
        self.value("SELECT chat.move_conversation(%s, %s)", self.chat, folder)
        self.value("SELECT chat.set_conversation_tags(%s, '{red,blue}')", self.chat)
        self.file = self.value("SELECT chat.add_attachment(%s, 'text/plain')", b"a note")
        self.say("first", [{"attachment_id": str(self.file), "name": "note.txt"}])
        self.say("second")
        self.share = self.value("SELECT token FROM chat.share_conversation(%s)", self.chat)
        self.value("SELECT chat.grant_conversation(%s, %s)", self.chat, f"{self.friend.name}@example.com")
        self.value("SELECT chat.save_system_prompt('mine', 'Be kind')")
        self.refresh = self.value("SELECT chat.issue_refresh_token()")
        self.jwt = self.value("SELECT chat.issue_jwt()")
        self.value("SELECT chat.update_settings(preferences => '{\"theme\": \"dark\"}')")
        with connect() as admin:
            value(admin, "SELECT chat.admin_set_limits(%s, '{\"requests_per_minute\": 500}')", self.id)
            value(admin, "SELECT chat.admin_save_plan('pro', 'Professional', limits => '{\"conversations\": 900}')")
        self.said = self.texts()
        wait_until(lambda: self.value("SELECT count(*) FROM chat.usage_events") >= 2, "usage is recorded")
        self.cost = self.value("SELECT count(*) FROM chat.usage_events")
        with connect() as admin:
            equal(value(admin, "SELECT first_bad_id FROM chat.verify_audit_log()"), None, "the audit log")
        self.leave()

    def leave(self):
        for person in self, self.friend:
            person.connection.close()

    def say(self, content, files=None):
        reply = self.value("SELECT assistant_message_id FROM chat.send_message(%s, %s, attachments => %s)", self.chat, content, files and json.dumps(files))
        wait_until(lambda: self.message(reply)["status"] not in ("pending", "streaming"), "the reply ends")
        equal(self.message(reply)["status"], "complete", self.message(reply)["error"])

    def texts(self):
        return self.rows("SELECT role, content FROM chat.list_messages(%s)", self.chat)

    def check(self, provider, key=SECRET, error=None):
        """All of it is there and works. error: the SQLSTATE of what needs the sealed key, where that cannot be opened here."""
        wait_until(lambda: engine()["state"] == "running", "the engine runs")
        self.connection = self.connect()
        equal(self.texts(), self.said, "the messages")
        equal(self.value("SELECT count(*) FROM chat.usage_events"), self.cost, "usage")
        with connect() as admin:
            equal(value(admin, "SELECT first_bad_id FROM chat.verify_audit_log()"), None, "the audit log")
        equal(self.value("SELECT convert_from(chat.attachment_content(%s), 'UTF8')", self.file), "a note")
        with connect(user=role("pgchat_client")) as anybody:
            assert value(anybody, "SELECT session_token FROM chat.login(%s, %s)", f"{self.name}@example.com", PASSWORD), "the password"
            fails("28P01", value, anybody, "SELECT chat.login(%s, 'not-the-password')", f"{self.name}@example.com")
            assert value(anybody, "SELECT count(*) FROM chat.read_share(%s)", self.share), "the link"
        self.friend.connection = self.friend.connect()
        equal(self.friend.value("SELECT count(*) FROM chat.list_shared_with_me()"), 1)
        if error is not None:
            fails(error, self.value, "SELECT chat.llm_complete('x', 'kept')", hint=True)
        else:
            self.say("third")
            equal(provider.last(), f"Bearer {key}")
            with connect(user=role("pgchat_client")) as anybody:
                equal(value(anybody, "SELECT chat.authenticate_jwt(%s)", self.jwt), self.id, "a signed token")
            equal(self.texts()[:len(self.said)], self.said)
            equal(len(self.texts()), len(self.said) + 2, "the conversation goes on")
        self.leave()
