-- The id of a row as SQL: the text of its key. Of a key of several columns, the texts with commas between, which are written %2C within, as % is
-- written %25. Texts are compared by their bytes: a collation may take two ids for one, or a comma for nothing, and before Postgres 18 `replace`
-- refuses such a collation.
CREATE OR REPLACE FUNCTION cache_outbox_id(watched regclass, given text[], row_name text) RETURNS text LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
  key text[] := cache_outbox_key(watched, given);
BEGIN
  -- What else turns a key into text could be anybody's function, and run as the owner of the outbox.
  IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = watched AND attname = ANY(key) AND NOT attisdropped AND NOT cache_outbox_may_be_key(atttypid)) THEN
    key := NULL;
  END IF;
  RETURN CASE WHEN key IS NULL THEN 'NULL::text' WHEN cardinality(key) = 1 THEN format('%s.%I::text COLLATE "C"', row_name, key[1]) ELSE (
    SELECT string_agg(format('replace(replace(%s.%I::text COLLATE "C", ''%%'', ''%%25''), '','', ''%%2C'')', row_name, part), ' || '','' || ' ORDER BY place)
    FROM unnest(key) WITH ORDINALITY AS k(part, place)
  ) END;
END $$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION cache_outbox_updated() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  IF TG_NARGS = 1 AND cache_outbox_by_id(TG_RELID) THEN
    INSERT INTO cache_outbox (entity, entity_id)
      SELECT TG_ARGV[0], i FROM (SELECT id::text COLLATE "C" AS i FROM deleted UNION SELECT id::text COLLATE "C" FROM inserted) changed;
  ELSE
    EXECUTE format('INSERT INTO cache_outbox (entity, entity_id) SELECT %1$L, i FROM (SELECT %2$s AS i FROM deleted r UNION SELECT %2$s FROM inserted r) c WHERE i IS NOT NULL',
      TG_ARGV[0], cache_outbox_id(TG_RELID, TG_ARGV[1:], 'r'));
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
SELECT cache_outbox_temporary_last();
