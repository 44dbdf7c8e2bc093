-- What the record of one subject says of others: numbers that two records may share, relatives by their own number, and which
-- of those were purged, as of when.
create table subject_numbers (
    value text not null,
    stream_id uuid not null,
    adopted boolean not null,
    primary key (value, stream_id)
);
create index on subject_numbers (stream_id);
create table subject_relatives (
    value text not null,
    stream_id uuid not null,
    primary key (value, stream_id)
);
create index on subject_relatives (stream_id);
create table purged_subjects (value text primary key, extracted text not null);
