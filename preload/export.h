/*
 * The exported symbols of one family. A family's file ends with
 *
 *	#define GT_EXPORT_mutex(...) GT_EXPORT_NODE(__VA_ARGS__)
 *	#include "export.h"
 *
 * and so picks its own rows out of hooks.def: an alias must stand in the file of what it names.
 */
#ifndef GT_EXPORT_barrier
#define GT_EXPORT_barrier(...)
#endif
#ifndef GT_EXPORT_child
#define GT_EXPORT_child(...)
#endif
#ifndef GT_EXPORT_cond
#define GT_EXPORT_cond(...)
#endif
#ifndef GT_EXPORT_exec
#define GT_EXPORT_exec(...)
#endif
#ifndef GT_EXPORT_file
#define GT_EXPORT_file(...)
#endif
#ifndef GT_EXPORT_io
#define GT_EXPORT_io(...)
#endif
#ifndef GT_EXPORT_ipc
#define GT_EXPORT_ipc(...)
#endif
#ifndef GT_EXPORT_loader
#define GT_EXPORT_loader(...)
#endif
#ifndef GT_EXPORT_mapping
#define GT_EXPORT_mapping(...)
#endif
#ifndef GT_EXPORT_misc
#define GT_EXPORT_misc(...)
#endif
#ifndef GT_EXPORT_mutex
#define GT_EXPORT_mutex(...)
#endif
#ifndef GT_EXPORT_net
#define GT_EXPORT_net(...)
#endif
#ifndef GT_EXPORT_once
#define GT_EXPORT_once(...)
#endif
#ifndef GT_EXPORT_process
#define GT_EXPORT_process(...)
#endif
#ifndef GT_EXPORT_rights
#define GT_EXPORT_rights(...)
#endif
#ifndef GT_EXPORT_rwlock
#define GT_EXPORT_rwlock(...)
#endif
#ifndef GT_EXPORT_sem
#define GT_EXPORT_sem(...)
#endif
#ifndef GT_EXPORT_signal
#define GT_EXPORT_signal(...)
#endif
#ifndef GT_EXPORT_sleep
#define GT_EXPORT_sleep(...)
#endif
#ifndef GT_EXPORT_spin
#define GT_EXPORT_spin(...)
#endif
#ifndef GT_EXPORT_syscall
#define GT_EXPORT_syscall(...)
#endif
#ifndef GT_EXPORT_thread
#define GT_EXPORT_thread(...)
#endif
#define GT_NODE(name, id, family, at, version) GT_EXPORT_##family(name, id, at, version)
#include "hooks.def"
