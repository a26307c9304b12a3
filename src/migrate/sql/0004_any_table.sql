-- Keys of any type that Larder serves: each is kept as its text.
ALTER TABLE "cache_outbox" ALTER COLUMN "entity_id" SET DATA TYPE text;
--> statement-breakpoint
DROP FUNCTION cache_outbox_own(bigint);
--> statement-breakpoint
DROP FUNCTION cache_outbox_waiting(pg_snapshot, xid8, bigint, pg_snapshot, bigint);
--> statement-breakpoint
-- What the transaction has changed so far, and what its deferred triggers will change: they run now.
CREATE FUNCTION cache_outbox_own(most bigint) RETURNS TABLE (entity text, id text)
LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
  SET CONSTRAINTS ALL IMMEDIATE;
  RETURN QUERY SELECT o.entity, o.entity_id FROM cache_outbox o WHERE o.xid = pg_current_xact_id_if_assigned() ORDER BY o.number LIMIT most;
END $$;
--> statement-breakpoint
-- The changes that a reader has not read and that a snapshot shows, the first of them in the order of transactions, then of numbers: those of
-- transactions that were under way at its position and are over now, and those of transactions that began since. Both begin at a place in
-- the index, so that rows which were removed before, and which a snapshot held by somebody keeps there, are not walked (PgQ of Skytools
-- reads its queues in this way). It is STABLE, so that it sees what the statement that calls it sees. How many rows there are changes
-- faster than Postgres could know, and no plan but the one by the index is ever right.
CREATE FUNCTION cache_outbox_waiting(seen pg_snapshot, reached_xid xid8, reached_number bigint, shown pg_snapshot, most bigint)
RETURNS TABLE (place tid, xid xid8, number bigint, entity text, entity_id text, created_at timestamptz)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET enable_seqscan = off SET enable_bitmapscan = off AS $$
#variable_conflict use_column
DECLARE
  began xid8 := greatest(cache_outbox_waiting.reached_xid, pg_snapshot_xmax(seen));
  began_number bigint := CASE WHEN cache_outbox_waiting.reached_xid < pg_snapshot_xmax(seen) THEN 0 ELSE cache_outbox_waiting.reached_number END;
  over xid8;
  left_over bigint := most;
  found_rows bigint;
BEGIN
  FOR over IN SELECT xip FROM pg_snapshot_xip(seen) xip
    WHERE xip >= cache_outbox_waiting.reached_xid AND pg_visible_in_snapshot(xip, shown) ORDER BY xip
  LOOP
    RETURN QUERY SELECT o.ctid, o.xid, o.number, o.entity, o.entity_id, o.created_at FROM cache_outbox o
      WHERE o.xid = over AND o.number > CASE WHEN over = cache_outbox_waiting.reached_xid THEN cache_outbox_waiting.reached_number ELSE 0 END
      ORDER BY o.xid, o.number LIMIT left_over;
    GET DIAGNOSTICS found_rows = ROW_COUNT;
    left_over := left_over - found_rows;
    EXIT WHEN left_over <= 0;
  END LOOP;
  RETURN QUERY SELECT o.ctid, o.xid, o.number, o.entity, o.entity_id, o.created_at FROM cache_outbox o
    WHERE (o.xid, o.number) > (began, began_number) AND o.xid < pg_snapshot_xmax(shown) AND pg_visible_in_snapshot(o.xid, shown)
    ORDER BY o.xid, o.number LIMIT left_over;
END $$;
--> statement-breakpoint
-- What a trigger was made with: each argument ends with a zero byte.
CREATE FUNCTION cache_outbox_arguments(written bytea) RETURNS text[] LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN ARRAY(SELECT convert_from(decode(a, 'escape'), getdatabaseencoding()) FROM unnest(string_to_array(encode(written, 'escape'), '\000')) a WHERE a <> '');
END $$;
--> statement-breakpoint
-- The columns of a table's key: those that are given, or else of its primary key, in its order; NULL when it has none. Those of the primary key
-- are looked up at each change, so that they may be renamed. A partition has the key of the table that it belongs to. What was watched before a
-- primary key was asked for is known by its column `id`.
CREATE FUNCTION cache_outbox_key(watched regclass, given text[]) RETURNS text[] LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
  keyed regclass := coalesce(pg_partition_root(watched), watched);
  key text[] := given;
