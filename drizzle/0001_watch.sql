-- Has the outbox hear of each change (Larder's own migrations come first). A database that was migrated when they stood among these has
-- the triggers already.
DO $$
DECLARE
  watched regclass;
  entity text;
BEGIN
  FOR watched, entity IN VALUES ('brands'::regclass, 'Brand'), ('campaigns', 'Campaign'), ('events', 'Event') LOOP
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = watched AND tgname = 'cache_outbox_updated') THEN
      PERFORM cache_outbox_watch(watched, entity);
    END IF;
  END LOOP;
END $$;
