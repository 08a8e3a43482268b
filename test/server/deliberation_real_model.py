#!/usr/bin/python3
"""A whole deliberation on a real llama-server: eight personas, three rounds, a vote and a conclusion, each call answered by a
model. The model is tiny and only tells stories: what it says is worth nothing, but that it fits the schemas is its server's and ours."""

import json
import os

from support import llama, mock
from support.database import Person, connect, service, value
from support.tap import diag, equal, run, skip_all, test

if "PGCHAT_LLAMA_PORT" not in os.environ:
    skip_all(os.environ.get("PGCHAT_LLAMA_SKIP", "there is no llama-server"))

BOARD = ["growth_hacker", "finance_director", "commercial_lawyer", "software_architect", "ux_researcher", "mediator", "futurist", "devils_advocate"]
# Short enough for a model that knows a few hundred words, and begun so that it goes on with them.
PROMPTS = {
    "persona": (None, "{{name}} is a friend. {{persona}}"),
    "decompose": ("Stories.", "{{problem}} Once upon a time"),
    "initial": (None, "{{problem}} One day, I said"),
    "contribute": (None, "{{problem}} {{record}} Then"),
    "moderate_stalling": ("Stories.", "{{problem}} {{record}} Then"),
    "moderate_drift": ("Stories.", "{{problem}} {{record}} Then"),
    "moderate_one_sided": ("Stories.", "{{problem}} {{record}} Then"),
    "choices": ("Stories.", "{{problem}} {{record}} They can"),
    "vote": (None, "{{choices}} I like"),
    "synthesize": ("Stories.", "{{problem}} {{record}} {{outcome}} In the end"),
    "synthesize_text": ("Stories.", "{{problem}} {{record}} {{outcome}} In the end"),
}


def prepare():
    # The window that the model was trained with has no room for a record of eight; two threads wait for each other on a loaded machine.
    mock.register_provider("llama", llama.start("-t", "1", "-c", "2048", "--override-kv", "llama.context_length=int:2048") + "/v1")
    mock.register_model("llama", "stories", input_price=1, output_price=2, context_window=2048)
    with service() as operator:
        value(operator, "SELECT chat.admin_set_default_model('stories')")
        value(operator, "SELECT chat.admin_set_setting('deliberation_record_tokens', '100')")
        for code, (system_prompt, prompt) in PROMPTS.items():
            value(operator, "SELECT chat.admin_set_deliberation_prompt(%s, %s, %s)", code, system_prompt, prompt)
        for code in BOARD:
            value(operator, "SELECT chat.admin_save_persona(%s, system_prompt => 'A friend.')", code)


def begin(max_tokens, **options):
    """A deliberation of eight personas and three rounds, none of which is left out; gives its id."""
    options |= {"convergence": False, "call_timeout_ms": 120000,
                "call_options": {"max_tokens": max_tokens, "temperature": 0.2, "seed": 7}}
    return alice.value("SELECT chat.create_deliberation('Should Lily and Tom share the red ball?', persona_codes => %s, max_rounds => 3, options => %s)",
                       BOARD, json.dumps(options))


def run_to_its_end(deliberation):
    alice.connection.execute("SET statement_timeout = '120s'")
    alice.connection.execute("CALL chat.run_deliberation(%s)", (deliberation,))
    return alice.value("SELECT to_jsonb(d) FROM chat.deliberations d WHERE id = %s", deliberation)


def check_sums(deliberation):
    """That its totals are those of its steps, and of what the account is charged for."""
    cost, tokens = alice.rows("SELECT total_cost, total_tokens FROM chat.deliberations WHERE id = %s", deliberation)[0]
    assert cost > 0 and tokens > 0, (cost, tokens)
    for table in "chat.deliberation_steps", "chat.usage_events":
        with connect() as admin:
            equal((cost, tokens), admin.execute(f"SELECT sum(cost), sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0)) FROM {table}"
                                                " WHERE deliberation_id = %s", (deliberation,)).fetchone(), table)


@test("eight personas, three rounds: each speaks in each round, each vote is one of the choices, and there is a report")
def whole_run():
    made = begin(240, choices=["Share", "Keep"], tally="ranked")
    row = run_to_its_end(made)
    equal((row["status"], row["phase"], row["round_number"], row["rounds_ended_by"]), ("completed", "synthesis", 3, "max_rounds"), row["error"])
    equal(alice.rows("SELECT round_number, count(DISTINCT persona_code), count(*) FROM chat.contributions"
                     " WHERE deliberation_id = %s AND persona_code <> 'moderator' GROUP BY 1 ORDER BY 1", made), [(n, 8, 8) for n in (1, 2, 3)])
    votes = alice.rows("SELECT choice, ranking, error FROM chat.votes WHERE deliberation_id = %s", made)
    diag(f"votes {votes}")
    equal(len(votes), 8)
    assert {choice for choice, _, _ in votes} - {None} <= {"choice_1", "choice_2"} and any(choice for choice, _, _ in votes), votes
    equal(row["outcome"]["voters"], sum(1 for choice, _, _ in votes if choice))
    assert row["synthesis"]["summary"], row["synthesis"]
    check_sums(made)
    report = alice.value("SELECT chat.export_deliberation(%s)", made)
    assert all(f"#### {name}" in report for name, in alice.rows(
        "SELECT name FROM chat.deliberation_participants WHERE deliberation_id = %s AND seat > 0", made)), report
    diag(report[:1500])
    for metrics in alice.rows("SELECT to_jsonb(m) FROM chat.deliberation_metrics m WHERE deliberation_id = %s", made):
        diag(metrics[0])


@test("answers that are cut: nobody's vote is made up, and the conclusion comes as text instead of failing all")
def cut():
    made = begin(20, choices=["Share", "Keep"])
    row = run_to_its_end(made)
    equal((row["status"], row["outcome"]["reason"], row["synthesis"]["is_text"], row["synthesis"]["dissent"]), ("completed", "no_votes", True, None), row["error"])
    equal(alice.rows("SELECT DISTINCT choice, is_abstention, error ->> 'code' FROM chat.votes WHERE deliberation_id = %s", made),
          [(None, True, "invalid_structured_reply")])
    check_sums(made)


alice = Person("alice")
try:
    prepare()
except BaseException:
    llama.stop_all()
    raise
run(llama.stop_all)
