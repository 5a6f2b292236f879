/*
 * The environment without us.
 */
#pragma once

/* Takes away what is ours, in place: main's third argument is the same array as environ. */
void gt_strip(char **envp);
