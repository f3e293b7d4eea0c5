#include "base/cpus.h"

#include "engine/pool.h"

#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Reads one line of at most n - 1 characters; false if there is no such file. */
static bool read_line(const char *folder, const char *file, char *line, size_t n)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, file) >= (int)sizeof path) return false;
    FILE *stream = fopen(path, "re");
    if (!stream) return false;
    bool ok = fgets(line, (int)n, stream);
    fclose(stream);
    return ok;
}

/* v2: "max 100000" or "QUOTA PERIOD" in cpu.max; v1: two files, quota -1 for none. */
static bool read_quota(const char *folder, long *quota_us, long *period_us)
{
    char line[64], period[64];
    if (read_line(folder, "cpu.max", line, sizeof line))
        return sscanf(line, "%ld %ld", quota_us, period_us) == 2;
    return read_line(folder, "cpu.cfs_quota_us", line, sizeof line) &&
           read_line(folder, "cpu.cfs_period_us", period, sizeof period) &&
           sscanf(line, "%ld", quota_us) == 1 && sscanf(period, "%ld", period_us) == 1;
}

/*
 * The smallest quota from mount/group up to mount. A container sees its own group as the mount
 * itself, so folders that do not exist are passed over.
 */
static int smallest_quota(const char *mount, const char *group)
{
    char folder[PATH_MAX];
    if (snprintf(folder, sizeof folder, "%s%s", mount, group) >= (int)sizeof folder) return 0;
    size_t n_mount = strlen(mount);
    long smallest = 0;
    for (;;) {
        long quota_us, period_us;
        if (read_quota(folder, &quota_us, &period_us) && quota_us > 0 && period_us > 0) {
            long cpus = quota_us / period_us + (quota_us % period_us != 0);
            if (!smallest || cpus < smallest) smallest = cpus;
        }
        char *slash = strrchr(folder + n_mount, '/');
        if (!slash) break;
        *slash = '\0';
    }
    return smallest > INT_MAX ? INT_MAX : (int)smallest;
}

/* True if "cpu" is one of the comma-separated controllers. */
static bool names_cpu(const char *controllers)
{
    for (const char *at = controllers; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, "cpu", 3) == 0 && (at[3] == ',' || at[3] == '\0')) return true;
    }
    return false;
}

static int smaller_of(int a, int b)
{
    return !a || (b && b < a) ? b : a;
}

/* A line of /proc/self/cgroup is "ID:CONTROLLERS:PATH"; v2 has ID 0 and no controllers. */
static int quota_of_line(const char *root, char *line)
{
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group) return 0;
    *controllers++ = '\0';
    *group++ = '\0';
    group[strcspn(group, "\n")] = '\0';
    char mount[PATH_MAX];
    if (*controllers == '\0') {
        snprintf(mount, sizeof mount, "%s/sys/fs/cgroup", root);
        int quota = smallest_quota(mount, group);
        snprintf(mount, sizeof mount, "%s/sys/fs/cgroup/unified", root);
        return smaller_of(quota, smallest_quota(mount, group));
    }
    if (!names_cpu(controllers)) return 0;
    snprintf(mount, sizeof mount, "%s/sys/fs/cgroup/%s", root, controllers);
    int quota = smallest_quota(mount, group);
    snprintf(mount, sizeof mount, "%s/sys/fs/cgroup/cpu", root);
    return smaller_of(quota, smallest_quota(mount, group));
}

int eng_cpus_of_quota(const char *root)
{
    char path[PATH_MAX], line[PATH_MAX];
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *groups = fopen(path, "re");
    if (!groups) return 0;
    int quota = 0;
    while (fgets(line, sizeof line, groups))
        quota = smaller_of(quota, quota_of_line(root, line));
    fclose(groups);
    return quota;
}

int eng_pool_cpus(void)
{
    cpu_set_t set;
    int cpus = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set)
                                                           : (int)sysconf(_SC_NPROCESSORS_ONLN);
    cpus = smaller_of(cpus, eng_cpus_of_quota(""));
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
