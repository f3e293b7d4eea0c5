#include "interrupt.h"

#include <signal.h>

static volatile sig_atomic_t interrupted; /* a signal handler can reach nothing else */

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

void tool_interrupt_catch(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool tool_interrupted(void)
{
    return interrupted;
}
