-- On which table a trigger is missing or off; NULL when it is on none. A trigger for rows of a partitioned table fires through its copies on
-- the partitions, each of which may be off by itself.
CREATE FUNCTION cache_outbox_silent(place regclass, noting text, arguments text[]) RETURNS regclass LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
  silent regclass;
BEGIN
  SELECT p.relid INTO silent FROM (
    SELECT place AS relid, 0 AS level UNION SELECT t.relid, t.level FROM pg_partition_tree(place) t WHERE t.isleaf AND noting = 'cache_outbox_changed'
  ) p WHERE NOT EXISTS (
    SELECT FROM pg_trigger t WHERE t.tgrelid = p.relid AND t.tgfoid = noting::regproc AND t.tgenabled IN ('O', 'A') AND cache_outbox_arguments(t.tgargs) = arguments
  ) ORDER BY p.level, p.relid LIMIT 1;
  RETURN silent;
END $$;
--> statement-breakpoint
-- Gives an entity's table its triggers: SELECT cache_outbox_watch('venues', 'Venue'), with the columns of its key after that where it is not the
-- primary one. A table that several entities show is watched for each of them. What is there already is left as it is, and then nothing is waited
-- for. Otherwise one call waits for another and for migrations, by the lock of these: two that find the same trigger missing would both make it.
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
  IF NOT EXISTS (SELECT FROM cache_outbox_triggers(watched) t WHERE cache_outbox_silent(t.place, t.noting, arguments) IS NOT NULL) THEN
    RETURN;
  END IF;
  PERFORM pg_advisory_xact_lock(119182805820786);
  FOR missing IN SELECT * FROM cache_outbox_triggers(watched) t WHERE cache_outbox_silent(t.place, t.noting, arguments) IS NOT NULL LOOP
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
-- Why it is not heard of changes of an entity's table, and what to do; NULL when it is.
CREATE OR REPLACE FUNCTION cache_outbox_unheard(watched regclass, entity text, key text[]) RETURNS text LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
  heard text[];
  unfit text;
  silent regclass;
  off text;
BEGIN
  SELECT cache_outbox_arguments(tgargs) INTO heard FROM pg_trigger
    WHERE tgrelid = watched AND tgfoid = 'cache_outbox_truncated'::regproc AND (cache_outbox_arguments(tgargs))[1] = entity LIMIT 1;
  unfit := cache_outbox_unfit(watched, heard[2:]);
  SELECT s INTO silent FROM cache_outbox_triggers(watched) t, cache_outbox_silent(t.place, t.noting, heard) s
    WHERE t.place = watched AND s IS NOT NULL ORDER BY s = watched DESC LIMIT 1;
  IF unfit IS NOT NULL THEN
    RETURN format('%s %s', watched, unfit);
  ELSIF silent = watched THEN
    RETURN format('%s lacks the triggers that tell what changes: SELECT cache_outbox_watch(%L, %L), or declare the entity with unwatched', watched, watched::text, entity);
  ELSIF silent IS NOT NULL THEN
    SELECT quote_ident(tgname) INTO off FROM pg_trigger
      WHERE tgrelid = silent AND tgfoid = 'cache_outbox_changed'::regproc AND cache_outbox_arguments(tgargs) = heard LIMIT 1;
    RETURN format('%s, a partition of %s, has the trigger off that tells what changes: ALTER TABLE %1$s ENABLE TRIGGER %3$s', silent, watched, off);
  ELSIF cache_outbox_key(watched, heard[2:]) <> key THEN
    RETURN format('%s is watched by the key (%s), and the entity is declared with (%s): the columns must be the same in the same order',
      watched, array_to_string(cache_outbox_key(watched, heard[2:]), ', '), array_to_string(key, ', '));
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
-- Temporary tables are looked at last by what is made here, too. Each migration that makes functions ends with a call of this.
CREATE FUNCTION cache_outbox_temporary_last() RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  made record;
BEGIN
  FOR made IN
    SELECT p.oid::regprocedure AS signature, substr(setting, length('search_path=') + 1) AS path
    FROM pg_catalog.pg_proc p, unnest(p.proconfig) setting
    WHERE p.pronamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema()) AND p.proname LIKE 'cache\_outbox\_%'
      AND setting LIKE 'search\_path=%' AND setting NOT LIKE '%, pg\_temp'
  LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = %s, pg_temp', made.signature, made.path);
  END LOOP;
END $$;
--> statement-breakpoint
SELECT cache_outbox_temporary_last();
