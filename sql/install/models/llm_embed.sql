-- Embeddings: texts turned into vectors by a model, through the engine at once, inside any transaction.

CREATE OR REPLACE FUNCTION chat.llm_embed(input text, model text DEFAULT NULL, options jsonb DEFAULT '{}', timeout_ms integer DEFAULT NULL)
  RETURNS real[]
LANGUAGE c VOLATILE COST 100000 AS 'MODULE_PATHNAME', 'pgchat_llm_embed_text';
COMMENT ON FUNCTION chat.llm_embed(text, text, jsonb, integer) IS
'The embedding of a text; casts to vector where pgvector is installed. model: by default the setting default_embedding_model. options:
{dimensions, extra}. timeout_ms: milliseconds for the whole call, by default pgchat.request_timeout.
Errors: 28000 nobody is authenticated; 22004 input is NULL; 2200F empty; 54000 too long; 42704 no such model; PC003 no default embedding
model; 22023 timeout_ms is not positive; PC002 options; 0A000 the model''s provider has no embeddings; 08001, 08007, 57P03, 25006, PC101 to
PC108, PC303 as chat.llm_complete.';

CREATE OR REPLACE FUNCTION chat.llm_embed(inputs text[], model text DEFAULT NULL, options jsonb DEFAULT '{}', timeout_ms integer DEFAULT NULL)
  RETURNS TABLE (idx integer, embedding real[])
LANGUAGE c VOLATILE COST 100000 ROWS 100 AS 'MODULE_PATHNAME', 'pgchat_llm_embed_texts';
COMMENT ON FUNCTION chat.llm_embed(text[], text, jsonb, integer) IS
'The embeddings of many texts, up to 128 of them in one request to the provider: one row for each, in their order. idx: the text''s
number, from 1, as WITH ORDINALITY counts. embedding: NULL where the text is NULL. timeout_ms: milliseconds for each request.
Errors: as for one text; any of them ends the whole.';
