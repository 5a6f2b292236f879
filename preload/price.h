/*
 * What it costs to come by hooks that trace nothing.
 */
#pragma once

/*
 * Constructor only, with a trace that has just begun and GTRACE_BUDGET set: measures, and has free
 * locks counted from here on.
 */
void gt_price_measure(void);
/*
 * The calling thread, with its guard up, has made another: if it is the first one of the process,
 * what costs something else with threads is measured again.
 */
void gt_price_threads(void);
