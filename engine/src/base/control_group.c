#include "engine/control_group.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

struct walk {
    const char *root, *controller;
    eng_control_group_visit *visit;
    void *ctx;
};

bool eng_control_group_read(const char *folder, const char *file, char *line, size_t n)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, file) >= (int)sizeof path) return false;
    FILE *stream = fopen(path, "re");
    if (!stream) return false;
    bool ok = fgets(line, (int)n, stream);
    fclose(stream);
    return ok;
}

/* From mount/group up to mount, which lies in /sys/fs/cgroup. */
static void climb(const struct walk *walk, const char *mount, const char *group)
{
    char folder[PATH_MAX];
    int n_mount = snprintf(folder, sizeof folder, "%s/sys/fs/cgroup%s", walk->root, mount);
    if (n_mount >= (int)sizeof folder) return;
    size_t n_left = sizeof folder - (size_t)n_mount;
    if (strcmp(group, "/") == 0) group = "";
    if (snprintf(folder + n_mount, n_left, "%s", group) >= (int)n_left) return;
    for (char *slash = folder;; *slash = '\0') {
        walk->visit(folder, walk->ctx);
        slash = strrchr(folder + n_mount, '/');
        if (!slash) return;
    }
}

/* controllers: separated by commas. */
static bool has_name(const char *controllers, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = controllers; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, n) == 0 && (at[n] == ',' || at[n] == '\0')) return true;
    }
    return false;
}

/* A line of /proc/self/cgroup is "ID:CONTROLLERS:PATH"; v2 has no controllers. A v1 hierarchy may
 * be mounted by the name of all its controllers or of each. */
static void visit_line(const struct walk *walk, char *line)
{
    char mount[PATH_MAX];
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group) return;
    *controllers++ = '\0';
    *group++ = '\0';
    group[strcspn(group, "\n")] = '\0';
    if (*controllers == '\0') {
        climb(walk, "", group);
        climb(walk, "/unified", group);
        return;
    }
    if (!has_name(controllers, walk->controller)) return;
    snprintf(mount, sizeof mount, "/%s", walk->controller);
    climb(walk, mount, group);
    if (strcmp(controllers, walk->controller) == 0) return;
    snprintf(mount, sizeof mount, "/%s", controllers);
    climb(walk, mount, group);
}

void eng_control_groups_visit(const char *root, const char *controller,
                              eng_control_group_visit *visit, void *ctx)
{
    const struct walk walk = {root, controller, visit, ctx};
    char path[PATH_MAX], line[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/proc/self/cgroup", root) >= (int)sizeof path) return;
    FILE *groups = fopen(path, "re");
    if (!groups) return;
    while (fgets(line, sizeof line, groups))
        visit_line(&walk, line);
    fclose(groups);
}
