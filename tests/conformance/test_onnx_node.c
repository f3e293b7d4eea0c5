/*
 * ONNX's own test cases (Debian package libonnx-testdata) for every operator of ops.def. A case all
 * of whose nodes are ours must load and give the recorded outputs, or stand in onnx_node_skips.txt
 * with a reason; a case that stands there and passes, or does not exist, is a failure too.
 *
 * CLASSIFYD_ONNX_TESTDATA names the folder; without it the package's own is taken; absent: skipped.
 * With the argument --list: every case of our operators as "result<tab>case<tab>operators<tab>why";
 * why is a skipped case's refusal, or what was said before inputs were made constant.
 */
#include "engine/model.h"
#include "engine/session.h"

#include "base/arena.h"
#include "base/error.h"
#include "base/file.h"
#include "onnx/onnx.h"
#include "ops/op.h"

#include "onnx.pb-c.h"

#include <dirent.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SKIPPED = 77, MAX_OPS = 256, MAX_TENSORS = 16, MAX_SKIPS = 512, MAX_FILE_BYTES = 256 << 20 };

static const char PACKAGE_FOLDER[] = "/usr/share/libonnx-testdata/data";
static const char *const GROUPS[] = {"node", "simple", "pytorch-operator", "pytorch-converted"};

/* As ONNX's runner, which is numpy.testing.assert_allclose. */
static const double RELATIVE = 1e-3, ABSOLUTE = 1e-7;

struct skip {
    char name[128];
    bool seen;
};

struct tally {
    int n_passed[MAX_OPS], n_skipped[MAX_OPS]; /* by row of ops.def */
    int n_cases, n_others, n_skips_used, n_failures;
    struct skip skips[MAX_SKIPS];
    size_t n_skips;
    bool list; /* print every case */
};

/* One case while it runs. */
struct test_case {
    char name[300]; /* "node/test_relu" */
    char folder[600];
    bool has_op[MAX_OPS];
    struct eng_model *model;
    struct eng_session *session;
    struct eng_arena arena; /* recorded tensors */
    struct eng_error said;  /* why the file as it stands was not opened */
};

static bool fail(struct eng_error *err, const char *what)
{
    err->status = ENG_MISMATCH;
    snprintf(err->text, sizeof err->text, "%s", what);
    return false;
}

/* --- the list of cases that cannot apply: "group/case: reason" --- */

static bool read_skips(struct tally *tally, const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file) return false;
    char line[512];
    bool good = true;
    while (good && fgets(line, sizeof line, file)) {
        char *colon = strchr(line, ':');
        if (line[0] == '#' || line[0] == '\n') continue;
        good = colon && colon[1] == ' ' && strlen(colon) > 12 && tally->n_skips < MAX_SKIPS;
        if (!good) {
            fprintf(stderr, "%s: not 'group/case: reason': %s", path, line);
            break;
        }
        struct skip *skip = &tally->skips[tally->n_skips++];
        snprintf(skip->name, sizeof skip->name, "%.*s", (int)(colon - line), line);
    }
    fclose(file);
    return good;
}

static struct skip *find_skip(struct tally *tally, const char *name)
{
    for (size_t i = 0; i < tally->n_skips; i++)
        if (strcmp(tally->skips[i].name, name) == 0) return &tally->skips[i];
    return NULL;
}

/* --- which operators a file uses, seen without our reader: it may have to refuse the file --- */

static int row_of(const char *domain, size_t n_domain, const char *name, size_t n_name)
{
    bool standard = n_domain == 0 || (n_domain == 7 && memcmp(domain, "ai.onnx", 7) == 0);
    for (size_t i = 0; i < eng_op_count(); i++) {
        const struct eng_op *op = eng_op_at(i);
        if (strlen(op->name) == n_name && memcmp(op->name, name, n_name) == 0 &&
            standard == (*op->domain == '\0'))
            return (int)i;
    }
    return -1;
}

static bool all_ours(const struct eng_file *file, bool has_op[MAX_OPS])
{
    Onnx__ModelProto *proto = onnx__model_proto__unpack(NULL, file->n_bytes, file->bytes);
    bool ours = proto && proto->graph && proto->graph->n_node > 0;
    for (size_t i = 0; ours && i < proto->graph->n_node; i++) {
        const Onnx__NodeProto *node = proto->graph->node[i];
        int row = row_of((const char *)node->domain.data, node->domain.len,
                         (const char *)node->op_type.data, node->op_type.len);
        ours = row >= 0;
        if (ours) has_op[row] = true;
    }
    onnx__model_proto__free_unpacked(proto, NULL);
    return ours;
}

