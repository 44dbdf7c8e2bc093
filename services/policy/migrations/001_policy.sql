create table position (one boolean primary key default true check (one), version bigint not null);
insert into position values (true, 0);

create table posts (
    post_id text primary key,
    person_id text not null,
    body jsonb not null
);
create index on posts (person_id);

create table suspensions (person_id text primary key, reason text not null, since timestamptz not null default now());

create table conflicts (
    person_id text not null,
    child_id uuid not null,
    kind text not null,
    primary key (person_id, child_id, kind)
);

create table bundles (
    hash text primary key,
    policies jsonb not null,
    published timestamptz not null default now(),
    position bigint not null,
    by text not null
);
