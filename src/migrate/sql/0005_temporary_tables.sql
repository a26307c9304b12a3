-- Temporary tables are looked at last. A path that does not say so has them first, even before the catalog: whoever may make one could put
-- it in the place of the outbox (Postgres' manual, CREATE FUNCTION, "Writing SECURITY DEFINER Functions Safely").
DO $$
DECLARE
  made record;
BEGIN
  FOR made IN
    SELECT p.oid::regprocedure AS signature, substr(setting, length('search_path=') + 1) AS path
    FROM pg_catalog.pg_proc p, unnest(p.proconfig) setting
    WHERE p.pronamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema()) AND p.proname LIKE 'cache\_outbox\_%' AND setting LIKE 'search\_path=%'
  LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = %s, pg_temp', made.signature, made.path);
  END LOOP;
END $$;