BEGIN
  IF cardinality(key) > 0 THEN
    RETURN CASE WHEN cardinality(key) = (SELECT count(*) FROM pg_attribute WHERE attrelid = keyed AND attname = ANY(key) AND NOT attisdropped) THEN key END;
  END IF;
  SELECT array_agg(a.attname::text ORDER BY k.place) INTO key
    FROM pg_index i CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k(number, place)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
    WHERE i.indrelid = keyed AND i.indisprimary AND k.place <= i.indnkeyatts;
  IF key IS NULL THEN
    SELECT ARRAY['id'] INTO key FROM pg_attribute WHERE attrelid = keyed AND attname = 'id' AND NOT attisdropped;
  END IF;
  RETURN key;
END $$;
--> statement-breakpoint
-- Whether keys may be of a type, or of the type that a domain is of: whatever the owner of a table says, these are turned into text by Postgres itself.
CREATE FUNCTION cache_outbox_may_be_key(declared oid) RETURNS boolean LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
  base oid := declared;
  domain_of oid;
BEGIN
  LOOP
    SELECT typbasetype INTO domain_of FROM pg_type WHERE oid = base AND typtype = 'd';
    EXIT WHEN NOT FOUND;
    base := domain_of;
  END LOOP;
  RETURN base IN ('uuid'::regtype, 'text'::regtype, 'varchar'::regtype, 'smallint'::regtype, 'integer'::regtype, 'bigint'::regtype);
END $$;
--> statement-breakpoint
-- The id of a row as SQL: the text of its key. Of a key of several columns, the texts with commas between, which are written %2C within, as % is
-- written %25.
CREATE FUNCTION cache_outbox_id(watched regclass, given text[], row_name text) RETURNS text LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
  key text[] := cache_outbox_key(watched, given);
BEGIN
  -- What else turns a key into text could be anybody's function, and run as the owner of the outbox.
  IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = watched AND attname = ANY(key) AND NOT attisdropped AND NOT cache_outbox_may_be_key(atttypid)) THEN
    key := NULL;
  END IF;
  RETURN CASE WHEN key IS NULL THEN 'NULL::text' WHEN cardinality(key) = 1 THEN format('%s.%I::text', row_name, key[1]) ELSE (
    SELECT string_agg(format('replace(replace(%s.%I::text, ''%%'', ''%%25''), '','', ''%%2C'')', row_name, part), ' || '','' || ' ORDER BY place)
    FROM unnest(key) WITH ORDINALITY AS k(part, place)
  ) END;
END $$;
--> statement-breakpoint
-- Whether the primary key is `id`, of one of the usual types, as that of most tables is: then Postgres plans once what it would else plan at each change.
CREATE FUNCTION cache_outbox_by_id(watched regclass) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN EXISTS (
    SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = watched AND i.indisprimary AND i.indnkeyatts = 1 AND a.attname = 'id'
      AND a.atttypid IN ('pg_catalog.uuid'::pg_catalog.regtype, 'pg_catalog.text'::pg_catalog.regtype, 'pg_catalog.int4'::pg_catalog.regtype, 'pg_catalog.int8'::pg_catalog.regtype)
  );
