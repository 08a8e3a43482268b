-- Inés, who writes Spanish and has used up her budget of this month.
SELECT chat.authenticate((chat.login('spender@demo.example', :'password', ip_address => '192.0.2.40', user_agent => 'Edge on Windows')).session_token) AS ignored \gset
SELECT chat.update_settings('demo-small', '{"language": "es"}') IS NULL AS ignored,
  pg_temp.bring(pg_temp.document('carta', 'Carta de otoño', '17 days', $json$[
    {"user": "Escribe una línea para la carta de otoño: tarta de calabaza con espresso."},
    {"assistant": "Tarta de calabaza, tibia, con un espresso que sabe a castaña."},
    {"user": "Más corto."},
    {"assistant": "Calabaza tibia y espresso."}]$json$, '{"model": "demo-small", "tags": ["carta"], "system_prompt": "Eres el asistente de Fog Harbour Coffee, un pequeño tostadero. Responde en español, con frases cortas y sencillas."}')) AS ignored,
  pg_temp.bring(pg_temp.document('informe', 'El informe anual entero', least(interval '20 minutes', now() - date_trunc('month', now(), 'UTC')), $json$[
    {"user": "Resume el informe anual (te lo pego entero) en una frase."},
    {"assistant": "Se vendió un 11 % más y se ganó un 3 % menos, porque la leche y el alquiler subieron.", "input_tokens": 200000}]$json$, '{"model": "demo-large"}')) AS ignored \gset
