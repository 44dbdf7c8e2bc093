create table streams (
    stream_id uuid primary key,
    kind text not null,
    version bigint not null default 0
);

create table outbox (
    position bigint generated always as identity primary key,
    topic text not null,
    stream_id uuid not null,
    stream_version bigint not null,
    value bytea not null,
    recorded timestamptz not null default now(),
    published timestamptz,
    kafka_partition int,
    kafka_offset bigint,
    unique (stream_id, stream_version)
);
create index outbox_unpublished on outbox (position) where published is null;
create index outbox_placed on outbox (topic, kafka_partition, kafka_offset desc) where published is not null;

create table stream_keys (
    stream_id uuid not null,
    record_class text not null,
    wrapped bytea,
    destroyed timestamptz,
    primary key (stream_id, record_class),
    check ((wrapped is null) <> (destroyed is null))
);

create table idempotency (
    principal text not null,
    key text not null,
    request bytea not null,
    status int,
    body bytea,
    created timestamptz not null default now(),
    primary key (principal, key)
);
