/*
 * Description: the same as mutex_fields, with copies of libc's variables in the program.
 * Traces: 1
 * Schedule: free
 * Expect: 3 create of=hammer
 */
#include "mutex_fields.c"