END $$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION cache_outbox_inserted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  IF TG_NARGS = 1 AND cache_outbox_by_id(TG_RELID) THEN
    INSERT INTO cache_outbox (entity, entity_id) SELECT TG_ARGV[0], id::text FROM inserted;
  ELSE
    EXECUTE format('INSERT INTO cache_outbox (entity, entity_id) SELECT %L, i FROM (SELECT %s AS i FROM inserted r) c WHERE i IS NOT NULL',
      TG_ARGV[0], cache_outbox_id(TG_RELID, TG_ARGV[1:], 'r'));
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION cache_outbox_updated() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  IF TG_NARGS = 1 AND cache_outbox_by_id(TG_RELID) THEN
    INSERT INTO cache_outbox (entity, entity_id) SELECT TG_ARGV[0], id::text FROM (SELECT id FROM deleted UNION SELECT id FROM inserted) changed;
  ELSE
    EXECUTE format('INSERT INTO cache_outbox (entity, entity_id) SELECT %1$L, i FROM (SELECT %2$s AS i FROM deleted r UNION SELECT %2$s FROM inserted r) c WHERE i IS NOT NULL',
      TG_ARGV[0], cache_outbox_id(TG_RELID, TG_ARGV[1:], 'r'));
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION cache_outbox_deleted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  IF TG_NARGS = 1 AND cache_outbox_by_id(TG_RELID) THEN
    INSERT INTO cache_outbox (entity, entity_id) SELECT TG_ARGV[0], id::text FROM deleted;
  ELSE
    EXECUTE format('INSERT INTO cache_outbox (entity, entity_id) SELECT %L, i FROM (SELECT %s AS i FROM deleted r) c WHERE i IS NOT NULL',
      TG_ARGV[0], cache_outbox_id(TG_RELID, TG_ARGV[1:], 'r'));
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
-- TRUNCATE has no transition tables: its rows are still there before it. Of a partitioned table, partitions that have the trigger note their own.
CREATE OR REPLACE FUNCTION cache_outbox_truncated() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  others text := '';
BEGIN
  -- Policies could hide rows, and are somebody else's code. Such a table is refused, or read by versions (cache_outbox_unfit).
  IF row_security_active(TG_RELID) THEN RETURN NULL; END IF;
  IF EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = TG_RELID) THEN
    others := format('WHERE r.tableoid NOT IN (SELECT tgrelid FROM pg_trigger WHERE tgname = %L)', TG_NAME);
  END IF;
  EXECUTE format('INSERT INTO cache_outbox (entity, entity_id) SELECT %L, i FROM (SELECT %s AS i FROM %I.%I r %s) c WHERE i IS NOT NULL',
    TG_ARGV[0], cache_outbox_id(TG_RELID, TG_ARGV[1:], 'r'), TG_TABLE_SCHEMA, TG_TABLE_NAME, others);
  RETURN NULL;
END $$;
--> statement-breakpoint
-- Of a partitioned table, rows are noted one by one: such a trigger alone comes to all partitions, also to those that are made or attached later,
-- and hears of what is written to a partition under its own name.
CREATE FUNCTION cache_outbox_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  id text;
  before text;
  after text;
BEGIN
  IF TG_NARGS = 1 AND cache_outbox_by_id(TG_RELID) THEN
    IF TG_OP <> 'INSERT' THEN before := OLD.id::text; END IF;
    IF TG_OP <> 'DELETE' THEN after := NEW.id::text; END IF;
  ELSE
    id := 'SELECT ' || cache_outbox_id(TG_RELID, TG_ARGV[1:], '($1)');
    IF TG_OP <> 'INSERT' THEN EXECUTE id INTO before USING OLD; END IF;
    IF TG_OP <> 'DELETE' THEN EXECUTE id INTO after USING NEW; END IF;
  END IF;
  INSERT INTO cache_outbox (entity, entity_id) SELECT DISTINCT TG_ARGV[0], i FROM unnest(ARRAY[before, after]) i WHERE i IS NOT NULL;
  RETURN NULL;
