#include "describe_parts.h"
#include "profile.h"

static double share(const struct tool_profile *profile, const struct tool_cost *cost)
{
    return profile->ms > 0 ? cost->ms / profile->ms : 0;
}

/* Units per ms as 1e9 units per s; 0 where nothing was timed. */
static double rate(double n, const struct tool_cost *cost)
{
    return cost->ms > 0 ? n / cost->ms * 1e-6 : 0;
}

/* --- text --- */

static void print_cost(const struct tool_profile *profile, const struct tool_cost *cost)
{
    printf("%10.4f %6.1f %9.1f %9.3f %7.1f", cost->ms, 100 * share(profile, cost),
           rate(cost->flops, cost), cost->bytes * 1e-6, rate(cost->bytes, cost));
}

static void print_head(const char *what, const char *more)
{
    printf("\n%10s %6s %9s %9s %7s  %-30s %-26s %s\n", "ms", "%", "GFLOP/s", "MB", "GB/s",
           "algorithm", what, more);
}

void tool_profile_print(const struct tool_profile *profile)
{
    print_head("operator", "node");
    for (size_t i = 0; i < profile->n_nodes; i++) {
        const struct tool_node_cost *node = &profile->nodes[i];
        char name[64];
        print_cost(profile, &node->cost);
        printf("  %-30s %-26s %s\n", node->algorithm,
               describe_operator(node->node, name, sizeof name), node->node->name);
    }
    print_head("operator", "nodes");
    for (size_t k = 0; k < profile->n_kinds; k++) {
        const struct tool_kind_cost *kind = &profile->kinds[k];
        print_cost(profile, &kind->cost);
        printf("  %-30s %-26s %zu\n", kind->first->algorithm, kind->first->node->op->name,
               kind->n_nodes);
    }
    printf("\nprofile     %.4f ms in nodes, medians of %zu runs\n", profile->ms, profile->n_runs);
}

/* --- JSON --- */

static json_t *cost_json(const struct tool_profile *profile, const struct tool_cost *cost)
{
    return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f}", "ms", cost->ms, "share",
                     share(profile, cost), "flops", cost->flops, "gflops", rate(cost->flops, cost),
                     "bytes", cost->bytes, "gbytes_per_s", rate(cost->bytes, cost));
}

/* Takes both; NULL if either is. */
static json_t *joined(json_t *object, json_t *cost)
{
    if (object && (!cost || json_object_update(object, cost))) {
        json_decref(object);
        object = NULL;
    }
    json_decref(cost);
    return object;
}

static json_t *nodes_json(const struct tool_profile *profile)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < profile->n_nodes; i++) {
        const struct tool_node_cost *node = &profile->nodes[i];
        char name[64];
        json_t *entry = joined(json_pack("{s:s, s:s, s:s}", "name", node->node->name, "operator",
                                         describe_operator(node->node, name, sizeof name),
                                         "algorithm", node->algorithm),
                               cost_json(profile, &node->cost));
        if (json_array_append_new(list, entry)) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

static json_t *kinds_json(const struct tool_profile *profile)
{
    json_t *list = json_array();
    for (size_t k = 0; list && k < profile->n_kinds; k++) {
        const struct tool_kind_cost *kind = &profile->kinds[k];
        json_t *entry = joined(json_pack("{s:s, s:s, s:I}", "operator", kind->first->node->op->name,
                                         "algorithm", kind->first->algorithm, "nodes",
                                         (json_int_t)kind->n_nodes),
                               cost_json(profile, &kind->cost));
        if (json_array_append_new(list, entry)) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

json_t *tool_profile_json(const struct tool_profile *profile)
{
    return json_pack("{s:I, s:f, s:o, s:o}", "runs", (json_int_t)profile->n_runs, "ms", profile->ms,
                     "nodes", nodes_json(profile), "kinds", kinds_json(profile));
}