/* --- loading --- */

/* Reads folder/what_0.pb, what_1.pb ... until one is missing. */
static bool read_tensors(struct test_case *c, const char *folder, const char *what,
                         struct eng_tensor *tensors, size_t *n, struct eng_error *err)
{
    for (*n = 0; *n < MAX_TENSORS; ++*n) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s_%zu.pb", folder, what, *n);
        if (!eng_file_exists(path)) return true;
        struct eng_file file;
        struct onnx_named_tensor named;
        if (eng_file_read(path, MAX_FILE_BYTES, &file, err) != ENG_OK) return false;
        enum eng_status status = onnx_tensor_read(file.bytes, file.n_bytes, &c->arena, &named, err);
        eng_file_fini(&file);
        if (status != ENG_OK) return false;
        tensors[*n] = named.tensor;
    }
    return fail(err, "too many tensors");
}

/* Makes initializers of inputs first, first + 1 ...: exporters write shapes and ratios so. */
static void fix_inputs(struct onnx_model *onnx, const struct eng_tensor *inputs, size_t n,
                       size_t first, struct onnx_named_tensor *initializers)
{
    memcpy(initializers, onnx->initializers, onnx->n_initializers * sizeof *initializers);
    onnx->initializers = initializers;
    for (size_t i = first; i < n && i < onnx->n_inputs; i++)
        initializers[onnx->n_initializers++] =
            (struct onnx_named_tensor){.name = onnx->inputs[i].name, .tensor = inputs[i]};
    onnx->n_inputs = first;
}

/*
 * Opens the file with its n inputs from the first-th on made constant. Files of opset 1 to 6 are
 * opened as opset 7: for most operators that is the same definition, and where it is not the case
 * stands in the list.
 */
static enum eng_status open_model(const struct eng_file *file, const struct eng_tensor *inputs,
                                  size_t n, size_t first, struct eng_model **out,
                                  struct eng_error *err)
{
    struct onnx_model onnx;
    enum eng_status status = onnx_model_read(file->bytes, file->n_bytes, &onnx, err);
    if (status != ENG_OK) return status;
    for (size_t i = 0; i < onnx.n_opsets; i++)
        if (!*onnx.opsets[i].domain && onnx.opsets[i].version < ENG_OPSET_MIN)
            onnx.opsets[i].version = ENG_OPSET_MIN;
    struct onnx_named_tensor *initializers =
        eng_arena_alloc(&onnx.arena, onnx.n_initializers + n + 1, sizeof *initializers);
    uint8_t *bytes = NULL;
    size_t n_bytes;
    if (!initializers)
        status = eng_fail_memory(err, "initializers");
    else if (first < n && onnx.n_inputs == n)
        fix_inputs(&onnx, inputs, n, first, initializers);
    if (status == ENG_OK) status = onnx_model_write(&onnx, &bytes, &n_bytes, err);
    onnx_model_fini(&onnx);
    if (status != ENG_OK) return status;
    status = eng_model_open_bytes(bytes, n_bytes, NULL, out, err);
    free(bytes);
    return status;
}

/* --- comparing --- */

static double element(const struct eng_tensor *t, size_t i)
{
    switch (t->dtype) {
    case ENG_FLOAT32:
        return (double)((const float *)t->data)[i];
    case ENG_FLOAT64:
        return ((const double *)t->data)[i];
    case ENG_INT64:
        return (double)((const int64_t *)t->data)[i];
    case ENG_INT32:
        return ((const int32_t *)t->data)[i];
    case ENG_INT16:
        return ((const int16_t *)t->data)[i];
    case ENG_INT8:
        return ((const int8_t *)t->data)[i];
    case ENG_UINT64:
        return (double)((const uint64_t *)t->data)[i];
    case ENG_UINT32:
        return ((const uint32_t *)t->data)[i];
    case ENG_UINT16:
        return ((const uint16_t *)t->data)[i];
    case ENG_UINT8:
        return ((const uint8_t *)t->data)[i];
    case ENG_BOOL:
        return ((const bool *)t->data)[i];
    default:
        return (double)NAN; /* equal to nothing but NaN, and the types are compared before */
    }
}

