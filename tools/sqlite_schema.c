/*
 * The database: tables, indexes, views.
 *
 * Times are ns since the beginning of the trace. Threads have the numbers that they have in the
 * trace; other ids are of this database alone. NULL: not known, nobody, or it does not apply.
 */
#include "sqlite_schema.h"

#include <stddef.h>

const char gt_sqlite_tables[] =
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	"CREATE TABLE strings (id INTEGER PRIMARY KEY, text TEXT NOT NULL);"
	"CREATE TABLE stacks (id INTEGER PRIMARY KEY, depth INTEGER NOT NULL, text TEXT NOT NULL);"
	"CREATE TABLE frames ("
	" stack INTEGER NOT NULL REFERENCES stacks, place INTEGER NOT NULL, pc INTEGER NOT NULL,"
	" function INTEGER REFERENCES strings, file INTEGER REFERENCES strings, line INTEGER,"
	" PRIMARY KEY (stack, place)) WITHOUT ROWID;"
	"CREATE TABLE threads ("
	" id INTEGER PRIMARY KEY, tid INTEGER, name TEXT NOT NULL, routine TEXT,"
	" system INTEGER NOT NULL, creator INTEGER REFERENCES threads,"
	" creator_stack INTEGER REFERENCES stacks, begin INTEGER NOT NULL, end INTEGER);"
	"CREATE TABLE objects ("
	" id INTEGER PRIMARY KEY, kind TEXT NOT NULL, address INTEGER NOT NULL,"
	" epoch INTEGER NOT NULL, name TEXT NOT NULL);"
	"CREATE TABLE states ("
	" id INTEGER PRIMARY KEY, thread INTEGER NOT NULL REFERENCES threads, state TEXT NOT NULL,"
	" begin INTEGER NOT NULL, end INTEGER NOT NULL, stack INTEGER REFERENCES stacks,"
	" reason INTEGER REFERENCES strings);"
	"CREATE TABLE waits ("
	" id INTEGER PRIMARY KEY, thread INTEGER NOT NULL REFERENCES threads,"
	" begin INTEGER NOT NULL, end INTEGER NOT NULL, stack INTEGER REFERENCES stacks,"
	" reason INTEGER REFERENCES strings, object INTEGER REFERENCES objects,"
	" owner INTEGER REFERENCES threads, how TEXT NOT NULL, ready INTEGER NOT NULL,"
	" retake INTEGER, retake_owner INTEGER REFERENCES threads,"
	" call TEXT, argument INTEGER, result INTEGER);"
	"CREATE TABLE wakes ("
	" wait INTEGER PRIMARY KEY REFERENCES waits, time INTEGER NOT NULL,"
	" waker INTEGER NOT NULL REFERENCES threads, wakee INTEGER NOT NULL REFERENCES threads,"
	" stack INTEGER REFERENCES stacks);"
	"CREATE TABLE syscalls ("
	" id INTEGER PRIMARY KEY, thread INTEGER NOT NULL REFERENCES threads,"
	" begin INTEGER NOT NULL, end INTEGER, stack INTEGER REFERENCES stacks,"
	" call TEXT, argument INTEGER, result INTEGER, lost INTEGER);"
	"CREATE TABLE samples ("
	" time INTEGER NOT NULL, thread INTEGER REFERENCES threads,"
	" stack INTEGER REFERENCES stacks);"
	"CREATE TABLE events ("
	" id INTEGER PRIMARY KEY, time INTEGER NOT NULL, generation INTEGER NOT NULL, m INTEGER,"
	" p INTEGER, thread INTEGER, name TEXT NOT NULL, arguments TEXT NOT NULL);";