END $$;
--> statement-breakpoint
-- Why it cannot be heard of what happens to a table, and what to do; NULL when it can. The key is the primary one unless columns are given.
CREATE FUNCTION cache_outbox_unfit(watched regclass, given text[]) RETURNS text LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
  rel pg_class;
  noter oid := (SELECT proowner FROM pg_proc WHERE oid = 'cache_outbox_truncated'::regproc);
  key text[] := cache_outbox_key(watched, given);
  other text;
BEGIN
  SELECT * INTO rel FROM pg_class WHERE oid = watched;
  IF rel.relkind IN ('v', 'm') THEN
    RETURN 'is a view, and no trigger says when what a view shows has changed: declare its entity with unwatched';
  ELSIF rel.relkind = 'f' THEN
    RETURN 'is a foreign table, and what is written to it elsewhere fires no trigger here: declare its entity with unwatched';
  ELSIF rel.relkind NOT IN ('r', 'p') THEN
    RETURN 'is not a table';
  ELSIF rel.relpersistence = 't' THEN
    RETURN 'is a temporary table, which no server sees';
  ELSIF rel.relpersistence = 'u' THEN
    RETURN 'is unlogged, and no trigger says when a crash of Postgres has emptied it: ALTER TABLE … SET LOGGED, or declare its entity with unwatched';
  ELSIF rel.relispartition THEN
    RETURN format('is a partition: watch %s, to which it belongs', pg_partition_root(watched));
  END IF;
  SELECT inhrelid::regclass INTO other FROM pg_inherits WHERE inhparent = watched AND rel.relkind = 'r' LIMIT 1;
  IF FOUND THEN
    RETURN format('has rows in %s, which inherits from it and fires other triggers: declare its entity with unwatched', other);
  END IF;
  SELECT inhparent::regclass INTO other FROM pg_inherits WHERE inhrelid = watched LIMIT 1;
  IF FOUND THEN
    RETURN format('inherits from %s, and what changes its rows through that fires other triggers: declare its entity with unwatched', other);
  END IF;
  SELECT relid INTO other FROM pg_partition_tree(watched) JOIN pg_class ON oid = relid WHERE relkind = 'f' LIMIT 1;
  IF FOUND THEN
    RETURN format('has the partition %s, a foreign table, and what is written to it elsewhere fires no trigger here: declare its entity with unwatched', other);
  END IF;
  IF cardinality(given) > 0 AND key IS NULL THEN
    RETURN format('has not all of the columns (%s)', array_to_string(given, ', '));
  ELSIF NOT EXISTS (
    SELECT FROM pg_index i WHERE i.indrelid = watched AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
      AND (i.indisprimary OR cardinality(given) > 0) AND i.indnkeyatts = cardinality(key)
      AND (SELECT bool_and(a.attnotnull AND a.attname = ANY(key)) FROM unnest(i.indkey) WITH ORDINALITY AS k(number, place)
        JOIN pg_attribute a ON a.attrelid = watched AND a.attnum = k.number WHERE k.place <= i.indnkeyatts)
  ) THEN
    RETURN CASE WHEN cardinality(given) > 0 THEN format('has no unique index on (%s) alone, of columns that are NOT NULL', array_to_string(given, ', '))
      ELSE 'has no primary key: name the columns of another unique key after the entity, or declare the entity with unwatched' END;
  END IF;
  SELECT format('has the column %I of the type %s in its key, which may be of the types uuid, text, varchar, smallint, integer and bigint', attname, format_type(atttypid, NULL))
    INTO other FROM pg_attribute WHERE attrelid = watched AND attname = ANY(key) AND NOT attisdropped AND NOT cache_outbox_may_be_key(atttypid) LIMIT 1;
  IF FOUND THEN
    RETURN other;
  END IF;
  IF NOT has_schema_privilege(noter, rel.relnamespace, 'USAGE') OR NOT has_table_privilege(noter, watched, 'SELECT') THEN
    RETURN format('cannot be read by %1$s, to whom the outbox belongs and who must see what a TRUNCATE takes away: GRANT USAGE ON SCHEMA %2$s TO %1$s; GRANT SELECT ON %3$s TO %1$s',
      noter::regrole, rel.relnamespace::regnamespace, watched);
  END IF;
  IF rel.relrowsecurity AND NOT (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE oid = noter)
    AND (rel.relforcerowsecurity OR NOT pg_has_role(noter, rel.relowner, 'USAGE')) THEN
    RETURN format('has row security, which may hide from %1$s, to whom the outbox belongs, what a TRUNCATE takes away: ALTER ROLE %1$s BYPASSRLS, or declare its entity with unwatched', noter::regrole);
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
-- The triggers that a table must have: the table or partition, the function, when it is called.
CREATE FUNCTION cache_outbox_triggers(watched regclass) RETURNS TABLE (place regclass, noting text, event text)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
  IF EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = watched) THEN
    RETURN QUERY VALUES (watched, 'cache_outbox_changed', 'AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW');
    RETURN QUERY SELECT relid, 'cache_outbox_truncated', 'BEFORE TRUNCATE ON %s FOR EACH STATEMENT' FROM pg_partition_tree(watched);
  ELSE
    RETURN QUERY VALUES
      (watched, 'cache_outbox_inserted', 'AFTER INSERT ON %s REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT'),
      (watched, 'cache_outbox_updated', 'AFTER UPDATE ON %s REFERENCING OLD TABLE AS deleted NEW TABLE AS inserted FOR EACH STATEMENT'),
      (watched, 'cache_outbox_deleted', 'AFTER DELETE ON %s REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT'),
      (watched, 'cache_outbox_truncated', 'BEFORE TRUNCATE ON %s FOR EACH STATEMENT');
  END IF;
