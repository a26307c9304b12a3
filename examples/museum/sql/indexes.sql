-- sql/indexes.sql
-- What the pages are read by: the parent, the order, the key.
CREATE INDEX ON artists (name, id);
CREATE INDEX ON artworks (artist_id, id);
CREATE INDEX ON artworks (artist_id, made_year, id);
CREATE INDEX ON artworks (artist_id, title, id);
CREATE INDEX ON artworks USING gin (tags);
CREATE INDEX ON artworks USING gin (to_tsvector('english', title));
CREATE INDEX ON subject_artworks (subject_slug, position, artwork_id);
