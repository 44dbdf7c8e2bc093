create table subjects (stream_id uuid primary key, state bytea not null);

create table subject_keys (
    kind text not null,
    value text not null,
    stream_id uuid not null,
    primary key (kind, value)
);
create index on subject_keys (stream_id);
