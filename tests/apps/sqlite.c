/*
 * SQLite with threads: each with a connection of its own, and all with one connection that is
 * serialized by SQLite's mutexes. The output does not depend on the scheduler; run starts it with
 * the number of rows that each thread writes.
 */
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

enum { WRITERS = 4, READERS = 2 };

static int rows;
static sqlite3 *common;

static void ok(sqlite3 *db, int rc)
{
	if (rc != SQLITE_OK && rc != SQLITE_DONE && rc != SQLITE_ROW) {
		fprintf(stderr, "sqlite: %d: %s\n", rc, sqlite3_errmsg(db));
		exit(99);
	}
}

static sqlite3 *opened(void)
{
	sqlite3 *db;

	ok(NULL, sqlite3_open_v2("app.db", &db,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX,
				 NULL));
	ok(db, sqlite3_busy_timeout(db, 60000));
	return db;
}

static long long number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement;
	long long n;

	ok(db, sqlite3_prepare_v2(db, sql, -1, &statement, NULL));
	ok(db, sqlite3_step(statement));
	n = sqlite3_column_int64(statement, 0);
	ok(db, sqlite3_finalize(statement));
	return n;
}

static void write_rows(sqlite3 *db, int id)
{
	char sql[200];

	for (int i = 0; i < rows; i++) {
		snprintf(sql, sizeof sql,
			 "begin immediate; insert into t values(%d, %d); "
			 "update n set n = n + 1; commit",
			 id, i);
		ok(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
	}
}

static void *writer(void *arg)
{
	sqlite3 *db = opened();

	write_rows(db, (int)(size_t)arg);
	ok(db, sqlite3_close(db));
	return NULL;
}

/* The connection's own mutex makes one statement at a time of these. */
static void *reader(void *arg)
{
	(void)arg;
	for (int i = 0; i < rows * 10; i++) {
		long long a = number(common, "select n - (select count(*) from t) from n");

		if (a != 0) {
			fprintf(stderr, "half a transaction is seen: %lld\n", a);
			exit(98);
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[WRITERS + READERS];

	rows = argc > 1 ? atoi(argv[1]) : 100;
	common = opened();
	ok(common, sqlite3_exec(common,
				"pragma journal_mode = wal; create table t(id, i); "
				"create table n(n); insert into n values(0)",
				NULL, NULL, NULL));
	for (size_t i = 0; i < WRITERS + READERS; i++) {
		if (pthread_create(&threads[i], NULL, i < WRITERS ? writer : reader, (void *)i)) {
			return 97;
		}
	}
	for (size_t i = 0; i < WRITERS + READERS; i++) {
		pthread_join(threads[i], NULL);
	}
	printf("%lld rows, sum %lld, counted %lld\n", number(common, "select count(*) from t"),
	       number(common, "select sum(id * 1000 + i) from t"),
	       number(common, "select n from n"));
	ok(common, sqlite3_close(common));
	return 26;
}
