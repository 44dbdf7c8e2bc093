create table ended_sessions (id text primary key, until timestamptz not null);
