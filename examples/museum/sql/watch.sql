-- sql/watch.sql
-- What changes, whoever changes it, is noted in the outbox from now on.
SET lock_timeout = '2s';
SELECT cache_outbox_watch('artists', 'Artist');
SELECT cache_outbox_watch('artworks', 'Artwork');
SELECT cache_outbox_watch('thesaurus.subjects', 'Subject');
