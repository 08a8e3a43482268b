"""Tables, their foreign keys, and functions of the schema that is served, as the login role may see them; read once, at the start."""

import dataclasses

COLUMNS = """
SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum), array_agg(format_type(a.atttypid, NULL) ORDER BY a.attnum)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'v', 'm', 'f', 'p') GROUP BY c.oid"""

RELATIONS = """
SELECT f.relname, t.relname,
       (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(o.conkey) WITH ORDINALITY k (num, n) JOIN pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = k.num),
       (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(o.confkey) WITH ORDINALITY k (num, n) JOIN pg_attribute a ON a.attrelid = o.confrelid AND a.attnum = k.num)
FROM pg_constraint o JOIN pg_class f ON f.oid = o.conrelid JOIN pg_class t ON t.oid = o.confrelid
WHERE o.contype = 'f' AND o.connamespace = %s::regnamespace"""

FUNCTIONS = """
SELECT p.proname, p.provolatile::text, p.proretset, format_type(p.prorettype, NULL),
       t.typtype = 'c' OR coalesce(p.proargmodes && '{t,b,o}'::"char"[], false),
       coalesce(p.proargnames[:p.pronargs], '{}'), p.pronargs - p.pronargdefaults,
       (SELECT coalesce(array_agg(format_type(a.oid, NULL) ORDER BY a.n), '{}') FROM unnest(p.proargtypes) WITH ORDINALITY a (oid, n)),
       p.proallargtypes, p.proargnames, p.proargmodes::text[]
FROM pg_proc p JOIN pg_type t ON t.oid = p.prorettype WHERE p.pronamespace = %s::regnamespace AND p.prokind = 'f'"""


@dataclasses.dataclass
class Function:
    """arguments: names and types of what goes in; required: how many of them have no default."""

    name: str
    volatility: str
    is_set: bool
    result: str
    is_composite: bool
    arguments: dict
    required: int

    def takes(self, names):
        return set(names) <= set(self.arguments) and set(list(self.arguments)[:self.required]) <= set(names)


class Catalogue:
    def __init__(self, connection, schema):
        self.schema = schema
        self.tables = {name: dict(zip(names, types)) for name, names, types in connection.execute(COLUMNS, [schema])}
        self.relations = connection.execute(RELATIONS, [schema]).fetchall()
        self.functions = [self._function(*row) for row in connection.execute(FUNCTIONS, [schema])]

    @staticmethod
    def _function(name, volatility, is_set, result, is_composite, names, required, types, _all_types, all_names, modes):
        if modes:
            names = [given for given, mode in zip(all_names, modes) if mode in "ibv"]
        return Function(name, volatility, is_set, result, is_composite, dict(zip(names, types)), required)

    def function(self, name, argument_names):
        """The one of this name that takes these arguments, or None."""
        found = [function for function in self.functions if function.name == name and function.takes(argument_names)]
        return found[0] if len(found) == 1 else None

    def relation(self, table, other):
        """(pairs of columns of table and other, whether other has many rows for one of table), or None; the first by foreign key."""
        for referring, referred, columns, referred_columns in self.relations:
            if (referring, referred) == (table, other):
                return list(zip(columns, referred_columns)), False
            if (referring, referred) == (other, table):
                return list(zip(referred_columns, columns)), True
        return None
