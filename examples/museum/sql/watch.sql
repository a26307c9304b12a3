-- sql/watch.sql
-- What changes, whoever changes it, is noted in the outbox from now on.
SELECT cache_outbox_watch('artists', 'Artist');
SELECT cache_outbox_watch('artworks', 'Artwork');
SELECT cache_outbox_watch('thesaurus.subjects', 'Subject');
