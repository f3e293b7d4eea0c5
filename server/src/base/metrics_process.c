#include "base/metrics_table.h"

#include "base/text.h"

#include <dirent.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void write_one(struct srv_text *out, const char *name, const char *type, const char *help,
                      double value)
{
    srv_text_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %.17g\n", name, help, name, type, name,
                    value);
}

static double count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    if (!dir) return 0;
    double n = 0;
    for (struct dirent *entry; (entry = readdir(dir));)
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n - 1; /* without the folder itself */
}

/* Seconds since 1970 when the kernel came up. */
static double boot_time(void)
{
    FILE *file = fopen("/proc/stat", "re");
    if (!file) return 0;
    double seconds = 0;
    char line[4096];
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "btime %lf", &seconds) == 1) break;
    fclose(file);
    return seconds;
}

/* Fields of /proc/self/stat behind the command's name, which may hold spaces (proc(5)). */
static void write_stat(struct srv_text *out)
{
    char line[1024];
    FILE *file = fopen("/proc/self/stat", "re");
    const char *fields = file && fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
    double user, system, start, virtual_bytes, resident_pages;
    int n_read = !fields ? 0
                         : sscanf(fields,
                                  ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lf %lf %*d %*d "
                                  "%*d %*d %*d %*d %lf %lf %lf",
                                  &user, &system, &start, &virtual_bytes, &resident_pages);
    if (file) fclose(file);
    if (n_read != 5) return;
    double ticks = (double)sysconf(_SC_CLK_TCK);
    write_one(out, "process_cpu_seconds_total", "counter",
              "Total user and system CPU time spent in seconds.", (user + system) / ticks);
    write_one(out, "process_start_time_seconds", "gauge",
              "Start time of the process since unix epoch in seconds.",
              boot_time() + start / ticks);
    write_one(out, "process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes.",
              virtual_bytes);
    write_one(out, "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.",
              resident_pages * (double)sysconf(_SC_PAGESIZE));
}

void srv_metrics_write_process(struct srv_text *out)
{
    write_stat(out);
    write_one(out, "process_open_fds", "gauge", "Number of open file descriptors.",
              count_descriptors());
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        write_one(out, "process_max_fds", "gauge", "Maximum number of open file descriptors.",
                  (double)limit.rlim_cur);
}
