-- The two schemas: what clients call and see, and what they do not.

CREATE SCHEMA chat;
COMMENT ON SCHEMA chat IS 'pgchat: the functions an application calls, and the tables it may read its own rows of';

CREATE SCHEMA chat_private;
COMMENT ON SCHEMA chat_private IS 'pgchat: secrets and machinery; granted to no client';
