-- What the library does with plans: those that may read no table in sequence are not compiled, however dear they look.
BEGIN;
\ir setup.psql
SELECT plan(4);
CREATE TABLE unindexed AS SELECT n FROM generate_series(1, 10) n;

-- Whether a query that can only be read in sequence is compiled; within a function, too, as chat's functions are.
CREATE FUNCTION pg_temp.is_compiled() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  line text;
BEGIN
  FOR line IN EXPLAIN SELECT sum(n) FROM unindexed WHERE n + 1 > 5 LOOP
    IF line ~ '^ *JIT:' THEN
      RETURN true;
    END IF;
  END LOOP;
  RETURN false;
END
$$;
CREATE FUNCTION pg_temp.is_compiled_without_seqscan() RETURNS boolean LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
  RETURN pg_temp.is_compiled();
END
$$;

SET LOCAL jit = on;
SELECT is(current_setting('jit_above_cost'), '100000', 'what the server compiles at first');
SELECT ok(NOT pg_temp.is_compiled_without_seqscan(), 'a plan whose cost is a penalty is not compiled');
SET LOCAL jit_above_cost = 0;
SELECT ok(NOT pg_temp.is_compiled_without_seqscan(), 'nor one that would always be');
SELECT CASE WHEN pg_jit_available() THEN ok(pg_temp.is_compiled(), 'others are') ELSE skip('this server cannot compile', 1) END;

SELECT * FROM finish();
ROLLBACK;
