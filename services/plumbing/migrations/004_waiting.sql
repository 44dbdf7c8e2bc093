-- Rows that came before what they belong to. What they say is sealed; by whom they are waited for is a keyed digest.
create table waiting_rows (
    mark bytea primary key,
    position bigint generated always as identity unique,
    sealed bytea not null,
    extracted text not null,
    files text not null,
    report text not null,
    rows int not null,
    since timestamptz not null default now()
);
create index on waiting_rows (since);

create table waiting_for (
    name bytea not null,
    mark bytea not null references waiting_rows on delete cascade,
    primary key (name, mark)
);
create index on waiting_for (mark);

-- When each kind of file last came from each organisation; '' where the files do not say.
create table deliveries (
    kind text not null,
    organisation text not null,
    delivered timestamptz not null,
    extracted text not null,
    primary key (kind, organisation)
);
create table silences (kind text primary key, warned date not null);
