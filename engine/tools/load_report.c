#include "load_report.h"

#include "model/model_internal.h"

#include <sys/resource.h>

static const struct {
    const char *name, *what;
} steps[ENG_N_LOAD_STEPS] = {
    [ENG_LOAD_READ] = {"read", "the file, its weights to where they stay"},
    [ENG_LOAD_GRAPH] = {"graph", "its nodes, checked and optimised"},
    [ENG_LOAD_BATCH] = {"batch", "whether samples may run together"},
    [ENG_LOAD_PACK] = {"pack", "rewritten for inference, weights packed"},
    [ENG_LOAD_PLAN] = {"plan", "a place for every value"},
    [ENG_LOAD_CARD] = {"card", "labels, preprocessing"},
    [ENG_LOAD_DIGEST] = {"digest", "waiting for the thread that computes it"},
};

void tool_load_note_peak(struct tool_load *load)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0) load->peak_bytes = 1024.0 * (double)usage.ru_maxrss;
}

static double total_s(const struct tool_load *load)
{
    double s = load->session_s + load->first_run_s;
    for (size_t i = 0; i < ENG_N_LOAD_STEPS; i++)
        s += load->model->load_s[i];
    return s;
}

static void print_step(const char *name, double s, const char *what)
{
    printf("  %-9s %9.3f ms  %s\n", name, 1e3 * s, what);
}

void tool_load_print(const struct tool_load *load)
{
    puts("load");
    for (size_t i = 0; i < ENG_N_LOAD_STEPS; i++)
        print_step(steps[i].name, load->model->load_s[i], steps[i].what);
    print_step("session", load->session_s, "memory to run in, and an input");
    print_step("first run", load->first_run_s, "");
    print_step("total", total_s(load), "");
    printf("memory      peak %.1f MiB, arena %.1f MiB\n", load->peak_bytes / (1 << 20),
           (double)load->model->arena_bytes / (1 << 20));
}

json_t *tool_load_json(const struct tool_load *load)
{
    json_t *object = json_pack("{s:f, s:f, s:f, s:I, s:I}", "session_ms", 1e3 * load->session_s,
                               "first_run_ms", 1e3 * load->first_run_s, "total_ms",
                               1e3 * total_s(load), "peak_bytes", (json_int_t)load->peak_bytes,
                               "arena_bytes", (json_int_t)load->model->arena_bytes);
    for (size_t i = 0; object && i < ENG_N_LOAD_STEPS; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s_ms", steps[i].name);
        if (json_object_set_new(object, name, json_real(1e3 * load->model->load_s[i])) == 0)
            continue;
        json_decref(object);
        object = NULL;
    }
    return object;
}