static bool close_enough(double found, double wanted)
{
    if (isnan(wanted) || isinf(wanted)) return isnan(wanted) ? isnan(found) : found == wanted;
    return fabs(found - wanted) <= ABSOLUTE + RELATIVE * fabs(wanted);
}

static bool same_tensor(const struct eng_tensor *found, const struct eng_tensor *wanted,
                        size_t output, struct eng_error *err)
{
    char text[256], found_shape[96], wanted_shape[96];
    if (found->dtype != wanted->dtype || !eng_shape_equal(&found->shape, &wanted->shape)) {
        snprintf(text, sizeof text, "output %zu is %s %s, recorded is %s %s", output,
                 eng_dtype_name(found->dtype),
                 eng_shape_format(&found->shape, found_shape, sizeof found_shape),
                 eng_dtype_name(wanted->dtype),
                 eng_shape_format(&wanted->shape, wanted_shape, sizeof wanted_shape));
        return fail(err, text);
    }
    int64_t n = eng_shape_count(&wanted->shape);
    for (int64_t i = 0; i < n; i++) {
        double a = element(found, (size_t)i), b = element(wanted, (size_t)i);
        if (close_enough(a, b)) continue;
        snprintf(text, sizeof text, "output %zu element %lld is %.9g, recorded is %.9g", output,
                 (long long)i, a, b);
        return fail(err, text);
    }
    return true;
}

/*
 * Opens and runs the model. An operator may want inputs constant: then the later ones are, then
 * all. *n_inputs becomes the number that stayed inputs; what was said at first goes to c->said.
 */
static enum eng_status run_model(struct test_case *c, const struct eng_file *file,
                                 const struct eng_tensor *inputs, size_t n_inputs,
                                 struct eng_tensor *outputs, size_t n_outputs,
                                 struct eng_error *err)
{
    size_t stay = n_inputs;
    enum eng_status status;
    for (;;) {
        struct eng_error said = {0};
        status = open_model(file, inputs, n_inputs, stay, &c->model, &said);
        if (status != ENG_OK && stay == n_inputs) c->said = said;
        if (status == ENG_OK || stay == 0) break;
        stay = stay > 1 ? 1 : 0;
    }
    if (status != ENG_OK) {
        *err = c->said;
        return status;
    }
    status = eng_session_create(c->model, NULL, &c->session, err);
    return status ? status : eng_session_run(c->session, inputs, stay, outputs, n_outputs, err);
}

static bool run_data_set(struct test_case *c, const struct eng_file *file, const char *folder,
                         struct eng_error *err)
{
    struct eng_tensor inputs[MAX_TENSORS], wanted[MAX_TENSORS], outputs[MAX_TENSORS];
    size_t n_inputs, n_wanted;
    if (!read_tensors(c, folder, "input", inputs, &n_inputs, err) ||
        !read_tensors(c, folder, "output", wanted, &n_wanted, err))
        return false;
    if (n_wanted == 0) return fail(err, "no output is recorded");
    if (run_model(c, file, inputs, n_inputs, outputs, n_wanted, err) != ENG_OK) return false;
    for (size_t i = 0; i < n_wanted; i++)
        if (!same_tensor(&outputs[i], &wanted[i], i, err)) return false;
    return true;
}

static void close_model(struct test_case *c)
{
    eng_session_destroy(c->session);
    eng_model_destroy(c->model);
    c->session = NULL;
    c->model = NULL;
}

static bool run_case(struct test_case *c, const struct eng_file *file, struct eng_error *err)
{
    for (int n_sets = 0;; n_sets++) {
        char folder[700];
        snprintf(folder, sizeof folder, "%s/test_data_set_%d", c->folder, n_sets);
        if (!eng_file_is_dir(folder)) return n_sets > 0 || fail(err, "no test_data_set folder");
        bool good = run_data_set(c, file, folder, err);
        close_model(c);
        if (!good) return false;
    }
}

/* --- the walk --- */

static void list_case(const struct test_case *c, bool passed, const struct eng_error *err)
{
    printf("%s\t%s\t", passed ? "passed" : "refused", c->name);
    const char *between = "";
    for (size_t i = 0; i < eng_op_count(); i++) {
        if (!c->has_op[i]) continue;
        printf("%s%s", between, eng_op_at(i)->name);
        between = ",";
    }
    printf("\t%s\n", passed ? c->said.text : err->text);
}

