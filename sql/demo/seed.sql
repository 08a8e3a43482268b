-- Fills an empty installation with people, conversations, deliberations and usage of some weeks, for trying things out. Never in production:
-- everybody has the same password, which is written in docs/demo_data.md.
--
--   psql -d app -f sql/demo/seed.sql        or: make seed-demo
--
-- Where the demo data are here already it changes nothing. Variables:
--   among_users  true: also where there are other people; their settings and default model are left as they are
--   psql         the command that the examples printed at the end begin with
--
-- All is written as an application would do it: in each file of people somebody logs in, and calls the API. What the API leaves to the engine
-- alone, usage of weeks that are over, is in usage.sql.
\set ON_ERROR_STOP on
\ir begin.sql
\if :is_here
  \echo The demo data are here already; nothing was changed.
\else
  \ir accounts.sql
  \ir prompts.sql
  \ir models.sql
  \if :is_empty
    \ir rules.sql
  \endif
  \ir people/worker.sql
  \ir people/second_worker.sql
  \ir people/user.sql
  \ir boards.sql
  \ir people/spender.sql
  \ir people/leaver.sql
  \ir people/supervisor.sql
  \ir administration.sql
  \ir usage.sql
COMMIT;
  \ir wait.sql
\endif
\ir guide.sql
