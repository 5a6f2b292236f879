/*
 * Files that get their name when they are whole.
 */
#pragma once

#include <sys/types.h>

/* A file in the folder of path, without a name (O_TMPFILE), to write; -errno where there is none.
 */
int gt_newfile_open(const char *path, mode_t mode);
/* Its name: from now on it is there, all of it. -EEXIST: another has that name. */
int gt_newfile_name(int fd, const char *path);
