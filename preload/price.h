/*
 * What it costs to come by hooks that trace nothing.
 */
#pragma once

/*
 * Constructor only, with a trace that has just begun and GTRACE_BUDGET set: measures, and has free
 * locks counted from here on.
 */
void gt_price_measure(void);
