#include "base/cpus.h"

#include "engine/control_group.h"
#include "engine/pool.h"

#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

/* v2: "max 100000" or "QUOTA PERIOD" in cpu.max; v1: two files, quota -1 for none. */
static bool read_quota(const char *folder, long *quota_us, long *period_us)
{
    char line[64], period[64];
    if (eng_control_group_read(folder, "cpu.max", line, sizeof line))
        return sscanf(line, "%ld %ld", quota_us, period_us) == 2;
    return eng_control_group_read(folder, "cpu.cfs_quota_us", line, sizeof line) &&
           eng_control_group_read(folder, "cpu.cfs_period_us", period, sizeof period) &&
           sscanf(line, "%ld", quota_us) == 1 && sscanf(period, "%ld", period_us) == 1;
}

static void take_quota(const char *folder, void *ctx)
{
    long quota_us, period_us, *smallest = ctx;
    if (!read_quota(folder, &quota_us, &period_us) || quota_us <= 0 || period_us <= 0) return;
    long cpus = quota_us / period_us + (quota_us % period_us != 0);
    if (!*smallest || cpus < *smallest) *smallest = cpus;
}

int eng_cpus_of_quota(const char *root)
{
    long smallest = 0;
    eng_control_groups_visit(root, "cpu", take_quota, &smallest);
    return smallest > INT_MAX ? INT_MAX : (int)smallest;
}

int eng_pool_cpus(void)
{
    cpu_set_t set;
    int cpus = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set)
                                                           : (int)sysconf(_SC_NPROCESSORS_ONLN);
    int quota = eng_cpus_of_quota("");
    if (quota > 0 && quota < cpus) cpus = quota;
    return cpus > 0 ? cpus : 1;
}

void eng_cpus_leave(int cpu)
{
    cpu_set_t allowed, others;
    if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    others = allowed;
    CPU_CLR((size_t)cpu, &others);
    if (sched_setaffinity(0, sizeof others, &others) == 0)
        sched_setaffinity(0, sizeof allowed, &allowed);
}
