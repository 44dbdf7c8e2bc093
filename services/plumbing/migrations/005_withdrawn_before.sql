-- Withdrawals of what is not there yet wait too, and without end: an older file may bring it.
alter table waiting_rows add column gone boolean not null default false;
create index on waiting_rows (position) where gone;