static void list_operators(void)
{
    for (size_t i = 0; i < eng_op_count(); i++) {
        const struct eng_op *op = eng_op_at(i);
        printf("operator\t%s\t%s\t%d\t%d\t%s\n", op->name, op->domain, op->opset_min, op->opset_max,
               op->backward ? "yes" : "no");
    }
}

static void count(struct tally *tally, const struct test_case *c, bool passed,
                  const struct eng_error *err)
{
    struct skip *skip = find_skip(tally, c->name);
    if (skip) skip->seen = true;
    tally->n_cases++;
    tally->n_skips_used += skip != NULL;
    if (passed == (skip != NULL)) {
        tally->n_failures++;
        printf("FAILED %s: %s\n", c->name,
               passed ? "passes, but stands in onnx_node_skips.txt" : err->text);
    }
    for (size_t i = 0; i < eng_op_count(); i++) {
        if (!c->has_op[i]) continue;
        tally->n_passed[i] += passed;
        tally->n_skipped[i] += skip != NULL;
    }
    if (tally->list) list_case(c, passed, err);
}

static void visit(struct tally *tally, const char *root, const char *group, const char *name)
{
    struct test_case c = {.model = NULL};
    char path[700];
    snprintf(c.name, sizeof c.name, "%s/%s", group, name);
    snprintf(c.folder, sizeof c.folder, "%s/%s", root, c.name);
    snprintf(path, sizeof path, "%s/model.onnx", c.folder);
    struct eng_error err = {0};
    struct eng_file file;
    if (eng_file_read(path, MAX_FILE_BYTES, &file, &err) != ENG_OK) {
        printf("FAILED %s: %s\n", c.name, err.text);
        tally->n_failures++;
        return;
    }
    eng_arena_init(&c.arena);
    if (all_ours(&file, c.has_op))
        count(tally, &c, run_case(&c, &file, &err), &err);
    else
        tally->n_others++;
    eng_arena_fini(&c.arena);
    eng_file_fini(&file);
}

static int is_test(const struct dirent *entry)
{
    return strncmp(entry->d_name, "test_", 5) == 0;
}

static bool visit_group(struct tally *tally, const char *root, const char *group)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, group);
    struct dirent **entries;
    int n = scandir(path, &entries, is_test, alphasort);
    if (n < 0) return false;
    for (int i = 0; i < n; i++) {
        visit(tally, root, group, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return true;
}

static void report(struct tally *tally)
{
    for (size_t i = 0; i < tally->n_skips; i++) {
        if (tally->skips[i].seen) continue;
        printf("FAILED %s: stands in onnx_node_skips.txt, but there is no such case\n",
               tally->skips[i].name);
        tally->n_failures++;
    }
    for (size_t i = 0; i < eng_op_count(); i++)
        printf("%-24s %3d passed, %3d cannot apply\n", eng_op_at(i)->name, tally->n_passed[i],
               tally->n_skipped[i]);
    printf("%d cases of our operators: %d cannot apply, %d failed; %d of other operators\n",
           tally->n_cases, tally->n_skips_used, tally->n_failures, tally->n_others);
}

int main(int argc, char **argv)
{
    static struct tally tally;
    tally.list = argc > 1 && strcmp(argv[1], "--list") == 0;
    const char *root = getenv("CLASSIFYD_ONNX_TESTDATA"), *source = getenv("CLASSIFYD_SOURCE");
    if (!root) root = PACKAGE_FOLDER;
    if (!eng_file_is_dir(root)) {
        printf("%s is not there (Debian package libonnx-testdata): skipped\n", root);
        return SKIPPED;
    }
    char path[600];
    snprintf(path, sizeof path, "%s/tests/conformance/onnx_node_skips.txt", source ? source : ".");
    if (eng_op_count() > MAX_OPS || !read_skips(&tally, path)) {
        printf("%s could not be read\n", path);
        return 1;
    }
    if (tally.list) list_operators();
    for (size_t i = 0; i < sizeof GROUPS / sizeof *GROUPS; i++) {
        if (visit_group(&tally, root, GROUPS[i])) continue;
        printf("FAILED %s/%s: no such folder\n", root, GROUPS[i]);
        tally.n_failures++;
    }
    report(&tally);
    return tally.n_failures || tally.n_cases == 0;
}
