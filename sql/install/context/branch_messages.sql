-- What a model is told of one branch of a conversation, as an aggregate over the conversation's messages.

CREATE OR REPLACE FUNCTION chat_private.add_to_branch(state internal, leaf_id uuid, room bigint, id uuid, parent_id uuid, role text,
                                                      content text, output_tokens integer, is_plain boolean) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgchat_add_to_branch';
COMMENT ON FUNCTION chat_private.add_to_branch(internal, uuid, bigint, uuid, uuid, text, text, integer, boolean) IS
'Takes one message in, for chat_private.branch_messages.';

CREATE OR REPLACE FUNCTION chat_private.branch_messages_of(state internal) RETURNS json
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgchat_branch_messages';
COMMENT ON FUNCTION chat_private.branch_messages_of(internal) IS 'The result of chat_private.branch_messages.';

CREATE OR REPLACE AGGREGATE chat_private.branch_messages(leaf_id uuid, room bigint, id uuid, parent_id uuid, role text, content text,
                                                         output_tokens integer, is_plain boolean) (
  SFUNC = chat_private.add_to_branch, STYPE = internal, FINALFUNC = chat_private.branch_messages_of,
  FINALFUNC_MODIFY = READ_WRITE, PARALLEL = SAFE);
COMMENT ON AGGREGATE chat_private.branch_messages(uuid, bigint, uuid, uuid, text, text, integer, boolean) IS
'The branch that ends at leaf_id, among a conversation''s messages in any order, as a JSON array of {"role", "content"}, root first,
without empty answers. NULL: a message of the branch is not plain or not among them, they do not fit into room, tokens that they may
take, each counted as if it had the most that its bytes can be, or all messages together take more than four times as much. output_tokens: as the
provider counted them. is_plain: role and content are all that is told of the message. leaf_id and room are the same in all rows.';
