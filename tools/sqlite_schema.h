/*
 * The database of gtrace export --to sqlite as SQL. docs/sqlite.md describes it for its users.
 */
#pragma once

extern const char gt_sqlite_tables[];
/* Indexes and views, and NULL: after the rows, which is faster. */
extern const char *const gt_sqlite_after[];