const char *const gt_sqlite_after[] = {
	/* Those of times hold all that sums over a thread need. */
	"CREATE INDEX states_thread ON states (thread, begin, end, state)",
	"CREATE INDEX waits_thread ON waits (thread, begin, end)",
	"CREATE INDEX waits_object ON waits (object)",
	"CREATE INDEX wakes_waker ON wakes (waker, time)",
	"CREATE INDEX syscalls_thread ON syscalls (thread, begin, end)",

	/* What threads did, one thing after the other. */
	"CREATE VIEW spans AS"
	" SELECT thread, state AS kind, begin, end, stack FROM states"
	" UNION ALL SELECT thread, 'wait', begin, end, stack FROM waits"
	" UNION ALL SELECT thread, 'syscall', begin, end, stack FROM syscalls"
	"  WHERE end IS NOT NULL",

	/* Those of the program's own threads, with what the others need of them. */
	"CREATE VIEW own_waits AS"
	" SELECT waits.*, waits.end - waits.begin AS ns, threads.name AS thread_name,"
	"  strings.text AS reason_text"
	" FROM waits JOIN threads ON threads.id = waits.thread"
	" LEFT JOIN strings ON strings.id = waits.reason WHERE NOT threads.system",

	"CREATE VIEW thread_states AS"
	" SELECT threads.id AS thread, threads.name, coalesce(running_ns, 0) AS running_ns,"
	"  coalesce(runnable_ns, 0) AS runnable_ns, coalesce(waiting_ns, 0) AS waiting_ns,"
	"  coalesce(syscall_ns, 0) AS syscall_ns, coalesce(waits, 0) AS waits,"
	"  coalesce(syscalls, 0) AS syscalls FROM threads"
	" LEFT JOIN (SELECT thread, sum(iif(state = 'running', end - begin, 0)) AS running_ns,"
	"   sum(iif(state = 'runnable', end - begin, 0)) AS runnable_ns"
	"   FROM states GROUP BY thread) AS s ON s.thread = threads.id"
	" LEFT JOIN (SELECT thread, sum(end - begin) AS waiting_ns, count(*) AS waits"
	"   FROM waits GROUP BY thread) AS w ON w.thread = threads.id"
	" LEFT JOIN (SELECT thread, sum(end - begin) AS syscall_ns, count(end) AS syscalls"
	"   FROM syscalls GROUP BY thread) AS c ON c.thread = threads.id"
	" WHERE NOT threads.system ORDER BY waiting_ns DESC",

	"CREATE VIEW longest_waits AS"
	" SELECT own_waits.ns, own_waits.begin, own_waits.thread, own_waits.thread_name AS name,"
	"  coalesce(objects.name, own_waits.call, own_waits.reason_text) AS what,"
	"  holders.name AS held_by, wakers.name AS woken_by, own_waits.how,"
	"  stacks.text AS place, from_stacks.text AS woken_from, own_waits.id AS wait"
	" FROM own_waits LEFT JOIN objects ON objects.id = own_waits.object"
	" LEFT JOIN stacks ON stacks.id = own_waits.stack"
	" LEFT JOIN threads AS holders ON holders.id = own_waits.owner"
	" LEFT JOIN wakes ON wakes.wait = own_waits.id"
	" LEFT JOIN threads AS wakers ON wakers.id = wakes.waker"
	" LEFT JOIN stacks AS from_stacks ON from_stacks.id = wakes.stack"
	" ORDER BY own_waits.ns DESC",

	"CREATE VIEW top_objects AS"
	" SELECT objects.id AS object, objects.name, objects.kind, count(*) AS waits,"
	"  sum(ns) AS total_ns, max(ns) AS max_ns, count(DISTINCT thread) AS threads"
	" FROM own_waits JOIN objects ON objects.id = own_waits.object"
	" GROUP BY objects.id ORDER BY total_ns DESC",

	"CREATE VIEW top_sites AS"
	" SELECT stacks.text AS place, reason_text AS reason, count(*) AS waits,"
	"  sum(ns) AS total_ns, max(ns) AS max_ns, count(DISTINCT thread) AS threads"
	" FROM own_waits LEFT JOIN stacks ON stacks.id = own_waits.stack"
	" GROUP BY place, reason_text ORDER BY total_ns DESC",

	/*
	 * Who had what others waited for, when they began to wait; and the mutex of a condition,
	 * at the end of a wait for that. It has no row in objects.
	 */
	"CREATE VIEW holders AS"
	" SELECT thread, threads.name, object, object_name, count(*) AS waits,"
	"  sum(ns) AS total_ns, max(ns) AS max_ns FROM ("
	"  SELECT owner AS thread, object, objects.name AS object_name, ns"
	"   FROM own_waits LEFT JOIN objects ON objects.id = own_waits.object"
	"  UNION ALL SELECT retake_owner, NULL, 'mutex of ' || objects.name, retake"
	"   FROM own_waits LEFT JOIN objects ON objects.id = own_waits.object)"
	" JOIN threads ON threads.id = thread"
	" GROUP BY thread, object, object_name ORDER BY total_ns DESC",

	"CREATE VIEW wake_graph AS"
	" SELECT wakes.waker, threads.name AS waker_name, wakes.wakee,"
	"  own_waits.thread_name AS wakee_name, reason_text AS reason, count(*) AS wakes,"
	"  sum(ns) AS total_ns, max(ns) AS max_ns"
	" FROM own_waits JOIN wakes ON wakes.wait = own_waits.id"
	" JOIN threads ON threads.id = wakes.waker"
	" GROUP BY wakes.waker, wakes.wakee, reason_text ORDER BY total_ns DESC",

	/* Waits for locks, by the place of the unlock that ended them: gtrace pprof --type mutex.
	 */
	"CREATE VIEW blame AS"
	" SELECT object, object_name, place, count(*) AS waits, sum(ns) AS total_ns,"
	"  max(ns) AS max_ns FROM ("
	"  SELECT object, objects.name AS object_name, stacks.text AS place, ns"
	"   FROM own_waits LEFT JOIN wakes ON wakes.wait = own_waits.id"
	"   LEFT JOIN objects ON objects.id = own_waits.object"
	"   LEFT JOIN stacks ON stacks.id = wakes.stack"
	"   WHERE reason_text IN ('sync', 'sync (rwlock)')"
	"  UNION ALL SELECT NULL, 'mutex of ' || objects.name, NULL, retake"
	"   FROM own_waits LEFT JOIN objects ON objects.id = own_waits.object"
	"   WHERE retake IS NOT NULL)"
	" GROUP BY object, object_name, place ORDER BY total_ns DESC",

	/* At most so much would be gained: all threads together. */
	"CREATE VIEW what_would_help AS"
	" SELECT total_ns AS ns, waits AS times,"
	"  'hold ' || coalesce(object_name, 'the lock') || ' for less time' AS what,"
	"  'until the unlock in ' || coalesce(place, '(not seen)') AS place FROM blame"
	" UNION ALL SELECT sum(states.end - states.begin), count(*),"
	"  'more processors, or fewer threads at once', NULL"
	"  FROM states CROSS JOIN threads ON threads.id = states.thread"
	"  WHERE state = 'runnable' AND NOT threads.system"
	" UNION ALL SELECT sum(ns), sum(times),"
	"  'fewer or shorter calls of ' || coalesce(call, '(not named)'), stacks.text FROM"
	"  (SELECT call, stack, sum(syscalls.end - syscalls.begin) AS ns, count(*) AS times"
	"   FROM syscalls CROSS JOIN threads ON threads.id = syscalls.thread"
	"   WHERE syscalls.end IS NOT NULL AND NOT threads.system GROUP BY call, stack)"
	"  LEFT JOIN stacks ON stacks.id = stack GROUP BY call, stacks.text"
	" ORDER BY ns DESC",
	NULL,
};
