-- Each statement that changes entities leaves their ids in the outbox, in its own transaction, so that an invalidation
-- can neither be forgotten nor happen for a change that was rolled back. Statement-level triggers with transition tables
-- cost one insert for each statement, however many rows it changes.
CREATE FUNCTION cache_outbox_inserted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO cache_outbox (entity, entity_id) SELECT TG_ARGV[0], id FROM inserted;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE FUNCTION cache_outbox_updated() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO cache_outbox (entity, entity_id) SELECT TG_ARGV[0], id FROM (SELECT id FROM deleted UNION SELECT id FROM inserted) changed;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE FUNCTION cache_outbox_deleted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO cache_outbox (entity, entity_id) SELECT TG_ARGV[0], id FROM deleted;
  RETURN NULL;
END $$;
--> statement-breakpoint
-- TRUNCATE has no transition tables: its rows are still there before it.
CREATE FUNCTION cache_outbox_truncated() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  EXECUTE format('INSERT INTO cache_outbox (entity, entity_id) SELECT %L, id FROM %I.%I', TG_ARGV[0], TG_TABLE_SCHEMA, TG_TABLE_NAME);
  RETURN NULL;
END $$;
--> statement-breakpoint
-- Gives an entity's table its triggers: SELECT cache_outbox_watch('venues', 'Venue').
CREATE FUNCTION cache_outbox_watch(watched regclass, entity text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TRIGGER cache_outbox_inserted AFTER INSERT ON %s REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION cache_outbox_inserted(%L)', watched, entity);
  EXECUTE format('CREATE TRIGGER cache_outbox_updated AFTER UPDATE ON %s REFERENCING OLD TABLE AS deleted NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION cache_outbox_updated(%L)', watched, entity);
  EXECUTE format('CREATE TRIGGER cache_outbox_deleted AFTER DELETE ON %s REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT EXECUTE FUNCTION cache_outbox_deleted(%L)', watched, entity);
  EXECUTE format('CREATE TRIGGER cache_outbox_truncated BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION cache_outbox_truncated(%L)', watched, entity);
END $$;
