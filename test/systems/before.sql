-- What an administrator has done before a system moves in: a provider and one of the models that its conversations name.
SELECT chat.admin_register_provider('local', 'echo');
SELECT chat.admin_register_model('local', 'gpt-4o');
SELECT chat.admin_set_default_model('gpt-4o');
