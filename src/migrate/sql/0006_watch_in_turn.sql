-- Gives an entity's table its triggers: SELECT cache_outbox_watch('venues', 'Venue'), with the columns of its key after that where it is not the
-- primary one. A table that several entities show is watched for each of them. What is there already is left as it is, and then nothing is waited for. Otherwise one call waits for another
-- and for migrations, by the lock of these: two that find the same trigger missing would both make it.
CREATE OR REPLACE FUNCTION cache_outbox_watch(watched regclass, entity text, VARIADIC key text[] DEFAULT '{}') RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  unfit text := cache_outbox_unfit(watched, key);
  arguments text[] := entity || key;
  called text;
  missing record;
  other record;
BEGIN
  IF unfit IS NOT NULL THEN
    RAISE EXCEPTION 'cache_outbox_watch: % %.', watched, unfit USING ERRCODE = 'feature_not_supported';
  ELSIF entity = '' THEN
    RAISE EXCEPTION 'cache_outbox_watch: expected the name of the entity that % has the rows of.', watched USING ERRCODE = 'invalid_parameter_value';
  ELSIF NOT has_table_privilege(watched, 'TRIGGER') THEN
    RAISE EXCEPTION 'cache_outbox_watch: % may not make triggers on %.', current_user, watched USING ERRCODE = 'insufficient_privilege',
      HINT = format('Let its owner call it, or GRANT TRIGGER ON %s TO %I. Where nobody may, declare the entity with unwatched.', watched, current_user);
  END IF;
  IF NOT EXISTS (
    SELECT FROM cache_outbox_triggers(watched) t WHERE NOT EXISTS (
      SELECT FROM pg_trigger p WHERE p.tgrelid = t.place AND p.tgfoid = t.noting::regproc AND p.tgenabled IN ('O', 'A') AND cache_outbox_arguments(p.tgargs) = arguments
    )
  ) THEN
    RETURN;
  END IF;
  PERFORM pg_advisory_xact_lock(119182805820786);
  FOR missing IN SELECT * FROM cache_outbox_triggers(watched) t WHERE NOT EXISTS (
    SELECT FROM pg_trigger p WHERE p.tgrelid = t.place AND p.tgfoid = t.noting::regproc AND p.tgenabled IN ('O', 'A') AND cache_outbox_arguments(p.tgargs) = arguments
  ) LOOP
    FOR other IN SELECT tgname FROM pg_trigger WHERE tgrelid = missing.place AND tgfoid = missing.noting::regproc AND (cache_outbox_arguments(tgargs))[1] = entity LOOP
      EXECUTE format('DROP TRIGGER %I ON %s', other.tgname, missing.place);
    END LOOP;
    called := missing.noting || '_' || entity;
    -- Postgres would cut the end off, which tells it from others.
    IF octet_length(called) > 63 THEN called := missing.noting || '_' || md5(entity); END IF;
    EXECUTE format('CREATE TRIGGER %I ' || missing.event || ' EXECUTE FUNCTION %I(%s)', called, missing.place, missing.noting,
      (SELECT string_agg(quote_literal(a), ', ' ORDER BY place) FROM unnest(arguments) WITH ORDINALITY AS x(a, place)));
  END LOOP;
END $$;
--> statement-breakpoint
-- Temporary tables are looked at last here, too.
DO $$
BEGIN
  EXECUTE format('ALTER FUNCTION cache_outbox_watch(regclass, text, text[]) SET search_path = %s, pg_temp', current_setting('search_path'));
END $$;
