-- sql/tables.sql
-- The museum's own tables, which nobody made for Larder.
CREATE SCHEMA thesaurus;
CREATE TYPE kind AS ENUM ('painting', 'print', 'sculpture', 'relief', 'installation', 'unique', 'other');

CREATE TABLE artists (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  born date,
  birthplace text
);

CREATE TABLE artworks (
  id int PRIMARY KEY,
  artist_id uuid NOT NULL REFERENCES artists,
  title text NOT NULL,
  made_year int,
  height_mm numeric(8, 2),
  tags text[] NOT NULL,
  dimensions jsonb NOT NULL,
  kind kind NOT NULL
);

CREATE TABLE thesaurus.subjects (
  slug text PRIMARY KEY,
  title text NOT NULL
);

CREATE TABLE subject_artworks (
  subject_slug text REFERENCES thesaurus.subjects ON UPDATE CASCADE ON DELETE CASCADE,
  artwork_id int REFERENCES artworks ON DELETE CASCADE,
  position int NOT NULL,
  PRIMARY KEY (subject_slug, artwork_id)
);
