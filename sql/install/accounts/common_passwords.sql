-- Passwords that attackers try first, as rules and words instead of a list of each.

CREATE OR REPLACE FUNCTION chat_private.common_password_words() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT string_to_array(
    -- What people call the thing itself, and what machines come with.
    'password passwort contrasena motdepasse senha parola wachtwoord passphrase passcode pass secret geheim secreto admin '
    'administrator root user username guest login logon test testing tester demo default changeme change temp temporary '
    'welcome bienvenido willkommen hello hallo hola bonjour letmein master access server system computer internet network '
    'windows linux ubuntu oracle postgres postgresql mysql database cisco router printer office outlook google facebook '
    'twitter youtube instagram whatsapp amazon netflix microsoft apple iphone android samsung nintendo playstation xbox '
    'minecraft pokemon pikachu fortnite starwars '
    -- Walks over keyboards.
    'qwerty qwertz azerty asdf asdfgh asdfghjkl zxcv zxcvbn zxcvbnm qwertyuiop qazwsx qweasd qweasdzxc poiuy lkjhg mnbvcxz '
    'wasd abc abcd abcde abcdef abcdefg aaa xxx xyz qwe asd zxc abcabc '
    -- Seasons, months, days.
    'spring summer autumn winter fall january february march april may june july august september october november december '
    'monday tuesday wednesday thursday friday saturday sunday enero febrero marzo abril mayo junio julio agosto septiembre '
    'octubre noviembre diciembre primavera verano otono invierno sommer herbst fruehling '
    -- Love, family, wishes.
    'love iloveyou loveyou lover lovely mylove teamo tequiero amor amour liebe schatz sweetheart darling honey baby babygirl '
    'babyboy princess prince queen king angel angels family mother father mommy daddy mama papa sister brother friend '
    'friends forever together happy lucky smile freedom trustno peace heaven jesus jesuschrist god christ blessed faith hope '
    'dream dreams future success money dollar million billionaire cash gold silver diamond '
    -- Animals and nature.
    'dragon monkey tiger lion eagle hawk falcon phoenix panther cobra python viper shark dolphin whale horse mustang pony '
    'kitty kitten hellokitty cat dog doggy puppy buddy bear teddy teddybear wolf rabbit bunny chicken turtle frog snake '
    'spider butterfly flower flowers rose sunflower lily daisy orchid sunshine sunrise sunset star stars moon moonlight '
    'rainbow ocean river mountain forest thunder lightning storm fire ice snow earth planet galaxy universe '
    -- Colours, food, drink.
    'black white red blue green yellow orange purple pink brown azul rojo verde negro blanco schwarz chocolate cookie cookies '
    'cheese pizza banana apples cherry strawberry lemon peach melon mango pepper ginger butter sugar candy coffee whiskey '
    'vodka tequila beer heineken budweiser pepsi cocacola '
    -- Games, sport, clubs, cars, music.
    'football futbol fussball soccer baseball basketball hockey tennis golf rugby cricket boxing running swimming skateboard '
    'snowboard ranger rangers yankees lakers cowboys steelers packers eagles giants dodgers redsox bulls arsenal chelsea '
    'liverpool manchester barcelona realmadrid juventus bayern benfica ferrari porsche mercedes bmw audi honda toyota '
    'yamaha kawasaki harley corvette camaro mustangs jaguar metallica nirvana slipknot greenday eminem beatles guitar music '
    'dance player gamer gaming killer hunter ninja samurai warrior soldier sniper pirate wizard magic merlin gandalf '
    'superman batman spiderman ironman wolverine hulk joker naruto goku pokemons mickey snoopy scooby shadow ghost zombie '
    'vampire hacker matrix maverick cooler rockstar superstar champion legend trooper gunner blaster scooter chopper '
    -- Names.
    'michael jennifer jordan jessica joshua ashley daniel matthew andrew anthony christopher robert thomas william james john '
    'david richard charles joseph mark paul steven kevin brian george edward ronald timothy jason jeffrey ryan jacob gary '
    'nicholas eric jonathan stephen larry justin scott brandon benjamin samuel gregory frank alexander alexis raymond patrick '
    'jack dennis jerry tyler aaron jose henry adam douglas nathan peter zachary kyle walter harold jeremy ethan carl keith '
    'roger austin sean christian terry arthur lawrence jesse dylan bryan joe billy bruce albert willie gabriel logan mary '
    'patricia linda elizabeth barbara susan sarah karen nancy lisa betty margaret sandra kimberly emily donna michelle '
    'dorothy carol amanda melissa deborah stephanie rebecca sharon laura cynthia kathleen amy angela shirley anna brenda '
    'pamela emma nicole helen samantha katherine christine debra rachel carolyn janet catherine maria heather diane ruth '
    'julie olivia joyce virginia victoria kelly lauren christina joan evelyn judith megan andrea cheryl hannah jacqueline '
    'martha gloria teresa ann sara madison frances kathryn janice jean abigail alice julia judy sophia grace denise amber '
    'charlie buster max maggie molly sophie chloe bella lucy ginger1 bailey jasmine tigger peanut pepper1 oliver sebastian '
    'alejandro carlos juan luis miguel pedro diego pablo javier fernando antonio manuel francisco carmen isabel lucia sofia '
    'valentina camila gabriela daniela andres ricardo eduardo roberto sergio jorge martin lukas stefan thomas1 andreas markus '
    'wolfgang hans klaus petra sabine monika anja marco giulia francesco giovanni pierre jacques nicolas camille marie ivan '
    'dmitri sergey natasha olga mohamed ahmed ali fatima krishna priya rahul '
    -- Places.
    'london paris berlin madrid rome roma moscow tokyo newyork chicago dallas boston houston texas california florida hawaii '
    'america england scotland ireland france germany deutschland spain espana italia mexico brasil brazil argentina chile '
    'colombia peru venezuela canada australia india china japan santiago lima bogota hamburg muenchen wien',
    ' ')
