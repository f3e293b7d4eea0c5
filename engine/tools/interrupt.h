/* Ctrl-C during long work: noticed between steps instead of ending the program. */
#ifndef TOOLS_INTERRUPT_H
#define TOOLS_INTERRUPT_H

#include <stdbool.h>

/* Purpose: from now on the first SIGINT or SIGTERM is only remembered; a second one ends the
 * program. */
void tool_interrupt_catch(void);

/* Purpose: whether one came. */
bool tool_interrupted(void);

#endif