END $$;
--> statement-breakpoint
DROP FUNCTION cache_outbox_watch(regclass, text);
--> statement-breakpoint
-- Gives an entity's table its triggers: SELECT cache_outbox_watch('venues', 'Venue'), with the columns of its key after that where it is not the
-- primary one. A table that several entities show is watched for each of them. What is there already is left as it is.
CREATE FUNCTION cache_outbox_watch(watched regclass, entity text, VARIADIC key text[] DEFAULT '{}') RETURNS void
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
-- Why it is not heard of changes of an entity's table, and what to do; NULL when it is.
CREATE FUNCTION cache_outbox_unheard(watched regclass, entity text, key text[]) RETURNS text LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
  heard text[];
  unfit text;
  lacking text;
BEGIN
  SELECT cache_outbox_arguments(tgargs) INTO heard FROM pg_trigger
    WHERE tgrelid = watched AND tgfoid = 'cache_outbox_truncated'::regproc AND (cache_outbox_arguments(tgargs))[1] = entity LIMIT 1;
  unfit := cache_outbox_unfit(watched, heard[2:]);
  SELECT string_agg(t.noting, ', ') INTO lacking FROM cache_outbox_triggers(watched) t WHERE t.place = watched AND NOT EXISTS (
    SELECT FROM pg_trigger p WHERE p.tgrelid = watched AND p.tgfoid = t.noting::regproc AND p.tgenabled IN ('O', 'A') AND cache_outbox_arguments(p.tgargs) = heard
  );
  IF unfit IS NOT NULL THEN
    RETURN format('%s %s', watched, unfit);
  ELSIF lacking IS NOT NULL THEN
    RETURN format('%s lacks the triggers that tell what changes: SELECT cache_outbox_watch(%L, %L), or declare the entity with unwatched', watched, watched::text, entity);
  ELSIF cache_outbox_key(watched, heard[2:]) <> key THEN
    RETURN format('%s is watched by the key (%s), and the entity is declared with (%s): the columns must be the same in the same order',
      watched, array_to_string(cache_outbox_key(watched, heard[2:]), ', '), array_to_string(key, ', '));
  END IF;
  RETURN NULL;
END $$;
