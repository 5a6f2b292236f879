/*
 * Rows of a new SQLite database, one column after the other.
 *
 *	gt_rows_begin(&rows, TABLE);
 *	gt_rows_number(&rows, 4711);
 *	gt_rows_text(&rows, "read");
 *	gt_rows_end(&rows);
 *
 * After the first error nothing is done any more; it stays in rows.error. For export_sqlite.c
 *alone.
 */
#pragma once

#include "base/util.h"

struct gt_rows_table {
	const char *name;
	unsigned columns;
};

enum { GT_ROWS_TABLES = 16 }; /* at most */

struct gt_rows {
	struct sqlite3 *sqlite;
	int error; /* SQLite's; 0: none */
	const struct gt_rows_table *tables;
	size_t ntables;

	/* For rows.c alone. */
	struct sqlite3_stmt *inserts[GT_ROWS_TABLES];
	struct sqlite3_stmt *insert; /* of the row in the making, */
	int column;                  /* and its last column */
};

/* name: of an empty file; schema: makes the tables. All rows are one transaction. */
void gt_rows_open(struct gt_rows *rows, const char *name, const char *schema,
		  const struct gt_rows_table *tables, size_t ntables);
/* Statements that have no rows. */
void gt_rows_run(struct gt_rows *rows, const char *sql);
/* Ends the transaction. NULL, or what went wrong at first. */
const char *gt_rows_close(struct gt_rows *rows);

void gt_rows_begin(struct gt_rows *rows, unsigned table);
void gt_rows_number(struct gt_rows *rows, uint64_t n);
void gt_rows_null(struct gt_rows *rows);
/* n, or NULL. */
void gt_rows_number_if(struct gt_rows *rows, bool is, uint64_t n);
/* Of gtrace's own: UTF-8, and it lasts until the end of the row. NULL is NULL. */
void gt_rows_word(struct gt_rows *rows, const char *text);
/* Any bytes: what is not UTF-8 becomes U+FFFD, since users' libraries refuse it. */
void gt_rows_text(struct gt_rows *rows, const char *text);
void gt_rows_end(struct gt_rows *rows);
/* What SQLite has put into the first column of the last row, which was NULL. */
uint64_t gt_rows_last(const struct gt_rows *rows);
