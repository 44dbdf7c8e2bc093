create table ledger (
    topic text not null,
    partition int not null,
    "offset" bigint not null,
    "timestamp" bigint not null,
    key bytea not null,
    value bytea not null,
    primary key (topic, partition, "offset")
);

create table accesses (
    service text not null,
    number bigint not null,
    id uuid not null unique,
    action text not null,
    person text not null,
    status int not null,
    clock timestamptz not null,
    topic text not null,
    partition int not null,
    "offset" bigint not null,
    primary key (service, number)
);
create index on accesses (person, clock);

create table access_children (
    child_id uuid not null,
    service text not null,
    number bigint not null,
    primary key (child_id, service, number)
);
