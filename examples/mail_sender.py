#!/usr/bin/env python3
"""Sends the mails in pgchat's outbox through an SMTP server.

The database is that of PGHOST, PGDATABASE, PGUSER …, the role a member of pgchat_service. The mail server is SMTP_HOST (localhost),
SMTP_PORT (25), SMTP_USER and SMTP_PASSWORD; TLS is used where it is offered. MAIL_FROM is the sender. Run as many as you like."""

import email.message
import email.utils
import os
import select
import smtplib
import ssl
import sys

import psycopg


def send(recipient, subject, body):
    mail = email.message.EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = os.environ["MAIL_FROM"], recipient, subject
    mail["Date"], mail["Message-ID"] = email.utils.formatdate(), email.utils.make_msgid("pgchat")
    mail.set_content(body)
    with smtplib.SMTP(os.environ.get("SMTP_HOST", "localhost"), int(os.environ.get("SMTP_PORT", "25")), timeout=60) as server:
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
        if os.environ.get("SMTP_USER"):
            server.login(os.environ["SMTP_USER"], os.environ["SMTP_PASSWORD"])
        server.send_message(mail)


with psycopg.connect("", autocommit=True) as database:
    notified = []
    database.add_notify_handler(notified.append)
    database.execute("LISTEN pgchat_outbox")
    while True:
        notified.clear()
        while mails := database.execute("SELECT id, recipient, subject, body FROM chat.outbox_claim(20)").fetchall():
            for mail_id, *mail in mails:
                try:
                    send(*mail)
                    database.execute("SELECT chat.outbox_sent(%s)", (mail_id,))
                except (OSError, ValueError, smtplib.SMTPException) as error:
                    retry_at, = database.execute("SELECT chat.outbox_failed(%s, %s)", (mail_id, repr(error))).fetchone()
                    print(f"mail {mail_id} failed, next attempt {retry_at}: {error!r}", file=sys.stderr, flush=True)
        if not notified:  # Otherwise a mail was queued meanwhile. A minute, because failed ones fall due without a notification.
            select.select([database], [], [], 60)
