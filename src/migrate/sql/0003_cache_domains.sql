CREATE TABLE "cache_domains" (
	"id" uuid PRIMARY KEY NOT NULL,
	"database" text NOT NULL,
	"run" text NOT NULL,
	"generation" uuid NOT NULL,
	"token" text NOT NULL,
	"previous_token" text NOT NULL,
	"turn" bigint NOT NULL,
	"turned_at" timestamp with time zone NOT NULL,
	"position" "pg_snapshot",
	"drained_at" timestamp with time zone NOT NULL,
	"target" "pg_snapshot",
	"target_at" timestamp with time zone,
	"reached_xid" "xid8" NOT NULL,
	"reached_number" bigint NOT NULL
);
--> statement-breakpoint
-- The cleaner has read nothing yet.
INSERT INTO "cache_domains" VALUES ('00000000-0000-0000-0000-000000000000', '', '', '00000000-0000-0000-0000-000000000000', '', '', 0, now(), '3:3:', now(), NULL, NULL, '0', 0);
--> statement-breakpoint
-- What waits was meant for caches that begin anew. The new name of `seq` keeps processes of Larder 0.1 from taking changes away from others:
-- they cannot read the outbox any more, say so in their log, and no longer vouch for what is cached.
TRUNCATE "cache_outbox";--> statement-breakpoint
ALTER TABLE "cache_outbox" RENAME COLUMN "seq" TO "number";--> statement-breakpoint
ALTER TABLE "cache_outbox" DROP CONSTRAINT "cache_outbox_pkey";--> statement-breakpoint
ALTER TABLE "cache_outbox" ADD COLUMN "xid" "xid8" DEFAULT pg_current_xact_id() NOT NULL;--> statement-breakpoint
ALTER TABLE "cache_outbox" ADD CONSTRAINT "cache_outbox_pkey" PRIMARY KEY("xid","number");
--> statement-breakpoint
-- Tells a database from its copies, as far as Postgres lets anybody know: the cluster, which a role may be forbidden to ask for, and the
-- database within.
CREATE FUNCTION cache_outbox_database() RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
  cluster text := '';
BEGIN
  BEGIN
    SELECT system_identifier INTO cluster FROM pg_catalog.pg_control_system();
  EXCEPTION WHEN insufficient_privilege THEN
    cluster := '';
  END;
  RETURN cluster || '/' || (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database());
END $$;
--> statement-breakpoint
-- What the transaction has changed so far, and what its deferred triggers will change: they run now.
CREATE FUNCTION cache_outbox_own(most bigint) RETURNS TABLE (entity text, id bigint)
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
RETURNS TABLE (place tid, xid xid8, number bigint, entity text, entity_id bigint, created_at timestamptz)
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
-- For the same reason the way to rows that are removed is given, too.
CREATE FUNCTION cache_outbox_remove(places tid[]) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_seqscan = off AS $$
BEGIN
  DELETE FROM cache_outbox WHERE ctid = ANY(places);
END $$;