$$;
COMMENT ON FUNCTION chat_private.common_password_words() IS
'The words that chat_private.is_common_password makes passwords of.';

CREATE OR REPLACE FUNCTION chat_private.is_key_walk(folded text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN EXISTS (
    SELECT FROM unnest(ARRAY[
      '01234567890123456789', 'abcdefghijklmnopqrstuvwxyz', '1234567890-=', '!@#$%^&*()_+', 'qwertyuiop[]', 'qwertyuiopasdfghjklzxcvbnm',
      'qwertzuiopasdfghjklyxcvbnm', 'azertyuiopqsdfghjklmwxcvbn', '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p', 'qazwsxedcrfvtgbyhnujmikolp',
      'zaq12wsxcde34rfvbgt56yhnmju78ik', 'zaq1xsw2cde3vfr4bgt5nhy6mju7', '1q2w3e4r5t6y7u8i9o0p', 'q1w2e3r4t5y6u7i8o9p0', 'a1s2d3f4g5h6j7k8l9',
      'qweasdzxcrtyfghvbn', '123qweasdzxc', 'qwer1234asdf5678', '1234qwerasdfzxcv', 'qwerasdfzxcv', 'asdf1234', 'abcd1234', 'a1b2c3d4e5f6g7h8',
      'abc123def456', '123abc456def', '147258369', '159753', '741852963', '789456123', '123456qwerty', 'qwerty123456']) walk
    WHERE strpos(walk, is_key_walk.folded) > 0 OR strpos(reverse(walk), is_key_walk.folded) > 0);
END
$$;
COMMENT ON FUNCTION chat_private.is_key_walk(text) IS
'Whether a text is part of the alphabet, the digits, or a walk over a keyboard, in either direction.';

CREATE OR REPLACE FUNCTION chat_private.is_built_of_words(folded text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  -- 123, up to four digits, 12345 and on, and one sign or two.
  affix CONSTANT text := '(?:[0-9]{1,4}|12345(?:6(?:7(?:8(?:90?)?)?)?)?|54321|654321)';
  parts text[] := regexp_match(is_built_of_words.folded, format('^%s?(.*?[^0-9!.?#@*$_-]|)%s?([!.?#@*$]{0,2})$', affix, affix));
  stem text := parts[1];
BEGIN
  IF coalesce(stem, '') = '' THEN
    RETURN false;
  END IF;
  RETURN stem = ANY (chat_private.common_password_words())
    OR translate(stem, '@4301!5$7', 'aaeoiisst') = ANY (chat_private.common_password_words());
END
$$;
COMMENT ON FUNCTION chat_private.is_built_of_words(text) IS
'Whether a text is a common word, also with digits for letters, that up to four digits or a run of digits come before or
after, and one or two signs at the end.';

CREATE OR REPLACE FUNCTION chat_private.is_common_password(password text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  folded text := chat_private.fold_name(is_common_password.password);
  year CONSTANT text := '(?:19|20)[0-9]{2}';
  day_or_month CONSTANT text := '(?:[0-2][0-9]|3[01])';
BEGIN
  IF EXISTS (SELECT FROM jsonb_array_elements_text(chat_private.setting('common_passwords_extra')) e
             WHERE chat_private.fold_name(e) = folded) THEN
    RETURN true;
  ELSIF EXISTS (SELECT FROM jsonb_array_elements_text(chat_private.setting('common_passwords_allowed')) e
                WHERE chat_private.fold_name(e) = folded) THEN
    RETURN false;
  END IF;
  RETURN
    -- One to four characters again and again: aaaaaaaa, 12121212, abcabcabc.
    folded ~ '^(.{1,4})\1+$'
    -- Dates, and two years.
    OR folded ~ format('^(%1$s%2$s%2$s|%2$s%2$s%1$s|%1$s%1$s)$', year, day_or_month)
    OR chat_private.is_key_walk(folded)
    OR chat_private.is_built_of_words(folded)
    -- A word twice, or two words: testtest, adminpassword.
    OR EXISTS (SELECT FROM unnest(chat_private.common_password_words()) w
               WHERE starts_with(folded, w) AND substr(folded, char_length(w) + 1) = ANY (chat_private.common_password_words()));
END
$$;
COMMENT ON FUNCTION chat_private.is_common_password(text) IS
'Whether a password is one that attackers try first, in any case: repetitions, dates, walks over a keyboard, common words
and names with digits and signs, two such words; what the setting common_passwords_extra adds, without what
common_passwords_allowed takes away.';
