/*
 * What other hooks ask of rights.c.
 */
#pragma once

#include <stdint.h>

#include "base/util.h"

/*
 * The program was refused a thread or process, of which one is ours: ours ends for good. True: it
 * was there, so trying again may help.
 */
bool gt_rights_one_thread_less(void);
/* Our mapping is in the way: no more than so many bytes, or what is in use. */
void gt_rights_make_room(uint64_t bytes);
/* Around seccomp(2), whichever way it is called. */
void gt_rights_before_seccomp(unsigned long operation, unsigned long flags, const void *args);
void gt_rights_after_seccomp(unsigned long operation, long r);
