-- The tables of a VibeBot as its documentation has them, and as Prisma lays them, in the schema that the variable source names.
CREATE SCHEMA :"source";
SET search_path = :"source";

CREATE TYPE "UserRole" AS ENUM ('ADMIN', 'USER', 'GUEST');
CREATE TYPE "MessageRole" AS ENUM ('USER', 'ASSISTANT', 'SYSTEM');
CREATE TYPE "ApiKeyProvider" AS ENUM ('CLAUDE', 'OPENAI');
CREATE TABLE "User" (
  "id" text PRIMARY KEY,
  "email" text NOT NULL,
  "password" text NOT NULL,
  "name" text,
  "role" "UserRole" NOT NULL DEFAULT 'USER',
  "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" timestamp(3) NOT NULL
);
CREATE UNIQUE INDEX "User_email_key" ON "User" ("email");
CREATE TABLE "ApiKey" (
  "id" text PRIMARY KEY,
  "userId" text NOT NULL REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
  "provider" "ApiKeyProvider" NOT NULL,
  "encryptedKey" text NOT NULL,
  "name" text,
  "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" timestamp(3) NOT NULL
);
CREATE INDEX "ApiKey_userId_idx" ON "ApiKey" ("userId");
CREATE TABLE "Conversation" (
  "id" text PRIMARY KEY,
  "userId" text NOT NULL REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
  "title" text NOT NULL DEFAULT 'New Conversation',
  "model" text,
  "systemPrompt" text,
  "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" timestamp(3) NOT NULL
);
CREATE INDEX "Conversation_userId_idx" ON "Conversation" ("userId");
CREATE INDEX "Conversation_createdAt_idx" ON "Conversation" ("createdAt");
CREATE TABLE "Message" (
  "id" text PRIMARY KEY,
  "conversationId" text NOT NULL REFERENCES "Conversation" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
  "userId" text REFERENCES "User" ("id") ON DELETE SET NULL ON UPDATE CASCADE,
  "role" "MessageRole" NOT NULL,
  "content" text NOT NULL,
  "metadata" jsonb,
  "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX "Message_conversationId_idx" ON "Message" ("conversationId");
CREATE INDEX "Message_createdAt_idx" ON "Message" ("createdAt");
