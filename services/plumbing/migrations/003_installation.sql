create table installation (
    one boolean primary key default true check (one),
    demonstration boolean not null
);
