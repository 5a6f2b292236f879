/*
 * The exported symbols of one family. A family's file ends with
 *
 *	#define GT_EXPORT_mutex(...) GT_EXPORT_NODE(__VA_ARGS__)
 *	#include "export.h"
 *
 * and so picks its own rows out of hooks.def: an alias must stand in the file of what it names.
 */
#ifndef GT_EXPORT_cond
#define GT_EXPORT_cond(...)
#endif
#ifndef GT_EXPORT_exec
#define GT_EXPORT_exec(...)
#endif
#ifndef GT_EXPORT_loader
#define GT_EXPORT_loader(...)
#endif
#ifndef GT_EXPORT_mutex
#define GT_EXPORT_mutex(...)
#endif
#ifndef GT_EXPORT_process
#define GT_EXPORT_process(...)
#endif
#ifndef GT_EXPORT_thread
#define GT_EXPORT_thread(...)
#endif
#define GT_NODE(name, id, family, at, version) GT_EXPORT_##family(name, id, at, version)
#include "hooks.def"
