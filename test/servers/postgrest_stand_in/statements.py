"""The statements that PostgREST makes of a request."""

import json

from psycopg import sql

from failures import Refusal
from url_grammar import OPERATORS

SOURCE = sql.Identifier("pgrst_source")
MAIN = sql.SQL("""WITH pgrst_source AS ({source}){count_source} SELECT {count} AS total_result_set, pg_catalog.count(_postgrest_t) AS page_total, ({body})::text AS body,
nullif(current_setting('response.headers', true), '') AS response_headers, nullif(current_setting('response.status', true), '') AS response_status
FROM ({read}) _postgrest_t""")


class Writer:
    """Writes statements of one request, and keeps their parameters in the order in which they come."""

    def __init__(self, catalogue):
        self._catalogue = catalogue
        self._number = 0

    def _name(self, schema_and_name):
        return sql.SQL(".").join(map(sql.Identifier, schema_and_name))

    def _field(self, relation, field):
        if field.name == "*":
            return sql.SQL("{}.*").format(relation)
        written = sql.SQL("{}.{}").format(relation, sql.Identifier(field.name))
        if field.path:
            written = sql.SQL("to_jsonb({})").format(written)
            for step in field.path.replace("->>", "\0").replace("->", "\1").replace("\0", " >>").replace("\1", " >").split()[0:]:
                written = sql.SQL("{}{}{}").format(written, sql.SQL("->>" if step.startswith(">>") else "->"), sql.Literal(step.lstrip(">")))
        return written

    def _selected(self, relation, field):
        written = self._field(relation, field)
        if field.cast:
            written = sql.SQL("CAST({} AS {})").format(written, sql.Identifier(field.cast))
        alias = field.alias or (field.path.replace(">", "").split("-")[-1] if field.path else None)
        return sql.SQL("{} AS {}").format(written, sql.Identifier(alias)) if alias else written

    def _condition(self, relation, wanted, parameters):
        field = self._field(relation, wanted.field)
        if wanted.operator == "is":
            if wanted.value.lower() not in ("null", "not_null", "true", "false", "unknown"):
                raise Refusal(400, "PGRST100", f'"failed to parse filter (is.{wanted.value})" (line 1, column 4)')
            written = sql.SQL("{} IS " + wanted.value.upper().replace("_", " ")).format(field)
        elif wanted.operator == "in":
            items = [item.strip('"') for item in wanted.value.strip("()").split(",")]
            parameters.append("{" + ",".join(json.dumps(item) for item in items) + "}")
            written = sql.SQL("{} = ANY (%s)").format(field)
        else:
            parameters.append(wanted.value.replace("*", "%") if wanted.operator in ("like", "ilike") else wanted.value)
            written = sql.SQL("{} " + OPERATORS[wanted.operator] + " %s").format(field)
        return sql.SQL("NOT {}").format(written) if wanted.is_negated else written

    def read(self, read, source=None, alias=None, joins=()):
        """(statement, parameters) of a Read. source: the relation it is of, by default its table; joins: conditions besides the filters."""
        parameters, tables, outputs = [], [], []
        source = source or self._name((self._catalogue.schema, read.table))
        relation = sql.Identifier(alias) if alias else source
        outputs += [self._selected(relation, field) for field in read.fields]
        if not read.fields and not read.embedded:
            outputs.append(sql.SQL("{}.*").format(relation))
        for name, inner in read.embedded.items():
            output, joined, more = self._embedded(relation, read.table, name, inner)
            outputs.append(output)
            tables.append(joined)
            parameters += more
        conditions = [self._condition(relation, wanted, parameters) for wanted in read.filters] + list(joins)
        text = sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(outputs), source)
        if alias:
            text += sql.SQL(" AS {}").format(relation)
        text += sql.SQL("").join(tables)
        if conditions:
            text += sql.SQL(" WHERE ") + sql.SQL(" AND ").join(conditions)
        if read.order:
            text += sql.SQL(" ORDER BY ") + sql.SQL(", ").join(
                sql.SQL("{} " + direction.upper() + nulls).format(self._field(relation, field)) for field, direction, nulls in read.order)
        if read.limit is not None or read.offset:
            text += sql.SQL(" LIMIT {} OFFSET {}").format(sql.SQL("ALL") if read.limit is None else sql.Literal(read.limit), sql.Literal(read.offset))
        return text, parameters

    def _embedded(self, relation, table, name, inner):
        found = self._catalogue.relation(table, inner.table)
        if not found:
            raise Refusal(400, "PGRST200", f"Could not find a relationship between '{table}' and '{inner.table}' in the schema cache",
                          f"Searched for a foreign key relationship between '{table}' and '{inner.table}' in the schema '{self._catalogue.schema}', but no matches were found.")
        pairs, has_many = found
        self._number += 1
        alias = f"{inner.table}_{self._number}"
        joins = [sql.SQL("{}.{} = {}.{}").format(sql.Identifier(alias), sql.Identifier(theirs), relation, sql.Identifier(mine)) for mine, theirs in pairs]
        query, parameters = self.read(inner, alias=alias, joins=joins)
        made = sql.Identifier(f"{table}_{alias}")
        if has_many:
            query = sql.SQL("SELECT json_agg({made})::jsonb AS {made} FROM ({query}) AS {made}").format(made=made, query=query)
            output = sql.SQL("COALESCE({made}.{made}, '[]') AS {}").format(sql.Identifier(name), made=made)
        else:
            output = sql.SQL("row_to_json({}.*)::jsonb AS {}").format(made, sql.Identifier(name))
        condition = sql.SQL("{} IS NOT NULL").format(made) if inner.is_inner else sql.SQL("TRUE")
        joined = sql.SQL(" {} JOIN LATERAL ({}) AS {} ON {}").format(sql.SQL("INNER" if inner.is_inner else "LEFT"), query, made, condition)
        return output, joined, parameters

    def _main(self, source, read, count, is_set=True, column=None):
        """The statement around all others. count: (statement, parameters) of the rows without limit, or None."""
        row = sql.SQL("_postgrest_t.pgrst_scalar") if column else sql.SQL("_postgrest_t")
        body = sql.SQL("coalesce(json_agg({}), '[]')" if is_set else "coalesce(json_agg({})->0, 'null')").format(row)
        return MAIN.format(
            source=source[0], read=read[0], body=body, count_source=sql.SQL(", pgrst_source_count AS ({})").format(count[0]) if count else sql.SQL(""),
            count=sql.SQL("(SELECT pg_catalog.count(*) FROM pgrst_source_count)" if count else "null::bigint"),
        ), source[1] + (count[1] if count else []) + read[1]

    def table(self, read, is_counted):
        count = None
        if is_counted:
            found, parameters = self.read(type(read)(read.table, filters=read.filters))
            count = (found, parameters)
        return self._main(self.read(read), (sql.SQL("SELECT * FROM pgrst_source"), []), count)

    def update(self, read, body, is_returned):
        """The columns of a JSON object into the rows that the filters choose."""
        names = list(json.loads(body))
        columns = self._catalogue.tables[read.table]
        missing = next((name for name in names if name not in columns), None)
        if missing:
            raise Refusal(400, "PGRST204", f"Could not find the '{missing}' column of '{read.table}' in the schema cache")
        table, parameters = self._name((self._catalogue.schema, read.table)), [body]
        typed = sql.SQL(", ").join(sql.SQL("{} " + columns[name]).format(sql.Identifier(name)) for name in names)
        conditions = [self._condition(table, wanted, parameters) for wanted in read.filters]
        text = sql.SQL("UPDATE {} SET {} FROM (SELECT %s::json AS json_data) pgrst_payload, LATERAL (SELECT * FROM json_to_record(pgrst_payload.json_data) AS _({})) pgrst_body {} RETURNING {}").format(
            table, sql.SQL(", ").join(sql.SQL("{0} = pgrst_body.{0}").format(sql.Identifier(name)) for name in names), typed,
            sql.SQL(" WHERE ") + sql.SQL(" AND ").join(conditions) if conditions else sql.SQL(""),
            sql.SQL(", ").join(self._field(table, field) for field in read.fields) if is_returned and read.fields else sql.SQL("{}.*").format(table) if is_returned else sql.SQL("1"))
        return self._main((text, parameters), (sql.SQL("SELECT * FROM pgrst_source"), []), None)

    def call(self, function, arguments, body, read, is_counted):
        """arguments: texts by name, of a GET; body: the JSON object of a POST, which comes instead of them."""
        name, has_columns = self._name((self._catalogue.schema, function.name)), function.is_composite
        given = [each for each in function.arguments if each in (json.loads(body) if body is not None else arguments)]
        if body is not None and given:
            typed = sql.SQL(", ").join(sql.SQL("{} " + function.arguments[each]).format(sql.Identifier(each)) for each in given)
            passed = sql.SQL(", ").join(sql.SQL("{0} := pgrst_body.{0}").format(sql.Identifier(each)) for each in given)
            before = sql.SQL("(SELECT %s::json AS json_data) pgrst_payload, LATERAL (SELECT * FROM json_to_record(pgrst_payload.json_data) AS _({}) LIMIT 1) pgrst_body, LATERAL ").format(typed)
            parameters = [body]
        else:
            passed = sql.SQL(", ").join(sql.SQL("{} := %s::" + function.arguments[each]).format(sql.Identifier(each)) for each in given)
            before, parameters = sql.SQL(""), [arguments[each] for each in given]
        if has_columns:
            source = sql.SQL("SELECT pgrst_call.* FROM {}{}({}) pgrst_call").format(before, name, passed)
        else:
            source = sql.SQL("SELECT pgrst_call.pgrst_scalar FROM {}(SELECT {}({}) pgrst_scalar) pgrst_call").format(before, name, passed)
        count = self.read(type(read)(read.table, filters=read.filters), source=SOURCE) if is_counted else None
        return self._main((source, parameters), self.read(read, source=SOURCE), count, function.is_set, None if has_columns else "pgrst_scalar")
