/*
 * Rows of an SQLite database.
 */
#include "rows.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "json.h"

static void check(struct gt_rows *rows, int r)
{
	if (rows->error == SQLITE_OK && r != SQLITE_OK && r != SQLITE_DONE) {
		rows->error = r;
	}
}

void gt_rows_run(struct gt_rows *rows, const char *sql)
{
	if (rows->error == SQLITE_OK) {
		check(rows, sqlite3_exec(rows->sqlite, sql, NULL, NULL, NULL));
	}
}

static void prepare(struct gt_rows *rows, size_t table)
{
	char sql[200];
	int n = snprintf(sql, sizeof(sql), "INSERT INTO %s VALUES (?", rows->tables[table].name);

	for (unsigned k = 1; k < rows->tables[table].columns; k++) {
		n += snprintf(sql + n, sizeof(sql) - (size_t)n, ",?");
	}
	snprintf(sql + n, sizeof(sql) - (size_t)n, ")");
	check(rows, sqlite3_prepare_v2(rows->sqlite, sql, -1, &rows->inserts[table], NULL));
}

void gt_rows_open(struct gt_rows *rows, const char *name, const char *schema,
		  const struct gt_rows_table *tables, size_t ntables)
{
	*rows = (struct gt_rows){.tables = tables, .ntables = ntables};
	/* Nobody else is in here, and nobody asks how much memory is in use. */
	sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	check(rows, sqlite3_open_v2(name, &rows->sqlite, SQLITE_OPEN_READWRITE, NULL));
	gt_rows_run(rows, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
			  "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -65536;"
			  "BEGIN");
	gt_rows_run(rows, schema);
	for (size_t i = 0; i < ntables && rows->error == SQLITE_OK; i++) {
		prepare(rows, i);
	}
}

const char *gt_rows_close(struct gt_rows *rows)
{
	for (size_t i = 0; i < rows->ntables; i++) {
		sqlite3_finalize(rows->inserts[i]);
	}
	gt_rows_run(rows, "COMMIT");
	sqlite3_close(rows->sqlite);
	return rows->error == SQLITE_OK ? NULL : sqlite3_errstr(rows->error);
}

void gt_rows_begin(struct gt_rows *rows, unsigned table)
{
	rows->insert = rows->inserts[table];
	rows->column = 0;
}

void gt_rows_number(struct gt_rows *rows, uint64_t n)
{
	check(rows, sqlite3_bind_int64(rows->insert, ++rows->column, (sqlite3_int64)n));
}

void gt_rows_null(struct gt_rows *rows)
{
	check(rows, sqlite3_bind_null(rows->insert, ++rows->column));
}

void gt_rows_number_if(struct gt_rows *rows, bool is, uint64_t n)
{
	if (is) {
		gt_rows_number(rows, n);
	} else {
		gt_rows_null(rows);
	}
}

void gt_rows_word(struct gt_rows *rows, const char *text)
{
	check(rows, sqlite3_bind_text(rows->insert, ++rows->column, text, -1, SQLITE_STATIC));
}

/* A copy in which three bytes stand for each that is no UTF-8. */
static char *cleaned(const char *text)
{
	char *copy = gt_alloc(3 * strlen(text) + 1);
	size_t size = 0;

	while (*text != '\0') {
		const size_t n = gt_utf8_length(text);

		memcpy(copy + size, n ? text : "\xef\xbf\xbd", n ? n : 3);
		size += n ? n : 3;
		text += n ? n : 1;
	}
	return copy;
}

static bool is_utf8(const char *text)
{
	while (*text != '\0') {
		const size_t n = gt_utf8_length(text);

		if (n == 0) {
			return false;
		}
		text += n;
	}
	return true;
}

void gt_rows_text(struct gt_rows *rows, const char *text)
{
	if (text == NULL || is_utf8(text)) {
		gt_rows_word(rows, text);
		return;
	}
	check(rows, sqlite3_bind_text(rows->insert, ++rows->column, cleaned(text), -1, free));
}

void gt_rows_end(struct gt_rows *rows)
{
	if (rows->error == SQLITE_OK) {
		check(rows, sqlite3_step(rows->insert));
		sqlite3_reset(rows->insert);
	}
}

uint64_t gt_rows_last(const struct gt_rows *rows)
{
	return (uint64_t)sqlite3_last_insert_rowid(rows->sqlite);
}
